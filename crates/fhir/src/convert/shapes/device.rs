//! `Device.version`: a text in STU3, a list of versions in R4.

use super::carry;
use crate::{array, convert::rules::Scene, tree::Object};

pub(in crate::convert) fn versions(part: &Object, _: &Scene<'_>) -> Object {
    let mut version = Object::new();
    carry(part, "version", &mut version, "value");
    let mut result = Object::new();
    if !version.is_empty() {
        result.push("version", array![version]);
    }
    result
}

pub(in crate::convert) fn version(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(version) = part.objects("version").next() {
        carry(version, "value", &mut result, "version");
    }
    result
}
