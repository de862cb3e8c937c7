//! When two items are the same, and which comes first.

use std::cmp::Ordering;

use compact_str::CompactString;
use jiff::tz::TimeZone;

use crate::{path::Literal, primitive, tree::Object};

use super::{Item, Node, truth};

/// Types are compared without case: STU3 writes `DateTime` where it means `dateTime`.
pub(super) fn is_of_type(item: &Item<'_>, name: &str) -> bool {
    match item {
        Item::Node(node) => node.type_code.eq_ignore_ascii_case(name),
        Item::Target(type_name) => *type_name == name,
        Item::Truth(_) | Item::Literal(Literal::Truth(_)) => name.eq_ignore_ascii_case("boolean"),
        Item::Text(_) | Item::Literal(Literal::Text(_)) => name.eq_ignore_ascii_case("string"),
        Item::Integer(_) => name.eq_ignore_ascii_case("integer"),
        Item::Literal(Literal::Number(_)) => name.eq_ignore_ascii_case("decimal"),
    }
}

pub(super) fn same(left: &Item<'_>, right: &Item<'_>) -> bool {
    if let (Item::Node(node), Item::Literal(Literal::Text(text))) = (left, right) {
        return node.text() == Some(text);
    }
    if let (Some(left), Some(right)) = (truth(left), truth(right)) {
        return left == right;
    }
    if let (Item::Node(left), Item::Node(right)) = (left, right)
        && let (Some(left), Some(right)) = (left.object(), right.object())
    {
        return left == right;
    }
    match (text(left), text(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// The text of an item, when it is a primitive.
pub(super) fn text(item: &Item<'_>) -> Option<CompactString> {
    match item {
        Item::Node(node) => node.text().map(CompactString::from),
        Item::Target(type_name) => Some(CompactString::from(*type_name)),
        Item::Truth(truth) | Item::Literal(Literal::Truth(truth)) => {
            Some(CompactString::from(if *truth { "true" } else { "false" }))
        }
        Item::Integer(number) => Some(compact_str::format_compact!("{number}")),
        Item::Text(text) => Some(text.clone()),
        Item::Literal(Literal::Text(text) | Literal::Number(text)) => Some(CompactString::from(&**text)),
    }
}

/// The number, when it is a whole one that was computed or written in the expression.
pub(super) fn integer(item: &Item<'_>) -> Option<i64> {
    match item {
        Item::Integer(number) => Some(*number),
        Item::Literal(Literal::Number(digits)) => digits.parse().ok(),
        _ => None,
    }
}

/// Which comes first, as far as it can be told.
pub(super) fn order(left: &Item<'_>, right: &Item<'_>) -> Option<Ordering> {
    match (left, right) {
        (Item::Node(left), Item::Node(right)) if left.is_moment() && right.is_moment() => {
            order_of_moments(left.text()?, right.text()?)
        }
        (Item::Node(left), Item::Node(right)) if left.object().is_some() && right.object().is_some() => {
            order_of_quantities(left, right)
        }
        _ => number(&text(left)?)?.partial_cmp(&number(&text(right)?)?),
    }
}

fn number(digits: &str) -> Option<f64> {
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Dates and times are compared as far as both are known: what covers the same stretch of time in
/// part can be either. A day without zone could be that of any zone.
fn order_of_moments(left: &str, right: &str) -> Option<Ordering> {
    /// The most that two places on Earth can differ in their time of day, in microseconds.
    const ANY_ZONE: i64 = 26 * 3600 * 1_000_000;
    if left == right {
        return Some(Ordering::Equal);
    }
    let (left_first, left_last) = primitive::date_range(left, &TimeZone::UTC)?;
    let (right_first, right_last) = primitive::date_range(right, &TimeZone::UTC)?;
    let slack = if left.contains('T') == right.contains('T') { 0 } else { ANY_ZONE };
    if left_first >= right_last.saturating_add(slack) {
        Some(Ordering::Greater)
    } else if right_first >= left_last.saturating_add(slack) {
        Some(Ordering::Less)
    } else if slack == 0 && (left_first, left_last) == (right_first, right_last) {
        Some(Ordering::Equal)
    } else {
        None
    }
}

/// Quantities are compared only in one unit.
fn order_of_quantities(left: &Node<'_>, right: &Node<'_>) -> Option<Ordering> {
    let (left, right) = (left.object()?, right.object()?);
    let in_one_unit = ["system", "code", "unit"].iter().all(|name| left.str(name) == right.str(name));
    let value = |quantity: &Object| number(quantity.get("value")?.as_number()?);
    in_one_unit.then(|| value(left)?.partial_cmp(&value(right)?)).flatten()
}
