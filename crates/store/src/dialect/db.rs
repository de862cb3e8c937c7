//! A connection to either database: what is asked of it in common text.

use std::borrow::Cow;
use std::time::Duration;

use super::{Dialect, Keyed, Row, Value, postgres, sqlite};
use crate::contract::StoreError;
use crate::shard::Shards;

/// A connection to either, for whoever runs common text on it.
#[derive(Clone, Copy)]
pub(crate) enum Db<'c> {
    /// To a file.
    Sqlite(&'c sqlite::Connection),
    /// To a server, with what is known of how the store is divided there.
    Postgres(&'c postgres::Connection, Shards),
}

impl<'c> From<&'c sqlite::Connection> for Db<'c> {
    fn from(db: &'c sqlite::Connection) -> Self {
        Self::Sqlite(db)
    }
}

fn first_row<T>(
    rows: &[tokio_postgres::Row],
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    rows.first().map(|row| read(&Row::Postgres(postgres::Row::of(row)))).transpose()
}

impl<'c> Db<'c> {
    /// Carries out what writes aside from the transactions of jobs, whole or not at all. On SQLite it is
    /// a part of the job.
    pub(crate) fn as_one<T>(self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Self::Postgres(db, _) = self else { return work() };
        db.begin("BEGIN");
        match work() {
            Ok(done) => db.end("COMMIT").map(|()| done),
            Err(error) => {
                if !db.is_broken() {
                    db.end("ROLLBACK")?;
                }
                Err(error)
            }
        }
    }

    /// Runs a statement that changes; gives the number of rows changed.
    pub(crate) fn execute(self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(db) => db.execute(sql, values),
            Self::Postgres(db, _) => db.execute(sql, values),
        }
    }

    /// Hands every row of a statement to `each`.
    pub(crate) fn each(
        self,
        sql: &str,
        values: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => db.each(sql, values, each),
            Self::Postgres(db, _) => db.each(sql, values, each),
        }
    }

    /// As [`Db::each`], one row in memory at a time; `each` asks nothing of the store.
    pub(crate) fn stream(
        self,
        sql: &str,
        values: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => db.each(sql, values, each),
            Self::Postgres(db, _) => db.stream(sql, values, each),
        }
    }

    /// The rows of a statement.
    pub(crate) fn all<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The first row of a statement, if any.
    pub(crate) fn first<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(db) => db.first(sql, values, read),
            Self::Postgres(db, _) => first_row(&db.rows(sql, values)?, read),
        }
    }

    /// As [`Db::first`], of what was there before the job wrote: what it wrote itself is not looked for.
    pub(crate) fn first_before<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(db) => db.first(sql, values, read),
            Self::Postgres(db, _) => first_row(&db.rows_before(sql, values)?, read),
        }
    }

    /// A statement that finds one row by its key, to be asked for many.
    pub(crate) fn keyed(self, sql: &'static str) -> Result<Keyed<'c>, StoreError> {
        Ok(match self {
            Self::Sqlite(db) => Keyed::Sqlite(db.keyed(sql)?),
            Self::Postgres(..) => Keyed::Postgres(self, sql),
        })
    }

    /// Begins to see one moment of the store.
    pub(crate) fn begin_snapshot(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => db.execute("BEGIN", &[]).map(drop),
            Self::Postgres(db, _) => {
                db.forget_foreseen();
                db.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
                Ok(())
            }
        }
    }

    /// Lets go of that moment, unless an error did already.
    pub(crate) fn end_snapshot(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) if db.in_transaction() => db.execute("COMMIT", &[]).map(drop),
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db, _) => {
                db.forget_foreseen();
                db.end_soon();
                Ok(())
            }
        }
    }

    /// Runs `work`; any statement still running after `limit` ends with [`StoreError::TooSlow`].
    pub(crate) fn within<T>(self, limit: Duration, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Sqlite(db) => db.within(limit, work),
            Self::Postgres(db, _) => db.within(limit, work),
        }
    }

    /// The connection of a job that reads, when each question is a way to a server and back: what will be
    /// asked is then better asked at once.
    pub(crate) fn far(self) -> Option<&'c postgres::Connection> {
        match self {
            Self::Postgres(db, _) if !db.writes() => Some(db),
            Self::Postgres(..) | Self::Sqlite(_) => None,
        }
    }

    /// How the store is divided.
    pub(crate) const fn shards(self) -> Shards {
        match self {
            Self::Sqlite(_) => Shards::One,
            Self::Postgres(_, shards) => shards,
        }
    }

    /// How expressions are spelled.
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(..) => Dialect::Postgres,
        }
    }

    /// A text that values are found by, as it is kept.
    pub(crate) fn key_text(self, text: &str) -> Cow<'_, str> {
        self.dialect().key_text(text)
    }
}
