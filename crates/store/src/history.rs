//! What a resource, a type or everything went through, newest first.

use std::time::Duration;

use crate::contract::{HistoryOf, HistoryPage, HistoryRequest, Instant, Name, StoreError, Version};
use crate::cursor::{Place, question};
use crate::dialect::Value;
use crate::dialect::sqlite::damaged;
use crate::reader::Reader;
use crate::versions::{read_version, version_columns, version_number};

/// Longer than any history that is read a page at a time needs.
const TIME_ALLOWED: Duration = Duration::from_secs(10);

/// A version to read: which, and its place in the feed.
struct Found {
    sequence: i64,
    resource: i64,
    version: u32,
}

/// The bounds of a history, open ones as far as they go.
struct Bounds {
    /// Committed at or after this.
    from: i64,
    /// Committed before this.
    before: i64,
    /// Replaced after this, if at all.
    replaced_after: i64,
}

impl Reader<'_> {
    /// A page of history.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], [`StoreError::TooSlow`], [`StoreError::Unavailable`].
    pub fn history(&self, request: &HistoryRequest) -> Result<HistoryPage, StoreError> {
        self.db.within(TIME_ALLOWED, || self.history_page(request))
    }

    fn history_page(&self, request: &HistoryRequest) -> Result<HistoryPage, StoreError> {
        let question = question(&(&request.of, request.since, request.at));
        let place = request.cursor.as_ref().map(|cursor| self.key.open(cursor, question)).transpose()?;
        let (low, high) = request.at.map_or((i64::MIN, i64::MAX), |(low, high)| (low.0, high.0));
        let bounds =
            Bounds { from: request.since.map_or(i64::MIN, |since| since.0), before: high, replaced_after: low };
        let before = place.as_ref().map_or(i64::MAX, |place| place.key);
        let wanted = i64::from(request.count) + 1;
        let Some((sql, values)) = self.history_source(&request.of, &bounds)? else {
            return Ok(HistoryPage { versions: Vec::new(), total: 0, next: None });
        };
        let page = format!(
            "SELECT sequence, resource, version FROM ({sql}) WHERE sequence < ?{} ORDER BY sequence DESC LIMIT ?{}",
            values.len() + 1,
            values.len() + 2
        );
        let mut bound = values.clone();
        bound.extend([before.into(), wanted.into()]);
        let mut found = self.db.all(&page, &bound, |row| {
            Ok(Found { sequence: row.int(0)?, resource: row.int(1)?, version: version_number(row.int(2)?) })
        })?;
        let total = match place.and_then(|place| place.total) {
            Some(total) => total,
            None => {
                let count = format!("SELECT count(*) FROM ({sql})");
                self.db.first(&count, &values, |row| row.int(0))?.unwrap_or_default().cast_unsigned()
            }
        };
        let count = usize::try_from(request.count).unwrap_or(usize::MAX);
        let more = found.len() > count;
        found.truncate(count);
        let next = found.last().filter(|_| more).map(|last| {
            self.key.seal(&Place { question, as_of: 0, total: Some(total), after: Vec::new(), key: last.sequence })
        });
        let versions = found.iter().map(|found| self.version_found(found)).collect::<Result<_, _>>()?;
        Ok(HistoryPage { versions, total, next })
    }

    /// The rows of a history; `None` when there can be none.
    fn history_source(
        &self,
        of: &HistoryOf,
        bounds: &Bounds,
    ) -> Result<Option<(&'static str, Vec<Value<'static>>)>, StoreError> {
        let Bounds { from, before, replaced_after } = *bounds;
        let always = replaced_after == i64::MIN;
        Ok(Some(match of {
            HistoryOf::Resource(name) => {
                let Some(key) = self.key_of(name)? else { return Ok(None) };
                let values = vec![key.into(), from.into(), before.into(), replaced_after.into()];
                (
                    "SELECT sequence, key AS resource, version FROM resource
                     WHERE key = ?1 AND version > 0 AND updated >= ?2 AND updated < ?3
                     UNION ALL
                     SELECT sequence, resource, version FROM past
                     WHERE resource = ?1 AND updated >= ?2 AND updated < ?3 AND until > ?4",
                    values,
                )
            }
            HistoryOf::Type(name) => {
                let Some(kind) = self.words.kind(self.db, name)? else { return Ok(None) };
                let mut values = vec![kind.key.into(), from.into(), before.into()];
                if always {
                    let sql = "SELECT sequence, resource, version FROM change
                               WHERE type = ?1 AND at >= ?2 AND at < ?3";
                    (sql, values)
                } else {
                    values.push(replaced_after.into());
                    let sql = "SELECT c.sequence, c.resource, c.version FROM change c
                               LEFT JOIN past p ON p.resource = c.resource AND p.version = c.version
                               WHERE c.type = ?1 AND c.at >= ?2 AND c.at < ?3 AND (p.until IS NULL OR p.until > ?4)";
                    (sql, values)
                }
            }
            HistoryOf::All => {
                let (first, last) = (self.first_at(from)?, self.first_at(before)?);
                let mut values = vec![first.into(), last.into()];
                if always {
                    let sql = "SELECT sequence, resource, version FROM change
                               WHERE sequence >= ?1 AND sequence < ?2";
                    (sql, values)
                } else {
                    values.push(replaced_after.into());
                    let sql = "SELECT c.sequence, c.resource, c.version FROM change c
                               LEFT JOIN past p ON p.resource = c.resource AND p.version = c.version
                               WHERE c.sequence >= ?1 AND c.sequence < ?2 AND (p.until IS NULL OR p.until > ?3)";
                    (sql, values)
                }
            }
        }))
    }

    /// The sequence of the first change at or after a moment, or the one after the last: found by
    /// halving, since instants increase with the sequence, which has no gap.
    fn first_at(&self, instant: i64) -> Result<i64, StoreError> {
        let last = i64::try_from(self.last_sequence()?).unwrap_or(i64::MAX);
        let (mut low, mut high) = (1, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = self
                .db
                .first("SELECT at FROM change WHERE sequence = ?1", &[middle.into()], |row| row.int(0))?
                .ok_or_else(|| damaged("the change feed has a gap"))?;
            if at < instant {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn version_found(&self, found: &Found) -> Result<Version, StoreError> {
        let sql = concat!("SELECT ", version_columns!(), ", type, id FROM resource WHERE key = ?1");
        let read = self.db.first(sql, &[found.resource.into()], |row| {
            let name = self.named(row.int(7)?, row.text(8)?.into())?;
            // The body of another version need not be looked at.
            let current = version_number(row.int(0)?) == found.version;
            Ok((current.then(|| read_version(row, name.clone())).transpose()?, name))
        })?;
        let gone = || damaged("a version of the change feed is not there");
        let (current, name): (Option<Version>, Name) = read.ok_or_else(gone)?;
        if let Some(version) = current {
            return Ok(version);
        }
        let sql = concat!("SELECT ", version_columns!(), " FROM past WHERE resource = ?1 AND version = ?2");
        let values = [found.resource.into(), found.version.into()];
        self.db.first(sql, &values, |row| read_version(row, name))?.ok_or_else(gone)
    }
}

impl Reader<'_> {
    /// When the store last changed; `None` when it never did.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn last_changed(&self) -> Result<Option<Instant>, StoreError> {
        self.db.first("SELECT at FROM change ORDER BY sequence DESC LIMIT 1", &[], |row| Ok(Instant(row.int(0)?)))
    }
}
