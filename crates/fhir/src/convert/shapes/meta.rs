//! `Meta.profile`: what a resource claims to be. A profile speaks of the elements of one release, so
//! that a claim made in R4 cannot be made in STU3; it is kept beside, for the way back.

use crate::{
    convert::rules::Scene,
    tree::{Object, Value},
};

/// What the addresses of the profiles of R4 guides begin with. None of these guides has an edition
/// for STU3.
const GUIDES_OF_R4: &[&str] = &[
    "https://interop.esante.gouv.fr/ig/fhir/",
    // As the capability statements of the guides print it.
    "http://interop.esante.gouv.fr/ig/fhir/",
    "https://hl7.fr/ig/fhir/",
];

pub(in crate::convert) fn claims(part: &Object, _: &Scene<'_>) -> Object {
    part.clone()
}

pub(in crate::convert) fn claims_of_stu3(part: &Object, _: &Scene<'_>) -> Object {
    let of_r4 =
        |claim: &&Value| claim.as_str().is_some_and(|url| GUIDES_OF_R4.iter().any(|guide| url.starts_with(guide)));
    let claims = part.items("profile");
    let others: Vec<Value> = claims.iter().filter(|claim| !of_r4(claim)).cloned().collect();
    if others.len() == claims.len() {
        return part.clone();
    }
    let mut result = Object::new();
    if !others.is_empty() {
        result.push("profile", others);
    }
    result
}
