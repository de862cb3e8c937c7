//! Writing: one thread, one connection, many jobs a commit.

use std::any::Any;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use liaison_fhir::search::index::Param;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::contract::{Instant, StoreError};
use crate::cursor::CursorKey;
use crate::dialect::sqlite::{Connection, unavailable};
use crate::dictionary::{Dictionary, Growth};
use crate::integrity::Pending;
use crate::lock::ProcessLock;
use crate::reader::Reader;
use crate::store::{Clock, StoreOptions};

/// What a job writes through. It reads what it wrote itself, and what the jobs before it wrote.
pub struct Tx<'c> {
    pub(crate) reader: Reader<'c>,
    pub(crate) counters: &'c mut Counters,
    pub(crate) pending: Pending,
    growth: Growth,
    shared: &'c Shared,
}

/// The last numbers given. Only one connection writes, so they are kept in memory between jobs and
/// put back when one is undone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    pub(crate) sequence: i64,
    pub(crate) updated: i64,
    pub(crate) resource: i64,
}

/// What every job of a writer has in common.
struct Shared {
    words: Dictionary,
    key: CursorKey,
    clock: Clock,
    timelines: Vec<Param>,
}

/// The writer's thread, seen from outside.
pub(crate) struct Writer {
    queue: Sender<Order>,
    /// A permit for each write that may wait; closed when no more are taken.
    room: Arc<Semaphore>,
}

/// What the thread is asked.
enum Order {
    Run(Job, OwnedSemaphorePermit),
    /// Finish what waits, take nothing more, and say when the file is left alone.
    Close(oneshot::Sender<()>),
}

type Job = Box<dyn FnOnce(&mut Tx<'_>) -> Finished + Send>;

/// A job that ran, and how to answer it.
struct Finished {
    outcome: Outcome,
    /// Called once it is known whether the commit held: with the failure if it did not.
    reply: Box<dyn FnOnce(Option<StoreError>) + Send>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Keep,
    Undo,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        db: Connection,
        lock: ProcessLock,
        options: &StoreOptions,
        key: CursorKey,
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = crossbeam_channel::unbounded::<Order>();
        let room = Arc::new(Semaphore::new(options.queue.clamp(1, Semaphore::MAX_PERMITS)));
        let shared = Shared {
            words: Dictionary::default(),
            key,
            clock: Arc::clone(&options.clock),
            timelines: options.timelines.clone(),
        };
        let batch = options.batch.max(1);
        std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || Work { db, shared, counters: None, _lock: lock }.run(&waiting, batch))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { queue, room })
    }

    /// Queues a job; the future is its answer.
    pub(crate) fn submit<R, E, J>(&self, job: J) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: FnOnce(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (queue, room) = (self.queue.clone(), Arc::clone(&self.room));
        let (tell, told) = oneshot::channel::<Result<R, E>>();
        let job: Job = Box::new(move |tx| {
            let ran = catch_unwind(AssertUnwindSafe(|| {
                let answer = job(tx)?;
                tx.settle()?;
                Ok(answer)
            }));
            let answer = ran.unwrap_or_else(|panic| Err(panicked(panic.as_ref()).into()));
            let outcome = if answer.is_ok() { Outcome::Keep } else { Outcome::Undo };
            let reply = Box::new(move |failure: Option<StoreError>| {
                // A caller that went away does not want its answer.
                let _ = tell.send(failure.map_or(answer, |failure| Err(failure.into())));
            });
            Finished { outcome, reply }
        });
        async move {
            let closed = || E::from(unavailable("the write was not taken"));
            let permit = room.acquire_owned().await.map_err(|_| closed())?;
            queue.send(Order::Run(job, permit)).map_err(|_| closed())?;
            told.await.map_err(|_| closed())?
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

impl Tx<'_> {
    /// The moment, never before the last one given.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant((self.shared.clock)().0.max(self.counters.updated.saturating_add(1)))
    }

    /// Keeps in mind that a name was added, in case the job is undone.
    pub(crate) fn grew<T>(&mut self, (word, growth): (T, Growth)) -> T {
        if growth == Growth::New {
            self.growth = growth;
        }
        word
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

/// The batch before: those it answered are likely to write again at once.
#[derive(Clone, Copy, Debug, Default)]
struct LastBatch {
    jobs: usize,
    took: Duration,
}

impl LastBatch {
    /// How long to wait for as many as last time: a part of what a commit costs, so that many
    /// callers share one, and a single caller never waits.
    fn worth_waiting(self) -> Duration {
        (self.took / 4).min(Duration::from_millis(1))
    }
}

/// The next order; when closing, only what waits already.
fn next_order(waiting: &Receiver<Order>, closing: &[oneshot::Sender<()>]) -> Option<Order> {
    if closing.is_empty() { waiting.recv().ok() } else { waiting.try_recv().ok() }
}

/// The writing end, on its thread.
struct Work {
    db: Connection,
    shared: Shared,
    /// Unknown at the start and after a failure: then read from the store.
    counters: Option<Counters>,
    /// Let go of when the thread ends, after the last commit.
    _lock: ProcessLock,
}

impl Work {
    fn run(mut self, waiting: &Receiver<Order>, batch: usize) {
        let mut closing = Vec::new();
        let mut last = LastBatch::default();
        while let Some(first) = next_order(waiting, &closing) {
            let (mut jobs, mut permits) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            let wait_until = std::time::Instant::now() + last.worth_waiting();
            while let Some(order) = next {
                match order {
                    Order::Run(job, permit) => {
                        jobs.push(job);
                        permits.push(permit);
                    }
                    Order::Close(tell) => closing.push(tell),
                }
                next = match jobs.len() {
                    enough if enough >= batch => None,
                    few if few < last.jobs && closing.is_empty() => waiting.recv_deadline(wait_until).ok(),
                    _ => waiting.try_recv().ok(),
                };
            }
            let (begun, count) = (std::time::Instant::now(), jobs.len());
            if count > 0 {
                self.commit_together(&mut jobs);
                last = LastBatch { jobs: count, took: begun.elapsed() };
            }
        }
        // Nothing waits any more: leave a file without a log behind. If that fails, the log is
        // read at the next start.
        if let Err(error) = self.db.run("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %cause(&error), "the log was not copied back on closing");
        }
        drop(self);
        closing.into_iter().for_each(|tell| {
            let _ = tell.send(());
        });
    }

    /// Runs the jobs in one transaction and answers them when it is committed.
    ///
    /// Even a refusal waits for the commit: it may rest on what another job of the batch wrote.
    fn commit_together(&mut self, jobs: &mut Vec<Job>) {
        let mut finished = Vec::with_capacity(jobs.len());
        let done = self.run_all(jobs, &mut finished);
        let Err(error) = done else {
            finished.into_iter().for_each(|job| (job.reply)(None));
            return;
        };
        tracing::error!(error = %cause(&error), "a commit failed");
        self.counters = None;
        self.shared.words.forget();
        if self.db.in_transaction()
            && let Err(error) = self.db.execute("ROLLBACK", &[])
        {
            tracing::error!(error = %cause(&error), "a rollback failed");
        }
        let error = Arc::new(error);
        for job in finished {
            (job.reply)(Some(StoreError::Unavailable(Box::new(CommitFailed(Arc::clone(&error))))));
        }
        // Jobs not begun are dropped; their callers are told that the write was not taken.
        jobs.clear();
    }

    fn run_all(&mut self, jobs: &mut Vec<Job>, finished: &mut Vec<Finished>) -> Result<(), StoreError> {
        self.db.execute("BEGIN IMMEDIATE", &[])?;
        let mut counters = match self.counters {
            Some(counters) => counters,
            None => Counters::load(&self.db)?,
        };
        let alone = jobs.len() == 1;
        for job in jobs.drain(..) {
            if !alone {
                self.db.execute("SAVEPOINT job", &[])?;
            }
            let (outcome, growth);
            let before = counters;
            let mut tx = Tx {
                reader: Reader { db: &self.db, words: &self.shared.words, key: &self.shared.key },
                counters: &mut counters,
                pending: Pending::default(),
                growth: Growth::None,
                shared: &self.shared,
            };
            let job = job(&mut tx);
            (outcome, growth) = (job.outcome, tx.growth);
            finished.push(job);
            if !self.db.in_transaction() {
                // A full disk or a failing one makes SQLite undo the whole transaction by itself.
                return Err(unavailable("the database gave the transaction up"));
            }
            if outcome == Outcome::Undo {
                counters = before;
                if growth == Growth::New {
                    self.shared.words.forget();
                }
                self.db.execute(if alone { "ROLLBACK" } else { "ROLLBACK TO job" }, &[])?;
            }
            if !alone {
                self.db.execute("RELEASE job", &[])?;
            }
        }
        if self.db.in_transaction() {
            self.db.execute("COMMIT", &[])?;
        }
        self.counters = Some(counters);
        Ok(())
    }
}

impl Counters {
    fn load(db: &Connection) -> Result<Self, StoreError> {
        let last = db.first("SELECT sequence, at FROM change ORDER BY sequence DESC LIMIT 1", &[], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        let (sequence, updated) = last.unwrap_or((0, 0));
        let resource = db.first("SELECT coalesce(max(key), 0) FROM resource", &[], |row| row.int(0))?;
        Ok(Self { sequence, updated, resource: resource.unwrap_or_default() })
    }
}

/// Why a batch of writes was not committed: shared by all of them.
#[derive(Debug, thiserror::Error)]
#[error("the commit failed")]
struct CommitFailed(#[source] Arc<StoreError>);

fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    unavailable(format!("a writing job panicked: {}", text.unwrap_or("no message")))
}

/// An error with the errors that caused it.
fn cause(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::{Change, Form, Name, NewBlob, NewVersion, PreparedBody};
    use crate::dialect::sqlite::Purpose;
    use crate::schema;

    fn note(id: u32) -> NewVersion {
        NewVersion {
            name: Name { resource_type: "Note".into(), id: id.to_string().into() },
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
        let key = CursorKey::ensure(&db).unwrap();
        let writer = Writer::start(db, ProcessLock::take(&path).unwrap(), &StoreOptions::default(), key).unwrap();
        (dir, writer)
    }

    #[tokio::test]
    async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
        let (_dir, writer) = small();
        let large = NewBlob::new(Bytes::from(vec![7; 2_000_000]));
        let (mut small_ones, mut large_ones) = (Vec::new(), Vec::new());
        for number in 0..20 {
            small_ones.push(tokio::spawn(writer.submit(move |tx| tx.commit_version(note(number)))));
            let blob = large.clone();
            large_ones.push(tokio::spawn(writer.submit(move |tx| tx.put_blob(&blob))));
        }
        for job in large_ones {
            assert!(matches!(job.await.unwrap(), Err(StoreError::Unavailable(_))));
        }
        let mut made = 0;
        for job in small_ones {
            match job.await.unwrap() {
                Ok(_) => made += 1,
                // A full disk may take its neighbours in the batch with it; they are told.
                Err(StoreError::Unavailable(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let after = writer.submit(|tx| tx.commit_version(note(100))).await.unwrap();
        assert_eq!(after.sequence, made + 1, "it serves on, and what was refused left nothing");
        writer.close().await;
    }

    #[tokio::test]
    async fn more_jobs_than_the_queue_holds_wait_their_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let db = Connection::open(&path, Purpose::Write, 1024).unwrap();
        schema::run(&db, schema::STEPS).unwrap();
        let key = CursorKey::ensure(&db).unwrap();
        let options = StoreOptions { queue: 2, batch: 3, ..StoreOptions::default() };
        let writer = Writer::start(db, ProcessLock::take(&path).unwrap(), &options, key).unwrap();
        let jobs: Vec<_> =
            (0..100).map(|number| tokio::spawn(writer.submit(move |tx| tx.commit_version(note(number))))).collect();
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
}
