//! What a note of the cahier de liaison must be.
//!
//! A note is a `DocumentReference`; not every `DocumentReference` is a note. Which are, and what
//! holds for them in each wire form: `docs/decisions/0012-what-is-a-note.md`.

pub mod author;
pub mod form;
pub mod label;
pub mod reply;
pub mod update;
pub mod urgency;

use liaison_fhir::{
    outcome::{Issue, IssueKind, Severity},
    release::Release,
    terminology::systems::canonical_system,
    text,
    tree::Object,
};

use crate::{
    note::{form::Form, label::Occasion},
    profiles::{
        self,
        constraint::{self, Constraint},
        declared, table,
    },
};

/// The profile of notes, CdL 3.0.0.
pub const PROFILE: &str = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference";
/// The profile of notes in CdL 2.0.
pub const FORMER_PROFILE: &str = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/CdL_DocumentReferenceCdL";
/// The code system of the types of notes.
pub const TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
/// The types of notes of the cahier de liaison.
pub const TYPES_VALUE_SET: &str =
    "https://mos.esante.gouv.fr/NOS/JDV_J23-TypeNoteCahierLiaison-CISIS/FHIR/JDV-J23-TypeNoteCahierLiaison-CISIS";

/// Whether a resource, in either release, is a note: a `DocumentReference` that declares the
/// profile of notes, whose type is coded in the types of notes, or that says how urgent it is.
///
/// What comes through the 2017 form (`POST /Bundle` of a collection) is a note in any case: its
/// caller applies [`check`] without asking here.
#[must_use]
pub fn is_note(resource: &Object) -> bool {
    resource.resource_type() == Some("DocumentReference")
        && (declared(resource).any(|(_, url)| is_note_profile(url))
            || has_note_type(resource)
            || urgency::extensions(resource).next().is_some())
}

/// What a note breaks of the rules of notes, beside those of its release.
#[must_use]
pub fn check(note: &Object, release: &Release, occasion: Occasion<'_>) -> Vec<Issue> {
    let form = Form::of(release);
    let mut issues = Vec::new();
    if let Some(profile) = table::profile(PROFILE) {
        for finding in profiles::check(note, profile) {
            let finding = match finding.constraint {
                // The base release says so already (`type` is 1..1 in STU3).
                Constraint::Needed if needed_by_base(release, finding.element) => continue,
                // Legal in the base of the 2017 form, whose volet does not know them either: kept.
                Constraint::Forbidden if form == Form::Of2017 => constraint::with_severity(finding, Severity::Warning),
                // Confidentiality codes need more care than a table: see `label`.
                Constraint::Binding if finding.element == "DocumentReference.securityLabel" => continue,
                _ => finding,
            };
            issues.push(finding.issue);
        }
    }
    issues.extend(label::check(note, form, occasion));
    issues.extend(urgency::check(note));
    issues.extend(author::check_references(note));
    issues.extend(type_alias(note, form));
    issues.extend(empty_content(note));
    issues
}

/// What to tell the sender of a `DocumentReference` that was not taken for a note, when it may have
/// been meant as one: without a type nothing tells.
#[must_use]
pub fn not_taken_for_a_note(resource: &Object) -> Option<Issue> {
    (resource.resource_type() == Some("DocumentReference") && !resource.contains("type")).then(|| {
        Issue::information(
            "DocumentReference",
            text!(
                en: "Kept as a plain document: without a type from JDV_J23 or the profile cdl-document-reference this is no note of the cahier de liaison.",
                fr: "Gardé comme simple document : sans type du JDV_J23 ni profil cdl-document-reference, ce n'est pas une note du cahier de liaison."
            ),
        )
    })
}

fn is_note_profile(canonical: &str) -> bool {
    let url = canonical.split('|').next().unwrap_or_default().trim();
    let secure = |url: &str| url.replacen("http://interop", "https://interop", 1);
    url == FORMER_PROFILE || secure(url) == PROFILE
}

fn has_note_type(resource: &Object) -> bool {
    resource.object("type").is_some_and(|concept| {
        concept.objects("coding").any(|coding| {
            coding
                .str("system")
                .is_some_and(|system| canonical_system(system, coding.str("code").map(str::trim)) == TYPES)
        })
    })
}

fn needed_by_base(release: &Release, element: &str) -> bool {
    let Some((base, name)) = element.split_once('.') else { return false };
    release.type_named(base).and_then(|structure| structure.element(name)).is_some_and(|element| element.min > 0)
}

/// In R4 the system of a type has one name; the others are understood, and said to be others.
fn type_alias(note: &Object, form: Form) -> Option<Issue> {
    let codings = note.object("type")?.items("coding");
    let (index, written) = codings.iter().enumerate().find_map(|(index, coding)| {
        let coding = coding.as_object()?;
        let system = coding.str("system")?;
        let canonical = canonical_system(system, coding.str("code"));
        (canonical == TYPES && system != TYPES).then_some((index, system.trim()))
    })?;
    (form == Form::Today).then(|| {
        Issue::warning(
            IssueKind::CodeInvalid,
            format!("DocumentReference.type.coding[{index}].system"),
            text!(
                en: "{written} is read as {TYPES}, the name of this code system today.",
                fr: "{written} est lu comme {TYPES}, nom actuel de ce système de codes."
            ),
        )
    })
}

fn empty_content(note: &Object) -> Vec<Issue> {
    let nothing_inside =
        |attachment: &Object| ["data", "url", "_data", "_url"].iter().all(|name| !attachment.contains(name));
    note.objects("content")
        .enumerate()
        .filter(|(_, content)| content.object("attachment").is_some_and(nothing_inside))
        .map(|(index, _)| {
            Issue::warning(
                IssueKind::Required,
                format!("DocumentReference.content[{index}].attachment"),
                text!(
                    en: "This piece of the note is empty: give its content as data, or where it is as url.",
                    fr: "Cette pièce de la note est vide : donnez son contenu (data) ou son adresse (url)."
                ),
            )
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use liaison_fhir::{
        array, object,
        release::{r4, stu3},
    };

    use super::*;

    pub(crate) fn coding(system: &str, code: &str) -> Object {
        object! { "coding" => array![object! { "system" => system, "code" => code }] }
    }

    /// A note as short as a note can be; it follows every rule in both releases.
    pub(crate) fn note() -> Object {
        object! {
            "resourceType" => "DocumentReference",
            "status" => "current",
            "type" => coding(TYPES, "OBS"),
            "subject" => object! { "reference" => "Patient/p" },
            "author" => array![object! { "reference" => "Practitioner/a" }],
            "content" => array![object! { "attachment" => object! { "contentType" => "text/plain", "data" => "dGVzdA==" } }],
        }
    }

    fn found(note: &Object, release: &Release) -> Vec<(Severity, String)> {
        check(note, release, Occasion::Creation).into_iter().map(|issue| (issue.severity, issue.place)).collect()
    }

    fn refused_at(place: &str) -> Vec<(Severity, String)> {
        vec![(Severity::Error, place.to_owned())]
    }

    #[test]
    fn a_short_note_is_well_formed_in_both_releases() {
        assert_eq!(found(&note(), r4()), []);
        assert_eq!(found(&note(), stu3()), []);
    }

    #[test]
    fn a_note_is_known_by_its_profile_its_type_or_its_urgency() {
        let bare = object! { "resourceType" => "DocumentReference" };
        let mut profiled = bare.clone();
        profiled.set("meta", object! { "profile" => array![format!("{PROFILE}|3.0.0").as_str()] });
        let mut former = bare.clone();
        former.set("meta", object! { "profile" => array![FORMER_PROFILE] });
        let mut of_2017 = bare.clone();
        of_2017.set("type", coding("urn:oid1.2.250.1.213.1.1.4.12", "OBS"));
        let mut urgent = bare.clone();
        urgent.set("extension", array![object! { "url" => urgency::FORMER_EXTENSION, "valueBoolean" => true }]);
        let mut mistyped = bare.clone();
        mistyped.set("type", coding(TYPES, "OBSERVATION"));
        for resource in [&profiled, &former, &of_2017, &urgent, &mistyped, &note()] {
            assert!(is_note(resource), "{resource:?}");
        }
        let mut discharge = bare.clone();
        discharge.set("type", coding("http://loinc.org", "18842-5"));
        let mut of_another = bare.clone();
        of_another.set("meta", object! { "profile" => array!["https://example.org/StructureDefinition/ours"] });
        for resource in
            [&bare, &discharge, &of_another, &object! { "resourceType" => "Patient", "type" => coding(TYPES, "OBS") }]
        {
            assert!(!is_note(resource), "{resource:?}");
        }
    }

    #[test]
    fn a_document_that_may_have_been_meant_as_a_note_is_told() {
        assert!(not_taken_for_a_note(&object! { "resourceType" => "DocumentReference" }).is_some());
        let discharge =
            object! { "resourceType" => "DocumentReference", "type" => coding("http://loinc.org", "18842-5") };
        assert_eq!(not_taken_for_a_note(&discharge), None);
    }

    #[test]
    fn type_subject_and_author_are_needed() {
        for name in ["type", "subject", "author"] {
            let mut without = note();
            without.remove(name);
            assert_eq!(found(&without, r4()), refused_at(&format!("DocumentReference.{name}")));
        }
    }

    #[test]
    fn what_the_base_release_needs_is_not_said_twice() {
        let mut without = note();
        without.remove("type");
        assert_eq!(found(&without, stu3()), []);
    }

    #[test]
    fn what_the_profile_forbids_is_refused_in_r4_and_only_told_in_stu3() {
        for (name, value) in [
            ("docStatus", "final".into()),
            ("authenticator", object! { "reference" => "Practitioner/a" }.into()),
            ("custodian", object! { "reference" => "Organization/o" }.into()),
        ] as [(&str, liaison_fhir::tree::Value); 3]
        {
            let mut with = note();
            with.set(name, value);
            let place = format!("DocumentReference.{name}");
            assert_eq!(found(&with, r4()), refused_at(&place));
            assert_eq!(found(&with, stu3()), [(Severity::Warning, place)]);
        }
    }

    #[test]
    fn a_type_outside_the_value_set_is_refused_with_the_types_there_are() {
        let mut wrong = note();
        wrong.set("type", coding(TYPES, "OBSERVATION"));
        let [issue] = check(&wrong, r4(), Occasion::Creation).try_into().unwrap();
        assert_eq!(issue.severity, Severity::Error);
        assert_eq!(issue.place, "DocumentReference.type");
        for code in ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"] {
            assert!(issue.text.en.contains(code) && issue.text.fr.contains(code), "{issue:?}");
        }
    }

    #[test]
    fn the_type_of_2017_is_understood_and_in_r4_called_by_its_name() {
        let mut old = note();
        old.set("type", coding("urn:oid:1.2.250.1.213.1.1.4.12", "OBS"));
        assert_eq!(found(&old, stu3()), []);
        assert_eq!(found(&old, r4()), [(Severity::Warning, "DocumentReference.type.coding[0].system".to_owned())]);
    }

    #[test]
    fn a_confidentiality_is_a_finding_of_labels_alone() {
        let mut normal = note();
        normal.set("securityLabel", array![coding("urn:oid:2.16.840.1.113883.5.25", "N")]);
        assert_eq!(found(&normal, stu3()), []);
        assert_eq!(found(&normal, r4()), refused_at("DocumentReference.securityLabel[0]"));
    }

    #[test]
    fn the_subject_is_a_patient() {
        let mut group = note();
        group.set("subject", object! { "reference" => "Group/g" });
        assert_eq!(found(&group, r4()), refused_at("DocumentReference.subject"));
    }

    #[test]
    fn a_professional_in_a_situation_may_write() {
        let mut by_role = note();
        by_role.set("author", array![object! { "reference" => "PractitionerRole/r" }]);
        assert_eq!(found(&by_role, r4()), []);
    }

    #[test]
    fn an_empty_piece_is_told() {
        let mut empty = note();
        empty.set("content", array![object! { "attachment" => object! { "contentType" => "image/png" } }]);
        assert_eq!(found(&empty, r4()), [(Severity::Warning, "DocumentReference.content[0].attachment".to_owned())]);
    }

    #[test]
    fn every_finding_says_something_in_both_languages() {
        let mut bad = object! { "resourceType" => "DocumentReference", "docStatus" => "final" };
        bad.set("securityLabel", array![coding("http://x.example", "N"), coding("http://x.example", "R")]);
        let issues = check(&bad, r4(), Occasion::Creation);
        assert!(issues.len() >= 5, "{issues:?}");
        for issue in issues {
            assert!(
                issue.text.en.len() > 20 && issue.text.fr.len() > 20 && issue.text.en != issue.text.fr,
                "{issue:?}"
            );
            assert!(issue.place.starts_with("DocumentReference."), "{issue:?}");
        }
    }
}
