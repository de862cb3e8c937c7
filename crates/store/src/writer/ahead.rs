//! What the jobs of a group will ask, asked at once.
//!
//! Nearly every job asks what stands under the names that it refers to, and who holds its unique keys. Each
//! question is a way to the server and back; as far as the requests show them, they are asked together, in the
//! message that locks the shards: PostgreSQL answers them when it has the locks, from what is committed by then.
//! A job that asks something else asks by itself.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::commit::read_standing;
use crate::contract::StoreError;
use crate::dialect::postgres::Question;
use crate::dialect::{Db, Value};
use crate::dictionary::Dictionary;
use crate::shard::Places;

const STANDING: &str = "SELECT r.key, r.version, r.live, r.instant, r.span, r.entry, r.type, r.id
    FROM unnest(?1::text[], ?2::int8[]) AS u (id, type)
    CROSS JOIN resource r ON r.id = u.id AND r.type = u.type::int4";

const HOLDERS: &str = "SELECT k.scope, k.key, k.resource FROM unnest(?1::text[], ?2::int8[]) AS u (key, scope)
    CROSS JOIN unique_key k ON k.scope = u.scope::int4 AND k.key = u.key";

/// What the jobs that write to these places will ask: of resources by type and identifier, and of unique keys by
/// scope and text.
#[derive(Debug, Default)]
pub(super) struct Asked<'p> {
    resources: Vec<(i64, &'p str)>,
    keys: Vec<(i64, Cow<'p, str>)>,
}

impl<'p> Asked<'p> {
    /// As far as the places show it. `aside`: where names are looked up.
    pub(super) fn of(db: Db<'_>, aside: Db<'_>, words: &Dictionary, places: &'p [Places]) -> Result<Self, StoreError> {
        let mut resources = HashSet::new();
        for name in places.iter().flat_map(|places| places.names.iter().chain(&places.looks)) {
            if let Some(kind) = words.kind(aside, &name.resource_type)? {
                resources.insert((kind.key, name.id.as_ref()));
            }
        }
        let mut keys = HashSet::new();
        for key in places.iter().flat_map(|places| &places.keys) {
            if let Some(scope) = words.scope(aside, key.scope)? {
                keys.insert((scope, db.key_text(&key.key)));
            }
        }
        Ok(Self { resources: resources.into_iter().collect(), keys: keys.into_iter().collect() })
    }

    /// The questions, to be sent with another.
    pub(super) fn questions(&self) -> Vec<Question> {
        let standing = (!self.resources.is_empty()).then(|| Question::new(STANDING, &self.names()));
        let holders = (!self.keys.is_empty()).then(|| Question::new(HOLDERS, &self.texts()));
        standing.into_iter().chain(holders).collect()
    }

    /// Takes in the answers, or asks.
    pub(super) fn learn(&self, db: Db<'_>) -> Result<(), StoreError> {
        if !self.resources.is_empty() {
            let found =
                db.all(STANDING, &self.names(), |row| Ok((row.int(6)?, row.text(7)?.to_owned(), read_standing(row)?)))?;
            self.resources.iter().for_each(|(kind, id)| db.learn_resource(*kind, id, None));
            found.iter().for_each(|(kind, id, standing)| db.learn_resource(*kind, id, Some(standing)));
        }
        if !self.keys.is_empty() {
            let found =
                db.all(HOLDERS, &self.texts(), |row| Ok((row.int(0)?, row.text(1)?.to_owned(), row.int(2)?)))?;
            self.keys.iter().for_each(|(scope, key)| db.learn_holder(*scope, key, None));
            found.iter().for_each(|(scope, key, holder)| db.learn_holder(*scope, key, Some(*holder)));
        }
        Ok(())
    }

    fn names(&self) -> [Value<'static>; 2] {
        let (types, ids): (Vec<i64>, Vec<String>) =
            self.resources.iter().map(|(kind, id)| (*kind, (*id).to_owned())).unzip();
        [Value::Texts(ids.into()), Value::Ints(types.into())]
    }

    fn texts(&self) -> [Value<'static>; 2] {
        let (scopes, texts): (Vec<i64>, Vec<String>) =
            self.keys.iter().map(|(scope, key)| (*scope, key.to_string())).unzip();
        [Value::Texts(texts.into()), Value::Ints(scopes.into())]
    }
}
