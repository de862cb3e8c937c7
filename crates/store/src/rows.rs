//! One entry as a row of its index table: writing it, taking it away.

use crate::contract::{Name, StoreError, UniqueKey};
use crate::dialect::table::{self, Table};
use crate::dialect::{Db, Value, damaged, unavailable};
use crate::entry::{Entry, Link};
use crate::moment::Moment;
use crate::writer::Tx;

/// Whose row it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The key of the resource.
    pub(crate) resource: i64,
    /// Its moment.
    pub(crate) moment: Moment,
}

/// Calls `with` with the table of an entry and the values of its row.
fn with_row<T>(db: Db<'_>, owner: Owner, entry: Entry<'_>, with: impl FnOnce(&'static Table, &[Value<'_>]) -> T) -> T {
    let Owner { resource, moment: Moment { instant, span } } = owner;
    match entry {
        Entry::Token { param, system, code } => with(
            &table::TOKEN,
            &[param.into(), db.key_text(code).into(), instant.into(), resource.into(), system.into(), span.into()],
        ),
        Entry::Reference { param, target, link } => with(
            &table::REFERENCE,
            &[
                target.into(),
                param.into(),
                instant.into(),
                resource.into(),
                span.into(),
                i64::from(link == Link::Firm).into(),
            ],
        ),
        Entry::Uri { param, value } => {
            with(&table::URI, &[param.into(), db.key_text(value).into(), instant.into(), resource.into(), span.into()])
        }
        Entry::Text { param, folded, exact } => {
            with(&table::STRING, &[param.into(), folded.into(), resource.into(), exact.into()])
        }
        Entry::Date { param, low, high } => {
            with(&table::DATE, &[param.into(), low.into(), high.into(), resource.into()])
        }
        Entry::Number { param, low, high } => {
            with(&table::NUMBER, &[param.into(), low.into(), high.into(), resource.into()])
        }
        Entry::Quantity { param, low, high, system, code } => with(
            &table::QUANTITY,
            &[param.into(), low.into(), high.into(), resource.into(), system.into(), db.key_text(code).into()],
        ),
        Entry::Position { param, x, y, z } => {
            with(&table::POSITION, &[param.into(), z.into(), resource.into(), x.into(), y.into()])
        }
        Entry::Key { scope, key } => {
            with(&table::UNIQUE_KEY, &[scope.into(), db.key_text(key).into(), resource.into()])
        }
    }
}

impl Tx<'_> {
    /// Writes a row. `unique`: the keys as they came, to name the one that is taken.
    pub(crate) fn insert_row(&self, owner: Owner, entry: Entry<'_>, unique: &[UniqueKey]) -> Result<(), StoreError> {
        if let Entry::Key { scope, key } = entry {
            return self.take_key(owner.resource, scope, key, unique);
        }
        let shard = self.db.shards().of_key(owner.resource);
        with_row(self.db, owner, entry, |table, values| self.db.put(table, values, shard))
    }

    /// Takes a row away.
    pub(crate) fn remove_row(&self, owner: Owner, entry: Entry<'_>) -> Result<(), StoreError> {
        let mut shard = self.db.shards().of_key(owner.resource);
        if let Entry::Key { scope, key } = entry {
            let key = self.db.key_text(key);
            shard = self.db.shard_of_unique(scope, &key);
            self.db.changed_holder(scope, &key, None);
        }
        with_row(self.db, owner, entry, |table, values| self.db.take_away(table, values, shard))
    }

    /// Takes a row away that may not be there, of the tables that no index leads to from a resource.
    pub(crate) fn forget_row(&self, owner: Owner, entry: Entry<'_>) -> Result<(), StoreError> {
        match entry {
            Entry::Token { .. } | Entry::Uri { .. } => with_row(self.db, owner, entry, |table, values| {
                self.db.execute(&table.texts().delete, values.get(..table.key()).unwrap_or(values)).map(drop)
            }),
            _ => Ok(()),
        }
    }

    /// Sees to it that a resource holds a unique key that is its own.
    pub(crate) fn hold_key(&self, resource: i64, scope: i64, key: &str) -> Result<(), StoreError> {
        let key = &*self.db.key_text(key);
        let values = [scope.into(), key.into(), resource.into(), self.db.shard_of_unique(scope, key).into()];
        let sql = match self.db {
            Db::Sqlite(_) => "INSERT INTO unique_key (scope, key, resource) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            Db::Postgres(..) => {
                "INSERT INTO unique_key (scope, key, resource, shard) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
            }
        };
        let values = match self.db {
            Db::Sqlite(_) => values.get(..3).unwrap_or(&values),
            Db::Postgres(..) => &values,
        };
        self.db.execute(sql, values).map(drop)
    }

    fn take_key(&self, resource: i64, scope: i64, key: &str, unique: &[UniqueKey]) -> Result<(), StoreError> {
        let key = &*self.db.key_text(key);
        let row = [scope.into(), key.into(), resource.into()];
        let free = match self.db {
            Db::Sqlite(db) => {
                let sql = "INSERT INTO unique_key (scope, key, resource) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
                db.execute(sql, &row)? == 1
            }
            // Another node may be about to take it: then the constraint refuses one of the two, whose
            // jobs run again and see it taken.
            Db::Postgres(..) => match self.holding(scope, key)? {
                Some(_) => false,
                None => {
                    self.db.put(&table::UNIQUE_KEY, &row, self.db.shard_of_unique(scope, key))?;
                    self.db.changed_holder(scope, key, Some(resource));
                    true
                }
            },
        };
        if free {
            return Ok(());
        }
        for wanted in unique.iter().filter(|wanted| *self.db.key_text(&wanted.key) == *key) {
            if self.words.scope(self.db, wanted.scope)? == Some(scope) {
                let holder = self.holder(wanted)?.ok_or_else(|| damaged("a key is taken by nobody"))?;
                return Err(StoreError::KeyTaken { key: wanted.clone(), holder });
            }
        }
        Err(unavailable("a key that was not asked for is taken"))
    }
}

impl crate::reader::Reader<'_> {
    /// The live resource that holds a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn holder(&self, key: &UniqueKey) -> Result<Option<Name>, StoreError> {
        let Some(scope) = self.words.scope(self.db, key.scope)? else { return Ok(None) };
        let Some(holder) = self.holding(scope, &self.db.key_text(&key.key))? else { return Ok(None) };
        self.name_of(holder).map(Some)
    }

    /// The key of the resource that holds a unique key.
    fn holding(&self, scope: i64, key: &str) -> Result<Option<i64>, StoreError> {
        if let Some(known) = self.db.known_holder(scope, key) {
            return Ok(known);
        }
        let sql = "SELECT resource FROM unique_key WHERE scope = ?1 AND key = ?2";
        let holder = self.db.first_before(sql, &[scope.into(), key.into()], |row| row.int(0))?;
        self.db.learn_holder(scope, key, holder);
        Ok(holder)
    }

    /// The name of the resource of a key.
    fn name_of(&self, key: i64) -> Result<Name, StoreError> {
        if let Some((kind, id)) = self.db.known_name(key) {
            return self.named(kind, id);
        }
        let sql = "SELECT type, id FROM resource WHERE key = ?1";
        let found =
            self.db.first_before(sql, &[key.into()], |row| Ok((row.int(0)?, Box::<str>::from(row.text(1)?))))?;
        let (kind, id) = found.ok_or_else(|| damaged("a key leads to no resource"))?;
        self.named(kind, id)
    }

    /// A name from what a row says.
    pub(crate) fn named(&self, kind: i64, id: Box<str>) -> Result<Name, StoreError> {
        Ok(Name { resource_type: self.words.kind_of(self.db, kind)?.name.as_ref().into(), id })
    }
}
