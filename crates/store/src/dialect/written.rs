//! Rows that are written: on SQLite at once, on PostgreSQL gathered and sent together.

use super::table::Table;
use super::{Db, Value, damaged, sqlite};
use crate::contract::StoreError;

impl Db<'_> {
    /// Puts a row into a table.
    pub(crate) fn put(self, table: &'static Table, values: &[Value<'_>], shard: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => db.execute(&table.texts().insert, values).map(drop),
            Self::Postgres(db, _) => {
                db.staging.borrow_mut().put(table, values, shard);
                Ok(())
            }
        }
    }

    /// Takes a row from a table; that it was there is looked at.
    pub(crate) fn take_away(self, table: &'static Table, values: &[Value<'_>], shard: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => {
                let key = values.get(..table.key()).unwrap_or(values);
                match db.execute(&table.texts().delete, key)? {
                    1 => Ok(()),
                    _ => Err(damaged("an index row that should be there is not")),
                }
            }
            Self::Postgres(db, _) => {
                db.staging.borrow_mut().take_away(table, values, shard);
                Ok(())
            }
        }
    }

    /// Writes the last version of a resource in the place of the one before, which is kept, as replaced
    /// at `until`, if there is anything to keep.
    pub(crate) fn replace(self, values: &[Value<'_>], until: Option<i64>, shard: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => {
                if let (Some(until), Some(key)) = (until, values.first()) {
                    db.execute(sqlite::KEEP_PAST, &[key.clone(), until.into()])?;
                }
                db.execute(sqlite::REPLACE, values).map(drop)
            }
            Self::Postgres(db, _) => {
                db.staging.borrow_mut().replace(values, until, shard);
                Ok(())
            }
        }
    }

    /// Says anew where the last version of a resource stands, and what finds it.
    pub(crate) fn restate(self, values: &[Value<'_>], shard: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => {
                let sql = "UPDATE resource SET instant = ?2, span = ?3, facets = ?4, entry = ?5 WHERE key = ?1";
                db.execute(sql, values).map(drop)
            }
            Self::Postgres(db, _) => {
                db.staging.borrow_mut().restate(values, shard);
                Ok(())
            }
        }
    }

    /// The shard of a unique key.
    pub(crate) fn shard_of_unique(self, scope: i64, key: &str) -> u32 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(_, shards) => shards.of_bytes([&scope.to_le_bytes(), key.as_bytes()].concat().as_slice()),
        }
    }

    /// Sees to it that nobody else writes in a shard while this job does; a reader needs none.
    ///
    /// # Errors
    /// When it is not held: the job will be run again with it.
    pub(crate) fn need(self, shard: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db, _) => db.need(|held| held.contains(shard), |wanted| wanted.insert(shard)),
        }
    }

    /// As [`Db::need`], for all shards.
    pub(crate) fn need_everything(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db, shards) => db.need(|held| held.contains_all(shards), |wanted| wanted.insert_all(shards)),
        }
    }
}
