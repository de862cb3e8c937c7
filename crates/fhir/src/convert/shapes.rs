//! Relations that need functions of their own, one file each, named after what they shape.
//!
//! Each is a pair: to R4 and to STU3. They need not be exact inverses: what one of them loses is
//! kept beside by the walk.

pub(super) mod audit_event;
pub(super) mod bundle;
pub(super) mod capability_statement;
pub(super) mod communication;
pub(super) mod consent;
pub(super) mod dates;
pub(super) mod device;
pub(super) mod dosage;
pub(super) mod element_type;
pub(super) mod healthcare_service;
pub(super) mod meta;
pub(super) mod money;
pub(super) mod operation_definition;
pub(super) mod related;
pub(super) mod requester;
pub(super) mod structure_definition;
pub(super) mod timing;

use crate::tree::{Object, Value};

/// Carries a primitive and its sibling over under another name.
fn carry(from: &Object, name: &str, to: &mut Object, new_name: &str) {
    if let Some(value) = from.get(name) {
        to.push(new_name, value.clone());
    }
    if let Some(sibling) = from.get(&format!("_{name}")) {
        to.push(format!("_{new_name}"), sibling.clone());
    }
}

/// A reference with an identifier that stood beside it, and the way back.
fn join(reference: Option<&Object>, identifier: Option<&Value>) -> Option<Object> {
    let mut joined = reference.cloned().unwrap_or_default();
    if let Some(identifier) = identifier
        && !joined.contains("identifier")
    {
        joined.push("identifier", identifier.clone());
    }
    (!joined.is_empty()).then_some(joined)
}

fn split(reference: &Object) -> (Option<Object>, Option<Value>) {
    let mut rest = reference.clone();
    let identifier = rest.remove("identifier");
    // An id alone is no element.
    let has_content = rest.iter().any(|(name, _)| name != "id");
    (has_content.then_some(rest), identifier)
}
