//! The rows of a page: the statement that finds them, and those that moved since the first page.

use std::sync::Arc;

use compact_str::ToCompactString as _;
use liaison_fhir::search::query::Direction;

use super::found::Resources;
use super::order::{By, Order, Sorted};
use super::plan::{Branch, Purpose, Source, Start, Window, keys, keys_in_order};
use super::sql::{Sql, joined, joined_to};
use super::{Search, purpose};
use crate::contract::StoreError;
use crate::cursor::{AsOf, Place, SortValue, SortValues};
use crate::dialect::postgres::Question;
use crate::dialect::{Dialect, Value, damaged};
use crate::kept::Live;
use crate::reader::{Going, Reader};

/// A match: its key, and what it is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) key: i64,
    pub(crate) values: SortValues,
}

impl Hit {
    fn place(&self) -> (&[SortValue], i64) {
        (&self.values, self.key)
    }
}

/// How far the walk goes that finds a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the end of the page.
    Page,
    /// On, to see whether the matches end soon after; else they will be counted up to so many.
    OnTowardsTheEnd { counted_to: Option<u64> },
}

/// As far as the walk goes on: with more rows, counting them by themselves costs less. A server counts
/// for less than it costs to send rows.
const fn on_the_way(dialect: Dialect, limit: u64) -> u64 {
    match dialect {
        Dialect::Sqlite if limit < 128 => 128,
        Dialect::Sqlite => limit,
        Dialect::Postgres => limit.saturating_add(1),
    }
}

impl Reader<'_> {
    /// The first matches after a place.
    ///
    /// Besides, how many there are in all when the end was met on the way: those that end soon after
    /// the page need not be counted by another statement.
    pub(super) fn hits(
        &self,
        search: &Search,
        place: Option<&Place>,
        limit: u64,
        way: Way,
    ) -> Result<(Vec<Hit>, Option<u64>), StoreError> {
        // Without a change since the first page nothing can have moved.
        let moved_since = match place {
            Some(place) if place.as_of != self.as_of()? => Some(&place.as_of),
            _ => None,
        };
        // One page is never so long that room for it would be missed.
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut hits = Vec::with_capacity(most.min(64));
        let mut walked = 0;
        let branches = self.plan_for(search, purpose(&search.order))?;
        let far = match (way, branches.as_slice()) {
            (Way::OnTowardsTheEnd { .. }, [only]) if only.is_bare() => on_the_way(self.db.dialect(), limit),
            _ => limit,
        };
        if let Some((text, values)) = self.page_statement(search, &branches, place, moved_since, far)? {
            if let (Way::OnTowardsTheEnd { counted_to }, Some(db)) = (way, self.db.far())
                && self.went_on(&text)
                && let Some((sql, values)) = self.count_statement(search, counted_to)?
            {
                db.ask_along(Question { sql, values });
            }
            self.db.each(&text, &values, |row| {
                walked += 1;
                if hits.len() < most {
                    hits.push(Hit { key: row.int(0)?, values: search.order.read(row, 1)? });
                }
                Ok(())
            })?;
            if matches!(way, Way::OnTowardsTheEnd { .. }) {
                self.note_going_on(&text, if walked < far { Going::NoFurther } else { Going::On });
            }
        }
        if let (Some(as_of), Some(place)) = (moved_since, place) {
            hits.extend(self.moved(search, place, as_of)?);
            hits.sort_by(|one, other| search.order.compare(one.place(), other.place()));
            hits.truncate(most);
        }
        Ok((hits, (walked < far).then_some(walked)))
    }

    /// The resources of a page.
    pub(super) fn matches(&self, resources: &mut Resources<'_>, hits: &[Hit]) -> Result<Vec<Arc<Live>>, StoreError> {
        resources.expect(hits.iter().map(|hit| hit.key))?;
        let live = |hit: &Hit| resources.get(hit.key)?.ok_or_else(|| damaged("an index row leads to no resource"));
        hits.iter().map(live).collect()
    }

    /// Matches that changed since the first page, at the places they had then, after the one given.
    fn moved(&self, search: &Search, place: &Place, as_of: &AsOf) -> Result<Vec<Hit>, StoreError> {
        let mut hits = Vec::new();
        for (kind, condition) in search.kinds.iter().zip(&search.conditions) {
            let branch = Branch {
                kind: kind.clone(),
                from: Start::ChangedSince(as_of.clone()),
                rest: condition.clone(),
                window: Window { low: i64::MIN, high: i64::MAX },
            };
            let mut sql = Sql::of(self.db);
            let text = keys(&mut sql, std::slice::from_ref(&branch));
            for key in self.db.all(&text, &sql.values, |row| row.int(0))? {
                let then =
                    "SELECT p.updated, p.instant, p.entry, r.id FROM past p CROSS JOIN resource r ON r.key = p.resource
                            WHERE p.resource = ?1 AND p.sequence <= ?2 AND p.until > 0 AND p.change <> 3
                              AND p.version = (SELECT max(version) FROM past WHERE resource = ?1 AND sequence <= ?2)";
                let values =
                    self.db.first(then, &[key.into(), as_of.of(self.db.shards().of_key(key)).into()], |row| {
                        let then = Sorted {
                            updated: row.int(0)?,
                            instant: row.int(1)?,
                            entry: row.bytes(2)?,
                            id: row.text(3)?,
                        };
                        self.sort_values_then(&search.order, kind, &then)
                    })?;
                // Nothing then: it was not there, or deleted.
                hits.extend(values.map(|values| Hit { key, values }));
            }
        }
        hits.retain(|hit| search.order.compare((&hit.values, hit.key), (&place.after, place.key)).is_gt());
        Ok(hits)
    }

    /// The statement that finds the resources of a page, in order: columns `key`, then what it is
    /// sorted by. `None` when nothing can match.
    pub(super) fn page_statement(
        &self,
        search: &Search,
        branches: &[Branch],
        place: Option<&Place>,
        moved_since: Option<&AsOf>,
        limit: u64,
    ) -> Result<Option<(String, Vec<Value<'static>>)>, StoreError> {
        let mut sql = Sql::of(self.db);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut parts = Vec::with_capacity(branches.len());
        for branch in branches {
            parts.push(self.branch_page(&mut sql, search, branch, place, moved_since, limit)?);
        }
        let text = match parts.as_slice() {
            [] => return Ok(None),
            [only] => only.clone(),
            // Two branches may find one resource. Each is in order and cut, so few rows are compared;
            // a plain union would sort each whole.
            several => {
                let several: Vec<_> = several.iter().map(|part| format!("SELECT * FROM ({part}) p")).collect();
                let limit = sql.bind(limit);
                format!(
                    "SELECT DISTINCT * FROM ({}) u ORDER BY {} LIMIT {limit}",
                    several.join(" UNION ALL "),
                    search.order.text()
                )
            }
        };
        Ok(Some((text, sql.values)))
    }

    fn branch_page(
        &self,
        sql: &mut Sql,
        search: &Search,
        branch: &Branch,
        place: Option<&Place>,
        moved_since: Option<&AsOf>,
        limit: i64,
    ) -> Result<String, StoreError> {
        let order = &search.order;
        let (mut from, mut window) = (branch.from.clone(), branch.window);
        if let Some(place) = place {
            go_on(order, place, &mut from, &mut window);
        }
        let source = Source::of(sql, &branch.kind, &from, window);
        let on = &source.candidate;
        let mut holds = source.holds.clone();
        if !branch.rest.is_always() {
            holds = format!("{holds} AND {}", sql.check(on, &branch.rest));
        }
        if let Some(as_of) = moved_since {
            let last = sql.bind(as_of.value(sql.dialect));
            holds = format!("{holds} AND {}", sql.dialect.not_after(on.own_row(), &last));
        }
        let mut columns = joined(&[&on.key, " AS key"]);
        for (number, column) in (1_u32..).zip(&order.columns) {
            let value = self.sort_value(sql, on, &branch.kind, *column)?;
            joined_to(&mut columns, &[", ", &value, " AS s", &number.to_compact_string()]);
        }
        let distinct = if source.repeats { "DISTINCT " } else { "" };
        let found = joined(&["SELECT ", distinct, &columns, " FROM ", &source.joined(), " WHERE ", &holds]);
        let by = order.text();
        Ok(match place {
            None => joined(&[&found, " ORDER BY ", &by, " LIMIT ", &sql.bind(limit)]),
            Some(place) => {
                let after = order.after(sql, &place.after, place.key);
                format!("SELECT * FROM ({found}) p WHERE {after} ORDER BY {by} LIMIT {}", sql.bind(limit))
            }
        })
    }

    /// The statement that counts matches: NULL when there are more than `limit`. `None` when nothing
    /// can match.
    pub(super) fn count_statement(
        &self,
        search: &Search,
        limit: Option<u64>,
    ) -> Result<Option<(String, Vec<Value<'static>>)>, StoreError> {
        let branches = self.plan_for(search, Purpose::Set)?;
        let mut sql = Sql::of(self.db);
        let limit = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX - 1));
        let rows = match branches.as_slice() {
            [] => return Ok(None),
            [only] if only.is_bare() => {
                // Going past rows costs half of counting them, and both together less than counting
                // through a list that ends at the limit.
                let rows = only.rows(&mut sql);
                let count = format!("SELECT count(*) FROM {rows}");
                let text = match limit.map(|limit| (sql.dialect, limit)) {
                    None => count,
                    // Where going past a row costs as much as counting it.
                    Some((Dialect::Postgres, limit)) => {
                        let beyond = sql.bind(limit + 1);
                        format!("SELECT nullif(count(*), {beyond}) FROM (SELECT 1 FROM {rows} LIMIT {beyond}) n")
                    }
                    Some((Dialect::Sqlite, limit)) => format!(
                        "SELECT CASE WHEN (SELECT 1 FROM {rows} LIMIT 1 OFFSET {}) IS NULL THEN ({count}) END",
                        sql.bind(limit)
                    ),
                };
                return Ok(Some((text, sql.values)));
            }
            // One that repeats does so in a row, in the order of its index.
            [only] => keys_in_order(&mut sql, only),
            _ => format!("SELECT DISTINCT key FROM ({}) k", keys(&mut sql, &branches)),
        };
        let text = match limit {
            None => format!("SELECT count(*) FROM ({rows}) n"),
            Some(limit) => {
                let beyond = sql.bind(limit + 1);
                format!("SELECT nullif(count(*), {beyond}) FROM ({rows} LIMIT {beyond}) n")
            }
        };
        Ok(Some((text, sql.values)))
    }
}

/// Begins a walk where the page before ended.
fn go_on(order: &Order, place: &Place, from: &mut Start, window: &mut Window) {
    let (Some(column), Some(SortValue::Int(reached))) = (order.columns.first(), place.after.first()) else { return };
    let (low, high) = match (column.by, from) {
        (By::Updated, Start::Updated { low, high }) => (low, high),
        (By::Instant, _) if order.walk().is_some() => (&mut window.low, &mut window.high),
        _ => return,
    };
    match column.direction {
        Direction::Ascending => *low = (*low).max(*reached),
        Direction::Descending => *high = (*high).min(*reached),
    }
}

impl Order {
    /// Whether a place could be one in this order.
    pub(super) fn fits(&self, place: &Place) -> bool {
        place.after.len() == self.columns.len()
    }
}
