//! `Timing.repeat`: elements that make sense only together, so that both stay or both go.

use super::carry;
use crate::{
    convert::{codes, rules::Scene},
    primitive,
    release::{Primitive, stu3},
    tree::{Object, Value},
};

const EVENT_TIMING: &str = "http://hl7.org/fhir/ValueSet/event-timing";

/// R4 counts from one. Without a count there is no greatest count.
pub(in crate::convert) fn positive_counts(part: &Object, _: &Scene<'_>) -> Object {
    let is_positive = |name: &str| {
        let digits = part.get(name).and_then(Value::as_number);
        digits.is_none_or(|digits| primitive::check(Primitive::PositiveInt, digits).is_ok())
    };
    let mut result = Object::new();
    if is_positive("count") {
        carry(part, "count", &mut result, "count");
        if is_positive("countMax") {
            carry(part, "countMax", &mut result, "countMax");
        }
    }
    result
}

pub(in crate::convert) fn counts(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

pub(in crate::convert) fn moments(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

/// STU3 has fewer moments of the day. Without one there is nothing to be offset from.
pub(in crate::convert) fn moments_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    let Some(list) = stu3().code_list(EVENT_TIMING) else { return part.clone() };
    let nearest = |code: &str| match list.get(code) {
        Some(_) => Some(code.to_owned()),
        None => codes::nearest(code, EVENT_TIMING, list, stu3().id).map(str::to_owned),
    };
    let written = part.items("when");
    let moments: Vec<Value> = written.iter().filter_map(Value::as_str).filter_map(nearest).map(Value::from).collect();
    if moments.len() == written.len() {
        let mut result = part.clone();
        if !moments.is_empty() {
            result.set("when", moments);
        }
        return result;
    }
    let mut result = Object::new();
    if !moments.is_empty() {
        result.push("when", moments);
        carry(part, "offset", &mut result, "offset");
    }
    result
}
