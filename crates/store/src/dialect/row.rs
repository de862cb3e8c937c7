//! Rows of a result, whichever database gave them.

use super::{Db, Value, postgres, sqlite};
use crate::contract::StoreError;

/// A row of a result. Columns are counted from 0.
pub(crate) enum Row<'r> {
    /// Of a file.
    Sqlite(sqlite::Row<'r>),
    /// Of a server.
    Postgres(postgres::Row<'r>),
}

impl<'r> Row<'r> {
    /// Whole numbers in one column; of a file, the one that stands there.
    pub(crate) fn ints(&self, column: usize) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.int(column).map(|one| vec![one]),
            Self::Postgres(row) => row.ints(column),
        }
    }

    /// A whole number.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => row.int(column),
            Self::Postgres(row) => row.int(column),
        }
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        match self {
            Self::Sqlite(row) => row.text(column),
            Self::Postgres(row) => row.text(column),
        }
    }

    /// A text, or nothing.
    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        match self {
            Self::Sqlite(row) => row.maybe_text(column),
            Self::Postgres(row) => row.maybe_text(column),
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&'r [u8], StoreError> {
        match self {
            Self::Sqlite(row) => row.bytes(column),
            Self::Postgres(row) => row.bytes(column),
        }
    }

    /// Whatever stands there.
    pub(crate) fn value(&self, column: usize) -> Result<Value<'static>, StoreError> {
        match self {
            Self::Sqlite(row) => row.value(column),
            Self::Postgres(row) => row.value(column),
        }
    }
}

/// A statement with one value: a key.
pub(crate) enum Keyed<'c> {
    Sqlite(sqlite::Keyed<'c>),
    Postgres(Db<'c>, &'static str),
}

impl Keyed<'_> {
    /// The row of a key, if there is one.
    pub(crate) fn row<T>(
        &mut self,
        key: i64,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(statement) => statement.row(key, read),
            Self::Postgres(db, sql) => db.first(sql, &[key.into()], read),
        }
    }
}
