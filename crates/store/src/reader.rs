//! Reading: connections of their own, each job on one consistent snapshot.
//!
//! Short jobs run on the thread that asks for them, a few at once; long ones, and those that turn out
//! to be long, on threads of the store (`docs/decisions/0009-short-reads-in-place.md`).

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, oneshot};

use crate::contract::{Name, StoreError, Version};
use crate::cursor::CursorKey;
use crate::dialect::postgres::{self, Address};
use crate::dialect::sqlite::{Connection, Purpose};
use crate::dialect::{Db, unavailable};
use crate::dictionary::Dictionary;
use crate::figures;
use crate::indexing::Indexing;
use crate::kept::followed::{Ends, Followed, Moved};
use crate::kept::{Kept, Live};
use crate::objects::Aside;
use crate::shard::Shards;
use crate::store::StoreOptions;
use crate::watch::{Hearing, Watched};

mod supposed;
mod together;

pub(crate) use supposed::Going;
use supposed::Supposed;
use together::Together;

/// What a job reads through.
pub struct Reader<'c> {
    pub(crate) db: Db<'c>,
    pub(crate) words: &'c Dictionary,
    pub(crate) key: &'c CursorKey,
    memory: Memory<'c>,
    /// What was answered lately, where asking is a way to a server and back.
    supposed: Option<&'c Supposed>,
    /// The definitions of this program, and when the job began.
    pub(crate) indexing: Option<(&'c Indexing, Instant)>,
    /// Where attachments are kept elsewhere.
    aside: OnceCell<Aside>,
}

/// The versions kept in memory, as far as a job may use them.
enum Memory<'c> {
    /// None.
    None,
    /// Those of a store that only this process writes to.
    Touched {
        kept: &'c Kept,
        /// The last change that was committed before the job began to read.
        began: i64,
    },
    /// Those of a store that others write to as well.
    Followed {
        kept: &'c Followed,
        /// What was known of the shards before the job began to read.
        known: Ends,
        /// Where they are at the moment that it reads.
        moment: OnceCell<Ends>,
    },
}

/// The versions that readers keep in memory.
#[derive(Clone)]
pub(crate) enum Memories {
    /// None.
    None,
    /// Where the one writer is of this process.
    Touched(Arc<Kept>),
    /// Where others write too.
    Followed(Arc<Followed>),
}

impl Memories {
    /// The moment of what is watched, where it is known what changes.
    pub(crate) fn watch(&self) -> Option<Watched> {
        match self {
            Self::None => None,
            Self::Touched(kept) => Some(kept.watch()),
            Self::Followed(kept) => kept.watches().then(|| kept.watch()),
        }
    }

    /// Whether nothing that is watched changed since.
    pub(crate) fn unchanged(&self, since: Watched) -> bool {
        match self {
            Self::None => false,
            Self::Touched(kept) => kept.unchanged(since),
            Self::Followed(kept) => kept.unchanged(since),
        }
    }

    /// When it is known that something changed.
    pub(crate) const fn hearing(&self) -> Hearing {
        match self {
            Self::None | Self::Touched(_) => Hearing::AtOnce,
            Self::Followed(_) => Hearing::AfterReading,
        }
    }
}

impl<'c> Reader<'c> {
    /// What reads from the connection alone.
    pub(crate) const fn of(
        db: Db<'c>,
        words: &'c Dictionary,
        key: &'c CursorKey,
        indexing: Option<(&'c Indexing, Instant)>,
    ) -> Self {
        Self { db, words, key, memory: Memory::None, supposed: None, indexing, aside: OnceCell::new() }
    }

    /// Attachments are kept elsewhere: this is what the job has of them.
    pub(crate) fn with_aside(&self, aside: &Aside) {
        // A job is given one when it begins.
        let _ = self.aside.set(aside.clone());
    }

    /// What the job has of attachments that are kept elsewhere.
    pub(crate) fn aside(&self) -> Option<&Aside> {
        self.aside.get()
    }

    /// A live resource, when its last version is known to be in memory.
    pub(crate) fn kept(&self, key: i64) -> Result<Option<Arc<Live>>, StoreError> {
        Ok(match &self.memory {
            Memory::None => None,
            Memory::Touched { kept, began } => kept.as_of(key, *began),
            Memory::Followed { kept, .. } => self.moment()?.and_then(|moment| kept.as_of(key, moment)),
        })
    }

    /// The same by its name, where others write as well.
    pub(crate) fn kept_named(&self, name: &Name) -> Result<Option<Arc<Live>>, StoreError> {
        let Some(kept) = self.followed() else { return Ok(None) };
        Ok(self.moment()?.and_then(|moment| kept.named(name, moment)))
    }

    /// What is kept where others write as well.
    pub(crate) fn followed(&self) -> Option<&Followed> {
        match &self.memory {
            Memory::Followed { kept, .. } => Some(kept),
            Memory::None | Memory::Touched { .. } => None,
        }
    }

    /// Where others write as well: the moment that is read will be wanted, and is asked for with
    /// whatever is asked next.
    pub(crate) fn ask_moment_along(&self) {
        if let (Memory::Followed { kept, known, moment }, Some(db)) = (&self.memory, self.db.far())
            && moment.get().is_none()
        {
            db.ask_along(kept.question(known));
        }
    }

    /// Whether everything that it reads is committed: what is only being written is never kept.
    pub(crate) const fn reads_what_is_committed(&self) -> bool {
        !matches!(self.memory, Memory::None)
    }

    /// The moment that is read, where others write as well.
    pub(crate) fn moment(&self) -> Result<Option<&Ends>, StoreError> {
        let Memory::Followed { kept, known, moment } = &self.memory else { return Ok(None) };
        if moment.get().is_none() {
            let question = kept.question(known);
            let moved = self.db.all(&question.sql, &question.values, Moved::read)?;
            // Nobody else sets it: a job has one thread.
            let _ = moment.set(kept.learn(known, &moved));
        }
        Ok(moment.get())
    }

    /// An answer, once what is watched was asked about at the moment that it was read.
    fn heard<R, E: From<StoreError>>(&self, answer: Result<R, E>) -> Result<R, E> {
        match &self.memory {
            Memory::Followed { kept, .. } if kept.watches() => {
                let asked = self.moment().map(drop);
                // What was refused is told in any case.
                answer.and_then(|answer| asked.map(|()| answer).map_err(E::from))
            }
            _ => answer,
        }
    }

    /// Keeps what was read by its key.
    pub(crate) fn keep(&self, live: &Arc<Live>) -> Result<(), StoreError> {
        match &self.memory {
            Memory::None => {}
            Memory::Touched { kept, began } => kept.keep(live, *began),
            Memory::Followed { kept, .. } => {
                if let Some(moment) = self.moment()? {
                    kept.keep(live, moment);
                }
            }
        }
        Ok(())
    }

    /// Keeps what was read by its name.
    pub(crate) fn keep_named(&self, live: &Arc<Live>) -> Result<(), StoreError> {
        match &self.memory {
            Memory::None => {}
            Memory::Touched { kept, began } => kept.keep_named(live, *began),
            Memory::Followed { kept, .. } => {
                if let Some(moment) = self.moment()? {
                    kept.keep_named(live, moment);
                }
            }
        }
        Ok(())
    }
}

type Job = Box<dyn FnOnce(&Pool) + Send>;

/// Jobs that may wait for a reading thread; beyond, callers wait to be let in.
const WAITING: usize = 4096;

/// The connections that read.
pub(crate) struct Readers {
    queue: tokio::sync::mpsc::Sender<Job>,
    pool: Arc<Pool>,
    /// Short jobs that may begin now.
    turns: Semaphore,
    /// Where asking is a way to a server and back: those who read by name.
    together: Option<Together>,
}

/// How much of the store must stand still while a job reads.
#[derive(Clone, Copy)]
enum View {
    /// All of it: every statement of the job sees the same moment.
    Snapshot,
    /// What its one statement reads, which sees one moment by itself.
    Statement,
}

/// Whether a job came to its end, whatever that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ran {
    ToItsEnd,
    /// It was stopped: its answer says nothing.
    TooLong,
}

/// Steps of SQLite's machine that a short job may take: about a millisecond of them, many times what a
/// page costs that an index leads to.
const SHORT: i64 = 60_000;

/// Where connections lead.
pub(crate) enum Source {
    /// To a file, each with a page cache of so many KiB.
    File { path: PathBuf, cache_kib: u32 },
    /// To a server, where the store is divided like this.
    Server { address: Address, shards: Shards },
}

/// A connection that is not used at the moment.
enum Idle {
    File(Connection),
    Server(Box<postgres::Connection>),
}

struct Pool {
    source: Source,
    /// Never more than jobs ran at the same time. The last one used is the first used again: its
    /// cache is warm.
    idle: Mutex<Vec<Idle>>,
    words: Arc<Dictionary>,
    key: CursorKey,
    kept: Memories,
    supposed: Supposed,
    indexing: Arc<Indexing>,
}

/// How long a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// As long as it takes.
    Whole,
    /// As long as it is short.
    Short,
}

/// As many connections as jobs may run at once share what the readers have: memory does not grow
/// with the processors of the machine.
pub(crate) fn cache_of_each(options: &StoreOptions) -> u32 {
    let connections = options.readers.max(1).saturating_add(options.short_reads.max(1));
    (options.cache_kib / 2).saturating_mul(3) / u32::try_from(connections).unwrap_or(u32::MAX)
}

impl Readers {
    /// Opens a connection and starts the threads.
    pub(crate) fn start(
        source: Source,
        options: &StoreOptions,
        key: CursorKey,
        kept: Memories,
        indexing: Arc<Indexing>,
    ) -> Result<Self, StoreError> {
        let words = Arc::default();
        // Whoever waits for a server does not keep a disk busy: as many as there are threads for it.
        let turns = match &source {
            Source::File { .. } => options.short_reads.max(1),
            Source::Server { .. } => options.readers.max(1),
        };
        let far = matches!(source, Source::Server { .. });
        let pool =
            Arc::new(Pool { source, idle: Mutex::default(), words, key, kept, supposed: Supposed::new(), indexing });
        let (queue, waiting) = tokio::sync::mpsc::channel::<Job>(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        // Opened once here, so that a store that cannot be read is known at once.
        pool.give_back(pool.open()?);
        for number in 0..options.readers.max(1) {
            let (pool, waiting) = (Arc::clone(&pool), Arc::clone(&waiting));
            let work = move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                    let Some(job) = next else { break };
                    job(&pool);
                }
            };
            std::thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(work)
                .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        }
        let together = far.then(|| Together::start(&pool)).transpose()?;
        Ok(Self { queue, pool, turns: Semaphore::new(turns), together })
    }

    /// What they keep in memory.
    pub(crate) fn memories(&self) -> &Memories {
        &self.pool.kept
    }

    /// Hands a job to one of the threads.
    pub(crate) fn submit<R, E, J>(&self, job: J) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let queue = self.queue.clone();
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |pool| {
            // Nobody listens any more: not worth the work.
            if !tell.is_closed() {
                let _ = tell.send(pool.run(View::Snapshot, Patience::Whole, job).0);
            }
        });
        async move {
            let closed = || E::from(unavailable("the store is closed"));
            queue.send(job).await.map_err(|_| closed())?;
            told.await.map_err(|_| closed())?
        }
    }

    /// Runs a job on the calling thread, at once.
    pub(crate) fn run_now<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        self.pool.run(View::Snapshot, Patience::Whole, job).0
    }

    /// The last version of a resource, a deletion included. `None` when it never was.
    pub(crate) async fn current(&self, name: &Name) -> Result<Option<Arc<Version>>, StoreError> {
        if let Memories::Touched(kept) = &self.pool.kept
            && let Some(live) = kept.now(name)
        {
            figures::read_from_memory();
            return Ok(Some(Arc::clone(&live.version)));
        }
        figures::read_from_store();
        match &self.together {
            Some(together) => together.current(name).await,
            None => self.run_one_here(|reader| reader.current_kept(name)).await,
        }
    }

    /// Runs a short job on the calling thread, once it is its turn.
    pub(crate) async fn run_here<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        let _turn = self.turns.acquire().await.map_err(|_| unavailable("the store is closed"))?;
        self.pool.here(|pool| pool.run(View::Snapshot, Patience::Whole, job).0)
    }

    /// Runs a job on the calling thread, once it is its turn, and begins it anew on one of the threads
    /// when it turns out not to be short.
    pub(crate) async fn run_here_or_there<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: Fn(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if matches!(self.pool.source, Source::File { .. }) {
            let _turn = self.turns.acquire().await.map_err(|_| unavailable("the store is closed"))?;
            if let (answer, Ran::ToItsEnd) = self.pool.run(View::Snapshot, Patience::Short, &job) {
                return answer;
            }
        }
        self.submit(job).await
    }

    /// As [`Readers::run_here`], for a job of a single statement.
    pub(crate) async fn run_one_here<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        let _turn = self.turns.acquire().await.map_err(|_| unavailable("the store is closed"))?;
        self.pool.here(|pool| pool.run(View::Statement, Patience::Whole, job).0)
    }
}

impl Pool {
    fn open(&self) -> Result<Idle, StoreError> {
        Ok(match &self.source {
            Source::File { path, cache_kib } => Idle::File(Connection::open(path, Purpose::Read, *cache_kib)?),
            Source::Server { address, .. } => {
                Idle::Server(Box::new(postgres::Connection::open(address, postgres::Purpose::Read)?))
            }
        })
    }

    fn db<'c>(&self, idle: &'c Idle) -> Db<'c> {
        match (idle, &self.source) {
            (Idle::File(db), _) => db.into(),
            (Idle::Server(db), Source::Server { shards, .. }) => Db::Postgres(db, *shards),
            // A server is only ever opened as one.
            (Idle::Server(db), Source::File { .. }) => Db::Postgres(db, Shards::One),
        }
    }

    /// Runs something on this thread, which others of a runtime may be waiting for.
    fn here<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        let many = || {
            let runtime = tokio::runtime::Handle::try_current();
            runtime.is_ok_and(|runtime| runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread)
        };
        match &self.source {
            // The way to a server and back takes long enough for others to be served meanwhile.
            Source::Server { .. } if many() => tokio::task::block_in_place(|| work(self)),
            Source::Server { .. } | Source::File { .. } => work(self),
        }
    }

    fn run<R, E, J>(&self, view: View, patience: Patience, job: J) -> (Result<R, E>, Ran)
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        let idle = match self.take_idle() {
            Some(idle) => Ok(idle),
            None => self.open(),
        };
        let idle = match idle {
            Ok(idle) => idle,
            Err(error) => return (Err(error.into()), Ran::ToItsEnd),
        };
        let _reading = matches!(idle, Idle::Server(_)).then(figures::Connected::reading);
        // Before anything is read: what is read is then at least as new.
        let memory = match (&self.kept, view) {
            (Memories::Touched(kept), _) => Memory::Touched { kept, began: kept.committed() },
            (Memories::Followed(kept), View::Snapshot) => {
                Memory::Followed { kept, known: kept.known(), moment: OnceCell::new() }
            }
            (Memories::None, _) | (Memories::Followed(_), View::Statement) => Memory::None,
        };
        // Only within a snapshot the same question has the same answer.
        let supposed = match (view, &self.source) {
            (View::Snapshot, Source::Server { .. }) => Some(&self.supposed),
            _ => None,
        };
        let indexing = Some((&*self.indexing, Instant::now()));
        let reader = Reader { memory, supposed, ..Reader::of(self.db(&idle), &self.words, &self.key, indexing) };
        if let (Patience::Short, Idle::File(db)) = (patience, &idle) {
            db.stop_after(SHORT);
        }
        let answer = match view {
            View::Snapshot => on_snapshot(&reader, |reader| reader.heard(job(reader))),
            View::Statement => unpanicked(&reader, job),
        };
        let stopped = matches!(&idle, Idle::File(db) if db.stopped());
        let ran = if stopped { Ran::TooLong } else { Ran::ToItsEnd };
        // One that could not end its snapshot is closed instead.
        let good = match &idle {
            Idle::File(db) => !db.in_transaction(),
            Idle::Server(db) => !db.in_transaction() && !db.is_broken(),
        };
        if good {
            self.give_back(idle);
        }
        (answer, ran)
    }

    fn take_idle(&self) -> Option<Idle> {
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match kept.pop()? {
                // The server was started anew, say.
                Idle::Server(db) if db.is_stale() => {}
                good => return Some(good),
            }
        }
    }

    fn give_back(&self, idle: Idle) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }
}

fn on_snapshot<R, E, J>(reader: &Reader<'_>, job: J) -> Result<R, E>
where
    J: FnOnce(&Reader<'_>) -> Result<R, E>,
    E: From<StoreError>,
{
    reader.db.begin_snapshot()?;
    let answer = unpanicked(reader, job);
    // The snapshot is let go even when the job failed; a read has nothing to lose. An error in the
    // file may have ended it already: what is told is that error.
    let ended = reader.db.end_snapshot();
    let answer = answer?;
    ended?;
    Ok(answer)
}

fn unpanicked<R, E, J>(reader: &Reader<'_>, job: J) -> Result<R, E>
where
    J: FnOnce(&Reader<'_>) -> Result<R, E>,
    E: From<StoreError>,
{
    catch_unwind(AssertUnwindSafe(|| job(reader))).unwrap_or_else(|_| Err(unavailable("a reading job panicked").into()))
}
