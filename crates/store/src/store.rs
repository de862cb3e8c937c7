//! The store: opened once, cloned freely, closed when the last clone goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use liaison_fhir::search::definition::Definition;
use liaison_fhir::search::index::Param;
use liaison_pages::Sealing;

use crate::contract::{Instant, Name, StoreError, Version};
use crate::cursor::CursorKey;
use crate::dialect::postgres;
use crate::dialect::sqlite::{Connection, KeepLog, Purpose};
use crate::dialect::{Db, unavailable};
use crate::health::{Ailment, Health};
use crate::indexing::{self, Claim, Indexing, Standing, Trust};
use crate::kept::Kept;
use crate::kept::followed::Followed;
use crate::lock::ProcessLock;
use crate::mark::{self, Mark};
use crate::objects::{self, Objects};
use crate::reader::{Memories, Reader, Readers, Source, cache_of_each};
use crate::schema::distribution::{self, Engine};
use crate::schema::{self, MigrationStep, State, shared};
use crate::shard::Places;
use crate::watch::{Hearing, Watched};

use crate::writer::{Tx, Writer};

pub use crate::dialect::postgres::{Address, Way};

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Address),
}

impl StoreUrl {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// What is to be written instead, for anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(address) = Address::parse(text) {
            return address.map(Self::Postgres);
        }
        let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        match path {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err("write sqlite:PATH, such as sqlite:liaison.db, or postgres://USER@HOST/DATABASE".into()),
        }
    }

    /// What lies between this program and the store.
    ///
    /// # Errors
    /// When its database cannot be reached.
    pub fn way(&self) -> Result<Way, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Way::Here),
            Self::Postgres(address) => address.way(),
        }
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To serve it: the file is made when it is not there, and no other process may serve it.
    Serve,
    /// To look at it, beside whoever serves it: writing answers [`StoreError::Unavailable`].
    Look,
}

/// Gives the moment, in microseconds since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// What for.
    pub access: Access,
    /// Threads that answer [`Store::read`]; at least 1.
    pub readers: usize,
    /// Jobs of [`Store::read_here`] that run at once, at least 1. Fewer than the threads that call
    /// it, or a slow disk keeps all of them from whatever else they do.
    pub short_reads: usize,
    /// Writes that may wait; beyond, callers of [`Store::write`] wait to be let in.
    pub queue: usize,
    /// At most this many writes are committed together.
    pub batch: usize,
    /// Page cache of the writer, in KiB. The readers together have one and a half times as much.
    pub cache_kib: u32,
    /// Versions kept in memory beside the pages, in KiB.
    pub kept_kib: u32,
    /// Into how many shards a new store on PostgreSQL is divided, at most 1,024. It stays so.
    pub shards: u32,
    /// Where attachments are kept, when not in the database. The store remembers it.
    pub attachments: Option<Arc<dyn Objects>>,
    /// What gives the moment.
    pub clock: Clock,
    /// Date parameters along which resources are ordered, at most one a type, each with at most
    /// one value a resource (of several the latest start counts). A type without one is ordered by
    /// last change.
    ///
    /// The order is laid down in the store with the first resource of a type and holds from then
    /// on, whatever is said here later.
    pub timelines: Vec<Param>,
    /// Types whose changes are watched ([`Store::watch`]).
    pub watched: Vec<&'static str>,
    /// What the rows follow that this program writes: the store remembers it, and says which searches must
    /// wait until their rows were made anew ([`crate::reindex`]). Without any, it is neither told nor asked.
    pub definitions: Vec<Definition>,
    /// Whether the store goes by them from now on.
    pub claim: Claim,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            access: Access::Serve,
            readers: std::thread::available_parallelism().map_or(2, usize::from).max(2),
            short_reads: 1,
            queue: 1024,
            batch: 256,
            cache_kib: 36 * 1024,
            kept_kib: 48 * 1024,
            shards: 64,
            attachments: None,
            clock: Arc::new(system_clock),
            timelines: Vec::new(),
            watched: Vec::new(),
            definitions: Vec::new(),
            claim: Claim::Lead,
        }
    }
}

/// The store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    readers: Readers,
    writer: Option<Writer>,
    health: Health,
    objects: Option<Arc<dyn Objects>>,
    indexing: Arc<Indexing>,
}

impl Store {
    /// Opens a store, making it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when it is not at this program's version ([`Store::migrate`] mends
    /// an older one), [`StoreError::Foreign`], [`StoreError::InUse`], [`StoreError::Unopened`],
    /// [`StoreError::LogLost`], [`StoreError::Damaged`], [`StoreError::Full`],
    /// [`StoreError::ReadOnly`], [`StoreError::Unavailable`].
    pub fn open(url: &StoreUrl, options: StoreOptions) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => Self::open_file(path, &options),
            StoreUrl::Postgres(address) => Self::open_server(address, &options),
        }
    }

    fn open_file(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let health = Health::default();
        // Whoever only looks is not waited for.
        let trust = match options.access {
            Access::Serve => Trust::Leased,
            Access::Look => Trust::None,
        };
        let indexing = Arc::new(Indexing::of(&options.definitions, trust));
        let (writer, key, kept) = match options.access {
            Access::Serve => {
                let lock = ProcessLock::take(path)?;
                openable(path)?;
                let db = Connection::open(path, Purpose::Write, options.cache_kib)?;
                // Until it is known to be whole, its log is evidence.
                db.keep_log_on_close(KeepLog::AsItIs)?;
                let key = match schema::state(&db)? {
                    State::Empty => {
                        mark::refuse_empty(path)?;
                        make(&db)?
                    }
                    State::Version(_) => {
                        schema::require_current(&db)?;
                        db.log_ahead()?;
                        CursorKey::read((&db).into())?
                    }
                };
                objects::require_place((&db).into(), options)?;
                mark::refuse_shorter(mark::read(path), key.store_id(), &db)?;
                db.keep_log_on_close(KeepLog::Folded)?;
                if db.sealing() == Sealing::Plain {
                    tracing::warn!("the pages of this store have no seals: export it and import it into a new one");
                }
                declare(&db, &indexing, options.claim)?;
                let last = last_change(&db)?;
                let mark = Mark::open(path, key.store_id(), last);
                let kept = Arc::new(Kept::new(options.kept_kib, last.cast_signed(), &options.watched));
                let told = (health.clone(), Arc::clone(&kept), Arc::clone(&indexing));
                (Some(Writer::start(path, db, (lock, mark), options, key.clone(), told)?), key, Memories::Touched(kept))
            }
            Access::Look => {
                let db = Connection::open(path, Purpose::Read, options.cache_kib / 2)?;
                schema::require_current(&db)?;
                objects::require_place((&db).into(), options)?;
                // Whoever writes is another process: nothing says what it changes.
                (None, CursorKey::read((&db).into())?, Memories::None)
            }
        };
        let source = Source::File { path: path.to_owned(), cache_kib: cache_of_each(options) };
        let readers = Readers::start(source, options, key, kept, Arc::clone(&indexing))?;
        let objects = options.attachments.clone();
        Ok(Self { inner: Arc::new(Inner { readers, writer, health, objects, indexing }) })
    }

    fn open_server(address: &Address, options: &StoreOptions) -> Result<Self, StoreError> {
        let db = postgres::Connection::open(address, postgres::Purpose::Write)?;
        if options.access == Access::Serve {
            shared::make_if_empty(&db, options.shards)?;
        }
        shared::require_usable(&db)?;
        let shards = shared::shards(&db)?;
        let key = CursorKey::read(Db::Postgres(&db, shards))?;
        objects::require_place(Db::Postgres(&db, shards), options)?;
        let indexing = Arc::new(Indexing::of(&options.definitions, Trust::Leased));
        if options.access == Access::Serve {
            shared::declare(&db, shards, &indexing, options.claim)?.settle();
        }
        drop(db);
        let health = Health::default();
        let writer = match options.access {
            Access::Serve => {
                let told = (health.clone(), Arc::clone(&indexing));
                Some(Writer::start_lane(address, shards, options, key.clone(), told)?)
            }
            Access::Look => None,
        };
        // Others write as well: what they replaced is learned from the change feed.
        let kept = Followed::new(options.kept_kib, shards.count() as usize, &options.watched);
        let kept = Memories::Followed(Arc::new(kept));
        let source = Source::Server { address: address.clone(), shards };
        // Their threads wait for answers most of the time.
        let options = &StoreOptions { readers: options.readers.saturating_mul(4), ..options.clone() };
        let readers = Readers::start(source, options, key, kept, Arc::clone(&indexing))?;
        let objects = options.attachments.clone();
        Ok(Self { inner: Arc::new(Inner { readers, writer, health, objects, indexing }) })
    }

    /// The steps that bring a store to this program's version; taken unless only planned.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when it is newer than this program.
    pub fn migrate(url: &StoreUrl, mode: MigrateMode) -> Result<Vec<MigrationStep>, StoreError> {
        let path = match url {
            StoreUrl::Sqlite(path) => path,
            StoreUrl::Postgres(address) => return shared::migrate(address, mode, StoreOptions::default().shards),
        };
        if mode == MigrateMode::Plan && !path.exists() {
            return schema::missing(State::Empty).map(<[_]>::to_vec);
        }
        let _lock = match mode {
            MigrateMode::Plan => None,
            MigrateMode::Run => Some(ProcessLock::take(path)?),
        };
        if mode == MigrateMode::Run {
            mark::refuse_missing(path)?;
        }
        let purpose = match mode {
            MigrateMode::Plan => Purpose::Read,
            MigrateMode::Run => Purpose::Write,
        };
        let db = Connection::open(path, purpose, 8 * 1024)?;
        let state = schema::state(&db)?;
        let steps = schema::missing(state)?;
        match (mode, state) {
            (MigrateMode::Run, State::Empty) => make(&db).map(drop)?,
            (MigrateMode::Run, State::Version(_)) if !steps.is_empty() => {
                db.log_ahead()?;
                schema::run(&db, steps)?;
            }
            _ => {}
        }
        Ok(steps.to_vec())
    }

    /// Has an engine spread a store over several database servers; nobody serves it meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Schema`]; [`StoreError::Unavailable`] when it is a file, or the engine is not there.
    pub fn distribute(url: &StoreUrl, engine: Engine) -> Result<(), StoreError> {
        match url {
            StoreUrl::Sqlite(_) => Err(unavailable("a file lies on one machine: move to PostgreSQL first")),
            StoreUrl::Postgres(address) => distribution::distribute(address, engine),
        }
    }

    /// Runs a job in a transaction and answers once it is on the disk.
    ///
    /// Jobs run one after the other on the writer's thread, so a job may read, decide and write
    /// without anyone in between. Jobs that wait at the same time are committed together; one that
    /// fails or panics leaves nothing behind and does not touch the others: for that a job may be
    /// run again from the beginning, what it wrote before undone. The job runs even when the future
    /// is dropped, once it was let in.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unresolved`] or [`StoreError::Referred`] when its
    /// references do not hold in the end; [`StoreError::Unavailable`] when the commit failed.
    pub fn write<R, E, J>(&self, job: J) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_at(Places::default(), job)
    }

    /// As [`Store::write`], for a job of which it is known where it will write: it need not find that out
    /// by being run twice.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_at<R, E, J>(&self, places: Places, job: J) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (store, mut job) = (self.clone(), Some(job));
        let queued = match (&self.inner.writer, &self.inner.objects) {
            (Some(writer), None) => job.take().map(|job| writer.submit(places.clone(), job)),
            _ => None,
        };
        async move {
            match (queued, job) {
                (Some(answer), _) => answer.await,
                (None, Some(job)) => store.write_aside(places, job).await,
                (None, None) => Err(unavailable("the write was not taken").into()),
            }
        }
    }

    /// Runs a job on one of the reading threads, on a consistent snapshot.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unavailable`] when the store cannot serve.
    pub fn read<R, E, J>(&self, job: J) -> impl Future<Output = Result<R, E>> + Send + use<R, E, J>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.readers.submit(job)
    }

    /// As [`Store::read`], for a job that reads attachments whole: it is run again when they had to be brought
    /// from elsewhere first.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unavailable`] when the store cannot serve.
    pub async fn read_again<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: Fn(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.inner.objects.is_some() { self.read_aside(job).await } else { self.read(job).await }
    }

    /// The moment of what is watched, for whoever begins now to work something out from it. `None` where
    /// nobody says what changes: it is to be worked out each time.
    #[must_use]
    pub fn watch(&self) -> Option<Watched> {
        self.inner.readers.memories().watch()
    }

    /// Whether nothing that is watched changed since, as far as is known here ([`Store::hearing`]).
    #[must_use]
    pub fn unchanged(&self, since: Watched) -> bool {
        self.inner.readers.memories().unchanged(since)
    }

    /// When it is known here that something that is watched changed.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        self.inner.readers.memories().hearing()
    }

    /// Where attachments are kept, when elsewhere.
    pub(crate) fn objects(&self) -> Option<&Arc<dyn Objects>> {
        self.inner.objects.as_ref()
    }

    /// The writer, when the store was not only opened to look at it.
    pub(crate) fn writer(&self) -> Option<&Writer> {
        self.inner.writer.as_ref()
    }

    /// Runs a job on the calling thread, on a consistent snapshot: for callers that may wait for the
    /// disk.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unavailable`] when the store cannot serve.
    pub fn read_now<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E>,
        E: From<StoreError>,
    {
        self.inner.readers.run_now(job)
    }

    /// Runs a job of a few point reads on the calling thread, on a consistent snapshot: it costs
    /// less than handing it to another thread. At most [`StoreOptions::short_reads`] run at once;
    /// others wait for their turn.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unavailable`] when the store cannot serve.
    pub async fn read_here<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E> + Send,
        E: From<StoreError>,
    {
        self.inner.readers.run_here(job).await
    }

    /// Runs a job that is likely to be short, on a consistent snapshot: as [`Store::read_here`], and
    /// from the beginning as [`Store::read`] when it turns out not to be: what it answered then is
    /// forgotten.
    ///
    /// # Errors
    /// What the job answers; [`StoreError::Unavailable`] when the store cannot serve.
    pub async fn read_briefly<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: Fn(&Reader<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.readers.run_here_or_there(job).await
    }

    /// The last version of a resource, a deletion included: from memory when it is kept there, else
    /// read as by [`Store::read_here`]. `None` when it never was.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn current(&self, name: &Name) -> Result<Option<Arc<Version>>, StoreError> {
        self.inner.readers.current(name).await
    }

    /// As [`Store::read_here`], for a job of a single statement, which sees one moment by itself.
    pub(crate) async fn read_one_here<R, E, J>(&self, job: J) -> Result<R, E>
    where
        J: FnOnce(&Reader<'_>) -> Result<R, E> + Send,
        E: From<StoreError>,
    {
        self.inner.readers.run_one_here(job).await
    }

    /// What ails the store, as far as those who read and wrote have met it. When writes failed the
    /// last time, tries whether they still do.
    pub async fn ailment(&self) -> Option<Ailment> {
        match self.inner.health.ailment()? {
            Ailment::Damaged => Some(Ailment::Damaged),
            _ => {
                // A commit that holds says by itself that writing goes again.
                let tried = self.write(|tx| tx.try_writing()).await;
                tried.err().and_then(|_: StoreError| self.inner.health.ailment())
            }
        }
    }

    /// How the index stands, by what can be known: what was known last when the store is away.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when nothing is known.
    pub async fn index_standing(&self) -> Result<Arc<Standing>, StoreError> {
        match self.read_one_here(|reader| reader.index_standing()).await {
            Ok(standing) => Ok(standing),
            Err(error) => self.inner.indexing.last_known().ok_or(error),
        }
    }

    /// Has the next search look again how the index stands.
    pub fn look_at_index_again(&self) {
        self.inner.indexing.forget();
    }

    /// Says that damage was met, to whoever asks for ailments.
    pub fn met_damage(&self) {
        self.inner.health.damaged();
    }

    /// Finishes the writes that wait, refuses later ones, and lets go of the file: when this
    /// returns another process may serve it.
    pub async fn close(&self) {
        if let Some(writer) = &self.inner.writer {
            writer.close().await;
        }
    }
}

/// Whether migration steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrateMode {
    /// Only said.
    Plan,
    /// Taken.
    Run,
}

/// Whether the file may be read and written, if it is there; the lock is held, so nobody else of this
/// process has it open. Nothing is made in the place of a store that is gone.
fn openable(path: &Path) -> Result<(), StoreError> {
    match std::fs::OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Unopened(error)),
        _ => mark::refuse_missing(path),
    }
}

/// Makes a store of an empty file. What it is lies in the file itself, not only in its log: a log
/// that is lost is then missed.
fn make(db: &Connection) -> Result<CursorKey, StoreError> {
    db.log_ahead()?;
    schema::run(db, schema::STEPS)?;
    let key = CursorKey::make(db.into())?;
    db.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(key)
}

/// Says which definitions the rows that are written from now on follow.
fn declare(db: &Connection, indexing: &Indexing, claim: Claim) -> Result<(), StoreError> {
    if !indexing::must_declare(db.into(), indexing, claim)? {
        return Ok(());
    }
    db.run("BEGIN IMMEDIATE")?;
    match indexing::declare(db.into(), indexing, claim) {
        Ok(_) => db.run("COMMIT"),
        Err(error) => {
            if db.in_transaction() {
                db.run("ROLLBACK")?;
            }
            Err(error)
        }
    }
}

fn last_change(db: &Connection) -> Result<u64, StoreError> {
    let last = db.first("SELECT coalesce(max(sequence), 0) FROM change", &[], |row| row.int(0))?;
    Ok(last.unwrap_or_default().cast_unsigned())
}

fn system_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
