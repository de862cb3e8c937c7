//! Writing: one thread, one connection, many jobs a commit.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;
use liaison_fhir::search::index::Param;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::audit::{Chain, Made};
use crate::contract::{Instant, StoreError};
use crate::cursor::CursorKey;
use crate::dialect::postgres::Address;
use crate::dialect::sqlite::Connection;
use crate::dialect::{Db, Dialect, unavailable};
use crate::dictionary::{Dictionary, Growth};
use crate::health::Health;
use crate::indexing::Indexing;
use crate::integrity::Pending;
use crate::kept::Kept;
use crate::lock::ProcessLock;
use crate::mark::Mark;
use crate::reader::Reader;
use crate::shard::{Places, Shards};
use crate::store::{Clock, StoreOptions};

mod ahead;
mod checkpoint;
mod counters;
mod course;
mod group;
mod job;
mod lane;
mod thread;

use checkpoint::Checkpoints;
pub(crate) use counters::Counters;
use job::{Job, Waiting};
use lane::Lane;
use thread::Work;

/// What a job writes through. It reads what it wrote itself, and what the jobs before it wrote.
pub struct Tx<'c> {
    pub(crate) reader: Reader<'c>,
    pub(crate) counters: &'c mut Counters,
    pub(crate) pending: Pending,
    pub(crate) made: Vec<Made>,
    growth: Growth,
    shared: &'c Shared,
    /// Where names and attachments are kept, when that is committed apart from the job.
    aside: Option<Db<'c>>,
}

/// What every job of a writer has in common.
struct Shared {
    words: Dictionary,
    key: CursorKey,
    clock: Clock,
    timelines: Vec<Param>,
    /// Only where nobody else writes.
    kept: Option<Arc<Kept>>,
    indexing: Arc<Indexing>,
    chain: Chain,
}

impl Shared {
    fn of(options: &StoreOptions, key: CursorKey, kept: Option<Arc<Kept>>, indexing: Arc<Indexing>) -> Self {
        Self {
            words: Dictionary::default(),
            key,
            clock: Arc::clone(&options.clock),
            timelines: options.timelines.clone(),
            kept,
            indexing,
            chain: Chain::default(),
        }
    }
}

/// The writer's thread, seen from outside.
pub(crate) struct Writer {
    queue: Sender<Order>,
    /// A permit for each write that may wait; closed when no more are taken.
    room: Arc<Semaphore>,
}

/// What the thread is asked.
enum Order {
    Run(Box<dyn Job>, OwnedSemaphorePermit, Places),
    /// Finish what waits, take nothing more, and say when the file is left alone.
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        path: &Path,
        mut db: Connection,
        (lock, mark): (ProcessLock, Mark),
        options: &StoreOptions,
        key: CursorKey,
        (health, kept, indexing): (Health, Arc<Kept>, Arc<Indexing>),
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = crossbeam_channel::unbounded::<Order>();
        let room = Arc::new(Semaphore::new(options.queue.clamp(1, Semaphore::MAX_PERMITS)));
        let shared = Shared::of(options, key, Some(kept), indexing);
        let batch = options.batch.max(1);
        let checkpoints = Checkpoints::of(&mut db, path)?;
        std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || Work::new(db, shared, checkpoints, (lock, mark), health).run(&waiting, batch))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue, room })
    }

    /// Starts threads that write to a database that others write to as well.
    pub(crate) fn start_lane(
        address: &Address,
        shards: Shards,
        options: &StoreOptions,
        key: CursorKey,
        (health, indexing): (Health, Arc<Indexing>),
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = crossbeam_channel::unbounded::<Order>();
        let room = Arc::new(Semaphore::new(options.queue.clamp(1, Semaphore::MAX_PERMITS)));
        let shared = Shared::of(options, key, None, indexing);
        let (address, batch) = (address.clone(), options.batch.max(1));
        std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || Lane::new(address, shards, shared, health).run(&waiting, batch))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue, room })
    }

    /// Queues a job; the future is its answer. `places`: where it will write, as far as is known.
    pub(crate) fn submit<R, E, J>(
        &self,
        places: Places,
        job: J,
    ) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (queue, room) = (self.queue.clone(), Arc::clone(&self.room));
        let (job, told) = Waiting::new(job);
        async move {
            let closed = || E::from(unavailable("the write was not taken"));
            let permit = room.acquire_owned().await.map_err(|_| closed())?;
            queue.send(Order::Run(job, permit, places)).map_err(|_| closed())?;
            let told = told.await.map_err(|_| closed())?;
            // What the job worked on is let go of here, not in the writer's time.
            drop(told.job);
            told.answer
        }
    }
}

impl Writer {
    /// Waits until everything queued is done and the file is left alone.
    pub(crate) async fn close(&self) {
        self.room.close();
        let (tell, told) = oneshot::channel();
        if self.queue.send(Order::Close(tell)).is_ok() {
            // An error means that the thread is gone, which is what was wanted.
            let _ = told.await;
        }
    }
}

impl<'c> Tx<'c> {
    fn new(db: Db<'c>, aside: Option<Db<'c>>, shared: &'c Shared, counters: &'c mut Counters) -> Self {
        Self {
            reader: Reader::of(db, &shared.words, &shared.key, Some((&shared.indexing, std::time::Instant::now()))),
            counters,
            pending: Pending::default(),
            made: Vec::new(),
            growth: Growth::None,
            shared,
            aside,
        }
    }
}

impl<'c> Tx<'c> {
    /// The moment, never before the last one given.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant((self.shared.clock)().0.max(self.counters.updated.saturating_add(1)))
    }

    /// The versions that this job has committed so far.
    #[must_use]
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// Writes something of no meaning, to know whether writing goes.
    pub(crate) fn try_writing(&mut self) -> Result<(), StoreError> {
        let sql = "INSERT INTO setting (name, value) VALUES ('tried', ?1)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.db.execute(sql, &[self.now().0.to_le_bytes().as_slice().into()]).map(drop)
    }

    /// Keeps in mind that a name was added, in case the job is undone.
    pub(crate) fn grew<T>(&mut self, (word, growth): (T, Growth)) -> T {
        // What was added aside stays.
        if growth == Growth::New && self.aside.is_none() {
            self.growth = growth;
        }
        word
    }

    /// Where what outlives a job that is undone is kept: names, which others may be adding at the same
    /// time, and attachments.
    pub(crate) fn lasting(&self) -> Db<'c> {
        self.aside.unwrap_or(self.reader.db)
    }

    /// Says that a live resource gets another last version, or none.
    pub(crate) fn touch(&self, key: i64) {
        if let Some(kept) = &self.shared.kept {
            kept.touch(key, self.counters.sequence());
        }
    }

    /// Says that a resource of a type gets a version.
    pub(crate) fn touch_type(&self, resource_type: &str) {
        if let Some(kept) = &self.shared.kept {
            kept.touch_type(resource_type, self.counters.sequence());
        }
    }

    /// Says that a live resource keeps its last version, and that what leads on from it changes.
    pub(crate) fn touch_in_place(&mut self, key: i64) -> Result<(), StoreError> {
        if let Some(kept) = &self.shared.kept {
            // What was read when the last change was committed, before this is, may not be kept.
            kept.touch(key, self.counters.sequence() + 1);
        }
        match self.db.dialect() {
            Dialect::Sqlite => Ok(()),
            // Other programs learn of it by that: see `kept::followed`.
            Dialect::Postgres => self.counters.move_moment(self.db.shards().of_key(key)),
        }
    }

    /// The date parameter that resources of a new type are to be ordered by.
    pub(crate) fn timeline_for(&self, resource_type: &str) -> Option<&'static str> {
        self.shared.timelines.iter().find(|param| param.base == resource_type).map(|param| param.code)
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::{Change, Form, Name, Named, NewBlob, NewVersion, PreparedBody};
    use crate::dialect::sqlite::Purpose;
    use crate::indexing::Trust;
    use crate::schema;

    fn note(id: u32) -> NewVersion {
        NewVersion {
            name: Name { resource_type: "Note".into(), id: id.to_string().into() },
            notebook: None,
            named: Named::ByCaller,
            change: Change::Create,
            form: Form(1),
            body: Some(PreparedBody {
                head: Bytes::from_static(b"{"),
                tail: Bytes::from_static(b"}"),
                holes: Vec::new(),
            }),
            index: Vec::new(),
            links: Vec::new(),
            unique: Vec::new(),
            blobs: Vec::new(),
            caller: "tester".into(),
        }
    }

    /// A writer on a file that may not grow beyond half a megabyte.
    fn small() -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let db = Connection::open(&path, Purpose::Write, 1024).unwrap();
        schema::run(&db, schema::STEPS).unwrap();
        db.run("PRAGMA max_page_count = 64").unwrap();
        let key = CursorKey::make((&db).into()).unwrap();
        let writer = Writer::start(
            &path,
            db,
            (ProcessLock::take(&path).unwrap(), Mark::none()),
            &StoreOptions::default(),
            key,
            (Health::default(), Arc::new(Kept::new(1024, 0, &[])), Arc::new(Indexing::of(&[], Trust::Leased))),
        )
        .unwrap();
        (dir, writer)
    }

    #[tokio::test]
    async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
        let (_dir, writer) = small();
        let large = NewBlob::new(Bytes::from(vec![7; 2_000_000]));
        let (mut small_ones, mut large_ones) = (Vec::new(), Vec::new());
        for number in 0..20 {
            small_ones.push(tokio::spawn(writer.submit(Places::default(), move |tx| tx.commit_version(&note(number)))));
            let blob = large.clone();
            large_ones.push(tokio::spawn(writer.submit(Places::default(), move |tx| tx.put_blob(&blob))));
        }
        for job in large_ones {
            // One that was not begun when the disk was found full is told that it was not taken.
            assert!(matches!(job.await.unwrap(), Err(StoreError::Full(_) | StoreError::Unavailable(_))));
        }
        let mut made = 0;
        for job in small_ones {
            match job.await.unwrap() {
                Ok(_) => made += 1,
                // A full disk may take its neighbours in the batch with it; they are told.
                Err(StoreError::Full(_) | StoreError::Unavailable(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let after = writer.submit(Places::default(), |tx| tx.commit_version(&note(100))).await.unwrap();
        assert_eq!(after.sequence, made + 1, "it serves on, and what was refused left nothing");
        writer.close().await;
    }

    #[tokio::test]
    async fn more_jobs_than_the_queue_holds_wait_their_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let db = Connection::open(&path, Purpose::Write, 1024).unwrap();
        schema::run(&db, schema::STEPS).unwrap();
        let key = CursorKey::make((&db).into()).unwrap();
        let options = StoreOptions { queue: 2, batch: 3, ..StoreOptions::default() };
        let writer = Writer::start(
            &path,
            db,
            (ProcessLock::take(&path).unwrap(), Mark::none()),
            &options,
            key,
            (Health::default(), Arc::new(Kept::new(1024, 0, &[])), Arc::new(Indexing::of(&[], Trust::Leased))),
        )
        .unwrap();
        let jobs: Vec<_> = (0..100)
            .map(|number| tokio::spawn(writer.submit(Places::default(), move |tx| tx.commit_version(&note(number)))))
            .collect();
        let mut sequences = Vec::new();
        for job in jobs {
            let answer: Result<_, StoreError> = job.await.unwrap();
            sequences.push(answer.unwrap().sequence);
        }
        sequences.sort_unstable();
        assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
        writer.close().await;
        assert_eq!(writer.room.available_permits(), 2, "every place is free again");
    }

    /// A writer on an ordinary file.
    fn roomy() -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let db = Connection::open(&path, Purpose::Write, 1024).unwrap();
        schema::run(&db, schema::STEPS).unwrap();
        let key = CursorKey::make((&db).into()).unwrap();
        let lock = ProcessLock::take(&path).unwrap();
        let writer = Writer::start(
            &path,
            db,
            (lock, Mark::none()),
            &StoreOptions::default(),
            key,
            (Health::default(), Arc::new(Kept::new(1024, 0, &[])), Arc::new(Indexing::of(&[], Trust::Leased))),
        )
        .unwrap();
        (dir, writer)
    }

    /// What becomes of a job of a group.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fate {
        Succeeds,
        FailsBeforeItWrites,
        FailsAfterItWrote,
        PanicsAfterItWrote,
    }

    #[tokio::test]
    async fn a_job_that_fails_leaves_its_group_as_if_it_had_never_run() {
        use Fate::{FailsAfterItWrote, FailsBeforeItWrites, PanicsAfterItWrote, Succeeds};
        let fates = [
            FailsAfterItWrote,
            Succeeds,
            FailsBeforeItWrites,
            Succeeds,
            FailsAfterItWrote,
            Succeeds,
            PanicsAfterItWrote,
            Succeeds,
        ];
        let (_dir, writer) = roomy();
        // Until it lets go, the others wait, so that they make one group.
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let begun = std::sync::Mutex::new(begun);
        let gate = tokio::spawn(writer.submit(Places::default(), move |_| -> Result<(), StoreError> {
            // Run again, it does not wait again.
            assert!(begun.lock().unwrap().recv().is_err(), "nothing is ever sent");
            Ok(())
        }));
        let runs = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let jobs: Vec<_> = (0..)
            .zip(fates)
            .map(|(number, fate)| {
                let runs = Arc::clone(&runs);
                let job = writer.submit(Places::default(), move |tx: &mut Tx<'_>| {
                    runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if fate == FailsBeforeItWrites {
                        return Err(StoreError::WrongState);
                    }
                    // A type of its own: a name that must be forgotten with the job.
                    let mut new = note(number);
                    new.name.resource_type = format!("Note{number}").into();
                    let committed = tx.commit_version(&new)?;
                    match fate {
                        FailsAfterItWrote => Err(StoreError::WrongState),
                        PanicsAfterItWrote => panic!("on purpose"),
                        Succeeds | FailsBeforeItWrites => Ok(committed.sequence),
                    }
                });
                tokio::spawn(job)
            })
            .collect();
        while writer.queue.len() < fates.len() {
            tokio::task::yield_now().await;
        }
        drop(begin);
        gate.await.unwrap().unwrap();
        let mut sequences = Vec::new();
        for (job, fate) in jobs.into_iter().zip(fates) {
            match (fate, job.await.unwrap()) {
                (Succeeds, Ok(sequence)) => sequences.push(sequence),
                (FailsBeforeItWrites | FailsAfterItWrote, Err(StoreError::WrongState))
                | (PanicsAfterItWrote, Err(StoreError::Unavailable(_))) => {}
                (fate, other) => panic!("{fate:?}: {other:?}"),
            }
        }
        assert_eq!(sequences, [1, 2, 3, 4], "no gap where a job failed");
        assert!(runs.load(std::sync::atomic::Ordering::Relaxed) > fates.len() as u32, "some were run again");
        let there = writer.submit(Places::default(), move |tx| {
            (0..).zip(fates).map(|(number, _)| tx.holds(number)).collect::<Result<Vec<_>, StoreError>>()
        });
        assert_eq!(there.await.unwrap(), fates.map(|fate| fate == Succeeds));
        writer.close().await;
    }

    impl Tx<'_> {
        fn holds(&self, number: u32) -> Result<bool, StoreError> {
            let name = Name { resource_type: format!("Note{number}").into(), id: number.to_string().into() };
            Ok(self.current(&name)?.is_some())
        }
    }

    #[tokio::test]
    async fn the_log_is_copied_back_while_others_write() {
        let (dir, writer) = roomy();
        let blob = |number: u32| NewBlob::new(Bytes::from([number.to_le_bytes().as_slice(), &[7; 250_000]].concat()));
        // Some 31 pages each: three times as many as begin a copy.
        for number in 0..400 {
            let blob = blob(number);
            writer.submit(Places::default(), move |tx| tx.put_blob(&blob)).await.unwrap();
        }
        let length = |name: &str| std::fs::metadata(dir.path().join(name)).map_or(0, |about| about.len());
        assert!(length("store.db-wal") < 90 << 20, "the log was begun anew: {}", length("store.db-wal"));
        assert!(length("store.db") > 30 << 20, "what was in it is in the file: {}", length("store.db"));
        let last = blob(399).id();
        assert_eq!(writer.submit(Places::default(), move |tx| tx.blob_length(last)).await.unwrap(), Some(250_004));
        writer.close().await;
        assert_eq!(length("store.db-wal"), 0, "closed, there is no log");
    }
}
