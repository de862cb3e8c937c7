//! One process serves a store.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

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
        let unopened = |error: rusqlite::Error| why_not(store).map_or_else(|| failed(error), StoreError::Unopened);
        let held = rusqlite::Connection::open(path).map_err(unopened)?;
        held.busy_timeout(Duration::ZERO).map_err(failed)?;
        match held.execute_batch("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE") {
            Ok(()) => Ok(Self { _held: held }),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Err(StoreError::InUse)
            }
            Err(error) => Err(unopened(error)),
        }
    }
}

/// Why a file cannot be made beside a store, as far as the file system says.
fn why_not(store: &Path) -> Option<io::Error> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut trial: OsString = store.as_os_str().to_owned();
    trial.push(".trial");
    let tried = fs::metadata(folder)
        .and_then(|about| if about.is_dir() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) });
    let tried = tried.and_then(|()| fs::write(&trial, [0; 8192]));
    // What was not made need not be removed.
    let _ = fs::remove_file(&trial);
    tried.err()
}
