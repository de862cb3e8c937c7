//! `AuditEvent`: STU3 says who and what by a reference and an identifier, R4 by one reference.

use super::{join, split};
use crate::{convert::rules::Scene, tree::Object};

pub(in crate::convert) fn who(part: &Object, _: &Scene<'_>) -> Object {
    joined(part, "userId", "who")
}

pub(in crate::convert) fn reference_and_user_id(part: &Object, _: &Scene<'_>) -> Object {
    parted(part, "who", "userId")
}

pub(in crate::convert) fn what(part: &Object, _: &Scene<'_>) -> Object {
    joined(part, "identifier", "what")
}

pub(in crate::convert) fn reference_and_identifier(part: &Object, _: &Scene<'_>) -> Object {
    parted(part, "what", "identifier")
}

fn joined(part: &Object, identifier: &str, name: &str) -> Object {
    let mut result = Object::new();
    if let Some(reference) = join(part.object("reference"), part.get(identifier)) {
        result.push(name, reference);
    }
    result
}

fn parted(part: &Object, name: &str, identifier_name: &str) -> Object {
    let mut result = Object::new();
    let (reference, identifier) = part.object(name).map(split).unwrap_or_default();
    if let Some(reference) = reference {
        result.push("reference", reference);
    }
    if let Some(identifier) = identifier {
        result.push(identifier_name, identifier);
    }
    result
}
