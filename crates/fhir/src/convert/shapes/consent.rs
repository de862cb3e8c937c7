//! `Consent`: STU3 says the rule in the consent itself and its exceptions beside, R4 in one
//! `provision` that has the exceptions inside.

use super::carry;
use crate::{
    array,
    convert::{adapt::URI_SYSTEM, fill::fill_primitive, rules::Scene},
    object,
    tree::Object,
};

/// The elements that a consent of STU3 and a provision of R4 have alike.
const ALIKE: &[&str] = &["period", "actor", "action", "securityLabel", "purpose", "dataPeriod", "data"];

pub(in crate::convert) fn provision(part: &Object, _: &Scene<'_>) -> Object {
    let mut provision = Object::new();
    moved(part, &mut provision);
    if let Some(exceptions) = part.get("except") {
        provision.push("provision", exceptions.clone());
    }
    let mut result = Object::new();
    if !provision.is_empty() {
        result.push("provision", provision);
    }
    result
}

pub(in crate::convert) fn flat(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(provision) = part.object("provision") {
        moved(provision, &mut result);
        if let Some(exceptions) = provision.get("provision") {
            result.push("except", exceptions.clone());
        }
    }
    result
}

fn moved(from: &Object, to: &mut Object) {
    for name in ALIKE {
        if let Some(value) = from.get(name) {
            to.push(*name, value.clone());
        }
    }
}

/// `policyRule`: an address in STU3, a concept in R4.
pub(in crate::convert) fn policy_concept(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(address) = part.get("policyRule") {
        let coding = object! { "system" => URI_SYSTEM, "code" => address.clone() };
        result.push("policyRule", object! { "coding" => array![coding] });
    }
    result
}

/// A concept that is no address leaves a policy without a name: a consent must have some policy.
pub(in crate::convert) fn policy_address(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    let Some(concept) = part.object("policyRule") else { return result };
    match concept.objects("coding").find(|c| c.str("system") == Some(URI_SYSTEM)) {
        Some(address) if address.contains("code") => carry(address, "code", &mut result, "policyRule"),
        _ => fill_primitive(&mut result, "policyRule", None),
    }
    result
}
