//! What a resource, a type or everything went through, newest first.

use std::time::Duration;

use crate::contract::{HistoryOf, HistoryPage, HistoryRequest, Instant, Name, StoreError, Version};
use crate::cursor::{AsOf, Place, SortValue, question};
use crate::dialect::{Dialect, Value, damaged};
use crate::reader::Reader;
use crate::versions::{read_version, version_columns, version_number};

/// Longer than any history that is read a page at a time needs.
const TIME_ALLOWED: Duration = Duration::from_secs(10);

/// A version to read: which, and its place in the history.
struct Found {
    place: Point,
    resource: i64,
    version: u32,
}

/// A place in a history. In a store of one shard the sequence says all of it.
#[derive(Clone, Copy)]
struct Point {
    at: i64,
    shard: i64,
    sequence: i64,
}

impl Point {
    /// After everything.
    const END: Self = Self { at: i64::MAX, shard: i64::MAX, sequence: i64::MAX };

    /// The place that a cursor names.
    fn of(place: &Place) -> Self {
        match *place.after {
            [SortValue::Int(at), SortValue::Int(shard)] => Self { at, shard, sequence: place.key },
            _ => Self { at: i64::MAX, shard: 0, sequence: place.key },
        }
    }
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
        let before = place.as_ref().map_or(Point::END, Point::of);
        let wanted = i64::from(request.count) + 1;
        let Some((sql, values)) = self.history_source(&request.of, &bounds)? else {
            return Ok(HistoryPage { versions: Vec::new(), total: 0, next: None });
        };
        let (page, bound) = self.history_rows(&sql, &values, before, wanted);
        let mut found = self.db.all(&page, &bound, |row| {
            let place = Point { at: row.int(3)?, shard: row.int(4)?, sequence: row.int(0)? };
            Ok(Found { place, resource: row.int(1)?, version: version_number(row.int(2)?) })
        })?;
        let total = match place.and_then(|place| place.total) {
            Some(total) => total,
            None => {
                let count = format!("SELECT count(*) FROM ({sql}) h");
                self.db.first(&count, &values, |row| row.int(0))?.unwrap_or_default().cast_unsigned()
            }
        };
        let count = usize::try_from(request.count).unwrap_or(usize::MAX);
        let more = found.len() > count;
        found.truncate(count);
        let next = found.last().filter(|_| more).map(|last| {
            let Point { at, shard, sequence } = last.place;
            let after = vec![SortValue::Int(at), SortValue::Int(shard)];
            self.key.seal(&Place { question, as_of: AsOf::default(), total: Some(total), after, key: sequence })
        });
        let versions = found.iter().map(|found| self.version_found(found)).collect::<Result<_, _>>()?;
        Ok(HistoryPage { versions, total, next })
    }

    /// The statement of a page of a history, newest first: within a shard by sequence, across shards by
    /// moment.
    fn history_rows(
        &self,
        source: &str,
        values: &[Value<'static>],
        before: Point,
        wanted: i64,
    ) -> (String, Vec<Value<'static>>) {
        let next = values.len() + 1;
        let mut values = values.to_vec();
        let Point { at, shard, sequence } = before;
        let text = match self.db.dialect() {
            Dialect::Sqlite => {
                values.extend([sequence.into(), wanted.into()]);
                format!(
                    "SELECT sequence, resource, version, at, 0 FROM ({source}) WHERE sequence < ?{next}
                     ORDER BY sequence DESC LIMIT ?{}",
                    next + 1
                )
            }
            Dialect::Postgres => {
                values.extend([at.into(), shard.into(), sequence.into(), wanted.into()]);
                format!(
                    "SELECT sequence, resource, version, at, shard FROM ({source}) h
                     WHERE (at, shard, sequence) < (?{next}::int8, ?{}::int8, ?{}::int8)
                     ORDER BY at DESC, shard DESC, sequence DESC LIMIT ?{}",
                    next + 1,
                    next + 2,
                    next + 3
                )
            }
        };
        (text, values)
    }

    /// The rows of a history; `None` when there can be none.
    fn history_source(
        &self,
        of: &HistoryOf,
        bounds: &Bounds,
    ) -> Result<Option<(String, Vec<Value<'static>>)>, StoreError> {
        // The shard of a row, where there are several.
        let shard = |alias: &str| match self.db.dialect() {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => format!(", {alias}shard"),
        };
        let Bounds { from, before, replaced_after } = *bounds;
        let always = replaced_after == i64::MIN;
        Ok(Some(match of {
            HistoryOf::Resource(name) => {
                let Some(key) = self.key_of(name)? else { return Ok(None) };
                let values = vec![key.into(), from.into(), before.into(), replaced_after.into()];
                let shard = shard("");
                let sql = format!(
                    "SELECT sequence, key AS resource, version, updated AS at{shard} FROM resource
                     WHERE key = ?1 AND version > 0 AND updated >= ?2 AND updated < ?3
                     UNION ALL
                     SELECT sequence, resource, version, updated AS at{shard} FROM past
                     WHERE resource = ?1 AND updated >= ?2 AND updated < ?3 AND until > ?4"
                );
                (sql, values)
            }
            HistoryOf::Type(name) => {
                let Some(kind) = self.words.kind(self.db, name)? else { return Ok(None) };
                let mut values = vec![kind.key.into(), from.into(), before.into()];
                if always {
                    let sql = format!(
                        "SELECT sequence, resource, version, at{} FROM change
                         WHERE type = ?1 AND at >= ?2 AND at < ?3",
                        shard("")
                    );
                    (sql, values)
                } else {
                    values.push(replaced_after.into());
                    let sql = format!(
                        "SELECT c.sequence, c.resource, c.version, c.at{} FROM change c
                         LEFT JOIN past p ON p.resource = c.resource AND p.version = c.version
                         WHERE c.type = ?1 AND c.at >= ?2 AND c.at < ?3 AND (p.until IS NULL OR p.until > ?4)",
                        shard("c.")
                    );
                    (sql, values)
                }
            }
            HistoryOf::All => {
                // In one shard the moments are as the sequence, which is the key.
                let (by, first, last) = match self.db.dialect() {
                    Dialect::Sqlite => ("sequence", self.first_at(from)?, self.first_at(before)?),
                    Dialect::Postgres => ("at", from, before),
                };
                let mut values = vec![first.into(), last.into()];
                let sql = if always {
                    format!(
                        "SELECT sequence, resource, version, at{} FROM change WHERE {by} >= ?1 AND {by} < ?2",
                        shard("")
                    )
                } else {
                    values.push(replaced_after.into());
                    format!(
                        "SELECT c.sequence, c.resource, c.version, c.at{} FROM change c
                         LEFT JOIN past p ON p.resource = c.resource AND p.version = c.version
                         WHERE c.{by} >= ?1 AND c.{by} < ?2 AND (p.until IS NULL OR p.until > ?3)",
                        shard("c.")
                    )
                };
                (sql, values)
            }
        }))
    }

    /// The sequence of the first change at or after a moment, or the one after the last: found by
    /// halving, since instants increase with the sequence, which has no gap.
    fn first_at(&self, instant: i64) -> Result<i64, StoreError> {
        let last = self.as_of()?.of(0);
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
        // Of one shard the last change is the latest.
        let by = match self.db.dialect() {
            Dialect::Sqlite => "sequence",
            Dialect::Postgres => "at",
        };
        let sql = format!("SELECT at FROM change ORDER BY {by} DESC LIMIT 1");
        self.db.first(&sql, &[], |row| Ok(Instant(row.int(0)?)))
    }
}
