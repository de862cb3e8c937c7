//! A store to test on, and short ways to say what a test commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use liaison_fhir::search::index::{IndexRow, IndexValue, Param, Target};
use liaison_store::contract::{
    Change, ChangeRecord, Committed, Form, Instant, Link, Name, Named, NewVersion, PreparedBody, StoreError, UniqueKey,
};
use liaison_store::reader::Reader;
use liaison_store::store::{Store, StoreOptions, StoreUrl};
use liaison_store::writer::Tx;
use liaison_test_postgres::{Cluster, Database};

/// A store of its own, which goes when the bench goes.
pub struct Bench {
    pub store: Store,
    pub url: StoreUrl,
    pub clock: Arc<AtomicI64>,
    pub _place: Place,
}

/// Where a store is.
pub enum Place {
    Directory { _goes: tempfile::TempDir },
    Database { _goes: Database<'static> },
}

/// The date parameter that notes are ordered by.
pub const NOTE_DATE: Param = Param { base: "Note", code: "date" };

/// An empty store.
pub fn open() -> Bench {
    let (url, place) = somewhere();
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000_000));
    let store = Store::open(&url, options(&clock)).unwrap();
    Bench { store, url, clock, _place: place }
}

/// Whether the tests run on PostgreSQL (`LIAISON_TEST_STORE=postgres`).
pub fn on_postgres() -> bool {
    std::env::var("LIAISON_TEST_STORE").is_ok_and(|wanted| wanted == "postgres")
}

/// Into how many shards the stores of the tests are divided.
pub fn shards() -> u32 {
    if on_postgres() { 5 } else { 1 }
}

/// A place for a store.
pub fn somewhere() -> (StoreUrl, Place) {
    if on_postgres() {
        let database = Cluster::shared().database();
        (StoreUrl::parse(&database.url()).unwrap(), Place::Database { _goes: database })
    } else {
        let dir = tempfile::tempdir().unwrap();
        (StoreUrl::Sqlite(dir.path().join("store.db")), Place::Directory { _goes: dir })
    }
}

/// How the tests open a store: small, and with a clock of their own.
pub fn options(clock: &Arc<AtomicI64>) -> StoreOptions {
    let clock = Arc::clone(clock);
    StoreOptions {
        readers: 2,
        shards: shards(),
        cache_kib: 8 * 1024,
        clock: Arc::new(move || Instant(clock.load(Ordering::SeqCst))),
        timelines: vec![NOTE_DATE],
        ..StoreOptions::default()
    }
}

impl Bench {
    /// Commits one version.
    pub async fn commit(&self, new: NewVersion) -> Result<Committed, StoreError> {
        self.store.write(move |tx: &mut Tx<'_>| tx.commit_version(&new)).await
    }

    /// Commits versions in one job.
    pub async fn commit_all(&self, news: Vec<NewVersion>) -> Result<Vec<Committed>, StoreError> {
        self.store.write(move |tx| news.iter().map(|new| tx.commit_version(new)).collect()).await
    }

    /// How many changes were made.
    pub fn changes(&self) -> u64 {
        self.read(|reader| reader.last_sequences()).iter().sum()
    }

    /// The change feeds.
    pub fn feeds(&self) -> Vec<Vec<ChangeRecord>> {
        self.read(|reader| (0..reader.feeds()).map(|shard| reader.changes(shard, 0, 10_000)).collect())
    }

    /// Reads.
    pub fn read<R>(&self, job: impl FnOnce(&Reader<'_>) -> Result<R, StoreError>) -> R {
        self.store.read_now(job).unwrap()
    }
}

/// A name from `Type/id`.
pub fn name(text: &str) -> Name {
    let (resource_type, id) = text.split_once('/').unwrap();
    Name { resource_type: resource_type.into(), id: id.into() }
}

/// A version that creates a resource with a body that says its name.
pub fn create(of: &str) -> NewVersion {
    NewVersion {
        name: name(of),
        notebook: None,
        named: Named::ByCaller,
        change: Change::Create,
        form: Form(1),
        body: Some(body(of)),
        index: Vec::new(),
        links: Vec::new(),
        unique: Vec::new(),
        blobs: Vec::new(),
        caller: "tester".into(),
    }
}

/// A version that changes a resource.
pub fn update(of: &str) -> NewVersion {
    NewVersion { change: Change::Update, ..create(of) }
}

/// A version that deletes a resource.
pub fn delete(of: &str) -> NewVersion {
    NewVersion { change: Change::Delete, body: None, ..create(of) }
}

/// A body that says a text.
pub fn body(text: &str) -> PreparedBody {
    PreparedBody {
        head: Bytes::from_static(b"{\"meta\":{"),
        tail: Bytes::from(format!("}},\"text\":\"{text}\"}}")),
        holes: Vec::new(),
    }
}

/// What can be said of a version in one line.
pub trait Say: Sized {
    fn row(self, param: Param, value: IndexValue) -> Self;

    fn refers(self, param: Param, to: &str) -> Self;
    fn links(self, to: &str) -> Self;
    fn key(self, scope: &'static str, key: &str) -> Self;
    fn says(self, text: &str) -> Self;
}

impl Say for NewVersion {
    fn row(mut self, param: Param, value: IndexValue) -> Self {
        self.index.push(IndexRow { param, value });
        self
    }

    fn refers(self, param: Param, to: &str) -> Self {
        let Name { resource_type, id } = name(to);
        let target = Target::Local { resource_type: (&*resource_type).into(), id: (&*id).into() };
        self.row(param, IndexValue::Reference(target)).links(to)
    }

    fn links(mut self, to: &str) -> Self {
        self.links.push(Link { to: name(to), place: format!("place of {to}").into() });
        self
    }

    fn key(mut self, scope: &'static str, key: &str) -> Self {
        self.unique.push(UniqueKey { scope, key: key.into() });
        self
    }

    fn says(mut self, text: &str) -> Self {
        self.body = Some(body(text));
        self
    }
}
