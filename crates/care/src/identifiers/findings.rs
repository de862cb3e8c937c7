//! What there is to say about the national identifiers of a resource: warnings, never refusals.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    place::Place,
    text,
    tree::{Object, Value},
};

use super::{INS_NIR, Kind, recognise};

/// Looks at every identifier of a resource, wherever it stands: its own, those of contained
/// resources, and those that references carry.
///
/// The identifiers of a `PractitionerRole` itself are left out: the directory puts the number of a
/// situation of exercise under the system of RPPS numbers.
#[must_use]
pub fn check_identifiers(resource: &Object) -> Vec<Issue> {
    let mut issues = Vec::new();
    walk(resource, &Place::root(resource.resource_type().unwrap_or("Resource")), &mut issues);
    issues
}

fn walk(object: &Object, place: &Place<'_>, issues: &mut Vec<Issue>) {
    let situation = object.resource_type() == Some("PractitionerRole");
    for (name, value) in object.iter() {
        for (index, item) in value.each().iter().enumerate() {
            let Some(inner) = item.as_object() else { continue };
            let place = match value {
                Value::Array(_) => place.child(name).item(index),
                _ => place.child(name),
            };
            if name == "identifier" && !situation {
                issues.extend(findings_of(inner, &place));
            }
            walk(inner, &place, issues);
        }
    }
}

fn findings_of(identifier: &Object, place: &Place<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let Some(national) = recognise(identifier) else { return issues };
    if let Some(fault) = national.fault() {
        issues.push(Issue::warning(IssueKind::Value, place.child("value"), fault.text(national.kind)));
    }
    if national.kind == Kind::InsNir && !identifier.contains("type") {
        issues.push(Issue::information(
            place,
            text!(
                en: "Without a type, a number under {INS_NIR} is taken for the person's own INS. Say INS-NIR, or NH when it is the insured person's number.",
                fr: "Sans type, un numéro sous {INS_NIR} est pris pour l'INS de la personne elle-même. Précisez INS-NIR, ou NH si c'est le numéro de l'assuré."
            ),
        ));
    }
    issues
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object, outcome::Severity};

    use super::*;

    fn holder(resource_type: &str, system: &str, value: &str) -> Object {
        object! {
            "resourceType" => resource_type,
            "identifier" => array![object! {
                "system" => system,
                "type" => object! { "coding" => array![object! { "code" => "X" }] },
                "value" => value,
            }],
        }
    }

    /// Section 8 of the identifier digest: official examples that fail their own rule.
    #[test]
    fn official_examples_are_accepted_with_one_warning_each() {
        for (resource_type, system, value) in [
            ("Patient", "urn:oid:1.2.250.1.213.1.4.8", "123456789012244"),
            ("Patient", "urn:oid:1.2.250.1.213.1.4.10", "224027511583555"),
            ("Patient", "urn:oid:1.2.250.1.213.1.4.8", "180126978912536"),
            ("Practitioner", "https://rpps.esante.gouv.fr", "80123456789"),
            ("Practitioner", "urn:oid:1.2.250.1.71.4.2.1", "80123456789"),
            ("Practitioner", "https://rpps.esante.gouv.fr", "10003461033"),
            ("Practitioner", "https://rpps.esante.gouv.fr", "10000000800"),
            ("Practitioner", "https://rpps.esante.gouv.fr", "10102727017"),
            ("Practitioner", "https://rpps.esante.gouv.fr", "10005678901"),
            ("Organization", "https://finess.esante.gouv.fr", "120456789"),
            ("Organization", "https://finess.esante.gouv.fr", "458174839"),
        ] {
            let issues = check_identifiers(&holder(resource_type, system, value));
            let [issue] = issues.as_slice() else { panic!("{system} {value}: {issues:?}") };
            assert_eq!(issue.severity, Severity::Warning, "{value}");
            assert_eq!(issue.place, format!("{resource_type}.identifier[0].value"));
            assert!(!issue.text.en.contains(value) && !issue.text.fr.contains(value), "numbers name persons");
        }
    }

    #[test]
    fn the_calculated_identifier_that_was_never_deployed_has_no_rule_to_fail() {
        let patient = holder("Patient", "urn:oid:1.2.250.1.213.1.4.1", "1234567890112345678901");
        assert_eq!(check_identifiers(&patient), []);
    }

    #[test]
    fn the_situations_of_exercise_are_no_rpps_numbers() {
        assert_eq!(check_identifiers(&holder("PractitionerRole", "https://rpps.esante.gouv.fr", "42")), []);
    }

    #[test]
    fn identifiers_are_found_in_references_and_contained_resources() {
        let note = object! {
            "resourceType" => "DocumentReference",
            "contained" => array![holder("Patient", "urn:oid:1.2.250.1.213.1.4.9", "1")],
            "author" => array![object! {
                "identifier" => object! { "system" => "https://rpps.esante.gouv.fr", "value" => "10005678901" },
            }],
        };
        let places: Vec<_> = check_identifiers(&note).into_iter().map(|issue| issue.place).collect();
        assert_eq!(
            places,
            ["DocumentReference.contained[0].identifier[0].value", "DocumentReference.author[0].identifier.value"]
        );
    }

    #[test]
    fn an_ins_without_type_is_taken_for_the_persons_own_and_said_so() {
        let mut patient = holder("Patient", INS_NIR, "279035121518989");
        if let Some(identifier) =
            patient.get_mut("identifier").and_then(|v| v.as_array_mut()?.first_mut()?.as_object_mut())
        {
            identifier.remove("type");
        }
        let issues = check_identifiers(&patient);
        assert_eq!(issues.iter().map(|i| i.severity).collect::<Vec<_>>(), [Severity::Information]);
    }
}
