//! Attachments: bytes kept once under their SHA-256, in pieces, so that the largest is never whole
//! in the memory of whoever reads it.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use liaison_pages::seal;

use crate::body;
use crate::contract::{BlobId, Instant, NewBlob, StoreError};
use crate::dialect::{Db, Dialect, damaged, unavailable};
use crate::objects::Objects;
use crate::reader::Reader;
use crate::store::Store;
use crate::writer::Tx;

/// Bytes of a piece: large enough that a 20 MB attachment is 80 rows, small enough to hold one for
/// each of a thousand readers.
const PIECE: usize = 256 * 1024;

/// Attachments collected at most in one go, so that no write waits long for it.
const COLLECTED_AT_ONCE: u32 = 20;

impl Tx<'_> {
    /// Says that these attachments will be put, so that all that must be kept elsewhere first is known at once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn foresee_blobs<'b>(&mut self, blobs: impl Iterator<Item = &'b NewBlob>) -> Result<(), StoreError> {
        let Some(aside) = self.aside() else { return Ok(()) };
        let (db, now) = (self.lasting(), self.now().0);
        let mut ready = Ok(());
        for blob in blobs.filter(|blob| !blob.bytes().is_empty()) {
            if !counted_as_new(db, blob.id(), now)? {
                ready = ready.and(aside.name_of(blob).map(drop));
            }
        }
        ready
    }

    /// Keeps the bytes of an attachment, unless they are there already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn put_blob(&mut self, blob: &NewBlob) -> Result<BlobId, StoreError> {
        let (db, id, now) = (self.lasting(), blob.id(), self.now().0);
        let name = match self.aside() {
            Some(aside) if !blob.bytes().is_empty() => {
                if counted_as_new(db, id, now)? {
                    return Ok(id);
                }
                Some(aside.name_of(blob)?)
            }
            _ => None,
        };
        // Another node may be adding the same: whoever comes second finds it.
        while !counted_as_new(db, id, now)? && !db.as_one(|| insert_blob(db, blob, name.as_deref(), now))? {}
        Ok(id)
    }

    /// Removes attachments that no version needs and that were added before a moment, a few at
    /// most; says how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn collect_blobs(&mut self, before: Instant) -> Result<usize, StoreError> {
        let sql = "SELECT key FROM blob b WHERE added < ?1
                     AND NOT EXISTS (SELECT 1 FROM version_blob v WHERE v.blob = b.key) LIMIT ?2";
        let orphans = self.db.all(sql, &[before.0.into(), COLLECTED_AT_ONCE.into()], |row| row.int(0))?;
        let mut collected = 0;
        for key in &orphans {
            // Another node may just have counted it as new again.
            let sql = "DELETE FROM blob WHERE key = ?1 AND added < ?2";
            if self.db.execute(sql, &[(*key).into(), before.0.into()])? == 1 {
                if let Some(aside) = self.aside() {
                    let sql = "SELECT bytes FROM blob_piece WHERE blob = ?1 ORDER BY place LIMIT 1";
                    let name = self.db.first(sql, &[(*key).into()], |row| name_in(row.bytes(0)?))?;
                    name.into_iter().for_each(|name| aside.leave(name));
                }
                self.db.execute("DELETE FROM blob_piece WHERE blob = ?1", &[(*key).into()])?;
                collected += 1;
            }
        }
        Ok(collected)
    }
}

/// Counts an attachment as new again, if it is there: it must not be collected before the version that
/// needs it comes.
fn counted_as_new(db: Db<'_>, id: BlobId, now: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE blob SET added = ?2 WHERE sha256 = ?1";
    Ok(db.execute(sql, &[id.0.as_slice().into(), now.into()])? > 0)
}

/// Adds an attachment; `false` when it is there. Of one that is kept elsewhere the pieces hold its name
/// there; their seals are those of its bytes all the same.
fn insert_blob(db: Db<'_>, blob: &NewBlob, name: Option<&str>, now: i64) -> Result<bool, StoreError> {
    let length = i64::try_from(blob.bytes().len()).unwrap_or(i64::MAX);
    let (id, shard) = (blob.id(), db.shards().of_bytes(&blob.id().0));
    let mut values = vec![id.0.as_slice().into(), length.into(), now.into()];
    let (sql, piece_sql) = match db.dialect() {
        Dialect::Sqlite => (
            "INSERT INTO blob (sha256, length, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING key",
            "INSERT INTO blob_piece (blob, place, seal, bytes) VALUES (?1, ?2, ?3, ?4)",
        ),
        Dialect::Postgres => {
            values.push(shard.into());
            (
                "INSERT INTO blob (sha256, length, added, shard) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING RETURNING key",
                "INSERT INTO blob_piece (blob, place, seal, bytes, shard) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
        }
    };
    let Some(key) = db.first(sql, &values, |row| row.int(0))? else { return Ok(false) };
    for (place, piece) in blob.bytes().chunks(PIECE).enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let kept = name.map_or(piece, str::as_bytes);
        let mut values = vec![key.into(), place.into(), seal(piece).into(), kept.into()];
        if db.dialect() == Dialect::Postgres {
            values.push(shard.into());
        }
        db.execute(piece_sql, &values)?;
    }
    Ok(true)
}

impl Reader<'_> {
    /// How many bytes an attachment has; `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn blob_length(&self, blob: BlobId) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT length FROM blob WHERE sha256 = ?1";
        self.db.first(sql, &[blob.0.as_slice().into()], |row| Ok(row.int(0)?.cast_unsigned()))
    }

    /// All bytes of an attachment; `None` when it is not there. For whoever works on one moment of
    /// the store; an answer reads them piece by piece ([`Store::blob`]).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn blob_bytes(&self, blob: BlobId) -> Result<Option<Bytes>, StoreError> {
        let Some(length) = self.blob_length(blob)? else { return Ok(None) };
        if let Some(aside) = self.aside().filter(|_| length > 0) {
            return aside.bytes_of(blob).map(Some);
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        while (bytes.len() as u64) < length {
            let piece = self.blob_piece(blob, bytes.len() as u64)?;
            if piece.is_empty() {
                return Err(unavailable("an attachment is shorter than it should be"));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes.freeze()))
    }

    /// The bytes of an attachment from `from` on: as many as stand in one piece, none at the end.
    fn blob_piece(&self, blob: BlobId, from: u64) -> Result<Bytes, StoreError> {
        let (bytes, sealed) = self.sealed_piece(blob, from / PIECE as u64)?;
        let piece = body::opened(&bytes, sealed)?;
        let skip = usize::try_from(from % PIECE as u64).unwrap_or_default();
        Ok(piece.slice(skip.min(piece.len())..))
    }

    /// A piece as it stands in its row, and the seal of its bytes.
    fn sealed_piece(&self, blob: BlobId, place: u64) -> Result<(Bytes, i64), StoreError> {
        let sql = "SELECT p.bytes, p.seal FROM blob b CROSS JOIN blob_piece p ON p.blob = b.key AND p.place = ?2
                   WHERE b.sha256 = ?1";
        let values = [blob.0.as_slice().into(), i64::try_from(place).unwrap_or(i64::MAX).into()];
        self.db
            .first(sql, &values, |row| Ok((Bytes::copy_from_slice(row.bytes(0)?), row.int(1)?)))?
            .ok_or_else(|| unavailable("a piece of an attachment is not there"))
    }

    /// The name of an attachment where it is kept elsewhere; `None` when it is not there.
    pub(crate) fn blob_name(&self, blob: BlobId) -> Result<Option<Box<str>>, StoreError> {
        let sql = "SELECT p.bytes FROM blob b CROSS JOIN blob_piece p ON p.blob = b.key AND p.place = 0
                   WHERE b.sha256 = ?1";
        self.db.first(sql, &[blob.0.as_slice().into()], |row| name_in(row.bytes(0)?))
    }
}

/// The name of an object, as a row holds it.
fn name_in(bytes: &[u8]) -> Result<Box<str>, StoreError> {
    let name = std::str::from_utf8(bytes).ok().filter(|name| name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'));
    name.map(Box::from).ok_or_else(|| damaged("a row does not name its attachment"))
}

impl Store {
    /// Opens an attachment for reading. `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn blob(&self, blob: BlobId) -> Result<Option<BlobReader>, StoreError> {
        let length = self.read_one_here(|reader| reader.blob_length(blob)).await?;
        Ok(length.map(|length| BlobReader { store: self.clone(), blob, length, rest: 0..length }))
    }
}

/// An attachment being read, piece by piece.
pub struct BlobReader {
    store: Store,
    blob: BlobId,
    length: u64,
    rest: Range<u64>,
}

impl BlobReader {
    /// How many bytes the whole attachment has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Reads only these bytes of it; what lies beyond the end is left out.
    #[must_use]
    pub fn range(mut self, range: Range<u64>) -> Self {
        self.rest = range.start.min(self.length)..range.end.min(self.length);
        self
    }

    /// The next bytes, at most 256 KiB; `None` at the end.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when the attachment was collected meanwhile.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (blob, from) = (self.blob, self.rest.start);
        let read = match self.store.objects() {
            None => self.store.read_one_here(|reader| reader.blob_piece(blob, from)).await,
            Some(objects) => self.piece_elsewhere(objects.as_ref(), from).await,
        };
        // Nobody else may see it: an answer may have begun already.
        if matches!(read, Err(StoreError::Damaged(_))) {
            self.store.met_damage();
        }
        let mut piece = read?;
        let wanted = usize::try_from(self.rest.end - from).unwrap_or(usize::MAX);
        piece.truncate(wanted);
        if piece.is_empty() {
            return Err(damaged("an attachment is shorter than it should be"));
        }
        self.rest.start += piece.len() as u64;
        Ok(Some(piece))
    }

    /// The bytes from `from` on, as many as stand in one piece: the whole piece is read, since it is sealed
    /// as a whole.
    async fn piece_elsewhere(&self, objects: &dyn Objects, from: u64) -> Result<Bytes, StoreError> {
        let (blob, place) = (self.blob, from / PIECE as u64);
        let (name, sealed) = self.store.read_one_here(|reader| reader.sealed_piece(blob, place)).await?;
        let begin = place * PIECE as u64;
        let end = (begin + PIECE as u64).min(self.length);
        let piece = objects.get(&name_in(&name)?, begin..end).await?;
        if seal(&piece) != sealed {
            return Err(damaged("an attachment is not as it was put into the store of objects"));
        }
        let skip = usize::try_from(from - begin).unwrap_or_default();
        Ok(piece.slice(skip.min(piece.len())..))
    }
}
