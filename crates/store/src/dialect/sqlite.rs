//! SQLite: one file, one writer, any number of readers.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use liaison_pages::{PAGE_BYTES, Sealing};
use rusqlite::config::DbConfig;
use rusqlite::ffi::{SQLITE_IOERR_DATA, SQLITE_IOERR_SHORT_READ};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use super::{Value, damaged, unavailable};
use crate::contract::StoreError;
use crate::health::Ailment;

/// Marks a file as ours: "LIAI".
pub(crate) const APPLICATION_ID: i64 = 0x4C49_4149;

/// What the operating system says of a file that takes no more bytes: full, over a quota, over a limit
/// of the process.
const NO_ROOM: [i32; 3] = [28, 122, 27];
/// And of one that may not be written to: read-only file system, no permission, not permitted.
const NO_WRITING: [i32; 3] = [30, 13, 1];

/// Statements kept prepared on each connection: more than the distinct shapes of everyday searches.
const PREPARED: usize = 256;

/// The deadline is looked at each time this many steps of SQLite's machine have run (about 50 µs).
const STEPS_BETWEEN_LOOKS: i32 = 2000;

/// Copies the last version aside before another takes its place.
pub(crate) const KEEP_PAST: &str = "INSERT INTO past (resource, version, sequence, updated, until, instant, change, form, seal, \
      entry, holes, body) \
    SELECT key, version, sequence, updated, ?2, instant, change, form, seal, entry, holes, body \
    FROM resource WHERE key = ?1";

/// Puts a version in the place of the last one.
pub(crate) const REPLACE: &str = "UPDATE resource SET version = ?4, live = ?5, sequence = ?6, updated = ?7, instant = ?8, \
      span = ?9, change = ?10, form = ?11, seal = ?12, facets = ?13, entry = ?14, holes = ?15, body = ?16 \
    WHERE key = ?1 AND type = ?2 AND id = ?3";

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

/// What was there before a connection was opened.
#[derive(Clone, Copy)]
struct Found {
    /// No file, or an empty one.
    fresh: bool,
    /// A log that holds something.
    log: bool,
}

/// A connection with its prepared statements.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    started: Instant,
    /// Microseconds after `started` at which a running statement is stopped; 0: never.
    deadline: Arc<AtomicI64>,
    /// Looks at the deadline that are left until statements are stopped.
    looks: Arc<AtomicI64>,
    /// The class of the last error that lay with the file, until it is asked for.
    trouble: Cell<Option<Ailment>>,
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
        // An open database is not looked at through another descriptor: closing that would let go of
        // its locks. Its size can be told without one.
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let found = Found { fresh: size(path) == 0, log: size(log.as_ref()) > 0 };
        let pages = liaison_pages::file_system().map_err(failed)?;
        let raw = rusqlite::Connection::open_with_flags_and_vfs(path, flags, pages).map_err(failed)?;
        raw.set_prepared_statement_cache_capacity(PREPARED);
        raw.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
        let mut connection = Self {
            raw,
            started: Instant::now(),
            deadline: Arc::default(),
            looks: Arc::new(AtomicI64::new(i64::MAX)),
            trouble: Cell::default(),
        };
        connection.configure(purpose, found, cache_kib)?;
        connection.add_functions()?;
        connection.watch_deadline()?;
        Ok(connection)
    }

    /// What statements here need that SQLite has not.
    fn add_functions(&self) -> Result<(), StoreError> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        let is_among = |given: &Context<'_>| {
            let (ValueRef::Blob(set), ValueRef::Integer(key)) = (given.get_raw(0), given.get_raw(1)) else {
                return Ok(false);
            };
            let (keys, _) = set.as_chunks::<8>();
            Ok(keys.binary_search_by_key(&key, |bytes| i64::from_be_bytes(*bytes)).is_ok())
        };
        self.raw.create_scalar_function(IS_AMONG, 2, flags, is_among).map_err(failed)
    }

    fn configure(&self, purpose: Purpose, found: Found, cache_kib: u32) -> Result<(), StoreError> {
        let set = |name: &str, value: &dyn ToSql| {
            self.raw.pragma_update(None, name, value).map_err(|error| self.failed(error))
        };
        match purpose {
            Purpose::Write => {
                if found.fresh {
                    set("page_size", &i64::try_from(PAGE_BYTES).unwrap_or_default())?;
                    liaison_pages::reserve(&self.raw).map_err(failed)?;
                }
                // An acknowledged write is on the disk.
                set("synchronous", &"FULL")?;
                // The writer sees to it that the log is copied back: see `writer::checkpoint`.
                set("wal_autocheckpoint", &0)?;
                // The log is cut back to this once it has been copied.
                set("journal_size_limit", &(64 * 1024 * 1024))?;
            }
            Purpose::Read => {
                set("query_only", &true)?;
                // Whoever only looks leaves a log as it is: what is wrong with it can then still be
                // seen, and mended.
                self.keep_log_on_close(if found.log { KeepLog::AsItIs } else { KeepLog::Folded })?;
            }
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

    /// Keeps a log ahead of the file from now on, as every store does. Written to the file, so only
    /// done to what is known to be a store.
    pub(crate) fn log_ahead(&self) -> Result<(), StoreError> {
        let mode: String = self
            .raw
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        if mode == "wal" { Ok(()) } else { Err(unavailable(format!("journal mode is {mode}, not wal"))) }
    }

    /// What the log is left to when the connection is closed: folded into the file by whoever closes
    /// last, or kept as it is.
    pub(crate) fn keep_log_on_close(&self, keep: KeepLog) -> Result<(), StoreError> {
        let keep = keep == KeepLog::AsItIs;
        self.raw.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop).map_err(failed)
    }

    /// The class of an error, with what the operating system said of it.
    fn failed(&self, error: rusqlite::Error) -> StoreError {
        let of_system = matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen));
        let said = if of_system { liaison_pages::system_error(&self.raw) } else { 0 };
        let error = match failed(error) {
            StoreError::Unavailable(cause) if NO_ROOM.contains(&said) => StoreError::Full(cause),
            StoreError::Unavailable(cause) if NO_WRITING.contains(&said) => StoreError::ReadOnly(cause),
            other => other,
        };
        if let Some(ailment) = Ailment::of(&error) {
            self.trouble.set(Some(ailment));
        }
        error
    }

    /// What was wrong with the file since this was asked last.
    pub(crate) fn take_trouble(&self) -> Option<Ailment> {
        self.trouble.take()
    }

    /// Whether the pages of the file are sealed.
    pub(crate) fn sealing(&self) -> Sealing {
        liaison_pages::sealing(&self.raw)
    }

    /// The numbers of the pages that are not as they were written, at most so many.
    pub(crate) fn damaged_pages(&self, limit: usize) -> Result<Vec<u64>, StoreError> {
        liaison_pages::damaged_pages(&self.raw, limit).map_err(|error| self.failed(error))
    }

    fn watch_deadline(&mut self) -> Result<(), StoreError> {
        let (deadline, looks) = (Arc::clone(&self.deadline), Arc::clone(&self.looks));
        let started = self.started;
        let late = move || {
            if looks.fetch_sub(1, Ordering::Relaxed) <= 0 {
                return true;
            }
            let limit = deadline.load(Ordering::Relaxed);
            limit != 0 && i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX) > limit
        };
        self.raw.progress_handler(STEPS_BETWEEN_LOOKS, Some(late)).map_err(failed)
    }

    /// Stops whatever runs once so many steps of SQLite's machine were taken, until it is asked whether
    /// that happened.
    pub(crate) fn stop_after(&self, steps: i64) {
        self.looks.store(steps / i64::from(STEPS_BETWEEN_LOOKS), Ordering::Relaxed);
    }

    /// Whether something was stopped because it took too many steps; nothing is stopped for that from
    /// now on.
    pub(crate) fn stopped(&self) -> bool {
        self.looks.swap(i64::MAX, Ordering::Relaxed) < 0
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
        self.raw.execute_batch(sql).map_err(|error| self.failed(error))
    }

    /// Runs a statement that changes; gives the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(|error| self.failed(error))?;
        statement.execute(rusqlite::params_from_iter(values)).map_err(|error| self.failed(error))
    }

    /// Hands every row of a statement to `each`.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&super::Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            each(&super::Row::Sqlite(Row(row)))?;
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&super::Row<'_>) -> Result<T, StoreError>,
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
        read: impl FnOnce(&super::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.raw.prepare_cached(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(|error| self.failed(error))?;
        match rows.next().map_err(|error| self.failed(error))? {
            Some(row) => read(&super::Row::Sqlite(Row(row))).map(Some),
            None => Ok(None),
        }
    }

    /// A statement that finds one row by its key, to be asked for many.
    pub(crate) fn keyed(&self, sql: &str) -> Result<Keyed<'_>, StoreError> {
        let statement = self.raw.prepare_cached(sql).map_err(|error| self.failed(error))?;
        Ok(Keyed { of: self, statement })
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
pub(crate) struct Keyed<'c> {
    of: &'c Connection,
    statement: rusqlite::CachedStatement<'c>,
}

impl Keyed<'_> {
    /// The row of a key, if there is one.
    pub(crate) fn row<T>(
        &mut self,
        key: i64,
        read: impl FnOnce(&super::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let of = self.of;
        let mut rows = self.statement.query([key]).map_err(|error| of.failed(error))?;
        rows.next().map_err(|error| of.failed(error))?.map(|row| read(&super::Row::Sqlite(Row(row)))).transpose()
    }
}

/// What becomes of the log when a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeepLog {
    /// It stays where it is.
    AsItIs,
    /// The last connection folds it into the file.
    Folded,
}

/// Copies all of a database, as of one moment, to a new file, and checks the copy.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = match from.sealing() {
        Sealing::Sealed => {
            let pages = liaison_pages::file_system().map_err(failed)?;
            rusqlite::Connection::open_with_flags_and_vfs(to, flags, pages)
        }
        Sealing::Plain => rusqlite::Connection::open_with_flags(to, flags),
    }
    .map_err(failed)?;
    {
        // All pages in one step: in several, every write in between would begin the copy anew.
        let backup = rusqlite::backup::Backup::new(&from.raw, &mut copy).map_err(failed)?;
        match backup.step(-1).map_err(|error| from.failed(error))? {
            rusqlite::backup::StepResult::Done => {}
            other => return Err(unavailable(format!("the copy was not finished: {other:?}"))),
        }
    }
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(damaged(format!("the copy is not whole: {found}")));
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
        self.0.get_ref(column).map_err(failed)?.as_str().map_err(|error| damaged(error.to_string()))
    }

    /// A text, or nothing.
    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        let found = self.0.get_ref(column).map_err(failed)?;
        found.as_str_or_null().map_err(|error| damaged(error.to_string()))
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&'r [u8], StoreError> {
        self.0.get_ref(column).map_err(failed)?.as_blob().map_err(|error| damaged(error.to_string()))
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

/// `key_is_among(SET, KEY)`: whether a key is in a set, which is bound as keys of eight bytes in ascending order.
pub(crate) const IS_AMONG: &str = "key_is_among";

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Ints(_) | Self::Texts(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no lists".into()));
            }
            Self::Null => ValueRef::Null,
        }))
    }
}

/// The class of a driver's error.
pub(crate) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::TooSlow,
        Some(ErrorCode::NotADatabase) => StoreError::Foreign,
        Some(ErrorCode::DiskFull) => StoreError::Full(Box::new(error)),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(Box::new(error)),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged(Box::new(error)),
        _ => match error.sqlite_error().map(|error| error.extended_code) {
            // A page whose seal is broken; a file that is shorter than it should be.
            Some(SQLITE_IOERR_DATA | SQLITE_IOERR_SHORT_READ) => StoreError::Damaged(Box::new(error)),
            _ => StoreError::Unavailable(Box::new(error)),
        },
    }
}
