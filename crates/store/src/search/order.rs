//! The order of a result, and going on after a place in it.

use std::cmp::Ordering;

use compact_str::{CompactString, ToCompactString as _};
use liaison_fhir::search::index::Param;
use liaison_fhir::search::query::{Direction, ParamKind, Sort, SortKey};

use super::sql::{Candidate, Sql, joined_to};
use crate::contract::StoreError;
use crate::cursor::{SortValue, SortValues};
use crate::dialect::{Row, Value};
use crate::dictionary::Kind;
use crate::entry::{Entry, each_of};
use crate::moment::MISSING;
use crate::reader::Reader;

/// An order: columns, then the key.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) columns: Vec<Column>,
    /// Which way ties go.
    pub(crate) key: Direction,
}

/// One thing sorted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) by: By,
    pub(crate) direction: Direction,
    pub(crate) missing: Missing,
}

/// What one sorts by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    /// The moment of the resource.
    Instant,
    /// Its last change.
    Updated,
    /// Its id.
    Id,
    /// A parameter.
    Param(Param, ParamKind),
}

impl Order {
    /// If walking an index of moments gives this order: which way.
    pub(crate) fn walk(&self) -> Option<Direction> {
        let first = self.columns.first()?;
        (first.by == By::Instant && first.missing == Missing::Never).then_some(first.direction)
    }

    /// How two results compare.
    pub(crate) fn compare(&self, one: (&[SortValue], i64), other: (&[SortValue], i64)) -> Ordering {
        for (column, (one, other)) in self.columns.iter().zip(one.0.iter().zip(other.0)) {
            let ordering = match (one, other) {
                (SortValue::Missing, SortValue::Missing) => Ordering::Equal,
                (SortValue::Missing, _) => Ordering::Greater,
                (_, SortValue::Missing) => Ordering::Less,
                (one, other) => directed(compare_values(one, other), column.direction),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        directed(one.1.cmp(&other.1), self.key)
    }

    /// `ORDER BY` over columns `s1`, `s2`… and `key`.
    pub(crate) fn text(&self) -> String {
        let mut terms = String::with_capacity(64);
        for (number, column) in (1_u32..).zip(&self.columns) {
            let last = if column.missing == Missing::Possible { " NULLS LAST" } else { "" };
            let place = number.to_compact_string();
            joined_to(&mut terms, &["s", &place, word(column.direction), last, ", "]);
        }
        joined_to(&mut terms, &["key", word(self.key)]);
        terms
    }

    /// Whether a row of columns `s1`… comes after a place.
    pub(crate) fn after(&self, sql: &mut Sql, values: &[SortValue], key: i64) -> String {
        let key = sql.bind(key);
        let mut rest = format!("key {} {key}", beyond(self.key));
        for (place, (column, value)) in self.columns.iter().zip(values).enumerate().rev() {
            let name = format!("s{}", place + 1);
            rest = match value {
                SortValue::Missing => format!("{name} IS NULL AND {rest}"),
                value => {
                    let (one, two) = (bind(sql, value), bind(sql, value));
                    let missing =
                        if column.missing == Missing::Possible { format!(" OR {name} IS NULL") } else { String::new() };
                    format!("({name} {} {one}{missing} OR ({name} = {two} AND {rest}))", beyond(column.direction))
                }
            };
        }
        rest
    }

    /// The sort values of a row, from this column on.
    pub(crate) fn read(&self, row: &Row<'_>, first: usize) -> Result<SortValues, StoreError> {
        let read = |column| {
            Ok(match row.value(column)? {
                Value::Int(number) => SortValue::Int(number),
                Value::Real(number) => SortValue::Real(number),
                Value::Text(text) => SortValue::Text(text.into_owned()),
                Value::Bytes(_) | Value::Ints(_) | Value::Texts(_) | Value::Null => SortValue::Missing,
            })
        };
        match self.columns.len() {
            1 => read(first).map(SortValues::One),
            several => (first..first + several).map(read).collect::<Result<_, _>>().map(SortValues::Several),
        }
    }
}

/// Whether a resource may have no value to sort by; it then comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Possible,
    /// Either all have one, or its place is last by itself: a resource without a moment has an
    /// instant before all others.
    Never,
}

/// What a version is sorted by, besides its index.
pub(crate) struct Sorted<'a> {
    pub(crate) id: &'a str,
    pub(crate) updated: i64,
    pub(crate) instant: i64,
    pub(crate) entry: &'a [u8],
}

impl Reader<'_> {
    /// The order a query asks for. Without one, and among equals, the newest moment comes first.
    pub(crate) fn order(&self, sort: &[Sort], kinds: &[Kind]) -> Result<Order, StoreError> {
        let mut columns = Vec::with_capacity(sort.len() + 1);
        for sort in sort {
            let by = by(sort.by, kinds);
            let missing = match (by, sort.direction) {
                (By::Instant, Direction::Ascending) if self.some_lack_a_moment(kinds)? => Missing::Possible,
                (By::Instant | By::Updated | By::Id, _) => Missing::Never,
                (By::Param(..), _) => Missing::Possible,
            };
            columns.push(Column { by, direction: sort.direction, missing });
        }
        let key = match columns.first() {
            // One walk through an index, either way.
            Some(Column { by: By::Instant, direction, .. }) => *direction,
            _ => Direction::Descending,
        };
        if !columns.iter().any(|column| column.by == By::Instant) {
            columns.push(Column { by: By::Instant, direction: Direction::Descending, missing: Missing::Never });
        }
        Ok(Order { columns, key })
    }

    /// The sort value of a candidate as an expression.
    pub(crate) fn sort_value(
        &self,
        sql: &mut Sql,
        on: &Candidate,
        kind: &Kind,
        column: Column,
    ) -> Result<String, StoreError> {
        let (param, param_kind) = match column.by {
            By::Instant if column.missing == Missing::Possible => {
                return Ok(format!("nullif({}, {})", on.instant, sql.bind(MISSING)));
            }
            By::Param(param, _) if is_timeline(kind, param) => {
                return Ok(format!("nullif({}, {})", on.instant, sql.bind(MISSING)));
            }
            By::Instant => return Ok(on.instant.to_string()),
            By::Updated => return Ok(on.updated()),
            By::Id => return Ok(on.column("id")),
            By::Param(param, param_kind) => (param, param_kind),
        };
        let known = if *param.base == *kind.name { self.words.param(self.db, param)? } else { None };
        let nothing = match param_kind {
            ParamKind::Date => "CAST(NULL AS BIGINT)",
            ParamKind::Number | ParamKind::Quantity => "CAST(NULL AS DOUBLE PRECISION)",
            _ => "CAST(NULL AS TEXT)",
        };
        let Some(key) = known else { return Ok(nothing.to_owned()) };
        let (table, value) = match param_kind {
            ParamKind::String => ("string", "folded"),
            ParamKind::Token => ("token", "code"),
            ParamKind::Date => ("date", "low"),
            ParamKind::Number => ("number", "low"),
            ParamKind::Quantity => ("quantity", "low"),
            ParamKind::Uri => ("uri", "value"),
            ParamKind::Reference => ("reference", "target"),
            ParamKind::Special | ParamKind::Composite => return Ok(nothing.to_owned()),
        };
        let best = match column.direction {
            Direction::Ascending => "min",
            Direction::Descending => "max",
        };
        let param = sql.bind(key);
        Ok(match param_kind {
            // These have no way from a resource to its rows: all are grouped once.
            ParamKind::Token | ParamKind::Uri => {
                let g = sql.alias('g');
                format!(
                    "(SELECT {g}.best FROM (SELECT resource, {best}({value}) AS best FROM {table} WHERE param = {param} \
                     GROUP BY resource) {g} WHERE {g}.resource = {})",
                    on.key
                )
            }
            ParamKind::Reference => {
                let (f, t) = (sql.alias('f'), sql.alias('t'));
                format!(
                    "(SELECT {best}({t}.id) FROM reference {f} CROSS JOIN resource {t} ON {t}.key = {f}.target \
                     WHERE {f}.resource = {} AND {f}.param = {param})",
                    on.key
                )
            }
            _ => format!("(SELECT {best}({value}) FROM {table} WHERE resource = {} AND param = {param})", on.key),
        })
    }

    /// The sort values of a version that is not the last one, from what it kept.
    pub(crate) fn sort_values_then(
        &self,
        order: &Order,
        kind: &Kind,
        then: &Sorted<'_>,
    ) -> Result<SortValues, StoreError> {
        let values = order.columns.iter().map(|column| self.sort_value_then(*column, kind, then));
        values.collect::<Result<_, _>>().map(SortValues::Several)
    }

    fn sort_value_then(&self, column: Column, kind: &Kind, then: &Sorted<'_>) -> Result<SortValue, StoreError> {
        let (param, param_kind) = match column.by {
            By::Instant if column.missing == Missing::Possible && then.instant == MISSING => {
                return Ok(SortValue::Missing);
            }
            By::Param(param, _) if is_timeline(kind, param) && then.instant == MISSING => {
                return Ok(SortValue::Missing);
            }
            By::Param(param, _) if is_timeline(kind, param) => return Ok(SortValue::Int(then.instant)),
            By::Instant => return Ok(SortValue::Int(then.instant)),
            By::Updated => return Ok(SortValue::Int(then.updated)),
            By::Id => return Ok(SortValue::Text(then.id.to_owned())),
            By::Param(param, param_kind) => (param, param_kind),
        };
        let known = if *param.base == *kind.name { self.words.param(self.db, param)? } else { None };
        let mut values = Vec::new();
        let mut targets = Vec::new();
        // Of the rows that `sort_value` looks at: a reference elsewhere has a URI, which is none of them.
        each_of(then.entry, |entry| match (param_kind, entry) {
            (ParamKind::Token, Entry::Token { param, code, .. }) if Some(param) == known => {
                values.push(SortValue::Text(code.to_owned()));
            }
            (ParamKind::Uri, Entry::Uri { param, value }) if Some(param) == known => {
                values.push(SortValue::Text(value.to_owned()));
            }
            (ParamKind::String, Entry::Text { param, folded, .. }) if Some(param) == known => {
                values.push(SortValue::Text(folded.to_owned()));
            }
            (ParamKind::Date, Entry::Date { param, low, .. }) if Some(param) == known => {
                values.push(SortValue::Int(low));
            }
            (ParamKind::Number, Entry::Number { param, low, .. })
            | (ParamKind::Quantity, Entry::Quantity { param, low, .. })
                if Some(param) == known =>
            {
                values.push(SortValue::Real(low));
            }
            (ParamKind::Reference, Entry::Reference { param, target, .. }) if Some(param) == known => {
                targets.push(target);
            }
            _ => {}
        })?;
        for target in targets {
            let id = self.db.first("SELECT id FROM resource WHERE key = ?1", &[target.into()], |row| {
                Ok(SortValue::Text(row.text(0)?.to_owned()))
            })?;
            values.extend(id);
        }
        let best = match column.direction {
            Direction::Ascending => values.into_iter().min_by(compare_values),
            Direction::Descending => values.into_iter().max_by(compare_values),
        };
        Ok(best.unwrap_or(SortValue::Missing))
    }

    fn some_lack_a_moment(&self, kinds: &[Kind]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM resource WHERE type = ?1 AND live = 1 AND instant = ?2 LIMIT 1";
        for kind in kinds {
            if !self.suppose(sql, &[kind.key.into(), MISSING.into()])?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn by(key: SortKey, kinds: &[Kind]) -> By {
    match key {
        // What has no timeline is on that of changes.
        SortKey::LastUpdated if kinds.iter().all(|kind| kind.timeline.is_none()) => By::Instant,
        SortKey::LastUpdated => By::Updated,
        SortKey::Id => By::Id,
        SortKey::Param(param, kind) => {
            // With several types, those that lack the parameter have a moment none the less.
            match kinds {
                [only] if is_timeline(only, param) => By::Instant,
                _ => By::Param(param, kind),
            }
        }
    }
}

fn is_timeline(kind: &Kind, param: Param) -> bool {
    *param.base == *kind.name && kind.timeline.as_deref() == Some(param.code)
}

fn bind(sql: &mut Sql, value: &SortValue) -> CompactString {
    match value {
        SortValue::Missing => sql.bind(Value::Null),
        SortValue::Int(number) => sql.bind(*number),
        SortValue::Real(number) => sql.bind(*number),
        SortValue::Text(text) => sql.bind_text(text),
    }
}

fn compare_values(one: &SortValue, other: &SortValue) -> Ordering {
    match (one, other) {
        (SortValue::Int(one), SortValue::Int(other)) => one.cmp(other),
        (SortValue::Real(one), SortValue::Real(other)) => one.total_cmp(other),
        (SortValue::Text(one), SortValue::Text(other)) => one.cmp(other),
        _ => Ordering::Equal,
    }
}

const fn directed(ordering: Ordering, direction: Direction) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    }
}

const fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    }
}
