//! `DocumentReference.context.related`: STU3 has a reference and an identifier side by side, R4
//! references, which may have an identifier themselves.

use super::{join, split};
use crate::{
    convert::rules::Scene,
    tree::{Object, Value},
};

pub(in crate::convert) fn references(part: &Object, _: &Scene<'_>) -> Object {
    each(part, |related| join(related.object("ref"), related.get("identifier")))
}

pub(in crate::convert) fn pairs(part: &Object, _: &Scene<'_>) -> Object {
    each(part, |reference| {
        let (reference, identifier) = split(reference);
        let mut related = Object::new();
        if let Some(identifier) = identifier {
            related.push("identifier", identifier);
        }
        if let Some(reference) = reference {
            related.push("ref", reference);
        }
        (!related.is_empty()).then_some(related)
    })
}

fn each(part: &Object, change: impl Fn(&Object) -> Option<Object>) -> Object {
    let related: Vec<Value> = part.objects("related").filter_map(change).map(Value::from).collect();
    let mut result = Object::new();
    if !related.is_empty() {
        result.push("related", related);
    }
    result
}
