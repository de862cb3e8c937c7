//! Reading: connections of their own, each job on one consistent snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::contract::StoreError;
use crate::cursor::CursorKey;
use crate::dialect::sqlite::{Connection, Purpose, unavailable};
use crate::dictionary::Dictionary;
use crate::store::StoreOptions;

/// What a job reads through.
pub struct Reader<'c> {
    pub(crate) db: &'c Connection,
    pub(crate) words: &'c Dictionary,
    pub(crate) key: &'c CursorKey,
}

type Job = Box<dyn FnOnce(&Pool) + Send>;

/// Jobs that may wait for a reading thread; beyond, callers wait to be let in.
const WAITING: usize = 4096;

/// The connections that read.
pub(crate) struct Readers {
    queue: tokio::sync::mpsc::Sender<Job>,
    pool: Arc<Pool>,
}

struct Pool {
    path: PathBuf,
    cache_kib: u32,
    /// Never more than jobs ran at the same time. The last one used is the first used again: its
    /// cache is warm.
    idle: Mutex<Vec<Connection>>,
    words: Arc<Dictionary>,
    key: CursorKey,
}

impl Readers {
    /// Opens the connections and starts the threads.
    pub(crate) fn start(
        path: &Path,
        options: &StoreOptions,
        words: Arc<Dictionary>,
        key: CursorKey,
    ) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool {
            path: path.to_owned(),
            cache_kib: options.cache_kib / 2,
            idle: Mutex::default(),
            words,
            key,
        });
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
        Ok(Self { queue, pool })
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
                let _ = tell.send(pool.run(job));
            }
        });
        async move {
            let closed = || E::from(unavailable("the store is closed"));
            queue.send(job).await.map_err(|_| closed())?;
            told.await.map_err(|_| closed())?
        }
    }

    /// Runs a job on this thread.
    pub(crate) fn run_here<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        self.pool.run(job)
    }
}

impl Pool {
    fn open(&self) -> Result<Connection, StoreError> {
        Connection::open(&self.path, Purpose::Read, self.cache_kib)
    }

    fn run<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match kept {
            Some(db) => db,
            None => self.open()?,
        };
        let answer = on_snapshot(&Reader { db: &db, words: &self.words, key: &self.key }, job);
        // One that could not end its snapshot is closed instead.
        if !db.in_transaction() {
            self.give_back(db);
        }
        answer
    }

    fn give_back(&self, db: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
    }
}

fn on_snapshot<R, E, J>(reader: &Reader<'_>, job: J) -> Result<R, E>
where
    J: FnOnce(&Reader<'_>) -> Result<R, E>,
    E: From<StoreError>,
{
    reader.db.execute("BEGIN", &[])?;
    let answer = catch_unwind(AssertUnwindSafe(|| job(reader)));
    // The snapshot is let go even when the job failed; a read has nothing to lose.
    let ended = reader.db.execute("COMMIT", &[]);
    match answer {
        Ok(answer) => {
            ended?;
            answer
        }
        Err(_panic) => Err(unavailable("a reading job panicked").into()),
    }
}
