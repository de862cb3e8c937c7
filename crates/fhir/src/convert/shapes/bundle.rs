//! `Bundle.type`: in R4 a document begins with its Composition and a message with its header; in
//! STU3 no constraint asks it, and a bundle of that kind that does not is a collection in R4.

use crate::{convert::rules::Scene, tree::Object};

pub(in crate::convert) fn kind(part: &Object, scene: &Scene<'_>) -> Object {
    let begins = |with: &str| {
        let first = scene.node.objects("entry").next().and_then(|entry| entry.object("resource"));
        first.is_some_and(|resource| resource.resource_type() == Some(with))
    };
    let is_it = match part.str("type") {
        Some("document") => begins("Composition"),
        Some("message") => begins("MessageHeader"),
        _ => true,
    };
    let mut result = part.clone();
    if !is_it {
        result.set("type", "collection");
    }
    result
}

pub(in crate::convert) fn kind_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}
