//! Small documents that would take for ever if anything in them were converted twice at each level:
//! these tests hang rather than fail.

use super::super::{items::same, to_r4, to_stu3};
use crate::{array, object, tree::Object};

/// As deep as the reader lets a document be (64 levels), and more.
const LEVELS: usize = 30;

fn nest(innermost: Object, around: impl Fn(Object) -> Object) -> Object {
    (0..LEVELS).fold(innermost, |inner, _| around(inner))
}

fn patient(extension: Object) -> Object {
    object! { "resourceType" => "Patient", "extension" => array![extension] }
}

fn check(there: fn(&Object) -> Object, back: fn(&Object) -> Object, patient: &Object) {
    assert!(same(&back(&there(patient)), patient));
}

fn colour(value_name: &str, value: Object) -> Object {
    object! { "url" => "http://example.org/colour", value_name => value }
}

#[test]
fn extensions_that_look_like_kept_elements() {
    for element in ["type", "identifier", "display"] {
        let url = format!("http://hl7.org/fhir/4.0/StructureDefinition/extension-Reference.{element}");
        let reference = nest(object! { "display" => "x" }, |inner| {
            object! { "extension" => array![object! { "url" => url.as_str(), "valueReference" => inner }] }
        });
        check(to_r4, to_stu3, &patient(colour("valueReference", reference)));
        let identifier = nest(object! { "value" => "x" }, |inner| {
            let assigner = object! {
                "extension" => array![object! { "url" => url.as_str(), "valueIdentifier" => inner }],
            };
            object! { "assigner" => assigner }
        });
        check(to_r4, to_stu3, &patient(colour("valueIdentifier", identifier)));
    }
}

#[test]
fn what_stands_beside_primitives_that_are_kept() {
    let bare = || {
        object! {
            "type" => array![object! { "code" => "x" }],
            "when" => "2020-01-01T00:00:00Z",
            "who" => object! { "display" => "x" },
        }
    };
    let signature = nest(bare(), |inner| {
        let mut signature = bare();
        signature.push("_targetFormat", object! { "extension" => array![colour("valueSignature", inner)] });
        signature
    });
    check(to_stu3, to_r4, &patient(colour("valueSignature", signature)));
    let address = nest(object! { "text" => "x" }, |inner| {
        let beside = object! { "extension" => array![colour("valueAddress", inner)] };
        object! { "use" => "billing", "_use" => beside }
    });
    check(to_stu3, to_r4, &patient(colour("valueAddress", address)));
}

#[test]
fn systems_that_are_kept() {
    let coding = nest(object! { "code" => "x" }, |inner| {
        let beside = object! { "extension" => array![colour("valueCoding", inner)] };
        object! { "system" => "http://hl7.org/fhir/v3/Confidentiality", "_system" => beside }
    });
    check(to_stu3, to_r4, &patient(colour("valueCoding", coding)));
}

#[test]
fn values_that_look_like_kept_values() {
    let extension = nest(object! { "url" => "junk", "valueString" => "x" }, |inner| {
        let value = object! { "url" => "value", "extension" => array![object! { "url" => "junk", "extension" => array![inner] }] };
        let kept = object! {
            "url" => "http://hl7.org/fhir/4.0/StructureDefinition/extension-Extension.value",
            "extension" => array![object! { "url" => "type", "valueCode" => "Dosage" }, value],
        };
        object! { "url" => "http://example.org/colour", "extension" => array![kept] }
    });
    check(to_r4, to_stu3, &patient(extension));
}

#[test]
fn values_that_the_other_release_lacks() {
    let dosage =
        nest(object! { "text" => "x" }, |inner| object! { "extension" => array![colour("valueDosage", inner)] });
    check(to_stu3, to_r4, &patient(colour("valueDosage", dosage)));
}

#[test]
fn wrappers_in_wrappers() {
    for release in ["3.0", "4.0"] {
        let url = format!("http://hl7.org/fhir/{release}/StructureDefinition/extension-Element.extension");
        let extension = nest(object! { "url" => "http://example.org/colour", "valueString" => "x" }, |inner| {
            object! { "url" => url.as_str(), "extension" => array![inner] }
        });
        check(to_r4, to_stu3, &patient(extension.clone()));
        check(to_stu3, to_r4, &patient(extension));
    }
}

#[test]
fn exceptions_from_exceptions() {
    let provision = nest(object! { "type" => "deny" }, |inner| object! { "provision" => array![inner] });
    let consent = object! { "resourceType" => "Consent", "provision" => provision };
    let stu3 = to_stu3(&consent);
    assert_eq!(to_r4(&stu3).get("provision"), consent.get("provision"));
}
