//! What expressions select, and what they hold of.

use crate::{
    array, object,
    path::Path,
    release::r4,
    tree::{Object, Value},
};

use super::{Evaluation, Item, Steps, compare};

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

/// What a condition holds of the patient: yes, no, or nobody can tell.
fn holds(condition: &str) -> Option<bool> {
    let path = Path::parse(condition).unwrap();
    let steps = Steps::enough();
    Evaluation::of(&patient(), r4(), &steps).condition(path.expression())
}

#[test]
fn what_cannot_be_told_is_neither_true_nor_false() {
    // Nothing is said of the gender.
    assert_eq!(holds("gender = 'male'"), None);
    assert_eq!(holds("(gender = 'male').not()"), None);
    assert_eq!(holds("gender = 'male' and true"), None);
    assert_eq!(holds("gender = 'male' and false"), Some(false));
    assert_eq!(holds("gender = 'male' or true"), Some(true));
    assert_eq!(holds("gender = 'male' or false"), None);
    assert_eq!(holds("gender = 'male' xor true"), None);
    assert_eq!(holds("false implies gender = 'male'"), Some(true));
    assert_eq!(holds("true implies gender = 'male'"), None);
    assert_eq!(holds("gender = 'male' implies true"), Some(true));
    assert_eq!(holds("iif(gender = 'male', false, true)"), Some(true));
    assert_eq!(holds("gender.matches('^m')"), None);
}

#[test]
fn operators_bind_by_their_rank() {
    assert_eq!(holds("true or true and false"), Some(true));
    assert_eq!(holds("false implies true and false"), Some(true));
    assert_eq!(holds("name.count() + 1 = 3"), Some(true));
    assert_eq!(holds("name.count() > 1 = true"), Some(true));
    assert_eq!(holds("name.first().use in ('usual' | 'official')"), Some(true));
    assert_eq!(holds("name.first().family & 1.toString() & name.first().period = 'ROUBINOWITZ1'"), Some(true));
}

#[test]
fn functions_on_all_items() {
    assert_eq!(holds("name.all(given.exists())"), Some(true));
    assert_eq!(holds("name.all(family.exists())"), Some(false));
    assert_eq!(holds("communication.all(language.exists())"), Some(true));
    assert_eq!(holds("name.select(use).isDistinct()"), Some(true));
    assert_eq!(holds("name.given.combine(name.given).isDistinct()"), Some(false));
    assert_eq!(holds("name.select(use = 'nickname').allFalse()"), Some(true));
    assert_eq!(texts("name.given.tail()", &patient()), ["Paul", "Michou"]);
    assert_eq!(texts("name.select(given.first())", &patient()), ["Michel", "Michou"]);
    assert_eq!(texts("descendants().where($this is string)", &patient()).len(), 9);
    assert_eq!(holds("contained.descendants().exists()"), Some(true));
}

#[test]
fn values_are_compared_as_what_they_are() {
    let of = |start: &str, end: &str, condition: &str| {
        let period = object! { "start" => start, "end" => end };
        let patient = object! { "resourceType" => "Patient", "name" => array![object! { "period" => period }] };
        let path = Path::parse(condition).unwrap();
        Evaluation::of(&patient, r4(), &Steps::enough()).condition(path.expression())
    };
    let before = |start, end| of(start, end, "name.period.start <= name.period.end");
    assert_eq!(before("2024-05-01", "2024-05-02"), Some(true));
    assert_eq!(before("2024-05-02", "2024-05-01"), Some(false));
    assert_eq!(before("2024-05-01", "2024-05-01"), Some(true));
    assert_eq!(before("2024-05-01", "2024"), None);
    assert_eq!(before("2025", "2024-05-01"), Some(false));
    assert_eq!(before("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"), Some(true));
    assert_eq!(before("2024-05-01T12:00:00+02:00", "2024-05-01T09:59:00Z"), Some(false));
    assert_eq!(before("2024-05-01", "2024-05-01T10:00:00Z"), None);
    assert_eq!(holds("'12'.toInteger() > 2"), Some(true));
    assert_eq!(holds("'douze'.toInteger() > 2"), None);
}

#[test]
fn primitives_are_reached_with_what_stands_beside_them() {
    assert_eq!(holds("birthDate.exists()"), Some(true));
    assert_eq!(holds("birthDate.hasValue()"), Some(false));
    assert_eq!(holds("deceased.hasValue()"), Some(true));
    assert_eq!(holds("deceased.exists() and multipleBirth.empty()"), Some(true));
    assert_eq!(holds("birthDate.extension.exists()"), Some(true));
    assert_eq!(holds("%resource.name.exists() and %rootResource.name.exists()"), Some(true));
}

#[test]
fn what_is_contained_tells_its_type_to_references() {
    let of = |index: usize| {
        holds(&format!("generalPractitioner[{index}].resolve().iif(empty(), true, $this is Practitioner)"))
    };
    assert_eq!([of(0), of(1), of(2), of(3)], [Some(true), Some(false), Some(false), Some(false)]);
    assert_eq!(holds("managingOrganization.resolve() is Organization"), None);
}

#[test]
fn no_expression_takes_more_than_its_steps() {
    let name = object! { "given" => vec![Value::from("a"); 400] };
    let patient = object! { "resourceType" => "Patient", "name" => array![name] };
    let given =
        "name.given.where(%resource.name.given.where(%resource.name.given.where($this = 'b').exists()).exists())";
    let path = Path::parse(&format!("{given}.exists()")).unwrap();
    let steps = Steps::enough();
    assert_eq!(Evaluation::of(&patient, r4(), &steps).condition(path.expression()), Some(false));
    assert!(steps.are_used_up());
    assert!(!path.holds(&patient, r4()));
}
