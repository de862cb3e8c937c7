//! Attachments kept elsewhere than in the database: in a store of objects.
//!
//! What holds:
//! - An object is there, durably, before the row that names it is committed, and is removed after the row is:
//!   a row never names what is not there.
//! - The name of an object is that of its bytes (SHA-256) and a part that is drawn anew for each upload: no
//!   removal, however late it arrives, ever meets what somebody else put there.
//! - No object is put or read while a transaction is open. A job that needs one says so and is undone;
//!   it is run again when that is there. Jobs may be run again anyway.
//! - What is read is compared with the seals of its pieces, which stay in the database.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::contract::{BlobId, NewBlob, StoreError};
use crate::dialect::{Db, unavailable};
use crate::reader::Reader;
use crate::shard::Places;
use crate::store::{Access, Store, StoreOptions};
use crate::writer::Tx;

/// What is asked of a store of objects, under way.
pub type Asked<'o, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'o>>;

/// A store of objects. Its errors are [`StoreError::Unavailable`], or [`StoreError::Damaged`] when an object
/// is not there: it ought to be.
pub trait Objects: Send + Sync {
    /// Which it is, for the store to remember: the same words for the same place, without anything secret.
    fn place(&self) -> &str;

    /// Puts an object; answers when it is kept durably.
    fn put<'o>(&'o self, name: &'o str, bytes: Bytes) -> Asked<'o, ()>;

    /// These bytes of an object.
    fn get<'o>(&'o self, name: &'o str, range: Range<u64>) -> Asked<'o, Bytes>;

    /// Removes an object; one that is not there is removed already.
    fn remove<'o>(&'o self, name: &'o str) -> Asked<'o, ()>;
}

/// The name of the setting in which a store remembers where its attachments are.
const SETTING: &str = "attachments";

/// Refuses a store whose attachments are kept in another place than the one it is opened with. One that
/// has none yet remembers the place.
pub(crate) fn require_place(db: Db<'_>, options: &StoreOptions) -> Result<(), StoreError> {
    const HERE: &str = "the database";
    let remembered = || {
        db.first("SELECT value FROM setting WHERE name = ?1", &[SETTING.into()], |row| {
            Ok(String::from_utf8_lossy(row.bytes(0)?).into_owned())
        })
    };
    let given = options.attachments.as_ref().map(|objects| objects.place().to_owned());
    let mut found = remembered()?;
    if let (None, Some(place), Access::Serve) = (&found, &given, options.access)
        && db.first("SELECT 1 FROM blob LIMIT 1", &[], |row| row.int(0))?.is_none()
    {
        let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
        db.execute(sql, &[SETTING.into(), place.as_bytes().into()])?;
        found = remembered()?;
    }
    if found == given {
        return Ok(());
    }
    let text = |place: Option<String>| place.unwrap_or_else(|| HERE.to_owned());
    Err(StoreError::Attachments { found: text(found), given: text(given) })
}

/// Whether the attachments of a store are kept elsewhere.
pub(crate) fn kept_elsewhere(db: Db<'_>) -> Result<bool, StoreError> {
    let remembered = db.first("SELECT 1 FROM setting WHERE name = ?1", &[SETTING.into()], |row| row.int(0))?;
    Ok(remembered.is_some())
}

impl Store {
    /// Runs a job in the writer whose attachments are kept elsewhere: once what it needs is there.
    pub(crate) async fn write_aside<R, E, J>(self, places: Places, job: J) -> Result<R, E>
    where
        J: Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (Some(writer), Some(objects)) = (self.writer(), self.objects()) else {
            return Err(unavailable("the store was opened to look at it, not to write").into());
        };
        let (job, aside) = (Arc::new(Mutex::new(job)), Aside::default());
        for _ in 0..ROUNDS {
            let (again, hands) = (Arc::clone(&job), aside.clone());
            let run = move |tx: &mut Tx<'_>| {
                hands.begin();
                tx.reader.with_aside(&hands);
                let answer = again.lock().unwrap_or_else(PoisonError::into_inner)(tx)?;
                // Before it may be said to have gone well.
                tx.settle()?;
                if hands.lacks() {
                    return Err(unavailable("an attachment was not there yet").into());
                }
                hands.ended_well();
                Ok(answer)
            };
            let answer = writer.submit(places.clone(), run).await;
            let needs = aside.needs();
            if needs.is_empty() {
                self.clear_up_after(&aside, objects.as_ref(), answer.is_ok()).await;
                return answer;
            }
            if let Err(error) = self.bring(needs, &aside, objects.as_ref()).await {
                self.clear_up_after(&aside, objects.as_ref(), false).await;
                return Err(error.into());
            }
        }
        Err(unavailable("a write needed other attachments each time it was run").into())
    }

    /// Runs a job that reads attachments that are kept elsewhere: once they were brought.
    pub(crate) async fn read_aside<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: Fn(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(objects) = self.objects() else { return self.read(job).await };
        let (job, aside) = (Arc::new(Mutex::new(job)), Aside::default());
        for _ in 0..ROUNDS {
            let (again, hands) = (Arc::clone(&job), aside.clone());
            let run = move |reader: &Reader<'_>| {
                hands.begin();
                reader.with_aside(&hands);
                again.lock().unwrap_or_else(PoisonError::into_inner)(reader)
            };
            let answer = self.read(run).await;
            let needs = aside.needs();
            if needs.is_empty() {
                return answer;
            }
            self.bring(needs, &aside, objects.as_ref()).await?;
        }
        Err(unavailable("a job needed other attachments each time it was run").into())
    }

    /// Puts and reads what a job needs.
    async fn bring(&self, needs: Needs, aside: &Aside, objects: &dyn Objects) -> Result<(), StoreError> {
        let puts = needs.put.into_iter().map(|blob| async move {
            let name = fresh_name(blob.id())?;
            objects.put(&name, blob.bytes().clone()).await?;
            aside.was_put(blob.id(), name);
            Ok::<_, StoreError>(())
        });
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        for id in needs.read {
            let mut reader = self.blob(id).await?.ok_or(StoreError::BlobMissing(id))?;
            let mut bytes = BytesMut::with_capacity(usize::try_from(reader.length()).unwrap_or_default());
            while let Some(piece) = reader.next().await? {
                bytes.extend_from_slice(&piece);
            }
            aside.was_read(id, bytes.freeze());
        }
        Ok(())
    }

    /// Removes the objects that no row names: those that a commit let go of, and those that were put for a
    /// job that found others or was refused. When it is not known whether a commit was done, nothing is.
    async fn clear_up_after(&self, aside: &Aside, objects: &dyn Objects, committed: bool) {
        let mut spare = if committed { aside.left() } else { Vec::new() };
        if committed || !aside.went_well() {
            for (id, name) in aside.all_put() {
                let there = self.read_one_here(|reader| reader.blob_name(id)).await;
                let named = there.map(|there: Option<Box<str>>| there.as_deref() == Some(&*name));
                if matches!(named, Ok(false)) {
                    spare.push(name);
                }
            }
        }
        for name in spare {
            if let Err(error) = objects.remove(&name).await {
                tracing::warn!(%error, "an object that nothing refers to could not be removed");
            }
        }
    }
}

/// Objects put at once for one job.
const AT_ONCE: usize = 8;

/// Times a job may find that it needs yet something else.
const ROUNDS: usize = 1024;

/// What a job has of a store of objects, and what it found that it needs.
#[derive(Clone, Default)]
pub(crate) struct Aside(Arc<Mutex<Hands>>);

#[derive(Default)]
struct Hands {
    /// Names of what was put for it.
    put: HashMap<BlobId, Box<str>>,
    /// What was read for it.
    read: HashMap<BlobId, Bytes>,
    needs: Needs,
    /// Names that no row holds any more, once the job is committed.
    left: Vec<Box<str>>,
    /// Whether its last run ended well: what it wrote may then be committed, whatever is known of that.
    ended_well: bool,
}

/// What a job needs before it can be run to its end.
#[derive(Default)]
pub(crate) struct Needs {
    /// To be put.
    pub(crate) put: Vec<NewBlob>,
    /// To be read.
    pub(crate) read: Vec<BlobId>,
}

impl Needs {
    pub(crate) fn is_empty(&self) -> bool {
        self.put.is_empty() && self.read.is_empty()
    }
}

impl Aside {
    /// A job begins, perhaps again: what an earlier run needed and left is forgotten.
    pub(crate) fn begin(&self) {
        let mut hands = self.hands();
        hands.needs = Needs::default();
        hands.left.clear();
        hands.ended_well = false;
    }

    /// The run ended well.
    fn ended_well(&self) {
        self.hands().ended_well = true;
    }

    /// Whether the last run ended well.
    fn went_well(&self) -> bool {
        self.hands().ended_well
    }

    /// Whether the job found that it needs something.
    pub(crate) fn lacks(&self) -> bool {
        !self.hands().needs.is_empty()
    }

    /// What it needs.
    pub(crate) fn needs(&self) -> Needs {
        std::mem::take(&mut self.hands().needs)
    }

    /// What no row holds any more.
    pub(crate) fn left(&self) -> Vec<Box<str>> {
        std::mem::take(&mut self.hands().left)
    }

    /// What was put for it, with its names.
    pub(crate) fn all_put(&self) -> Vec<(BlobId, Box<str>)> {
        self.hands().put.iter().map(|(id, name)| (*id, name.clone())).collect()
    }

    /// It was put there under this name.
    pub(crate) fn was_put(&self, id: BlobId, name: Box<str>) {
        self.hands().put.insert(id, name);
    }

    /// It was read.
    pub(crate) fn was_read(&self, id: BlobId, bytes: Bytes) {
        self.hands().read.insert(id, bytes);
    }

    /// The name under which an attachment was put; it is put before the job is run again when it was not.
    pub(crate) fn name_of(&self, blob: &NewBlob) -> Result<Box<str>, StoreError> {
        let mut hands = self.hands();
        if let Some(name) = hands.put.get(&blob.id()) {
            return Ok(name.clone());
        }
        if hands.needs.put.iter().all(|needed| needed.id() != blob.id()) {
            hands.needs.put.push(blob.clone());
        }
        Err(unavailable("an attachment was not put into the store of objects yet"))
    }

    /// The bytes of an attachment; they are read before the job is run again when they were not.
    pub(crate) fn bytes_of(&self, id: BlobId) -> Result<Bytes, StoreError> {
        let mut hands = self.hands();
        if let Some(bytes) = hands.read.get(&id) {
            return Ok(bytes.clone());
        }
        if !hands.needs.read.contains(&id) {
            hands.needs.read.push(id);
        }
        Err(unavailable("an attachment was not read from the store of objects yet"))
    }

    /// A row that named this goes with the job.
    pub(crate) fn leave(&self, name: Box<str>) {
        self.hands().left.push(name);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that no object has had before: that of the bytes, and one drawn anew.
pub(crate) fn fresh_name(id: BlobId) -> Result<Box<str>, StoreError> {
    let mut drawn = [0; 12];
    SystemRandom::new().fill(&mut drawn).map_err(|_| unavailable("no random numbers"))?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(format!("{}-{}", hex(&id.0), hex(&drawn)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_gets_what_it_needs_for_its_next_run() {
        let (aside, blob) = (Aside::default(), NewBlob::new(Bytes::from_static(b"abc")));
        aside.begin();
        assert!(aside.name_of(&blob).is_err() && aside.name_of(&blob).is_err());
        assert!(aside.bytes_of(blob.id()).is_err());
        assert!(aside.lacks());
        let needs = aside.needs();
        assert_eq!((needs.put.len(), needs.read.len()), (1, 1));
        aside.was_put(blob.id(), "name".into());
        aside.was_read(blob.id(), Bytes::from_static(b"abc"));
        aside.begin();
        assert_eq!(aside.name_of(&blob).unwrap().as_ref(), "name");
        assert_eq!(aside.bytes_of(blob.id()).unwrap(), "abc");
        assert!(!aside.lacks());
    }

    #[test]
    fn what_a_run_that_was_undone_left_is_forgotten() {
        let aside = Aside::default();
        aside.leave("a".into());
        aside.begin();
        aside.leave("b".into());
        assert_eq!(aside.left(), ["b".into()]);
    }

    #[test]
    fn no_two_uploads_have_the_same_name() {
        let id = BlobId([7; 32]);
        let (one, other) = (fresh_name(id).unwrap(), fresh_name(id).unwrap());
        assert!(one != other && one.starts_with("0707") && one.len() == 64 + 1 + 24, "{one}");
    }
}
