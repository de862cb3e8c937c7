//! `StructureDefinition.context`: where an extension may stand. STU3 has one kind for all places,
//! R4 one for each.

use crate::{
    convert::rules::Scene,
    object,
    tree::{Object, Value},
};

pub(in crate::convert) fn contexts(part: &Object, _: &Scene<'_>) -> Object {
    let kind = match part.str("contextType") {
        Some("extension") => "extension",
        _ => "element",
    };
    let places = part.items("context").iter().filter_map(Value::as_str);
    let contexts: Vec<Value> = places.map(|p| object! { "type" => kind, "expression" => p }.into()).collect();
    let mut result = Object::new();
    if !contexts.is_empty() {
        result.push("context", contexts);
    }
    result
}

pub(in crate::convert) fn type_and_context(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    let Some(first) = part.objects("context").next() else { return result };
    let kind = match first.str("type") {
        Some("extension") => "extension",
        _ => "resource",
    };
    result.push("contextType", kind);
    let places: Vec<Value> = part.objects("context").filter_map(|c| c.get("expression").cloned()).collect();
    if !places.is_empty() {
        result.push("context", places);
    }
    result
}
