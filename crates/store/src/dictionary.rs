//! Names that come again and again (types, parameters, systems, scopes) as small numbers.
//!
//! A number never changes once committed, so what was read once is remembered. What is not there
//! is not remembered: another node may add it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use liaison_fhir::search::index::Param;

use crate::contract::{Name, StoreError};
use crate::dialect::{Db, Value, damaged, unavailable};

/// Systems come from callers, so there is no end of them: the memory is emptied at this many.
const SYSTEMS_REMEMBERED: usize = 10_000;

/// The same of sets: a set may have been let go of without a word.
const SETS_REMEMBERED: usize = 2_000;

/// A resource type as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// Its number.
    pub(crate) key: i64,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// The code of the date parameter its resources are ordered by.
    pub(crate) timeline: Option<Arc<str>>,
}

impl Kind {
    /// The name of a resource of the type.
    pub(crate) fn name(&self, id: &str) -> Name {
        Name { resource_type: self.name.as_ref().into(), id: id.into() }
    }
}

/// What is remembered. Readers share one; the writer has its own, which may know names that are
/// not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    words: RwLock<Words>,
}

#[derive(Debug, Default)]
struct Words {
    kinds: HashMap<Arc<str>, Kind>,
    kinds_by_key: HashMap<i64, Kind>,
    params: HashMap<Param, i64>,
    /// Parameters known to be twofold.
    twofold: HashSet<i64>,
    systems: HashMap<Box<str>, i64>,
    /// By the number of a set, the keys of its members.
    sets: HashMap<u64, Arc<[i64]>>,
    scopes: HashMap<&'static str, i64>,
    /// By type, a span that is not longer than the longest one stored.
    longest: HashMap<i64, i64>,
}

impl Dictionary {
    /// The type of this name, if there ever was a resource of it.
    pub(crate) fn kind(&self, db: Db<'_>, name: &str) -> Result<Option<Kind>, StoreError> {
        if let Some(kind) = self.read().kinds.get(name) {
            return Ok(Some(kind.clone()));
        }
        let found = db.first("SELECT key, timeline FROM resource_type WHERE name = ?1", &[name.into()], |row| {
            Ok(Kind { key: row.int(0)?, name: name.into(), timeline: row.maybe_text(1)?.map(Arc::from) })
        })?;
        if let Some(kind) = &found {
            self.remember(kind);
        }
        Ok(found)
    }

    /// The keys of a set, if they are remembered.
    pub(crate) fn set(&self, number: u64) -> Option<Arc<[i64]>> {
        self.read().sets.get(&number).cloned()
    }

    /// Remembers the keys of a set, all of whose members have one that is committed.
    pub(crate) fn remember_set(&self, number: u64, keys: &Arc<[i64]>) {
        let mut words = self.write();
        if words.sets.len() >= SETS_REMEMBERED {
            words.sets.clear();
        }
        words.sets.insert(number, Arc::clone(keys));
    }

    /// Whether a type is remembered.
    pub(crate) fn knows_kind(&self, name: &str) -> bool {
        self.read().kinds.contains_key(name)
    }

    /// The type of this number.
    pub(crate) fn kind_of(&self, db: Db<'_>, key: i64) -> Result<Kind, StoreError> {
        if let Some(kind) = self.read().kinds_by_key.get(&key) {
            return Ok(kind.clone());
        }
        let kind = db
            .first("SELECT name, timeline FROM resource_type WHERE key = ?1", &[key.into()], |row| {
                Ok(Kind { key, name: row.text(0)?.into(), timeline: row.maybe_text(1)?.map(Arc::from) })
            })?
            .ok_or_else(|| damaged("a row names a type that is not there"))?;
        self.remember(&kind);
        Ok(kind)
    }

    /// Every type there is a resource of.
    pub(crate) fn kinds(&self, db: Db<'_>) -> Result<Vec<Kind>, StoreError> {
        db.all("SELECT key, name, timeline FROM resource_type ORDER BY key", &[], |row| {
            Ok(Kind { key: row.int(0)?, name: row.text(1)?.into(), timeline: row.maybe_text(2)?.map(Arc::from) })
        })
    }

    /// The type of this name, made if need be. Writer only.
    pub(crate) fn ensure_kind(
        &self,
        db: Db<'_>,
        name: &str,
        timeline: impl FnOnce() -> Option<&'static str>,
    ) -> Result<(Kind, Growth), StoreError> {
        if let Some(kind) = self.kind(db, name)? {
            return Ok((kind, Growth::None));
        }
        let timeline = timeline();
        let bound = timeline.map_or(Value::Null, Value::from);
        let sql = "INSERT INTO resource_type (name, timeline, longest) VALUES (?1, ?2, 1)
                   ON CONFLICT DO NOTHING RETURNING key";
        match db.first(sql, &[name.into(), bound], |row| row.int(0))? {
            Some(key) => {
                let kind = Kind { key, name: name.into(), timeline: timeline.map(Arc::from) };
                self.remember(&kind);
                Ok((kind, Growth::New))
            }
            // Added at the same moment by another node, with what it orders by.
            None => Ok((self.kind(db, name)?.ok_or_else(lost)?, Growth::None)),
        }
    }

    /// The number of a parameter, if a value of it was ever kept.
    pub(crate) fn param(&self, db: Db<'_>, param: Param) -> Result<Option<i64>, StoreError> {
        if let Some(key) = self.read().params.get(&param) {
            return Ok(Some(*key));
        }
        let sql = "SELECT key FROM param WHERE base = ?1 AND code = ?2";
        let found = db.first(sql, &[param.base.into(), param.code.into()], |row| row.int(0))?;
        if let Some(key) = found {
            self.write().params.insert(param, key);
        }
        Ok(found)
    }

    /// The number of a parameter, made if need be. Writer only.
    pub(crate) fn ensure_param(&self, db: Db<'_>, param: Param) -> Result<(i64, Growth), StoreError> {
        if let Some(key) = self.param(db, param)? {
            return Ok((key, Growth::None));
        }
        let sql = "INSERT INTO param (base, code) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING key";
        match db.first(sql, &[param.base.into(), param.code.into()], |row| row.int(0))? {
            Some(key) => {
                self.write().params.insert(param, key);
                Ok((key, Growth::New))
            }
            None => Ok((self.param(db, param)?.ok_or_else(lost)?, Growth::None)),
        }
    }

    /// Whether a resource ever had one code of a parameter in several systems: the rows of the code
    /// then give it as often.
    pub(crate) fn is_twofold(&self, db: Db<'_>, param: i64) -> Result<bool, StoreError> {
        if self.known_twofold(param) {
            return Ok(true);
        }
        let found = db.first("SELECT twofold FROM param WHERE key = ?1", &[param.into()], |row| row.int(0))?;
        let twofold = found == Some(1);
        if twofold {
            self.write().twofold.insert(param);
        }
        Ok(twofold)
    }

    /// Whether it is remembered that a parameter is.
    pub(crate) fn known_twofold(&self, param: i64) -> bool {
        self.read().twofold.contains(&param)
    }

    /// Sees to it that a parameter is known as twofold. Writer only.
    pub(crate) fn ensure_twofold(&self, db: Db<'_>, param: i64) -> Result<Growth, StoreError> {
        if self.is_twofold(db, param)? {
            return Ok(Growth::None);
        }
        db.execute("UPDATE param SET twofold = 1 WHERE key = ?1", &[param.into()])?;
        self.write().twofold.insert(param);
        Ok(Growth::New)
    }

    /// The number of a code system, if a code of it was ever kept.
    pub(crate) fn system(&self, db: Db<'_>, name: &str) -> Result<Option<i64>, StoreError> {
        if let Some(key) = self.read().systems.get(name) {
            return Ok(Some(*key));
        }
        let found = db.first("SELECT key FROM system WHERE name = ?1", &[name.into()], |row| row.int(0))?;
        if let Some(key) = found {
            self.remember_system(name, key);
        }
        Ok(found)
    }

    /// The number of a code system, made if need be. Writer only.
    pub(crate) fn ensure_system(&self, db: Db<'_>, name: &str) -> Result<(i64, Growth), StoreError> {
        if let Some(key) = self.system(db, name)? {
            return Ok((key, Growth::None));
        }
        let sql = "INSERT INTO system (name) VALUES (?1) ON CONFLICT DO NOTHING RETURNING key";
        match db.first(sql, &[name.into()], |row| row.int(0))? {
            Some(key) => {
                self.remember_system(name, key);
                Ok((key, Growth::New))
            }
            None => Ok((self.system(db, name)?.ok_or_else(lost)?, Growth::None)),
        }
    }

    /// The number of a scope of unique keys, if a key of it was ever kept.
    pub(crate) fn scope(&self, db: Db<'_>, name: &'static str) -> Result<Option<i64>, StoreError> {
        if let Some(key) = self.read().scopes.get(name) {
            return Ok(Some(*key));
        }
        let found = db.first("SELECT key FROM scope WHERE name = ?1", &[name.into()], |row| row.int(0))?;
        if let Some(key) = found {
            self.write().scopes.insert(name, key);
        }
        Ok(found)
    }

    /// The number of a scope, made if need be. Writer only.
    pub(crate) fn ensure_scope(&self, db: Db<'_>, name: &'static str) -> Result<(i64, Growth), StoreError> {
        if let Some(key) = self.scope(db, name)? {
            return Ok((key, Growth::None));
        }
        let sql = "INSERT INTO scope (name) VALUES (?1) ON CONFLICT DO NOTHING RETURNING key";
        match db.first(sql, &[name.into()], |row| row.int(0))? {
            Some(key) => {
                self.write().scopes.insert(name, key);
                Ok((key, Growth::New))
            }
            None => Ok((self.scope(db, name)?.ok_or_else(lost)?, Growth::None)),
        }
    }

    /// Sees to it that the longest span stored for a type is at least this one. Writer only.
    pub(crate) fn lengthen(&self, db: Db<'_>, kind: &Kind, span: i64) -> Result<Growth, StoreError> {
        if self.read().longest.get(&kind.key).is_some_and(|longest| *longest >= span) {
            return Ok(Growth::None);
        }
        let sql = format!(
            "UPDATE resource_type SET longest = {}(longest, ?2) WHERE key = ?1 RETURNING longest",
            db.dialect().greater()
        );
        let longest = db.first(&sql, &[kind.key.into(), span.into()], |row| row.int(0))?.ok_or_else(lost)?;
        self.write().longest.insert(kind.key, longest);
        Ok(Growth::New)
    }

    /// Forgets everything: after a rollback, what was added is no longer there.
    pub(crate) fn forget(&self) {
        *self.write() = Words::default();
    }

    fn remember(&self, kind: &Kind) {
        let mut words = self.write();
        words.kinds.insert(Arc::clone(&kind.name), kind.clone());
        words.kinds_by_key.insert(kind.key, kind.clone());
    }

    fn remember_system(&self, name: &str, key: i64) {
        let mut words = self.write();
        if words.systems.len() >= SYSTEMS_REMEMBERED {
            words.systems.clear();
        }
        words.systems.insert(name.into(), key);
    }

    fn read(&self) -> RwLockReadGuard<'_, Words> {
        self.words.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Words> {
        self.words.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name had to be added, which a rollback undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It was there.
    None,
    /// It was added.
    New,
}

/// A name that was there a moment ago: names are never taken away.
fn lost() -> StoreError {
    unavailable("a name that was added is not there")
}
