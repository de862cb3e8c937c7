//! The last numbers given: of changes, of resources, and the last moment.

use std::collections::BTreeMap;

use crate::audit::Lines;
use crate::contract::{Instant, StoreError};
use crate::dialect::{Db, unavailable};

/// The last numbers given in the shards that a writer holds. Nobody else gives any there meanwhile, so
/// they are kept in memory between jobs and put back when one is undone.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    /// The last moment given, as far as is known.
    pub(crate) updated: i64,
    /// The lines of the audit trail that the jobs have written.
    pub(crate) lines: Lines,
    given: Given,
}

#[derive(Clone, Debug)]
enum Given {
    /// In the one shard of the store.
    One(Numbers),
    Several(BTreeMap<u32, Numbers>),
}

/// The last numbers given in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Of a change.
    pub(crate) sequence: i64,
    /// Of a resource.
    pub(crate) resource: i64,
    /// The moment of the last change.
    pub(crate) updated: i64,
    /// The checksum of the version that the last change made, as far as it was made here.
    pub(crate) seal: i64,
}

impl Counters {
    /// Those of a store of one shard.
    pub(crate) fn load(db: Db<'_>) -> Result<Self, StoreError> {
        let last = db.first("SELECT sequence, at FROM change ORDER BY sequence DESC LIMIT 1", &[], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        let (sequence, updated) = last.unwrap_or((0, 0));
        let resource = db.first("SELECT coalesce(max(key), 0) FROM resource", &[], |row| row.int(0))?;
        let numbers = Numbers { sequence, resource: resource.unwrap_or_default(), updated, seal: 0 };
        Ok(Self { updated, lines: Lines::default(), given: Given::One(numbers) })
    }

    /// Those of the shards that are held, and the latest moment in any shard.
    pub(crate) fn of(shards: BTreeMap<u32, Numbers>, latest: i64) -> Self {
        let updated = shards.values().map(|numbers| numbers.updated).max().unwrap_or_default();
        Self { updated: updated.max(latest), lines: Lines::default(), given: Given::Several(shards) }
    }

    /// The number of the next change in a shard, made at this moment.
    pub(crate) fn next_change(&mut self, shard: u32, at: Instant) -> Result<i64, StoreError> {
        self.updated = at.0;
        let numbers = self.numbers(shard)?;
        numbers.sequence += 1;
        numbers.updated = at.0;
        Ok(numbers.sequence)
    }

    /// Says that rows of a shard are made anew in place: whoever knew it at another moment knows nothing of it.
    pub(crate) fn move_moment(&mut self, shard: u32) -> Result<(), StoreError> {
        let latest = self.updated;
        let numbers = self.numbers(shard)?;
        numbers.updated = numbers.updated.max(latest) + 1;
        self.updated = numbers.updated;
        Ok(())
    }

    /// The checksum of the version that the last change in a shard made.
    pub(crate) fn sealed(&mut self, shard: u32, seal: i64) -> Result<(), StoreError> {
        self.numbers(shard)?.seal = seal;
        Ok(())
    }

    /// The number of the next resource in a shard.
    pub(crate) fn next_resource(&mut self, shard: u32) -> Result<i64, StoreError> {
        let numbers = self.numbers(shard)?;
        numbers.resource += 1;
        Ok(numbers.resource)
    }

    /// The number of the last change; of several shards, of any.
    pub(crate) fn sequence(&self) -> i64 {
        match &self.given {
            Given::One(numbers) => numbers.sequence,
            Given::Several(shards) => shards.values().map(|numbers| numbers.sequence).max().unwrap_or_default(),
        }
    }

    /// The number of the last change in a shard that is held.
    pub(crate) fn last_change_in(&mut self, shard: u32) -> Result<i64, StoreError> {
        Ok(self.numbers(shard)?.sequence)
    }

    /// The shards in which more was given than before, with their last numbers.
    pub(crate) fn since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (u32, Numbers)> + 'a {
        let several = |given: &'a Given| match given {
            Given::One(_) => None,
            Given::Several(shards) => Some(shards),
        };
        let (now, then) = (several(&self.given), several(&before.given));
        now.into_iter()
            .flatten()
            .map(|(shard, numbers)| (*shard, *numbers))
            .filter(move |(shard, numbers)| then.and_then(|then| then.get(shard)) != Some(numbers))
    }

    /// A shard in which a change was made since, with its last numbers.
    pub(crate) fn changed_since(&self, before: &Self) -> Option<(u32, Numbers)> {
        let then = |shard: u32| match &before.given {
            Given::One(_) => None,
            Given::Several(shards) => shards.get(&shard).map(|numbers| numbers.sequence),
        };
        self.since(before).find(|(shard, numbers)| then(*shard) != Some(numbers.sequence))
    }

    fn numbers(&mut self, shard: u32) -> Result<&mut Numbers, StoreError> {
        match &mut self.given {
            Given::One(numbers) => Ok(numbers),
            Given::Several(shards) => {
                shards.get_mut(&shard).ok_or_else(|| unavailable("numbers of a shard that is not held"))
            }
        }
    }
}
