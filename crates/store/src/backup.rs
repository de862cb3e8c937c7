//! Copies of a store: made while it is in use, put back while it is not.
//!
//! A copy is one moment of the store: all its pages are read in one transaction, which hinders no
//! writer. It is written beside its place under another name, checked, and named last, so that what
//! bears the name is whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::contract::StoreError;
use crate::cursor::CursorKey;
use crate::dialect::sqlite::{Connection, Purpose, copy};
use crate::dialect::{damaged, unavailable};
use crate::lock::ProcessLock;
use crate::mark;
use crate::schema;
use crate::store::{Store, StoreUrl};

/// Why a database of a server is not copied here.
const OWN_TOOLS: &str = "PostgreSQL copies its databases with tools of its own: pg_basebackup, pg_dump, pg_restore";

/// Page cache of the connections of a copy, in KiB: pages are read once.
const CACHE_KIB: u32 = 1024;

/// What lies beside the file of a store while it is in use, and holds a part of it.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

impl Store {
    /// Writes a copy of a store to a file that does not exist yet, also while another process
    /// serves the store.
    ///
    /// # Errors
    /// [`StoreError::Foreign`]; [`StoreError::Unavailable`] when there is no store, when the file is
    /// there already, or when the copy is not whole.
    pub fn backup(url: &StoreUrl, to: &Path) -> Result<(), StoreError> {
        let StoreUrl::Sqlite(from) = url else { return Err(unavailable(OWN_TOOLS)) };
        if to.exists() {
            return Err(unavailable(format!("{} is there already", to.display())));
        }
        write_copy(from, to)
    }

    /// Puts a copy in the place of a store that nobody serves. A store that was there is kept, under
    /// the name that is given back.
    ///
    /// # Errors
    /// [`StoreError::InUse`]; [`StoreError::Foreign`] and [`StoreError::Schema`] when the copy is
    /// none, or of a later version; [`StoreError::Unavailable`].
    pub fn restore(url: &StoreUrl, from: &Path) -> Result<Option<PathBuf>, StoreError> {
        let StoreUrl::Sqlite(to) = url else { return Err(unavailable(OWN_TOOLS)) };
        let _lock = ProcessLock::take(to)?;
        let fresh = beside(to, ".restored");
        remove(&fresh)?;
        write_copy(from, &fresh)?;
        let kept = if to.exists() { Some(set_aside(to)?) } else { None };
        fs::rename(&fresh, to).map_err(io)?;
        // Last of all: broken off before, what was there is not taken for nothing.
        let mark = mark::path_of(to);
        if mark.exists() {
            let place = kept.as_deref().map(mark::path_of);
            place.map_or_else(|| fs::remove_file(&mark), |place| fs::rename(&mark, place)).map_err(io)?;
        }
        make_lasting(to)?;
        Ok(kept)
    }
}

fn write_copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.exists() {
        return Err(unavailable(format!("there is no {}", from.display())));
    }
    let part = beside(to, ".part");
    remove(&part)?;
    let copied = copy_whole(from, &part);
    // The copy is whole in its file: its log is empty. One that is not whole only takes room, on a
    // disk that may be full for it.
    let left: &[&str] = if copied.is_ok() { &COMPANIONS } else { &["-wal", "-shm", "-journal", ""] };
    for ending in left {
        remove(&beside(&part, ending))?;
    }
    copied?;
    fs::rename(&part, to).map_err(io)?;
    make_lasting(to)
}

fn copy_whole(from: &Path, part: &Path) -> Result<(), StoreError> {
    // Before the store, which may go on meanwhile.
    let marked = mark::read(from);
    let source = Connection::open(from, Purpose::Read, CACHE_KIB)?;
    // Refuses what is no store, and a store of a later program.
    let steps = schema::missing(schema::state(&source)?)?;
    if steps.is_empty() {
        mark::refuse_shorter(marked, CursorKey::read((&source).into())?.store_id(), &source)?;
    }
    copy(&source, part)?;
    // A store of an earlier version cannot be read beyond its pages.
    if steps.is_empty() {
        let damage = Store::check(&StoreUrl::Sqlite(part.to_owned()))?;
        if let Some(first) = damage.first() {
            let more = damage.len() - 1;
            return Err(damaged(format!("{} is not whole: {first} (and {more} more)", from.display())));
        }
    }
    Ok(())
}

/// Gives a store another name, with all that belongs to it: the log may hold what the file does not.
fn set_aside(store: &Path) -> Result<PathBuf, StoreError> {
    let numbered = (1_u32..).map(|number| beside(store, &format!(".replaced-{number}")));
    let kept = numbered.into_iter().find(|path| !path.exists()).unwrap_or_else(|| beside(store, ".replaced"));
    for companion in COMPANIONS {
        let log = beside(store, companion);
        if log.exists() {
            fs::rename(&log, beside(&kept, companion)).map_err(io)?;
        }
    }
    fs::rename(store, &kept).map_err(io)?;
    Ok(kept)
}

/// A file that is written and named is so after a power cut too.
fn make_lasting(file: &Path) -> Result<(), StoreError> {
    File::open(file).and_then(|file| file.sync_all()).map_err(io)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

/// Removes a file that a copy which was broken off left behind.
fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        _ => Ok(()),
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn io(error: std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreError::Full(Box::new(error))
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => StoreError::ReadOnly(Box::new(error)),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MigrateMode, StoreOptions};

    fn at(folder: &tempfile::TempDir, name: &str) -> (PathBuf, StoreUrl) {
        let path = folder.path().join(name);
        (path.clone(), StoreUrl::Sqlite(path))
    }

    #[test]
    fn a_copy_of_a_store_in_use_is_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let ((_, store), (copy, copied)) = (at(&folder, "a.db"), at(&folder, "b.db"));
        let _in_use = Store::open(&store, StoreOptions::default()).unwrap();
        Store::backup(&store, &copy).unwrap();
        assert_eq!(Store::migrate(&copied, MigrateMode::Plan).unwrap(), []);
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.retain(|name| name.to_string_lossy().starts_with("b.db"));
        assert_eq!(names, ["b.db"], "nothing is left beside it");
        assert!(Store::open(&copied, StoreOptions::default()).is_ok());
    }

    #[test]
    fn a_copy_is_never_written_over_and_never_made_of_what_is_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let ((_, store), (copy, _)) = (at(&folder, "a.db"), at(&folder, "b.db"));
        drop(Store::open(&store, StoreOptions::default()).unwrap());
        fs::write(&copy, "something").unwrap();
        assert!(Store::backup(&store, &copy).is_err());
        assert_eq!(fs::read(&copy).unwrap(), b"something");
        let (foreign, url) = at(&folder, "c.db");
        fs::write(&foreign, "a text of some length, but no database of any kind").unwrap();
        assert!(matches!(Store::backup(&url, &folder.path().join("d.db")), Err(StoreError::Foreign)));
        assert!(Store::backup(&at(&folder, "nothing.db").1, &folder.path().join("d.db")).is_err());
        assert!(!folder.path().join("d.db").exists());
    }

    #[test]
    fn a_store_in_use_is_not_replaced_and_one_that_is_not_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let ((path, store), (copy, _)) = (at(&folder, "a.db"), at(&folder, "b.db"));
        let in_use = Store::open(&store, StoreOptions::default()).unwrap();
        Store::backup(&store, &copy).unwrap();
        assert!(matches!(Store::restore(&store, &copy), Err(StoreError::InUse)));
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(in_use.close());
        drop(in_use);
        let kept = Store::restore(&store, &copy).unwrap().expect("the one before is kept");
        assert!(kept.exists() && path.exists());
        assert!(Store::open(&StoreUrl::Sqlite(kept), StoreOptions::default()).is_ok());
        assert!(Store::open(&store, StoreOptions::default()).is_ok());
        let (_, new) = at(&folder, "new.db");
        assert_eq!(Store::restore(&new, &copy).unwrap(), None);
    }

    #[test]
    fn a_damaged_copy_is_not_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let ((path, store), (copy, _)) = (at(&folder, "a.db"), at(&folder, "b.db"));
        drop(Store::open(&at(&folder, "c.db").1, StoreOptions::default()).unwrap());
        Store::backup(&at(&folder, "c.db").1, &copy).unwrap();
        let mut bytes = fs::read(&copy).unwrap();
        let end = bytes.len();
        bytes[end / 2..].fill(0xA5);
        fs::write(&copy, bytes).unwrap();
        assert!(Store::restore(&store, &copy).is_err());
        assert!(!path.exists(), "nothing was put in place");
    }
}
