//! `CapabilityStatement`: what may be there only once, in one release or for one name. Where several
//! of one release have the same name in the other, the first stands for all.

use crate::{
    convert::{codes, rules::Scene},
    release::{Release, r4, stu3},
    tree::{Object, Value},
};

const RESOURCE_TYPES: &str = "http://hl7.org/fhir/ValueSet/resource-types";

pub(in crate::convert) fn faces(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

/// In STU3 there is one face as a client and one as a server (cpb-8).
pub(in crate::convert) fn faces_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    first_of_each(part, "rest", |face| face.str("mode"))
}

/// Each type is described once (cpb-9), also where both types of before are one now.
pub(in crate::convert) fn resources(part: &Object, _: &Scene<'_>) -> Object {
    first_of_each(part, "resource", |resource| type_in(r4(), resource))
}

pub(in crate::convert) fn resources_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    first_of_each(part, "resource", |resource| type_in(stu3(), resource))
}

/// The type of a described resource as a release calls it, whichever release named it.
fn type_in<'o>(release: &'static Release, resource: &'o Object) -> Option<&'o str> {
    let code = resource.str("type")?;
    let list = release.code_list(RESOURCE_TYPES)?;
    match list.get(code) {
        Some(_) => Some(code),
        None => codes::nearest(code, RESOURCE_TYPES, list, release.id),
    }
}

fn first_of_each<'o>(part: &'o Object, list: &str, name: impl Fn(&'o Object) -> Option<&'o str>) -> Object {
    let mut names: Vec<&str> = Vec::new();
    let is_first = |item: &&'o Value| match item.as_object().and_then(&name) {
        Some(name) if names.contains(&name) => false,
        Some(name) => {
            names.push(name);
            true
        }
        None => true,
    };
    let items = part.items(list);
    let kept: Vec<Value> = items.iter().filter(is_first).cloned().collect();
    let mut result = part.clone();
    if kept.len() < items.len() {
        result.set(list, kept);
    }
    result
}

pub(in crate::convert) fn messages(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = part.clone();
    result.remove("event");
    result
}

/// STU3 has either messages or events (cpb-16).
pub(in crate::convert) fn messages_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}
