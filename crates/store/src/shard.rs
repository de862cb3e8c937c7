//! Shards: parts of a store that are written one beside the other, each in an order of its own
//! (`docs/decisions/0020-shards.md`).
//!
//! A store on SQLite is one shard. On PostgreSQL the shard of a resource is that of the notebook it
//! belongs to when it is made, and stays; it is the last bits of the key of the resource.

use liaison_pages::seal;

use crate::contract::{Name, UniqueKey};

/// Bits of a key that say the shard.
const BITS: u32 = 10;

/// At most so many shards.
pub const MOST: u32 = 1 << BITS;

/// How a store is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shards {
    /// Not at all.
    One,
    /// Into so many, at most [`MOST`].
    Of(u32),
}

impl Shards {
    /// How many there are.
    pub(crate) const fn count(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Of(count) => count,
        }
    }

    /// The shard of what is found by these bytes.
    pub(crate) fn of_bytes(self, bytes: &[u8]) -> u32 {
        match self {
            Self::One => 0,
            // Less than the count, which is 32 bits long.
            Self::Of(count) => (seal(bytes).cast_unsigned() % u64::from(count.max(1))) as u32,
        }
    }

    /// The shard of what bears a name, unless it belongs to another's notebook.
    pub(crate) fn of_name(self, resource_type: &str, id: &str) -> u32 {
        match self {
            Self::One => 0,
            Self::Of(_) => self.of_bytes([resource_type, "/", id].concat().as_bytes()),
        }
    }

    /// The shard of a resource.
    pub(crate) const fn of_key(self, key: i64) -> u32 {
        match self {
            Self::One => 0,
            Self::Of(_) => (key & (MOST as i64 - 1)) as u32,
        }
    }

    /// The key of the resource of this number in a shard.
    pub(crate) const fn key(self, shard: u32, number: i64) -> i64 {
        match self {
            Self::One => number,
            Self::Of(_) => (number << BITS) | shard as i64,
        }
    }
}

/// The shard of a resource of this name, in a store of so many, unless it belongs to another's notebook.
#[must_use]
pub fn shard_of(name: &Name, shards: u32) -> u32 {
    Shards::Of(shards).of_name(&name.resource_type, &name.id)
}

/// Where a job will write, as far as that is known before it runs: what it needs besides is found out,
/// at the cost of a second run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The notebooks, and the resources of no notebook, that it changes.
    pub names: Vec<Name>,
    /// Shards that it changes, by their numbers.
    pub shards: Vec<u32>,
    /// The keys of answers that it remembers.
    pub answers: Vec<Box<str>>,
    /// What it will look at besides: asked for together with what others of its group look at.
    pub looks: Vec<Name>,
    /// The unique keys of which it will ask who holds them: likewise.
    pub keys: Vec<UniqueKey>,
    /// Whether it rests on what is anywhere in the store.
    pub reach: Reach,
}

/// How far a job looks before it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// At what it names.
    #[default]
    Places,
    /// At anything: nobody else writes meanwhile.
    Everywhere,
}

/// The shard that a key says on PostgreSQL, as a place.
pub(crate) const fn shard_of_key(key: i64) -> usize {
    (key & (MOST as i64 - 1)) as usize
}

/// Some of the shards of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardSet([u64; (MOST / 64) as usize]);

impl ShardSet {
    /// Adds one.
    pub(crate) fn insert(&mut self, shard: u32) {
        if let Some(word) = self.0.get_mut((shard / 64) as usize) {
            *word |= 1 << (shard % 64);
        }
    }

    /// Adds all of a store.
    pub(crate) fn insert_all(&mut self, shards: Shards) {
        (0..shards.count()).for_each(|shard| self.insert(shard));
    }

    /// Adds those of another set.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    /// Whether one is in it.
    pub(crate) fn contains(&self, shard: u32) -> bool {
        self.0.get((shard / 64) as usize).is_some_and(|word| word & (1 << (shard % 64)) != 0)
    }

    /// Whether all of a store are in it.
    pub(crate) fn contains_all(&self, shards: Shards) -> bool {
        (0..shards.count()).all(|shard| self.contains(shard))
    }

    /// Whether none is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Those in it, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..MOST).filter(|shard| self.contains(*shard))
    }
}

impl Places {
    /// The shards of a store that lie there.
    pub(crate) fn shards(&self, shards: Shards) -> ShardSet {
        let mut set = ShardSet::default();
        if self.reach == Reach::Everywhere {
            set.insert_all(shards);
        }
        for Name { resource_type, id } in &self.names {
            set.insert(shards.of_name(resource_type, id));
        }
        self.shards.iter().for_each(|shard| set.insert(*shard));
        for key in &self.answers {
            set.insert(shards.of_bytes(key.as_bytes()));
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_shard() {
        let shards = Shards::Of(64);
        for (shard, number) in [(0, 1), (63, 1), (17, 123_456_789)] {
            assert_eq!(shards.of_key(shards.key(shard, number)), shard);
        }
        assert_eq!(Shards::One.key(0, 7), 7);
    }

    #[test]
    fn names_spread_over_all_shards_and_stay_where_they_are() {
        let shards = Shards::Of(64);
        let mut met = ShardSet::default();
        (0..2000).for_each(|number| met.insert(shards.of_name("Patient", &number.to_string())));
        assert!(met.contains_all(shards));
        // Written down: another answer would look for stored resources in other places.
        assert_eq!(shards.of_name("Patient", "1"), shards.of_bytes(b"Patient/1"));
    }

    #[test]
    fn places_are_shards() {
        let shards = Shards::Of(8);
        let name = Name { resource_type: "Patient".into(), id: "1".into() };
        let some = Places { names: vec![name], answers: vec!["a".into()], ..Places::default() }.shards(shards);
        assert_eq!(some.iter().count(), if shards.of_bytes(b"a") == shards.of_bytes(b"Patient/1") { 1 } else { 2 });
        let all = Places { reach: Reach::Everywhere, ..Places::default() }.shards(shards);
        assert!(all.contains_all(shards) && !all.contains(8));
    }
}
