//! Versions kept where other programs write too: what was read lately, with what tells whether it is still
//! the last.
//!
//! Nothing is said to this memory when a version is replaced. Whoever asks for a resource asks the store
//! for its row, and says the number and the seal of what is kept: the store sends the body only when the
//! row has others. So what is given is always what the row says, at the moment that the reader sees. The
//! number alone would not do: after a standby took over that lacked the last changes, the same numbers are
//! given again, to other changes.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::{BESIDE, Bytes, LARGEST, Live, USUAL};
use crate::contract::Name;

/// The versions that were read last.
pub(crate) struct Numbered {
    versions: Cache<i64, Arc<Live>, Bytes>,
    /// Keys never change.
    keys: Cache<Name, i64>,
}

impl Numbered {
    /// Nothing yet; at most `kib` KiB.
    pub(crate) fn new(kib: u32) -> Self {
        let bytes = u64::from(kib) * 1024;
        let items = usize::try_from(bytes).unwrap_or(usize::MAX) / (USUAL + BESIDE);
        Self { versions: Cache::with_weighter(items, bytes, Bytes), keys: Cache::new(items) }
    }

    /// What was read last of a resource. It may have another version by now, or none.
    pub(crate) fn read_last(&self, key: i64) -> Option<Arc<Live>> {
        self.versions.get(&key)
    }

    /// The same, by its name.
    pub(crate) fn read_last_of(&self, name: &Name) -> Option<Arc<Live>> {
        self.read_last(self.keys.get(name)?)
    }

    /// Keeps what was read.
    pub(crate) fn keep(&self, live: &Arc<Live>) {
        if live.version.body.len() <= LARGEST {
            self.versions.insert(live.key, Arc::clone(live));
        }
    }

    /// Keeps it under its name too: what was asked for by its name may be so again.
    pub(crate) fn keep_named(&self, live: &Arc<Live>) {
        self.keys.insert(live.version.name.clone(), live.key);
        self.keep(live);
    }
}
