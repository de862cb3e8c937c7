//! The French profiles: rules as data under `data/profiles/`, checked when a resource declares
//! them, and served as `StructureDefinition` resources.
//!
//! A profile declared by a resource gives warnings; only the rules of notes refuse (see
//! [`crate::note`]). Which profile does what: `docs/decisions/0013-profiles.md`.

pub mod constraint;
pub mod element;
pub mod patient_ins;
pub mod table;

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::{Object, Value},
};

use self::{
    constraint::Finding,
    table::{Known, Profile},
};

/// The findings of the profiles that a resource declares in `meta.profile`, in R4 terms; without
/// those of a profile that it was checked against already.
#[must_use]
pub fn check_declared(resource: &Object, checked_already: Option<&'static str>) -> Vec<Issue> {
    let resource_type = resource.resource_type().unwrap_or("Resource");
    let mut issues = Vec::new();
    let mut checked: Vec<&str> = checked_already.into_iter().collect();
    for (index, canonical) in declared(resource) {
        let place = format!("{resource_type}.meta.profile[{index}]");
        match table::known(canonical) {
            Some(Known::Checked(profile)) if profile.base != resource_type => {
                issues.push(wrong_type(&place, profile.base, resource_type));
            }
            Some(Known::Recognised { base }) if base != resource_type => {
                issues.push(wrong_type(&place, base, resource_type));
            }
            Some(Known::Checked(profile)) => {
                for ancestor in profile.lineage() {
                    if !checked.contains(&ancestor.url) {
                        checked.push(ancestor.url);
                        issues.extend(check(resource, ancestor).into_iter().map(|finding| finding.issue));
                    }
                }
            }
            Some(Known::Recognised { .. } | Known::Base) => {}
            None => issues.push(Issue::information(
                place,
                text!(
                    en: "The profile {canonical} is not known here: the resource was checked without it.",
                    fr: "Le profil {canonical} n'est pas connu ici : la ressource a été contrôlée sans lui."
                ),
            )),
        }
    }
    issues
}

/// The findings of one profile alone, without those it derives from.
#[must_use]
pub fn check(resource: &Object, profile: &Profile) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        profile.rows.iter().flat_map(|row| constraint::check(resource, row, profile)).collect();
    if profile.id == "fr-core-patient-ins" {
        findings.extend(patient_ins::check(resource));
    }
    findings
}

/// The profiles a resource declares, with their positions.
pub fn declared(resource: &Object) -> impl Iterator<Item = (usize, &str)> {
    let profiles = resource.object("meta").map(|meta| meta.items("profile")).unwrap_or_default();
    profiles.iter().map(Value::as_str).enumerate().filter_map(|(index, url)| Some((index, url?)))
}

fn wrong_type(place: &str, base: &str, resource_type: &str) -> Issue {
    Issue::warning(
        IssueKind::Structure,
        place,
        text!(
            en: "This profile is one of {base}, not of {resource_type}; it was not looked at.",
            fr: "Ce profil est un profil de {base}, pas de {resource_type} ; il n'a pas été regardé."
        ),
    )
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object, outcome::Severity};

    use super::*;

    fn declaring(resource_type: &str, url: &str) -> Object {
        object! { "resourceType" => resource_type, "meta" => object! { "profile" => array![url] } }
    }

    fn said(resource: &Object) -> Vec<(Severity, String)> {
        check_declared(resource, None).into_iter().map(|issue| (issue.severity, issue.place)).collect()
    }

    #[test]
    fn an_unknown_profile_is_only_worth_an_information() {
        let patient = declaring("Patient", "https://example.org/StructureDefinition/ours");
        assert_eq!(said(&patient), [(Severity::Information, "Patient.meta.profile[0]".to_owned())]);
    }

    #[test]
    fn profiles_of_the_other_volets_and_of_fhir_itself_are_recognised() {
        for (resource_type, url) in [
            ("Subscription", "https://interop.esante.gouv.fr/ig/fhir/nde/StructureDefinition/nde-subscription"),
            ("Slot", "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot|3.0.0"),
            ("Device", "http://hl7.org/fhir/StructureDefinition/Device"),
        ] {
            assert_eq!(said(&declaring(resource_type, url)), [], "{url}");
        }
    }

    #[test]
    fn a_profile_of_another_type_is_told() {
        for url in [
            "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-organization",
            "https://interop.esante.gouv.fr/ig/fhir/nde/StructureDefinition/nde-subscription",
        ] {
            let wrong = declaring("Patient", url);
            assert_eq!(said(&wrong), [(Severity::Warning, "Patient.meta.profile[0]".to_owned())], "{url}");
        }
    }

    #[test]
    fn the_invariants_of_a_qualified_identity_are_those_of_its_profile_alone() {
        let fictitious = |url: &str| {
            let mut patient = declaring("Patient", url);
            let comment = object! { "url" => "comment", "valueCoding" => object! { "code" => "FICT" } };
            let reliability = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability";
            patient.push("extension", array![object! { "url" => reliability, "extension" => array![comment] }]);
            said(&patient).contains(&(Severity::Warning, "Patient.extension".to_owned()))
        };
        assert!(fictitious("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"));
        assert!(!fictitious("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient"));
    }

    #[test]
    fn a_care_circle_without_its_parts_gets_a_warning_for_each() {
        let circle =
            declaring("CareTeam", "http://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-ihe-careteam");
        let places: Vec<_> = said(&circle)
            .into_iter()
            .map(|(severity, place)| {
                assert_eq!(severity, Severity::Warning);
                place
            })
            .collect();
        assert_eq!(
            places,
            ["CareTeam.identifier", "CareTeam.status", "CareTeam.name", "CareTeam.subject", "CareTeam.period"]
        );
    }

    #[test]
    fn the_rules_of_the_parents_hold_and_are_said_once() {
        let mut structure = declaring(
            "Organization",
            "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-organization",
        );
        structure.push("identifier", array![object! { "value" => "7" }]);
        assert_eq!(said(&structure), [(Severity::Warning, "Organization.identifier[0].system".to_owned())]);
    }
}
