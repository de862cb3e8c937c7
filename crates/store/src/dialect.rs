//! What differs from one database to another: opening, values in and rows out, error classes, how
//! rows are written, and the few expressions that have no common spelling.
//!
//! All other SQL of this crate is common text with `?1`-like places.

pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod table;

use std::borrow::Cow;
use std::time::Duration;

use self::table::Table;
use crate::contract::StoreError;
use crate::shard::Shards;

/// A value bound to a statement. Values are never formatted into SQL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// A whole number, key, instant or truth value.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Whole numbers, in an order. PostgreSQL only.
    Ints(Cow<'a, [i64]>),
    /// Texts, in an order. PostgreSQL only.
    Texts(Cow<'a, [String]>),
    /// Nothing.
    Null,
}

impl Value<'_> {
    /// On its own.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Int(number) => Value::Int(number),
            Self::Real(number) => Value::Real(number),
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Self::Ints(numbers) => Value::Ints(numbers.into_owned().into()),
            Self::Texts(texts) => Value::Texts(texts.into_owned().into()),
            Self::Null => Value::Null,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u8> for Value<'_> {
    fn from(value: u8) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(value: Cow<'a, str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}

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

/// How the few expressions without a common spelling are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// As much of a string as PostgreSQL indexes: see the table `string`.
const BEGINNING: &str = "200";

impl Dialect {
    /// Where a text stands in another, counted from 1; 0 when it does not.
    pub(crate) fn position_of(self, part: &str, whole: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({whole}, {part})"),
            Self::Postgres => format!("strpos({whole}, {part})"),
        }
    }

    /// The greater of two numbers.
    pub(crate) const fn greater(self) -> &'static str {
        match self {
            Self::Sqlite => "max",
            Self::Postgres => "greatest",
        }
    }

    /// Whether a folded string lies from one text on, and before another if there is one.
    pub(crate) fn folded_between(self, from: &str, end: Option<&str>) -> String {
        let end = end.map(|end| match self {
            Self::Sqlite => format!(" AND folded < {end}"),
            Self::Postgres => format!(" AND left(folded, {BEGINNING}) <= left({end}, {BEGINNING}) AND folded < {end}"),
        });
        let end = end.unwrap_or_default();
        match self {
            Self::Sqlite => format!("folded >= {from}{end}"),
            Self::Postgres => {
                format!("left(folded, {BEGINNING}) >= left({from}, {BEGINNING}) AND folded >= {from}{end}")
            }
        }
    }

    /// Whether a folded string is a text.
    pub(crate) fn folded_is(self, text: &str) -> String {
        match self {
            Self::Sqlite => format!("folded = {text}"),
            Self::Postgres => format!("left(folded, {BEGINNING}) = left({text}, {BEGINNING}) AND folded = {text}"),
        }
    }

    /// Whether the row of a resource was there when the last changes of the shards were these.
    pub(crate) fn not_after(self, row: &str, last: &str) -> String {
        match self {
            Self::Sqlite => format!("{row}.sequence <= {last}"),
            Self::Postgres => format!("{row}.sequence <= ({last}::int8[])[{row}.shard + 1]"),
        }
    }

    /// The resources that changed since the last changes of the shards were these, and were there before.
    pub(crate) fn changed_after(self, last: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT DISTINCT resource FROM change WHERE sequence > {last} AND version > 1"),
            Self::Postgres => format!(
                "SELECT DISTINCT h.resource FROM unnest({last}::int8[]) WITH ORDINALITY AS u (last, place) \
                 CROSS JOIN change h ON h.shard = u.place - 1 AND h.sequence > u.last WHERE h.version > 1"
            ),
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

/// A row of a result. Columns are counted from 0.
pub(crate) enum Row<'r> {
    /// Of a file.
    Sqlite(sqlite::Row<'r>),
    /// Of a server.
    Postgres(postgres::Row<'r>),
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

    /// As [`Db::first`], of a resource of this name.
    pub(crate) fn first_of<T>(
        self,
        kind: i64,
        id: &str,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let untouched = match self {
            // What a job wrote itself is there for it to read.
            Self::Sqlite(_) => false,
            Self::Postgres(db, _) => {
                let mut staging = db.staging.borrow_mut();
                match staging.known().resource(kind, id) {
                    None => true,
                    Some(None) => return Ok(None),
                    Some(Some(resource)) => !staging.known().touches(resource.key),
                }
            }
        };
        if untouched { self.first_before(sql, values, read) } else { self.first(sql, values, read) }
    }

    /// Whether a resource is live, as far as is known without asking.
    pub(crate) fn known_life(self, key: i64) -> Option<bool> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().is_live(key),
        }
    }

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

    /// The shard of a unique key.
    pub(crate) fn shard_of_unique(self, scope: i64, key: &str) -> u32 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(_, shards) => shards.of_bytes([&scope.to_le_bytes(), key.as_bytes()].concat().as_slice()),
        }
    }

    /// Who holds a unique key, as far as is known without asking.
    pub(crate) fn known_holder(self, scope: i64, key: &str) -> Option<Option<i64>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().holder(scope, key),
        }
    }

    /// What was read of a unique key.
    pub(crate) fn learn_holder(self, scope: i64, key: &str, holder: Option<i64>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().learn_holder(scope, key, holder);
        }
    }

    /// Who holds a unique key by what was written.
    pub(crate) fn changed_holder(self, scope: i64, key: &str, holder: Option<i64>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().change_holder(scope, key, holder);
        }
    }

    /// What stands under a name, as far as is known without asking.
    pub(crate) fn known_resource(self, kind: i64, id: &str) -> Option<Option<postgres::Resource>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().resource(kind, id),
        }
    }

    /// What was read of a name.
    pub(crate) fn learn_resource(self, kind: i64, id: &str, found: Option<&postgres::Resource>) {
        if let Some(mut staging) = self.remembering() {
            staging.known().learn(kind, id, found.cloned());
        }
    }

    /// What a resource is by what was written.
    pub(crate) fn changed(self, kind: i64, id: &str, resource: impl FnOnce() -> postgres::Resource) {
        if let Some(mut staging) = self.remembering() {
            staging.known().change(kind, id, resource());
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

    /// The name of a resource, as far as is known without asking.
    pub(crate) fn known_name(self, key: i64) -> Option<(i64, Box<str>)> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db, _) => db.staging.borrow_mut().known().name(key),
        }
    }

    /// What is remembered in the transaction of a writer.
    fn remembering(&self) -> Option<std::cell::RefMut<'_, postgres::Staging>> {
        match self {
            Self::Postgres(db, _) if db.writes() => Some(db.staging.borrow_mut()),
            _ => None,
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

    /// A text that values are found by, as it is kept: PostgreSQL's indexes take none that is very long,
    /// so one that is is kept by its beginning and its digest.
    pub(crate) fn key_text<'t>(self, text: &'t str) -> Cow<'t, str> {
        match self {
            Self::Postgres(..) if text.len() > postgres::LONGEST_KEY => postgres::stand_in(text).into(),
            _ => Cow::Borrowed(text),
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

    /// A statement that finds one row by its key, to be asked for many.
    pub(crate) fn keyed(self, sql: &'static str) -> Result<Keyed<'c>, StoreError> {
        Ok(match self {
            Self::Sqlite(db) => Keyed::Sqlite(db.keyed(sql)?),
            Self::Postgres(..) => Keyed::Postgres(self, sql),
        })
    }
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

/// An error of ours that means the store cannot serve.
pub(crate) fn unavailable(text: impl Into<String>) -> StoreError {
    StoreError::Unavailable(text.into().into())
}

/// An error of ours that means that what is there is not what was written.
pub(crate) fn damaged(text: impl Into<String>) -> StoreError {
    StoreError::Damaged(text.into().into())
}
