//! What is counted of connections.

use std::sync::LazyLock;

use metrics::{Counter, Gauge, counter, gauge};

/// Why a connection is not served, or not any more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Why {
    /// Its address has too many.
    Crowd,
    /// Whoever is at the other end keeps us waiting.
    Stalled,
    /// Encryption was not agreed on.
    Handshake,
}

static OPEN: LazyLock<Gauge> = LazyLock::new(|| gauge!("liaison_connections"));
static REFUSED: LazyLock<[Counter; 3]> = LazyLock::new(|| {
    ["crowd", "stalled", "handshake"].map(|why| counter!("liaison_connections_refused_total", "why" => why))
});

/// Shows what was not counted yet as zero: to be called once it is known who collects.
pub fn begin() {
    OPEN.increment(0);
    REFUSED.iter().for_each(|counter| counter.increment(0));
}

pub(crate) fn refused(why: Why) {
    if let Some(counter) = REFUSED.get(why as usize) {
        counter.increment(1);
    }
}

/// A connection being counted, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(());

impl Open {
    pub(crate) fn one() -> Self {
        OPEN.increment(1);
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.decrement(1);
    }
}
