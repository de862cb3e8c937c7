//! What expressions select, and what they hold of.

use crate::{array, object, path::Path, release::r4, tree::Object};

use super::{Item, compare};

fn texts(path: &str, resource: &Object) -> Vec<String> {
    let path = Path::parse(path).unwrap();
    path.evaluate(resource, r4())
        .iter()
        .map(|item| match item {
            Item::Node(node) => node.text().map_or_else(|| node.type_code.to_owned(), str::to_owned),
            other => compare::text(other).unwrap().to_string(),
        })
        .collect()
}

fn patient() -> Object {
    object! {
        "resourceType" => "Patient",
        "name" => array![
            object! { "use" => "official", "family" => "ROUBINOWITZ", "given" => array!["Michel", "Paul"] },
            object! { "use" => "usual", "given" => array!["Michou"] },
        ],
        "deceasedBoolean" => false,
        "_birthDate" => object! { "extension" => array![
            object! { "url" => "http://example.org/why", "valueString" => "unknown" },
        ] },
        "generalPractitioner" => array![
            object! { "reference" => "Practitioner/1" },
            object! { "reference" => "https://example.org/fhir/Organization/2/_history/3" },
            object! { "reference" => "#cabinet" },
            object! { "type" => "PractitionerRole", "display" => "Dr Martin" },
        ],
        "contained" => array![object! { "resourceType" => "Organization", "id" => "cabinet" }],
    }
}

#[test]
fn members_run_through_arrays_in_order() {
    assert_eq!(texts("Patient.name.given", &patient()), ["Michel", "Paul", "Michou"]);
    assert_eq!(texts("Patient.name.given[1]", &patient()), ["Paul"]);
    assert_eq!(texts("Patient.name.where(use = 'usual').given.first()", &patient()), ["Michou"]);
    assert_eq!(texts("Practitioner.name.given", &patient()), [""; 0]);
    assert_eq!(texts("Patient.noSuchElement", &patient()), [""; 0]);
}

#[test]
fn a_choice_is_found_under_the_name_of_its_type() {
    assert_eq!(texts("Patient.deceased", &patient()), ["false"]);
    assert_eq!(texts("Patient.deceased as dateTime", &patient()), [""; 0]);
    assert_eq!(texts("Patient.deceased.as(Boolean)", &patient()), ["false"]);
    let rule = Path::parse("Patient.deceased.exists() and Patient.deceased != false").unwrap();
    assert!(!rule.holds(&patient(), r4()));
}

#[test]
fn extensions_of_primitives_are_reached() {
    let value = "Patient.birthDate.extension('http://example.org/why').value";
    assert_eq!(texts(value, &patient()), ["unknown"]);
    assert_eq!(texts("Patient.birthDate.exists()", &patient()), ["true"]);
    assert_eq!(texts("Patient.gender.exists()", &patient()), ["false"]);
}

#[test]
fn references_resolve_to_the_type_they_name() {
    let of = |name: &str| {
        let path = format!("Patient.generalPractitioner.where(resolve() is {name})");
        texts(&path, &patient()).len()
    };
    assert_eq!((of("Practitioner"), of("Organization"), of("PractitionerRole")), (1, 2, 1));
}
