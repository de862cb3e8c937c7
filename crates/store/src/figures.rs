//! What is counted of the store, for whoever watches over it. Whether anybody collects it, and how it is
//! shown, is for the program to know: without a collector each of these does nothing.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

static COMMITTED: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_commits_total", "outcome" => "done"));
static NOT_COMMITTED: LazyLock<Counter> =
    LazyLock::new(|| counter!("liaison_store_commits_total", "outcome" => "failed"));
static COMMIT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| histogram!("liaison_store_commit_seconds"));
static COMMIT_WRITES: LazyLock<Histogram> = LazyLock::new(|| histogram!("liaison_store_commit_writes"));
static WAIT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| histogram!("liaison_store_write_wait_seconds"));
static WAITING: LazyLock<Gauge> = LazyLock::new(|| gauge!("liaison_store_writes_waiting"));
static FROM_MEMORY: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_reads_total", "from" => "memory"));
static FROM_STORE: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_reads_total", "from" => "store"));

static READ_CONNECTIONS: LazyLock<Gauge> = LazyLock::new(|| gauge!("liaison_store_connections", "for" => "reading"));
static WRITE_CONNECTIONS: LazyLock<Gauge> = LazyLock::new(|| gauge!("liaison_store_connections", "for" => "writing"));
static READING: LazyLock<Gauge> = LazyLock::new(|| gauge!("liaison_store_connections_reading"));

static AGAIN: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_groups_again_total", "why" => "others"));
static WIDER: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_groups_again_total", "why" => "wider"));
static LOST: LazyLock<Counter> = LazyLock::new(|| counter!("liaison_store_groups_again_total", "why" => "lost"));

/// Why a group of writes is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Others were in the way.
    Others,
    /// It needed more shards, or savepoints.
    Wider,
    /// The connection was lost.
    Lost,
}

/// A group of writes is run again.
pub(crate) fn again(why: Again) {
    match why {
        Again::Others => AGAIN.increment(1),
        Again::Wider => WIDER.increment(1),
        Again::Lost => LOST.increment(1),
    }
}

/// Shows what was not counted yet as zero, so that its first rise is seen: to be called once it is known
/// who collects.
pub fn begin() {
    for counter in [&COMMITTED, &NOT_COMMITTED, &FROM_MEMORY, &FROM_STORE, &AGAIN, &WIDER, &LOST] {
        counter.increment(0);
    }
    for gauge in [&WAITING, &READ_CONNECTIONS, &WRITE_CONNECTIONS, &READING] {
        gauge.increment(0);
    }
}

/// So many writes were committed together; the commit alone took so long.
pub(crate) fn committed(writes: usize, took: Duration) {
    COMMITTED.increment(1);
    COMMIT_SECONDS.record(took);
    COMMIT_WRITES.record(u32::try_from(writes).unwrap_or(u32::MAX));
}

/// A group of writes was not committed.
pub(crate) fn not_committed() {
    NOT_COMMITTED.increment(1);
}

/// A version was asked for by name, and kept in memory.
pub(crate) fn read_from_memory() {
    FROM_MEMORY.increment(1);
}

/// A version was asked for by name, and read.
pub(crate) fn read_from_store() {
    FROM_STORE.increment(1);
}

/// A write that waits for its turn; counted until it is dropped.
pub(crate) struct Turn(std::time::Instant);

impl Turn {
    /// It begins to wait.
    pub(crate) fn wait() -> Self {
        WAITING.increment(1);
        Self(std::time::Instant::now())
    }

    /// It has come.
    pub(crate) fn came(self) {
        WAIT_SECONDS.record(self.0.elapsed());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WAITING.decrement(1);
    }
}

/// A connection to a server, counted until it is dropped.
pub(crate) struct Connected(&'static LazyLock<Gauge>);

impl Connected {
    /// One that reads.
    pub(crate) fn to_read() -> Self {
        Self::counted(&READ_CONNECTIONS)
    }

    /// One that writes.
    pub(crate) fn to_write() -> Self {
        Self::counted(&WRITE_CONNECTIONS)
    }

    /// One that a job reads through now.
    pub(crate) fn reading() -> Self {
        Self::counted(&READING)
    }

    fn counted(gauge: &'static LazyLock<Gauge>) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
