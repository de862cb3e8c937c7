//! SQLite: one file, one writer, any number of readers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use super::Value;
use crate::contract::StoreError;

/// Marks a file as ours: "LIAI".
pub(crate) const APPLICATION_ID: i64 = 0x4C49_4149;

/// Bodies of 2 to 3 KB stay in the row at this size, two or three a page, without a page of
/// overflow each; the file is created with it.
const PAGE_BYTES: i64 = 8192;

/// Statements kept prepared on each connection: more than the distinct shapes of everyday searches.
const PREPARED: usize = 256;

/// The deadline is looked at each time this many steps of SQLite's machine have run (about 50 µs).
const STEPS_BETWEEN_LOOKS: i32 = 2000;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The one that writes; creates the file when there is none.
    Write,
    /// One that reads.
    Read,
    /// One to a database of its own, in memory.
    #[cfg(test)]
    Memory,
}

/// A connection with its prepared statements.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    started: Instant,
    /// Microseconds after `started` at which a running statement is stopped; 0: never.
    deadline: Arc<AtomicI64>,
}

impl Connection {
    /// Opens the file. `cache_kib`: size of the connection's own page cache.
    pub(crate) fn open(path: &Path, purpose: Purpose, cache_kib: u32) -> Result<Self, StoreError> {
        let flags = match purpose {
            Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            // Not READ_ONLY: a reader of a write-ahead log must be able to make its shared index.
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
            #[cfg(test)]
            Purpose::Memory => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_MEMORY,
        } | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
        raw.set_prepared_statement_cache_capacity(PREPARED);
        raw.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
        let mut connection = Self { raw, started: Instant::now(), deadline: Arc::default() };
        connection.configure(purpose, cache_kib)?;
        connection.watch_deadline()?;
        Ok(connection)
    }

    fn configure(&self, purpose: Purpose, cache_kib: u32) -> Result<(), StoreError> {
        let set = |name: &str, value: &dyn ToSql| self.raw.pragma_update(None, name, value).map_err(failed);
        match purpose {
            Purpose::Write => {
                set("page_size", &PAGE_BYTES)?;
                let mode: String =
                    self.raw.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
                if mode != "wal" {
                    return Err(unavailable(format!("journal mode is {mode}, not wal")));
                }
                // An acknowledged write is on the disk.
                set("synchronous", &"FULL")?;
                // The writer sees to it that the log is copied back: see `writer::checkpoint`.
                set("wal_autocheckpoint", &0)?;
                // The log is cut back to this once it has been copied.
                set("journal_size_limit", &(64 * 1024 * 1024))?;
            }
            Purpose::Read => set("query_only", &true)?,
            #[cfg(test)]
            Purpose::Memory => {}
        }
        set("cache_size", &-i64::from(cache_kib))?;
        set("temp_store", &"MEMORY")?;
        // No memory map: a damaged or truncated file must give an error, not a SIGBUS, and mapped
        // pages would count as memory of the process.
        set("mmap_size", &0)?;
        // A plan depends on the statement alone: otherwise each new value may have it made anew.
        self.raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
        // Damage in a page is reported rather than followed.
        set("cell_size_check", &true)?;
        set("trusted_schema", &false)
    }

    fn watch_deadline(&mut self) -> Result<(), StoreError> {
        let deadline = Arc::clone(&self.deadline);
        let started = self.started;
        let late = move || {
            let limit = deadline.load(Ordering::Relaxed);
            limit != 0 && i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX) > limit
        };
        self.raw.progress_handler(STEPS_BETWEEN_LOOKS, Some(late)).map_err(failed)
    }

    /// Runs `work`; any statement still running after `limit` ends with [`StoreError::TooSlow`].
    pub(crate) fn within<T>(&self, limit: Duration, work: impl FnOnce() -> T) -> T {
        struct Lift<'a>(&'a AtomicI64);
        impl Drop for Lift<'_> {
            fn drop(&mut self) {
                self.0.store(0, Ordering::Relaxed);
            }
        }
        let at = self.started.elapsed().saturating_add(limit).as_micros();
        self.deadline.store(i64::try_from(at).unwrap_or(i64::MAX).max(1), Ordering::Relaxed);
        let _lift = Lift(&self.deadline);
        work()
    }

    /// Runs statements without values or rows.
    pub(crate) fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.raw.execute_batch(sql).map_err(failed)
    }

    /// Runs a statement that changes; gives the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failed)?;
        statement.execute(rusqlite::params_from_iter(values)).map_err(failed)
    }

    /// Hands every row of a statement to `each`.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(&Row(row))?;
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(crate) fn all<T>(
        &self,
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
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(failed)?;
        match rows.next().map_err(failed)? {
            Some(row) => read(&Row(row)).map(Some),
            None => Ok(None),
        }
    }

    /// A statement that finds one row by its key, to be asked for many.
    pub(crate) fn keyed(&self, sql: &str) -> Result<Keyed<'_>, StoreError> {
        self.raw.prepare_cached(sql).map(Keyed).map_err(failed)
    }

    /// What is wrong with the pages of the file, at most so many complaints; none when all is well.
    pub(crate) fn complaints(&self, limit: usize) -> Result<Vec<String>, StoreError> {
        let said = self.all(&format!("PRAGMA quick_check({limit})"), &[], |row| Ok(row.text(0)?.to_owned()))?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }

    /// Calls with the pages in the write-ahead log after each commit of this connection.
    pub(crate) fn on_commit(&mut self, mut told: impl FnMut(u32) + Send + 'static) -> Result<(), StoreError> {
        let hook = move |_: &mut Wal, pages: i32| {
            told(pages.unsigned_abs());
            Ok(())
        };
        self.raw.wal_hook(Some(hook)).map_err(failed)
    }

    /// Copies back into the file what the log holds, as far as nobody still needs the file as it is.
    pub(crate) fn copy_log_back(&self) -> Result<(), StoreError> {
        self.run("PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// How many rows this connection has ever changed.
    pub(crate) fn total_changes(&self) -> u64 {
        self.raw.total_changes()
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }
}

/// A statement with one value: a key.
pub(crate) struct Keyed<'c>(rusqlite::CachedStatement<'c>);

impl Keyed<'_> {
    /// The row of a key, if there is one.
    pub(crate) fn row<T>(
        &mut self,
        key: i64,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut rows = self.0.query([key]).map_err(failed)?;
        rows.next().map_err(failed)?.map(|row| read(&Row(row))).transpose()
    }
}

/// Copies all of a database, as of one moment, to a new file, and checks the copy.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut copy = rusqlite::Connection::open(to).map_err(failed)?;
    {
        // All pages in one step: in several, every write in between would begin the copy anew.
        let backup = rusqlite::backup::Backup::new(&from.raw, &mut copy).map_err(failed)?;
        match backup.step(-1).map_err(failed)? {
            rusqlite::backup::StepResult::Done => {}
            other => return Err(unavailable(format!("the copy was not finished: {other:?}"))),
        }
    }
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(unavailable(format!("the copy is damaged: {found}")));
    }
    // In write-ahead mode, as its original: its log is folded in before the file is named.
    copy.close().map_err(|(_, error)| failed(error))
}

/// A row of a result. Columns are counted from 0.
pub(crate) struct Row<'r>(&'r rusqlite::Row<'r>);

impl<'r> Row<'r> {
    /// A whole number.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.0.get(column).map_err(failed)
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        self.0.get_ref(column).map_err(failed)?.as_str().map_err(|error| unavailable(error.to_string()))
    }

    /// A text, or nothing.
    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        let found = self.0.get_ref(column).map_err(failed)?;
        found.as_str_or_null().map_err(|error| unavailable(error.to_string()))
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&'r [u8], StoreError> {
        self.0.get_ref(column).map_err(failed)?.as_blob().map_err(|error| unavailable(error.to_string()))
    }

    /// Whatever stands there.
    pub(crate) fn value(&self, column: usize) -> Result<Value<'static>, StoreError> {
        Ok(match self.0.get_ref(column).map_err(failed)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned().into()),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec().into()),
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Null => ValueRef::Null,
        }))
    }
}

/// The class of a driver's error.
pub(crate) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::TooSlow,
        Some(ErrorCode::NotADatabase) => StoreError::Foreign,
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// An error of ours that means the store cannot serve.
pub(crate) fn unavailable(text: impl Into<String>) -> StoreError {
    StoreError::Unavailable(text.into().into())
}

/// An expression: where a text stands in another, counted from 1; 0 when it does not.
pub(crate) fn position_of(part: &str, whole: &str) -> String {
    format!("instr({whole}, {part})")
}
