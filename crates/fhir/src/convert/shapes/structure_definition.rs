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

/// What the addresses of the definitions of FHIR begin with.
const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(in crate::convert) fn kind(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

/// A type that is neither derived nor FHIR's own is a logical model in STU3 (sdf-7).
pub(in crate::convert) fn kind_of_stu3(part: &Object, scene: &Scene<'_>) -> Object {
    let mut result = part.clone();
    if part.contains("kind") && is_logical(Some(scene.node)) {
        result.set("kind", "logical");
    }
    result
}

/// Whether a definition of either release is a logical model as STU3 sees it.
pub(super) fn is_logical(definition: Option<&Object>) -> bool {
    let Some(definition) = definition else { return false };
    let is_of_fhir = || {
        let id = definition.str("url").and_then(|url| url.strip_prefix(DEFINITIONS));
        id.is_some() && id == definition.str("id")
    };
    definition.str("kind") == Some("logical") || (definition.str("derivation") != Some("constraint") && !is_of_fhir())
}

pub(in crate::convert) fn constrained_type(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

/// A model may have an address for a type in R4; in STU3 its type is what its elements begin with
/// (sdf-11, sdf-8a).
pub(in crate::convert) fn type_of_stu3(part: &Object, scene: &Scene<'_>) -> Object {
    let first = |of| {
        let element = scene.node.object(of).and_then(|elements: &Object| elements.objects("element").next());
        element.and_then(|element| element.str("path"))
    };
    let root = first("snapshot").or_else(|| first("differential").and_then(|path| path.split('.').next()));
    let mut result = part.clone();
    if let (Some(root), Some(_)) = (root, part.str("type"))
        && is_logical(Some(scene.node))
    {
        result.set("type", root);
    }
    result
}
