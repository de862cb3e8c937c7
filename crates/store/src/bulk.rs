//! Reading everything, as it stood at one moment, a piece at a time.
//!
//! A walk goes along the change feed of a type, in the order of moments, and gives the versions that
//! were the last ones at a moment in the past. What is written meanwhile changes nothing of it, no
//! matter how long it takes, by whom it is gone on with, or in which process: there is nothing to
//! keep but the moment and the place reached.

use std::collections::HashSet;

use crate::contract::{Instant, Name, StoreError, Version};
use crate::dialect::damaged;
use crate::reader::Reader;
use crate::versions::{read_version, version_columns, version_number};

/// What is walked along.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The type of the resources.
    pub resource_type: Box<str>,
    /// Only what was changed at or after this.
    pub since: Option<Instant>,
    /// The moment: what was committed later is not seen.
    pub at: Instant,
    /// Which of them.
    pub standing: Standing,
}

/// What had become of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was there.
    Live,
    /// It had been deleted.
    Deleted,
}

/// A place in a walk: that of a version that was given. Means something in the same store only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reached {
    /// When it was committed, in microseconds since 1970 UTC.
    pub at: i64,
    /// The key of its resource.
    pub resource: i64,
}

impl Walk {
    fn start(&self) -> Reached {
        Reached { at: self.since.map_or(i64::MIN, |since| since.0.saturating_sub(1)), resource: i64::MAX }
    }
}

impl Reader<'_> {
    /// The next versions of a walk after a place, each with its own place, oldest first, at most
    /// `limit`; from the beginning without one. None: the walk is at its end.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn walk(&self, walk: &Walk, after: Option<Reached>, limit: u32) -> Result<Vec<(Reached, Version)>, StoreError> {
        let Some(kind) = self.words.kind(self.db, &walk.resource_type)? else { return Ok(Vec::new()) };
        let after = after.unwrap_or_else(|| walk.start());
        let (now, then) = match walk.standing {
            Standing::Live => ("r.live = 1", "p.change <> 3"),
            Standing::Deleted => ("r.live = 0", "p.change = 3"),
        };
        let sql = format!(
            "SELECT r.version, r.updated, r.change, r.form, r.seal, r.holes, r.body, r.id, c.version, c.at, c.resource
             FROM change c CROSS JOIN resource r ON r.key = c.resource
             WHERE c.type = ?1 AND (c.at, c.resource) > (?2, ?3) AND c.at <= ?4
               AND ((r.version = c.version AND {now})
                 OR EXISTS (SELECT 1 FROM past p
                            WHERE p.resource = c.resource AND p.version = c.version AND p.until > ?4 AND {then}))
             ORDER BY c.at, c.resource LIMIT ?5"
        );
        let values = [kind.key.into(), after.at.into(), after.resource.into(), walk.at.0.into(), limit.into()];
        let mut found = Vec::new();
        // Those that were replaced since are read afterwards.
        self.db.each(&sql, &values, |row| {
            let place = Reached { at: row.int(9)?, resource: row.int(10)? };
            let name = kind.name(row.text(7)?);
            let version = version_number(row.int(8)?);
            let is_last = version_number(row.int(0)?) == version;
            let read = if is_last { Ok(read_version(row, name)?) } else { Err((name, version)) };
            found.push((place, read));
            Ok(())
        })?;
        let past = concat!("SELECT ", version_columns!(), " FROM past WHERE resource = ?1 AND version = ?2");
        found
            .into_iter()
            .map(|(place, read)| match read {
                Ok(version) => Ok((place, version)),
                Err((name, version)) => {
                    let values = [place.resource.into(), version.into()];
                    let version = self.db.first(past, &values, |row| read_version(row, name))?;
                    Ok((place, version.ok_or_else(|| damaged("a version of the change feed is not there"))?))
                }
            })
            .collect()
    }

    /// How many resources a walk passes, deleted ones among them whatever it gives.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn walked_in_all(&self, walk: &Walk) -> Result<u64, StoreError> {
        let Some(kind) = self.words.kind(self.db, &walk.resource_type)? else { return Ok(0) };
        let sql = "SELECT count(DISTINCT resource) FROM change WHERE type = ?1 AND at > ?2 AND at <= ?3";
        let values = [kind.key.into(), walk.start().at.into(), walk.at.0.into()];
        Ok(self.db.first(sql, &values, |row| row.int(0))?.unwrap_or_default().cast_unsigned())
    }

    /// The version of a resource that was the last one at a moment, a deletion included.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn at_moment(&self, name: &Name, at: Instant) -> Result<Option<Version>, StoreError> {
        let Some(current) = self.current(name)? else { return Ok(None) };
        if current.updated <= at {
            return Ok(Some(current));
        }
        let Some(key) = self.key_of(name)? else { return Ok(None) };
        let sql = concat!(
            "SELECT ",
            version_columns!(),
            " FROM past WHERE resource = ?1 AND updated <= ?2 ORDER BY version DESC LIMIT 1"
        );
        self.db.first(sql, &[key.into(), at.0.into()], |row| read_version(row, name.clone()))
    }

    /// Which of these resources are here or were: one question a type, whatever their number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn known(&self, names: &[Name]) -> Result<HashSet<Name>, StoreError> {
        let mut known = HashSet::new();
        let mut rest: Vec<&Name> = names.iter().collect();
        rest.sort_unstable();
        for group in rest.chunk_by(|one, other| one.resource_type == other.resource_type) {
            let Some(first) = group.first() else { continue };
            let Some(kind) = self.words.kind(self.db, &first.resource_type)? else { continue };
            let places = (2..group.len() + 2).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT id FROM resource WHERE type = ?1 AND id IN ({places}) AND version > 0");
            let mut values = vec![kind.key.into()];
            values.extend(group.iter().map(|name| name.id.as_ref().into()));
            self.db.each(&sql, &values, |row| {
                known.insert(kind.name(row.text(0)?));
                Ok(())
            })?;
        }
        Ok(known)
    }
}
