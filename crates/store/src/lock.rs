//! One process serves a store.

use std::path::Path;
use std::time::Duration;

use crate::contract::StoreError;
use crate::dialect::sqlite::failed;

/// Held as long as a process serves a store; the system lets go of it when the process ends,
/// however it ends.
///
/// It is SQLite's own lock on an empty database beside the store's file, so that it works wherever
/// SQLite does, and the readers of the store itself are not hindered.
pub(crate) struct ProcessLock {
    _held: rusqlite::Connection,
}

impl ProcessLock {
    /// Takes the lock of a store, or says that another process has it.
    pub(crate) fn take(store: &Path) -> Result<Self, StoreError> {
        let mut path = store.as_os_str().to_owned();
        path.push(".lock");
        let held = rusqlite::Connection::open(path).map_err(failed)?;
        held.busy_timeout(Duration::ZERO).map_err(failed)?;
        match held.execute_batch("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE") {
            Ok(()) => Ok(Self { _held: held }),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Err(StoreError::InUse)
            }
            Err(error) => Err(failed(error)),
        }
    }
}
