//! A store in memory that answers queries the slow and plain way, from index rows alone.

use std::cmp::Ordering;

use liaison_fhir::primitive::fold;
use liaison_fhir::search::index::{IndexRow, IndexValue, Param, Target};
use liaison_fhir::search::query::{
    Clause, Comparison, Direction, NumberTest, Query, ReferenceTest, SortKey, StringTest, SystemTest, Test, UriTest,
};
use liaison_store::contract::{Change, Name, NewVersion};
use liaison_store::shard::shard_of;

use crate::bench::{NOTE_DATE, shards};

/// Resources in the order in which their names first came.
#[derive(Default)]
pub struct Judge {
    pub resources: Vec<Resource>,
}

/// The last version of a resource.
pub struct Resource {
    pub name: Name,
    pub live: bool,
    pub updated: i64,
    pub rows: Vec<IndexRow>,
}

/// Something sorted by; greater comes later when ascending.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Key {
    Int(i64),
    Real(f64),
    Text(String),
}

impl Judge {
    /// Takes note of a name that others refer to; the referring one comes first if it is new.
    pub fn mention(&mut self, name: &Name, by: &Name) {
        for name in [by, name] {
            if !self.resources.iter().any(|known| known.name == *name) {
                self.resources.push(Resource { name: name.clone(), live: false, updated: 0, rows: Vec::new() });
            }
        }
    }

    /// Takes note of a commit.
    pub fn note(&mut self, new: &NewVersion, updated: i64) {
        let at = match self.resources.iter().position(|known| known.name == new.name) {
            Some(at) => at,
            None => {
                self.resources.push(Resource { name: new.name.clone(), live: false, updated: 0, rows: Vec::new() });
                self.resources.len() - 1
            }
        };
        let known = &mut self.resources[at];
        known.live = new.change != Change::Delete;
        known.updated = updated;
        known.rows = new.index.clone();
    }

    /// Everything that matches, in order.
    pub fn answer(&self, query: &Query) -> Vec<&Resource> {
        let mut found: Vec<(usize, &Resource)> = self
            .resources
            .iter()
            .enumerate()
            .filter(|(_, resource)| resource.live)
            .filter(|(_, resource)| {
                query.types.is_empty() || query.types.iter().any(|of| **of == *resource.name.resource_type)
            })
            .filter(|(_, resource)| self.holds(resource, &query.filter))
            .collect();
        found.sort_by(|one, other| self.compare(query, *one, *other));
        found.into_iter().map(|(_, resource)| resource).collect()
    }

    fn compare(&self, query: &Query, one: (usize, &Resource), other: (usize, &Resource)) -> Ordering {
        for sort in &query.sort {
            let (a, b) = (self.key(one.1, sort.by, sort.direction), self.key(other.1, sort.by, sort.direction));
            let ordering = match (a, b) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => {
                    let ordering = a.partial_cmp(&b).unwrap();
                    if sort.direction == Direction::Descending { ordering.reverse() } else { ordering }
                }
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        // Ties follow the first sort when that is the moment itself, else the newest comes first.
        moment(other.1).cmp(&moment(one.1)).then(match query.sort.first() {
            Some(sort) if sort.direction == Direction::Ascending && self.by_moment(query, sort.by) => {
                self.rank(one.0).cmp(&self.rank(other.0))
            }
            _ => self.rank(other.0).cmp(&self.rank(one.0)),
        })
    }

    /// Where a resource stands among equals: shards count their resources each for itself.
    fn rank(&self, at: usize) -> (usize, u32) {
        let shard = |resource: &Resource| shard_of(&resource.name, shards());
        let own = shard(&self.resources[at]);
        (self.resources[..at].iter().filter(|other| shard(other) == own).count(), own)
    }

    fn by_moment(&self, query: &Query, by: SortKey) -> bool {
        match by {
            SortKey::LastUpdated => !query.types.is_empty() && !query.types.contains(&"Note"),
            SortKey::Id => false,
            SortKey::Param(param, _) => param == NOTE_DATE && query.types == ["Note"],
        }
    }

    fn key(&self, resource: &Resource, by: SortKey, direction: Direction) -> Option<Key> {
        let param = match by {
            SortKey::LastUpdated => return Some(Key::Int(resource.updated)),
            SortKey::Id => return Some(Key::Text(resource.name.id.to_string())),
            SortKey::Param(param, _) => param,
        };
        let keys = resource.rows.iter().filter(|row| row.param == param).filter_map(|row| match &row.value {
            IndexValue::String { folded, .. } => Some(Key::Text(folded.to_string())),
            IndexValue::Token { code, .. } => Some(Key::Text(code.to_string())),
            IndexValue::Reference(Target::Local { id, .. }) => Some(Key::Text(id.to_string())),
            IndexValue::Reference(Target::Elsewhere(_)) | IndexValue::Position { .. } => None,
            IndexValue::Date { low, .. } => Some(Key::Int(*low)),
            IndexValue::Number { low, .. } | IndexValue::Quantity { low, .. } => Some(Key::Real(*low)),
            IndexValue::Uri(value) => Some(Key::Text(value.to_string())),
        });
        let order = |one: &Key, other: &Key| one.partial_cmp(other).unwrap();
        match direction {
            Direction::Ascending => keys.min_by(order),
            Direction::Descending => keys.max_by(order),
        }
    }

    pub fn holds(&self, resource: &Resource, clause: &Clause) -> bool {
        let rows = |param: Param| {
            resource.rows.iter().filter(move |row| row.param == param && *param.base == *resource.name.resource_type)
        };
        match clause {
            Clause::All(of) => of.iter().all(|clause| self.holds(resource, clause)),
            Clause::Any(of) => of.iter().any(|clause| self.holds(resource, clause)),
            Clause::Not(of) => !self.holds(resource, of),
            Clause::Has(param, test) => rows(*param).any(|row| passes(&row.value, test)),
            Clause::Present(param) => rows(*param).next().is_some(),
            Clause::OfType(types) => types.contains(&&*resource.name.resource_type),
            Clause::Id(ids) => ids.iter().any(|id| **id == *resource.name.id),
            Clause::Among(set) => set.contains(&resource.name.resource_type, &resource.name.id),
            Clause::LastUpdated(test) => {
                compare(test.comparison, resource.updated, resource.updated + 1, test.low, test.high)
            }
            Clause::Refers { param, types, target } => rows(*param).any(|row| match &row.value {
                IndexValue::Reference(Target::Local { resource_type, id }) => self.resources.iter().any(|other| {
                    other.live
                        && *other.name.resource_type == **resource_type
                        && *other.name.id == **id
                        && types.contains(&resource_type.as_str())
                        && self.holds(other, target)
                }),
                _ => false,
            }),
            Clause::ReferredBy { param, source } => self.resources.iter().any(|other| {
                other.live
                    && *other.name.resource_type == *param.base
                    && other.rows.iter().any(|row| row.param == *param && points_to(&row.value, &resource.name))
                    && self.holds(other, source)
            }),
        }
    }
}

/// Where a resource stands on its timeline.
pub fn moment(resource: &Resource) -> i64 {
    if *resource.name.resource_type != *NOTE_DATE.base {
        return resource.updated;
    }
    let dates = resource.rows.iter().filter(|row| row.param == NOTE_DATE).filter_map(|row| match row.value {
        // Always before any time is still not the same as no time.
        IndexValue::Date { low, .. } => Some(low.max(i64::MIN + 1)),
        _ => None,
    });
    dates.max().unwrap_or(i64::MIN)
}

fn points_to(value: &IndexValue, name: &Name) -> bool {
    matches!(value, IndexValue::Reference(Target::Local { resource_type, id })
        if **resource_type == *name.resource_type && **id == *name.id)
}

fn passes(value: &IndexValue, test: &Test) -> bool {
    match (value, test) {
        (IndexValue::String { exact, folded }, Test::String(test)) => match test {
            StringTest::StartsWith(start) => folded.starts_with(start.as_str()),
            StringTest::Contains(part) => folded.contains(part.as_str()),
            StringTest::Exact(value) => exact == value && *folded == fold(value),
        },
        (IndexValue::Token { system, code }, Test::Token(test)) => {
            test.code.as_ref().is_none_or(|wanted| wanted == code)
                && match &test.system {
                    SystemTest::Any => true,
                    SystemTest::Absent => system.is_none(),
                    SystemTest::Is(wanted) => system.as_ref() == Some(wanted),
                }
        }
        (IndexValue::Reference(target), Test::Reference(test)) => match (target, test) {
            (target, ReferenceTest::Is(wanted)) => target == wanted,
            (Target::Local { resource_type, id }, ReferenceTest::Id { id: wanted, types }) => {
                id == wanted && types.contains(&resource_type.as_str())
            }
            (Target::Local { resource_type, .. }, ReferenceTest::OfType(types)) => {
                types.contains(&resource_type.as_str())
            }
            (Target::Local { resource_type, id }, ReferenceTest::Among(set)) => set.contains(resource_type, id),
            (Target::Elsewhere(_), _) => false,
        },
        (IndexValue::Date { low, high }, Test::Date(test)) => {
            compare(test.comparison, *low, *high, test.low, test.high)
        }
        (IndexValue::Number { low, high }, Test::Number(test)) => number(*low, *high, test),
        (
            IndexValue::Quantity { low, high, system, code },
            Test::Quantity { number: test, system: wanted, code: unit },
        ) => number(*low, *high, test) && (wanted.is_none() || wanted == system) && (unit.is_none() || unit == code),
        (IndexValue::Uri(value), Test::Uri(test)) => match test {
            UriTest::Is(wanted) => value == wanted,
            UriTest::Below(start) => value.starts_with(start.as_str()),
            UriTest::Above(whole) => whole.starts_with(value.as_str()),
        },
        (IndexValue::Position { latitude, longitude }, Test::Near { latitude: north, longitude: east, metres }) => {
            haversine((*latitude, *longitude), (*north, *east)) <= *metres
        }
        _ => false,
    }
}

fn number(low: f64, high: f64, test: &NumberTest) -> bool {
    compare(test.comparison, low, high, test.low, test.high)
}

fn compare<T: PartialOrd>(comparison: Comparison, low: T, high: T, from: T, to: T) -> bool {
    let within = from <= low && high <= to;
    match comparison {
        Comparison::Within => within,
        Comparison::NotWithin => !within,
        Comparison::Greater => high > to,
        Comparison::Less => low < from,
        Comparison::GreaterOrWithin => high > to || within,
        Comparison::LessOrWithin => low < from || within,
        Comparison::After => low >= to,
        Comparison::Before => high <= from,
        Comparison::Overlaps => low < to && high > from,
    }
}

fn haversine(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (north, other_north) = (one.0.to_radians(), other.0.to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let square = half(other_north - north) + north.cos() * other_north.cos() * half((other.1 - one.1).to_radians());
    2.0 * 6_371_008.8 * square.sqrt().asin()
}
