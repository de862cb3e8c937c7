//! The order of the matches.

use std::cmp::Ordering;

use crate::primitive::fold;
use crate::search::{
    index::{Param, Target},
    query::{Direction, ParamKind, Sort, SortKey},
};

use super::{Candidate, Judge, values};

pub(super) fn sort(matches: &mut [usize], by: &[Sort], judge: &Judge<'_>) {
    let mut keyed: Vec<(Vec<Option<Key>>, usize)> = matches
        .iter()
        .filter_map(|position| Some((judge.candidate(*position)?, *position)))
        .map(|(candidate, position)| (by.iter().map(|sort| key(sort, candidate, judge)).collect(), position))
        .collect();
    keyed.sort_by(|(left, left_at), (right, right_at)| {
        let keys = left.iter().zip(right).zip(by);
        keys.map(|((left, right), sort)| one(left.as_ref(), right.as_ref(), sort.direction))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| newest_first(judge.candidate(*left_at), judge.candidate(*right_at)))
    });
    for (place, (_, position)) in matches.iter_mut().zip(keyed) {
        *place = position;
    }
}

/// What one compares.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Moment(i64),
    Number(f64),
}

/// Resources without a value come last, whichever way one sorts.
fn one(left: Option<&Key>, right: Option<&Key>, direction: Direction) -> Ordering {
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(left), Some(right)) => {
            let order = left.partial_cmp(right).unwrap_or(Ordering::Equal);
            if direction == Direction::Descending { order.reverse() } else { order }
        }
    }
}

fn newest_first(left: Option<&Candidate<'_>>, right: Option<&Candidate<'_>>) -> Ordering {
    let key = |candidate: Option<&Candidate<'_>>| candidate.map(|candidate| candidate.order);
    key(right).cmp(&key(left))
}

fn key(sort: &Sort, of: &Candidate<'_>, judge: &Judge<'_>) -> Option<Key> {
    let (param, kind) = match sort.by {
        SortKey::Id => return Some(Key::Text(of.id.to_owned())),
        SortKey::LastUpdated => return Some(Key::Moment(of.last_updated)),
        SortKey::Param(param, kind) => (param, kind),
    };
    let keys = keys(param, kind, of, judge).into_iter();
    let compare = |left: &Key, right: &Key| left.partial_cmp(right).unwrap_or(Ordering::Equal);
    match sort.direction {
        Direction::Ascending => keys.min_by(compare),
        Direction::Descending => keys.max_by(compare),
    }
}

fn keys(param: Param, kind: ParamKind, of: &Candidate<'_>, judge: &Judge<'_>) -> Vec<Key> {
    if of.resource_type != param.base {
        return Vec::new();
    }
    let (tree, context) = (of.tree, judge.context);
    match kind {
        ParamKind::String => {
            values::texts(param, tree).into_iter().map(|text| Key::Text(fold(text).into_string())).collect()
        }
        ParamKind::Token => values::tokens(param, tree).into_iter().map(|token| Key::Text(token.code)).collect(),
        ParamKind::Reference => values::targets(param, tree, context)
            .into_iter()
            .filter_map(|target| match target {
                Target::Local { id, .. } => Some(Key::Text(id.into_string())),
                Target::Elsewhere(_) => None,
            })
            .collect(),
        ParamKind::Date => values::dates(param, tree, context).into_iter().map(|(low, _)| Key::Moment(low)).collect(),
        ParamKind::Number => values::numbers_of(param, tree).into_iter().map(|(low, _)| Key::Number(low)).collect(),
        ParamKind::Quantity => {
            values::quantities(param, tree).into_iter().map(|quantity| Key::Number(quantity.range.0)).collect()
        }
        ParamKind::Uri => values::uris(param, tree).into_iter().map(|uri| Key::Text(uri.to_owned())).collect(),
        ParamKind::Special | ParamKind::Composite => Vec::new(),
    }
}
