//! Versions kept where other programs write too: what was replaced is learned from the change feed.
//!
//! Nothing is said to this memory when a version is replaced. But each shard has a feed without a gap, and
//! a row that says where it ends; so whoever begins to read asks, in its snapshot, which shards went on
//! since this memory looked last, and which resources changed there. Nearly always nothing did, and the
//! answer has no row. From then on the discipline is that of one writer: a version kept is the last one as
//! of the moment that is read when it was made by then and its key was not touched since it was seen to be
//! the last.
//!
//! Where a shard does not simply go on from what was known of it (too far; or a standby took over that
//! lacked the last changes, and the same numbers are given to others; or rows were made anew in place), all
//! that was known of it is worth nothing: its age is counted up.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::{Weighter, sync::Cache};

use super::{BESIDE, Bytes, LARGEST, Live, PLACES, USUAL};
use crate::contract::{Name, StoreError};
use crate::dialect::postgres::Question;
use crate::dialect::{Row, Value, damaged};
use crate::shard::shard_of_key;
use crate::watch::Watched;

/// The shards that are not as they were known: where their feeds end, and what changed since; nothing of
/// that where the feed does not go on from what was known, or has gone on too far.
const MOVED: &str = "SELECT s.shard, s.sequence, s.updated, \
     CASE WHEN s.sequence - (?1::int8[])[s.shard + 1] BETWEEN 1 AND 256 \
       AND ((?1::int8[])[s.shard + 1] = 0 OR EXISTS (SELECT 1 FROM change h WHERE h.shard = s.shard \
         AND h.sequence = (?1::int8[])[s.shard + 1] AND h.at = (?2::int8[])[s.shard + 1])) \
     THEN ARRAY(SELECT h.resource FROM change h WHERE h.shard = s.shard \
       AND h.sequence > (?1::int8[])[s.shard + 1]) \
     ELSE ARRAY[]::int8[] END, \
     CASE WHEN s.sequence - (?1::int8[])[s.shard + 1] BETWEEN 1 AND 256 \
       AND NOT EXISTS (SELECT 1 FROM change h JOIN resource_type t ON t.key = h.type \
         WHERE h.shard = s.shard AND h.sequence > (?1::int8[])[s.shard + 1] AND t.name = ANY(?3::text[])) \
     THEN 0 ELSE 1 END \
     FROM shard s WHERE s.sequence <> (?1::int8[])[s.shard + 1] OR s.updated <> (?2::int8[])[s.shard + 1]";

/// Where a shard is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// Its last change.
    pub(crate) sequence: i64,
    /// The moment of that.
    updated: i64,
    /// How often what was known of it was worth nothing.
    age: u32,
}

/// A moment of the store: where each shard is.
pub(crate) type Ends = Arc<[End]>;

/// A shard that is not where it was known to be.
pub(crate) struct Moved {
    shard: usize,
    sequence: i64,
    updated: i64,
    /// What changed since; nothing when that is not known.
    resources: Vec<i64>,
    /// Whether something that is watched may be among it.
    watched: bool,
}

/// A version, and the end of its shard's feed when it was seen to be the last of its resource.
#[derive(Clone)]
struct Seen {
    live: Arc<Live>,
    at: i64,
    age: u32,
}

impl Weighter<i64, Seen> for Bytes {
    fn weight(&self, _: &i64, seen: &Seen) -> u64 {
        self.of(&seen.live)
    }
}

/// The versions that were read last.
pub(crate) struct Followed {
    versions: Cache<i64, Seen, Bytes>,
    /// Keys never change.
    keys: Cache<Name, i64>,
    /// The last change that touched each place; the places of a shard lie together.
    touched: Box<[AtomicI64]>,
    known: RwLock<Ends>,
    /// The types that are watched, and how often something of them may have changed.
    watched: Arc<[String]>,
    changes: AtomicI64,
}

impl Followed {
    /// Nothing yet, of a store of so many shards; at most `kib` KiB.
    pub(crate) fn new(kib: u32, shards: usize, watched: &[&str]) -> Self {
        let bytes = u64::from(kib) * 1024;
        let items = usize::try_from(bytes).unwrap_or(usize::MAX) / (USUAL + BESIDE);
        Self {
            versions: Cache::with_weighter(items, bytes, Bytes),
            keys: Cache::new(items),
            touched: std::iter::repeat_with(|| AtomicI64::new(0)).take(PLACES).collect(),
            known: RwLock::new(std::iter::repeat_n(End::default(), shards).collect()),
            watched: watched.iter().map(|name| (*name).to_owned()).collect(),
            changes: AtomicI64::new(0),
        }
    }

    /// What is known of the shards.
    pub(crate) fn known(&self) -> Ends {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether anything is watched.
    pub(crate) fn watches(&self) -> bool {
        !self.watched.is_empty()
    }

    /// The moment of what is watched, for whoever begins to read now.
    pub(crate) fn watch(&self) -> Watched {
        Watched(self.changes.load(Ordering::SeqCst))
    }

    /// Whether nothing that is watched changed since, as far as this program has read.
    pub(crate) fn unchanged(&self, since: Watched) -> bool {
        self.watch() == since
    }

    /// The question which of them moved: to be asked in the snapshot that is read.
    pub(crate) fn question(&self, known: &Ends) -> Question {
        let sequences: Vec<i64> = known.iter().map(|end| end.sequence).collect();
        let moments: Vec<i64> = known.iter().map(|end| end.updated).collect();
        let watched = Value::Texts(self.watched.to_vec().into());
        Question {
            sql: MOVED.to_owned(),
            values: vec![Value::Ints(sequences.into()), Value::Ints(moments.into()), watched],
        }
    }

    /// Takes the answer to what was asked when `asked` was known; gives the moment that is read.
    pub(crate) fn learn(&self, asked: &Ends, moved: &[Moved]) -> Ends {
        if moved.is_empty() {
            return Arc::clone(asked);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut now = known.to_vec();
        let mut read = asked.to_vec();
        for Moved { shard, sequence, updated, resources, watched } in moved {
            let (Some(now), Some(read)) = (now.get_mut(*shard), read.get_mut(*shard)) else { continue };
            if (now.sequence, now.updated) == (*sequence, *updated) {
                // Somebody else was told already.
                *read = *now;
            } else if !resources.is_empty() && now.age == read.age {
                for place in resources.iter().filter_map(|key| self.place(*key, asked.len())) {
                    place.fetch_max(*sequence, Ordering::SeqCst);
                }
                *read = End { sequence: *sequence, updated: *updated, age: now.age };
                if now.sequence < *sequence {
                    *now = *read;
                }
                if *watched {
                    self.changes.fetch_add(1, Ordering::SeqCst);
                }
            } else {
                self.changes.fetch_add(1, Ordering::SeqCst);
                *now = End { sequence: *sequence, updated: *updated, age: now.age.wrapping_add(1) };
                *read = *now;
            }
        }
        *known = now.into();
        read.into()
    }

    /// The last version of a live resource at a moment.
    pub(crate) fn as_of(&self, key: i64, moment: &Ends) -> Option<Arc<Live>> {
        let seen = self.versions.get(&key)?;
        let end = moment.get(shard_of_key(key))?;
        let untouched = self.place(key, moment.len())?.load(Ordering::SeqCst) <= seen.at;
        (untouched && seen.age == end.age && seen.live.sequence <= end.sequence).then_some(seen.live)
    }

    /// The same, by its name.
    pub(crate) fn named(&self, name: &Name, moment: &Ends) -> Option<Arc<Live>> {
        self.as_of(self.keys.get(name)?, moment)
    }

    /// Whether something is kept of a name, whatever became of it.
    pub(crate) fn is_kept(&self, name: &Name) -> bool {
        self.keys.get(name).is_some_and(|key| self.versions.peek(&key).is_some())
    }

    /// What was read last of a resource, whatever became of it.
    pub(crate) fn read_last(&self, key: i64) -> Option<Arc<Live>> {
        self.versions.get(&key).map(|seen| seen.live)
    }

    /// Keeps what was read at a moment.
    pub(crate) fn keep(&self, live: &Arc<Live>, moment: &Ends) {
        if live.version.body.len() <= LARGEST
            && let Some(end) = moment.get(shard_of_key(live.key))
        {
            self.versions.insert(live.key, Seen { live: Arc::clone(live), at: end.sequence, age: end.age });
        }
    }

    /// Keeps it under its name too: what was asked for by its name may be so again.
    pub(crate) fn keep_named(&self, live: &Arc<Live>, moment: &Ends) {
        self.keys.insert(live.version.name.clone(), live.key);
        self.keep(live, moment);
    }

    fn place(&self, key: i64, shards: usize) -> Option<&AtomicI64> {
        let shard = shard_of_key(key);
        let each = PLACES / shards.clamp(1, PLACES);
        // Keys of a shard are counted up: neighbours have places of their own.
        let number = usize::try_from(key >> 10).ok()?;
        self.touched.get(shard * each + number % each)
    }
}

impl Moved {
    /// Reads a row of the answer.
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let shard = usize::try_from(row.int(0)?).map_err(|_| damaged("a shard has no such number"))?;
        let (resources, watched) = (row.ints(3)?, row.int(4)? != 0);
        Ok(Self { shard, sequence: row.int(1)?, updated: row.int(2)?, resources, watched })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Change, Form, Found, Instant, Version};

    const SHARDS: usize = 4;

    fn kept() -> Followed {
        Followed::new(1024, SHARDS, &["CareTeam"])
    }

    /// A resource of shard 2.
    fn live(number: i64, sequence: i64) -> Arc<Live> {
        let version = Version {
            name: Name { resource_type: "Note".into(), id: number.to_string().into() },
            version: 1,
            updated: Instant(0),
            change: Change::Create,
            form: Form(1),
            body: vec![b' '; 10].into(),
            holes: Vec::new(),
            found: Found::default(),
        };
        let key = number << 10 | 2;
        Arc::new(Live { key, kind: 1, sequence, version: Arc::new(version), references: Box::default() })
    }

    fn at(sequence: i64, resources: &[i64]) -> [Moved; 1] {
        let resources = resources.iter().map(|number| number << 10 | 2).collect();
        [Moved { shard: 2, sequence, updated: sequence * 1000, resources, watched: false }]
    }

    #[test]
    fn what_changed_is_not_given_before_it_was_read_again() {
        let kept = kept();
        let first = kept.learn(&kept.known(), &at(5, &[]));
        kept.keep_named(&live(1, 3), &first);
        kept.keep_named(&live(2, 4), &first);
        assert!(kept.named(&live(1, 3).version.name, &first).is_some());
        let second = kept.learn(&first, &at(6, &[1]));
        assert!(kept.as_of(live(1, 3).key, &second).is_none(), "changed");
        assert!(kept.as_of(live(2, 4).key, &second).is_some(), "not changed");
        // Somebody whose snapshot is older keeps what it reads there.
        kept.keep(&live(1, 3), &first);
        assert!(kept.as_of(live(1, 3).key, &second).is_none(), "it was the last one then, not now");
        kept.keep(&live(1, 6), &second);
        assert_eq!(kept.as_of(live(1, 6).key, &second).unwrap().sequence, 6);
        assert!(kept.as_of(live(1, 6).key, &first).is_none(), "not there yet");
    }

    #[test]
    fn two_that_learn_the_same_from_different_ends_know_all_of_it() {
        let kept = kept();
        let first = kept.learn(&kept.known(), &at(5, &[]));
        kept.keep(&live(1, 3), &first);
        kept.keep(&live(2, 4), &first);
        // Both asked when 5 was known; the later moment is told first.
        let later = kept.learn(&first, &at(7, &[1, 2]));
        let sooner = kept.learn(&first, &at(6, &[1]));
        assert_eq!(kept.known(), later);
        assert!(kept.as_of(live(1, 3).key, &sooner).is_none() && kept.as_of(live(2, 4).key, &later).is_none());
    }

    #[test]
    fn of_a_feed_that_does_not_go_on_nothing_is_known() {
        let kept = kept();
        let first = kept.learn(&kept.known(), &at(5, &[]));
        kept.keep(&live(1, 3), &first);
        // The same number at another moment, or fewer: another feed.
        for other in [[Moved { shard: 2, sequence: 5, updated: 1, resources: Vec::new(), watched: false }], at(4, &[])]
        {
            let then = kept.learn(&kept.known(), &other);
            assert!(kept.as_of(live(1, 3).key, &then).is_none());
            assert!(kept.as_of(live(1, 3).key, &kept.known()).is_none());
            // Who still reads the old feed keeps what nobody is given.
            kept.keep(&live(1, 3), &first);
            assert!(kept.as_of(live(1, 3).key, &kept.known()).is_none());
        }
    }

    #[test]
    fn what_rests_on_watched_types_holds_until_one_of_them_is_seen_to_change() {
        let kept = kept();
        let first = kept.learn(&kept.known(), &at(5, &[]));
        let moment = kept.watch();
        let second = kept.learn(&first, &at(6, &[1]));
        assert!(kept.unchanged(moment), "a note");
        let mut of_a_circle = at(7, &[2]);
        of_a_circle[0].watched = true;
        let third = kept.learn(&second, &of_a_circle);
        assert!(!kept.unchanged(moment));
        let moment = kept.watch();
        kept.learn(&third, &at(3, &[]));
        assert!(!kept.unchanged(moment), "of a feed that does not go on nothing is known");
    }

    #[test]
    fn shards_do_not_touch_one_another() {
        let kept = kept();
        let moved =
            |shard, sequence, resources| Moved { shard, sequence, updated: sequence, resources, watched: false };
        let first = kept.learn(&kept.known(), &[moved(2, 5, Vec::new()), moved(3, 9, Vec::new())]);
        kept.keep(&live(1, 3), &first);
        let all = (0..10_000).map(|number| number << 10 | 3).collect();
        let second = kept.learn(&first, &[moved(3, 100, all)]);
        assert!(kept.as_of(live(1, 3).key, &second).is_some());
    }
}
