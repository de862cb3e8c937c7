//! `HealthcareService.eligibility`: a concept and a note in STU3, a list of both in R4.

use super::carry;
use crate::{array, convert::rules::Scene, tree::Object};

pub(in crate::convert) fn nested(part: &Object, _: &Scene<'_>) -> Object {
    let mut eligibility = Object::new();
    carry(part, "eligibility", &mut eligibility, "code");
    carry(part, "eligibilityNote", &mut eligibility, "comment");
    let mut result = Object::new();
    if !eligibility.is_empty() {
        result.push("eligibility", array![eligibility]);
    }
    result
}

pub(in crate::convert) fn flat(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(eligibility) = part.objects("eligibility").next() {
        carry(eligibility, "code", &mut result, "eligibility");
        carry(eligibility, "comment", &mut result, "eligibilityNote");
    }
    result
}
