//! The last change that was acknowledged, kept beside the store.
//!
//! SQLite takes a log that ends too early, or is gone, for one that ends there: what was committed
//! after it is not missed. So the writer notes down how far it came, in a few bytes of a file of its
//! own, after each commit and before anybody is answered; a store that is found to end before its
//! mark has lost what was acknowledged, and is not served as if it had not.
//!
//! The mark is not synchronised with each commit (that would double its cost): after a power cut it
//! may say less than was acknowledged, never more.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use liaison_pages::seal;

use crate::contract::StoreError;
use crate::dialect::sqlite::Connection;

/// What stands behind the name of a store in that of its mark.
pub(crate) const ENDING: &str = "-mark";

/// `name`, the store it is of, the last change, and a seal over them.
const BYTES: usize = 32;
/// One page of the smallest size.
const SMALLEST_DATABASE: u64 = 512;

const NAME: &[u8; 8] = b"LIAIMARK";

/// Which store a mark is of: two stores that bear the same file name one after the other differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreId(pub(crate) [u8; 8]);

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    store: StoreId,
    sequence: u64,
}

/// The mark of a store that is being written to.
pub(crate) struct Mark {
    file: Option<File>,
    store: StoreId,
    noted: u64,
}

/// Where the mark of a store is.
pub(crate) fn path_of(store: &Path) -> PathBuf {
    let mut name: OsString = store.as_os_str().to_owned();
    name.push(ENDING);
    name.into()
}

/// What is marked; nothing when there is no mark, or none that can be read.
pub(crate) fn read(store: &Path) -> Option<Marked> {
    let mut bytes = [0; BYTES];
    File::open(path_of(store)).ok()?.read_exact(&mut bytes).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8; BYTES]) -> Option<Marked> {
    let (said, sealed) = bytes.split_last_chunk::<8>()?;
    if seal(said).to_le_bytes() != *sealed {
        return None;
    }
    let (name, rest) = said.split_first_chunk::<8>()?;
    let (store, rest) = rest.split_first_chunk::<8>()?;
    let (sequence, _) = rest.split_first_chunk::<8>()?;
    (name == NAME).then(|| Marked { store: StoreId(*store), sequence: u64::from_le_bytes(*sequence) })
}

fn written(marked: Marked) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let parts = [*NAME, marked.store.0, marked.sequence.to_le_bytes()];
    bytes.iter_mut().zip(parts.as_flattened()).for_each(|(to, from)| *to = *from);
    let sealed = bytes.split_last_chunk::<8>().map_or(0, |(said, _)| seal(said));
    bytes.iter_mut().skip(BYTES - 8).zip(sealed.to_le_bytes()).for_each(|(to, from)| *to = from);
    bytes
}

/// Refuses to make a new store in the place of one that held something, or of what is too short for
/// a database.
pub(crate) fn refuse_missing(store: &Path) -> Result<(), StoreError> {
    match fs::metadata(store).map_or(0, |about| about.len()) {
        0 => refuse_empty(store),
        1..SMALLEST_DATABASE => refuse_empty(store).and(Err(StoreError::Foreign)),
        _ => Ok(()),
    }
}

/// Refuses to make a new store where one held something, though nothing of it is there.
pub(crate) fn refuse_empty(store: &Path) -> Result<(), StoreError> {
    match read(store) {
        Some(marked) if marked.sequence > 0 => Err(StoreError::LogLost { acknowledged: marked.sequence, found: 0 }),
        _ => Ok(()),
    }
}

/// Refuses a store that ends before what was marked, before anything was known of it: read first.
pub(crate) fn refuse_shorter(marked: Option<Marked>, store: StoreId, db: &Connection) -> Result<(), StoreError> {
    let found = db.first("SELECT coalesce(max(sequence), 0) FROM change", &[], |row| row.int(0))?;
    let found = found.unwrap_or_default().cast_unsigned();
    match marked {
        Some(marked) if marked.store == store && marked.sequence > found => {
            Err(StoreError::LogLost { acknowledged: marked.sequence, found })
        }
        _ => Ok(()),
    }
}

impl Mark {
    /// Opens the mark of a store that ends with this change. A mark that cannot be kept keeps nobody
    /// from writing: it guards against what should not happen.
    pub(crate) fn open(path: &Path, store: StoreId, sequence: u64) -> Self {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path_of(path));
        let file = file.inspect_err(cannot).ok();
        let mut mark = Self { file, store, noted: u64::MAX };
        mark.note(sequence);
        mark
    }

    /// A mark that nobody reads.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { file: None, store: StoreId([0; 8]), noted: u64::MAX }
    }

    /// Notes down the last change, which is on the disk.
    pub(crate) fn note(&mut self, sequence: u64) {
        if self.noted == sequence {
            return;
        }
        let Some(file) = &self.file else { return };
        match file.write_all_at(&written(Marked { store: self.store, sequence }), 0) {
            Ok(()) => self.noted = sequence,
            Err(error) => cannot(&error),
        }
    }

    /// Makes it last, with the store that is closed.
    pub(crate) fn settle(&self) {
        if let Some(Err(error)) = self.file.as_ref().map(File::sync_all) {
            cannot(&error);
        }
    }
}

fn cannot(error: &io::Error) {
    tracing::warn!(%error, "the mark of the last acknowledged change cannot be kept");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.db");
        assert_eq!(read(&store), None);
        let id = StoreId([7; 8]);
        let mut mark = Mark::open(&store, id, 3);
        assert_eq!(read(&store), Some(Marked { store: id, sequence: 3 }));
        mark.note(300);
        assert_eq!(read(&store), Some(Marked { store: id, sequence: 300 }));
        let whole = std::fs::read(path_of(&store)).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(path_of(&store), flipped).unwrap();
            assert_eq!(read(&store), None, "bit {bit}");
        }
    }
}
