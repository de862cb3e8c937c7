//! What the jobs of a group will ask, asked at once.
//!
//! Nearly every job asks what stands under the names that it refers to, and who holds its unique keys. Each
//! question is a way to the server and back; as far as the requests show them, they are asked together when
//! the shards are locked. A job that asks something else asks by itself.

use std::collections::HashSet;

use crate::commit::read_standing;
use crate::contract::StoreError;
use crate::dialect::{Db, Value};
use crate::dictionary::Dictionary;
use crate::shard::Places;

const STANDING: &str = "SELECT r.key, r.version, r.live, r.instant, r.span, r.entry, r.type, r.id
    FROM unnest(?1::text[], ?2::int8[]) AS u (id, type)
    CROSS JOIN resource r ON r.id = u.id AND r.type = u.type::int4";

const HOLDERS: &str = "SELECT k.scope, k.key, k.resource FROM unnest(?1::text[], ?2::int8[]) AS u (key, scope)
    CROSS JOIN unique_key k ON k.scope = u.scope::int4 AND k.key = u.key";

/// Asks what the jobs that write to these places will ask. `aside`: where names are looked up.
pub(super) fn ask(db: Db<'_>, aside: Db<'_>, words: &Dictionary, places: &[Places]) -> Result<(), StoreError> {
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
    if !resources.is_empty() {
        let (types, ids): (Vec<i64>, Vec<String>) =
            resources.iter().map(|(kind, id)| (*kind, (*id).to_owned())).unzip();
        let found = db.all(STANDING, &[Value::Texts(ids.into()), Value::Ints(types.into())], |row| {
            Ok((row.int(6)?, row.text(7)?.to_owned(), read_standing(row)?))
        })?;
        resources.iter().for_each(|(kind, id)| db.learn_resource(*kind, id, None));
        found.iter().for_each(|(kind, id, standing)| db.learn_resource(*kind, id, Some(standing)));
    }
    if !keys.is_empty() {
        let (scopes, texts): (Vec<i64>, Vec<String>) =
            keys.iter().map(|(scope, key)| (*scope, key.to_string())).unzip();
        let found = db.all(HOLDERS, &[Value::Texts(texts.into()), Value::Ints(scopes.into())], |row| {
            Ok((row.int(0)?, row.text(1)?.to_owned(), row.int(2)?))
        })?;
        keys.iter().for_each(|(scope, key)| db.learn_holder(*scope, key, None));
        found.iter().for_each(|(scope, key, holder)| db.learn_holder(*scope, key, Some(*holder)));
    }
    Ok(())
}
