//! Versions kept in memory: the last versions of live resources that were read lately, shared by all
//! who read (`docs/decisions/0019-kept-versions.md`).
//!
//! A version never changes; what changes is whether it is the last. The writer therefore touches the
//! key of a resource before it commits a change of it, with the number of that change. A version kept is
//! the last one as of a moment of the store when it was committed by then and its key was not touched
//! since it was seen to be the last: nobody is ever given what a change that was answered has replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::{Weighter, sync::Cache};

use crate::contract::{Name, Version};
use crate::watch::Watched;

pub(crate) mod followed;

/// The last version of a live resource, with what leads on from it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) key: i64,
    /// The key of its type.
    pub(crate) kind: i64,
    /// The number of the change that made it.
    pub(crate) sequence: i64,
    pub(crate) version: Arc<Version>,
    /// Parameter and target of its references, in the order of parameters.
    pub(crate) references: Box<[(i64, i64)]>,
}

/// A version, and the last change of the store at which it was seen to be the last of its resource.
#[derive(Clone)]
struct Seen {
    live: Arc<Live>,
    at: i64,
}

#[derive(Clone)]
struct Bytes;

/// What a version takes beside its body: its row, its name twice, the tables that lead to it.
const BESIDE: usize = 512;

impl Weighter<i64, Seen> for Bytes {
    fn weight(&self, _: &i64, seen: &Seen) -> u64 {
        self.of(&seen.live)
    }
}

impl Bytes {
    fn of(&self, live: &Live) -> u64 {
        let holes = size_of_val(live.version.holes.as_slice());
        (live.version.body.len() + holes + size_of_val(&*live.references) + BESIDE) as u64
    }
}

/// Keys that share a place are touched together: then one is read again in vain. A power of two.
const PLACES: usize = 1 << 14;

/// Larger bodies are read when they are asked for: one of them would push out a page of others.
const LARGEST: usize = 64 * 1024;

/// The bodies of most resources are at least so long.
const USUAL: usize = 2048;

/// The versions kept. Only where the one writer of the store is of the same process.
pub(crate) struct Kept {
    versions: Cache<i64, Seen, Bytes>,
    /// Keys never change.
    keys: Cache<Name, i64>,
    /// The last change that touched each place.
    touched: Box<[AtomicI64]>,
    /// The last change that is committed for sure.
    committed: AtomicI64,
    /// The types that are watched, and the last change of a resource of them.
    watched: Box<[&'static str]>,
    last_watched: AtomicI64,
}

impl Kept {
    /// Nothing yet, of a store whose last change is `committed`; at most `kib` KiB.
    pub(crate) fn new(kib: u32, committed: i64, watched: &[&'static str]) -> Self {
        let bytes = u64::from(kib) * 1024;
        let items = usize::try_from(bytes).unwrap_or(usize::MAX) / (USUAL + BESIDE);
        Self {
            versions: Cache::with_weighter(items, bytes, Bytes),
            keys: Cache::new(items),
            touched: std::iter::repeat_with(|| AtomicI64::new(0)).take(PLACES).collect(),
            committed: AtomicI64::new(committed),
            watched: watched.into(),
            last_watched: AtomicI64::new(0),
        }
    }

    /// A resource that is live will have another last version, or none, by this change: to be said
    /// before it is committed. One that is then undone does no harm.
    pub(crate) fn touch(&self, key: i64, sequence: i64) {
        if let Some(place) = self.place(key) {
            place.fetch_max(sequence, Ordering::SeqCst);
        }
    }

    /// A resource of a type will have a version by this change: to be said before it is committed.
    pub(crate) fn touch_type(&self, resource_type: &str, sequence: i64) {
        if self.watched.contains(&resource_type) {
            self.last_watched.fetch_max(sequence, Ordering::SeqCst);
        }
    }

    /// The moment of what is watched, for whoever begins to read now.
    pub(crate) fn watch(&self) -> Watched {
        Watched(self.committed())
    }

    /// Whether nothing that is watched changed since, nor is about to.
    pub(crate) fn unchanged(&self, since: Watched) -> bool {
        self.last_watched.load(Ordering::SeqCst) <= since.0
    }

    /// Changes up to this one are committed: to be said before anybody is answered.
    pub(crate) fn commit(&self, sequence: i64) {
        self.committed.fetch_max(sequence, Ordering::SeqCst);
    }

    /// The last change that is committed for sure: whoever reads from now on sees it.
    pub(crate) fn committed(&self) -> i64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// The last version of a live resource, at this moment or a later one of this call.
    pub(crate) fn now(&self, name: &Name) -> Option<Arc<Live>> {
        self.as_of(self.keys.get(name)?, i64::MAX)
    }

    /// The last version of a live resource at the moment when `sequence` was the last change.
    pub(crate) fn as_of(&self, key: i64, sequence: i64) -> Option<Arc<Live>> {
        let seen = self.versions.get(&key)?;
        let untouched = self.place(key)?.load(Ordering::SeqCst) <= seen.at;
        (untouched && seen.live.sequence <= sequence).then_some(seen.live)
    }

    /// Keeps what was read by somebody who began when `began` was committed.
    pub(crate) fn keep(&self, live: &Arc<Live>, began: i64) {
        if live.version.body.len() <= LARGEST {
            // It was read as the last one, so it was the last one when it was made, too.
            let at = began.max(live.sequence);
            self.versions.insert(live.key, Seen { live: Arc::clone(live), at });
        }
    }

    /// Keeps it under its name too: what was asked for by its name may be so again.
    pub(crate) fn keep_named(&self, live: &Arc<Live>, began: i64) {
        self.keys.insert(live.version.name.clone(), live.key);
        self.keep(live, began);
    }

    fn place(&self, key: i64) -> Option<&AtomicI64> {
        // Keys are counted up: neighbours have places of their own.
        self.touched.get(usize::try_from(key).ok()? % PLACES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Change, Form, Found, Instant};

    fn live(key: i64, sequence: i64, length: usize) -> Arc<Live> {
        let version = Version {
            name: name(key),
            version: 1,
            updated: Instant(0),
            change: Change::Create,
            form: Form(1),
            body: vec![b' '; length].into(),
            holes: Vec::new(),
            found: Found::default(),
        };
        Arc::new(Live { key, kind: 1, sequence, version: Arc::new(version), references: Box::default() })
    }

    fn name(key: i64) -> Name {
        Name { resource_type: "Note".into(), id: key.to_string().into() }
    }

    #[test]
    fn what_was_touched_is_not_given_before_it_was_read_again() {
        let kept = Kept::new(1024, 5, &[]);
        kept.keep_named(&live(1, 3, 10), 5);
        assert!(kept.now(&name(1)).is_some());
        kept.touch(1, 6);
        assert!(kept.now(&name(1)).is_none(), "the change may be committed from now on");
        // Somebody who began before the change reads the version before.
        kept.keep_named(&live(1, 3, 10), 5);
        assert!(kept.now(&name(1)).is_none());
        kept.commit(6);
        kept.keep_named(&live(1, 6, 10), kept.committed());
        assert_eq!(kept.now(&name(1)).unwrap().sequence, 6);
    }

    #[test]
    fn a_moment_gives_what_was_there_then() {
        let kept = Kept::new(1024, 5, &[]);
        kept.keep_named(&live(1, 3, 10), 5);
        assert!(kept.as_of(1, 2).is_none(), "not there yet");
        assert!(kept.as_of(1, 3).is_some());
        assert!(kept.as_of(1, 9).is_some(), "nothing touched it since");
        assert!(kept.as_of(2, 9).is_none(), "never read");
    }

    #[test]
    fn one_that_was_made_while_its_reader_began_is_the_last_as_of_its_own_change() {
        let kept = Kept::new(1024, 5, &[]);
        kept.touch(1, 7);
        kept.commit(7);
        kept.keep_named(&live(1, 7, 10), 5);
        assert!(kept.now(&name(1)).is_some());
    }

    #[test]
    fn what_rests_on_watched_types_holds_until_one_of_them_is_about_to_change() {
        let kept = Kept::new(1024, 5, &["CareTeam"]);
        let before = kept.watch();
        kept.touch_type("DocumentReference", 6);
        assert!(kept.unchanged(before));
        kept.touch_type("CareTeam", 7);
        assert!(!kept.unchanged(before));
        // What is worked out before the change is committed may not have seen it.
        assert!(!kept.unchanged(kept.watch()));
        kept.commit(7);
        assert!(kept.unchanged(kept.watch()));
        assert!(!kept.unchanged(before));
    }

    #[test]
    fn memory_is_bounded_whatever_is_read() {
        let kept = Kept::new(1024, 0, &[]);
        for key in 0..10_000 {
            kept.keep_named(&live(key, 0, 3_000), 0);
        }
        assert!(kept.versions.weight() <= 1024 * 1024);
        assert!(kept.versions.len() > 200, "and it is used: {}", kept.versions.len());
        kept.keep_named(&live(10_001, 0, LARGEST + 1), 0);
        assert!(kept.now(&name(10_001)).is_none(), "one body never pushes out a page of others");
    }
}
