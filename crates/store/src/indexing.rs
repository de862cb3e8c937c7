//! Which definitions the index rows of a store follow, and who may write them
//! (`docs/decisions/0035-reindex.md`).
//!
//! The store remembers the fingerprints by which the rows of all its live resources were made. A search
//! that needs another is refused until the rows were made anew ([`crate::reindex`]). Whoever opens the
//! store to write takes away what its own rows would not follow; while rows are made anew, and afterwards,
//! only programs of the same definitions write.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use liaison_fhir::search::definition::Definition;
use liaison_fhir::search::index::Param;
use liaison_fhir::search::query::Query;
use liaison_pages::seal;

use crate::contract::StoreError;
use crate::dialect::{Db, Dialect, damaged};
use crate::entry::{put_number, take, take_number};
use crate::reader::Reader;
use crate::reindex::{Pass, Progress, Rebuild};

/// How long a program goes by what it read of the record. Whoever takes a definition away waits longer
/// before it writes what others would miss.
const LEASE: Duration = Duration::from_secs(1);

/// How the index of a store stands, for the definitions of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Counted up whenever it changes.
    pub generation: u64,
    /// The parameters, with their variants, whose rows are not there for all resources.
    pub not_ready: BTreeSet<Param>,
    /// Whether this program may write.
    pub writing: Writing,
}

/// Whether a program may write to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// It may.
    Open,
    /// The store is indexed by the definitions of another version of the program.
    Superseded,
}

/// What a store says of its index rows: one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) generation: u64,
    /// The digest of the definitions of those who may write; 0: whoever's cover what is indexed.
    pub(crate) fence: u64,
    /// The digest of the definitions of whoever was started last to lead.
    pub(crate) leader: u64,
    /// What is being made anew.
    pub(crate) pass: Option<Pass>,
    /// The fingerprints that the rows of all live resources follow, in ascending order.
    pub(crate) indexed: Vec<u64>,
}

const SETTING: &str = "index";

/// The first byte of a record.
const FORM: u8 = 1;

impl Record {
    /// What a store says; nothing when it was never indexed by anybody who keeps a record.
    pub(crate) fn read(db: Db<'_>) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        db.first(sql, &[SETTING.into()], |row| Self::from_bytes(row.bytes(0)?))
    }

    /// Says it, in the transaction of whoever holds all shards.
    pub(crate) fn write(&self, db: Db<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        db.execute(sql, &[SETTING.into(), self.to_bytes().as_slice().into()])?;
        if db.dialect() == Dialect::Postgres {
            // Whoever locks a shard to write sees it there, without asking.
            db.execute("UPDATE shard SET generation = ?1", &[self.generation.cast_signed().into()])?;
        }
        Ok(())
    }

    pub(crate) fn is_indexed(&self, fingerprint: u64) -> bool {
        self.indexed.binary_search(&fingerprint).is_ok()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        put_number(&mut bytes, self.generation);
        bytes.extend_from_slice(&self.fence.to_le_bytes());
        bytes.extend_from_slice(&self.leader.to_le_bytes());
        match &self.pass {
            None => bytes.push(0),
            Some(pass) => {
                bytes.push(match pass.rebuild {
                    Rebuild::Missing => 1,
                    Rebuild::All => 2,
                });
                bytes.extend_from_slice(&pass.number.to_le_bytes());
                put_number(&mut bytes, pass.types.len() as u64);
                for name in &pass.types {
                    put_number(&mut bytes, name.len() as u64);
                    bytes.extend_from_slice(name.as_bytes());
                }
            }
        }
        self.indexed.iter().for_each(|fingerprint| bytes.extend_from_slice(&fingerprint.to_le_bytes()));
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let rest = &mut bytes;
        if take(rest, 1)? != [FORM] {
            return Err(damaged("what the store says of its index is not understood"));
        }
        let generation = take_number(rest)?;
        let (fence, leader) = (word(take(rest, 8)?), word(take(rest, 8)?));
        let rebuild = match take(rest, 1)? {
            [1] => Some(Rebuild::Missing),
            [2] => Some(Rebuild::All),
            _ => None,
        };
        let pass = rebuild.map(|rebuild| {
            let number = word(take(rest, 8)?);
            let mut types = Vec::new();
            for _ in 0..take_number(rest)? {
                let length = usize::try_from(take_number(rest)?).unwrap_or(usize::MAX);
                types.push(String::from_utf8_lossy(take(rest, length)?).into());
            }
            Ok::<_, StoreError>(Pass { number, types, rebuild })
        });
        let pass = pass.transpose()?;
        Ok(Self { generation, fence, leader, pass, indexed: rest.chunks_exact(8).map(word).collect() })
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// The definitions of this program, with what it last read of the record.
#[derive(Debug)]
pub(crate) struct Indexing {
    own: HashMap<Param, u64>,
    /// Those fingerprints, in ascending order.
    fingerprints: Vec<u64>,
    /// A number that stands for all of them.
    pub(crate) digest: u64,
    lease: Duration,
    known: RwLock<Option<Known>>,
}

/// What was read of the record.
#[derive(Clone, Debug)]
struct Known {
    standing: Arc<Standing>,
    /// It was so at this moment or later.
    since: Instant,
}

/// How long what was read of the record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Whoever changes it sees to it that nobody misses it.
    Leased,
    /// Not at all.
    None,
}

impl Indexing {
    pub(crate) fn of(definitions: &[Definition], trust: Trust) -> Self {
        let own: HashMap<Param, u64> = definitions.iter().map(|one| (one.param, one.fingerprint)).collect();
        let mut fingerprints: Vec<u64> = own.values().copied().collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let bytes: Vec<u8> = fingerprints.iter().flat_map(|one| one.to_le_bytes()).collect();
        let lease = match trust {
            Trust::Leased => LEASE,
            Trust::None => Duration::ZERO,
        };
        // 0 stands for nobody's.
        let digest = seal(&bytes).cast_unsigned().max(1);
        Self { own, fingerprints, digest, lease, known: RwLock::default() }
    }

    /// Whether the program keeps no definitions: then it does not ask for them either.
    pub(crate) fn is_idle(&self) -> bool {
        self.own.is_empty()
    }

    /// The definitions of a type.
    pub(crate) fn of_type<'a>(&'a self, resource_type: &'a str) -> impl Iterator<Item = u64> + 'a {
        self.own.iter().filter(move |(param, _)| param.base == resource_type).map(|(_, fingerprint)| *fingerprint)
    }

    /// The types that have definitions, in alphabetical order.
    pub(crate) fn types(&self) -> BTreeSet<&'static str> {
        self.own.keys().map(|param| param.base).collect()
    }

    /// Whether rows made by these definitions are among those that the record promises.
    pub(crate) fn may_write(&self, record: &Record) -> bool {
        (record.fence == 0 || record.fence == self.digest)
            && record.indexed.iter().all(|there| self.fingerprints.binary_search(there).is_ok())
    }

    /// What the record must say before this program writes: what it will not keep up is taken away. Nothing
    /// when it says so already. `empty`: there is nothing in the store, nor anybody who writes to it.
    fn declared(&self, record: Option<&Record>, empty: bool) -> Option<Record> {
        let leader = self.digest;
        let Some(record) = record else {
            return Some(Record { generation: 1, leader, ..self.unwritten(empty) });
        };
        if self.may_write(record) && record.leader == leader {
            return None;
        }
        let kept = record.indexed.iter().filter(|there| self.fingerprints.binary_search(there).is_ok());
        let indexed = kept.copied().collect();
        // A pass of others would not find what is written from now on.
        let pass = record.pass.clone().filter(|_| record.fence == leader);
        let fence = if record.fence == leader { leader } else { 0 };
        Some(Record { generation: record.generation + 1, fence, leader, pass, indexed })
    }

    /// What holds of a store that has no record yet.
    fn unwritten(&self, empty: bool) -> Record {
        Record { indexed: if empty { self.fingerprints.clone() } else { Vec::new() }, ..Record::default() }
    }

    fn standing(&self, record: &Record) -> Standing {
        let missing = self.own.iter().filter(|(_, fingerprint)| !record.is_indexed(**fingerprint));
        let writing = if self.may_write(record) { Writing::Open } else { Writing::Superseded };
        Standing { generation: record.generation, not_ready: missing.map(|(param, _)| *param).collect(), writing }
    }

    /// Keeps what was read; `since`: it was so then or later.
    fn learn(&self, record: &Record, since: Instant) -> Arc<Standing> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            Some(known) if known.standing.generation == record.generation => {
                known.since = known.since.max(since);
                Arc::clone(&known.standing)
            }
            Some(known) if known.standing.generation > record.generation => Arc::new(self.standing(record)),
            _ => {
                let standing = Arc::new(self.standing(record));
                *known = Some(Known { standing: Arc::clone(&standing), since });
                standing
            }
        }
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes by what was read no longer.
    pub(crate) fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What was read last, however long ago.
    pub(crate) fn last_known(&self) -> Option<Arc<Standing>> {
        self.known().map(|known| known.standing)
    }

    /// Looks whether this program may write, given the generation that a shard it holds says.
    pub(crate) fn require_open(&self, db: Db<'_>, generation: u64) -> Result<(), StoreError> {
        if self.is_idle() {
            return Ok(());
        }
        let standing = match self.known() {
            Some(known) if known.standing.generation == generation => known.standing,
            _ => {
                let since = Instant::now();
                self.learn(&Record::read(db)?.unwrap_or_default(), since)
            }
        };
        match standing.writing {
            Writing::Open => Ok(()),
            Writing::Superseded => Err(StoreError::Superseded),
        }
    }
}

fn is_empty(db: Db<'_>) -> Result<bool, StoreError> {
    Ok(db.first("SELECT 1 FROM resource LIMIT 1", &[], |row| row.int(0))?.is_none())
}

/// Says, before this program writes, which definitions its rows will not follow. Runs where nobody else
/// writes to any shard.
pub(crate) fn declare(db: Db<'_>, indexing: &Indexing, claim: Claim) -> Result<Declared, StoreError> {
    let before = Record::read(db)?;
    if let (Some(record), Claim::Follow) = (&before, claim) {
        return if indexing.may_write(record) { Ok(Declared::AsBefore) } else { Err(StoreError::Superseded) };
    }
    match indexing.declared(before.as_ref(), before.is_none() && is_empty(db)?) {
        None => Ok(Declared::AsBefore),
        Some(record) => {
            record.write(db)?;
            Ok(match before {
                Some(before) if before.indexed.len() > record.indexed.len() => Declared::Less,
                _ => Declared::More,
            })
        }
    }
}

/// Whether a declaration is needed at all: for that nobody has to wait.
pub(crate) fn must_declare(db: Db<'_>, indexing: &Indexing, claim: Claim) -> Result<bool, StoreError> {
    let said =
        |record: &Record| indexing.may_write(record) && (claim == Claim::Follow || record.leader == indexing.digest);
    Ok(!indexing.is_idle() && !Record::read(db)?.as_ref().is_some_and(said))
}

/// What a program makes of a store whose index follows other definitions than its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The store goes by this program's from now on: searches that rest on others must wait.
    Lead,
    /// It is left alone: [`StoreError::Superseded`].
    Follow,
}

/// What a declaration changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    AsBefore,
    /// Nobody goes by anything that is not so any more.
    More,
    /// Others may go by definitions that were taken away, for a while.
    Less,
}

impl Declared {
    /// Waits until nobody goes by what was taken away.
    pub(crate) fn settle(self) {
        if self == Self::Less {
            std::thread::sleep(LEASE * 2);
        }
    }
}

impl Reader<'_> {
    /// How the index stands in what this reader sees.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn index_standing(&self) -> Result<Arc<Standing>, StoreError> {
        self.trusted_standing().map(|(standing, _)| standing)
    }

    /// How the index stands, and until when that holds of what is read from now on; of what this reader
    /// sees at all, when nothing is said.
    fn trusted_standing(&self) -> Result<(Arc<Standing>, Option<Instant>), StoreError> {
        let Some((indexing, began)) = self.indexing.filter(|(indexing, _)| !indexing.is_idle()) else {
            let nothing = Standing { generation: 0, not_ready: BTreeSet::new(), writing: Writing::Open };
            return Ok((Arc::new(nothing), None));
        };
        match indexing.known() {
            Some(known) if known.since.elapsed() <= indexing.lease => {
                Ok((known.standing, Some(known.since + indexing.lease)))
            }
            _ => match Record::read(self.db)? {
                Some(record) => Ok((indexing.learn(&record, began), None)),
                // Nobody wrote yet: nothing is missing where nothing is.
                None => Ok((Arc::new(indexing.standing(&indexing.unwritten(is_empty(self.db)?))), None)),
            },
        }
    }

    /// Answers a query, if the rows that its answer rests on are there for all resources.
    pub(crate) fn when_ready<T>(
        &self,
        query: &Query,
        answer: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (standing, until) = self.trusted_standing()?;
        self.require_ready(&standing, query)?;
        let answer = answer()?;
        if let (Some((indexing, _)), Some(until)) = (self.indexing, until)
            && Instant::now() > until
        {
            // Others may have taken definitions away before this began to read. What it saw does not change
            // any more.
            let standing = indexing.standing(&Record::read(self.db)?.unwrap_or_default());
            self.require_ready(&standing, query)?;
        }
        Ok(answer)
    }

    fn require_ready(&self, standing: &Standing, query: &Query) -> Result<(), StoreError> {
        if standing.not_ready.is_empty() {
            return Ok(());
        }
        let named = query.params();
        let mut missing = Vec::new();
        for param in &standing.not_ready {
            if named.contains(param) || self.orders_by(query, *param)? {
                missing.push(*param);
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(StoreError::NotReady { params: missing }) }
    }

    /// Whether the order of an answer rests on a parameter that is not named: the one that resources of a
    /// type are ordered by.
    fn orders_by(&self, query: &Query, param: Param) -> Result<bool, StoreError> {
        if !query.types.is_empty() && !query.types.contains(&param.base) {
            return Ok(false);
        }
        let kind = self.words.kind(self.db, param.base)?;
        Ok(kind.is_some_and(|kind| kind.timeline.as_deref() == Some(param.code)))
    }

    /// How far what is being made anew is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn reindexing(&self) -> Result<Option<Progress>, StoreError> {
        match Record::read(self.db)?.and_then(|record| record.pass) {
            Some(pass) => self.progress_of(pass).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Param = Param { base: "Note", code: "a" };
    const B: Param = Param { base: "Note", code: "b" };

    fn program(definitions: &[(Param, u64)]) -> Indexing {
        let all: Vec<_> = definitions
            .iter()
            .map(|(param, fingerprint)| Definition { param: *param, fingerprint: *fingerprint })
            .collect();
        Indexing::of(&all, Trust::Leased)
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let pass = Pass { number: 7, types: vec!["Note".into(), "Person".into()], rebuild: Rebuild::All };
        for record in [
            Record::default(),
            Record { generation: 300, fence: u64::MAX, leader: 5, pass: Some(pass), indexed: vec![1, 2, u64::MAX] },
        ] {
            assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
        }
        assert!(Record::from_bytes(&[9]).is_err());
    }

    #[test]
    fn a_new_store_is_indexed_and_one_that_was_filled_before_is_not() {
        let program = program(&[(A, 1), (B, 2)]);
        assert_eq!(program.declared(None, true).unwrap().indexed, [1, 2]);
        assert_eq!(program.declared(None, false).unwrap().indexed, [0; 0]);
    }

    #[test]
    fn whoever_opens_takes_away_what_its_rows_would_not_follow_and_nothing_else() {
        let (former, later) = (program(&[(A, 1), (B, 2)]), program(&[(A, 1), (B, 3)]));
        let first = former.declared(None, true).unwrap();
        assert_eq!(former.declared(Some(&first), false), None, "its own are there");
        let second = later.declared(Some(&first), false).unwrap();
        assert_eq!((second.indexed.as_slice(), second.generation), ([1].as_slice(), 2));
        assert_eq!(later.standing(&second).not_ready, BTreeSet::from([B]));
        assert_eq!(former.standing(&second).not_ready, BTreeSet::from([B]), "others are told so too");
        assert!(former.may_write(&second) && later.may_write(&second), "and write on");
        let third = former.declared(Some(&second), false).unwrap();
        assert_eq!((third.leader, &third.indexed), (former.digest, &second.indexed), "who was started last");
    }

    #[test]
    fn one_program_writes_once_rows_are_made_anew_and_another_that_opens_begins_from_there() {
        let (former, later) = (program(&[(A, 1), (B, 2)]), program(&[(A, 1), (B, 3)]));
        let fenced =
            Record { generation: 5, fence: later.digest, leader: later.digest, pass: None, indexed: vec![1, 3] };
        assert!(later.may_write(&fenced) && !former.may_write(&fenced));
        let again = former.declared(Some(&fenced), false).unwrap();
        assert_eq!((again.fence, again.indexed.as_slice()), (0, [1].as_slice()));
        // The fence of others is gone, and still what is indexed must be kept up.
        let open = Record { fence: 0, ..fenced };
        assert!(!former.may_write(&open));
    }
}
