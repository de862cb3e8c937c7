//! All that the CI-SIS has to say about a resource: the one call of a write and of `$validate`.

use liaison_fhir::{outcome::Issue, release::Release, tree::Object};

use crate::{
    identifiers::findings::check_identifiers,
    note::{self, form::Form, label::Occasion},
    profiles,
};

/// The findings about a resource that is new here, as it stands in its release. Those about what a
/// bundle holds are placed in the bundle.
#[must_use]
pub fn check(resource: &Object, release: &Release) -> Vec<Issue> {
    check_on(resource, release, Occasion::Creation)
}

/// The findings about a resource that replaces another version, given in the same release: those
/// about the resource itself, and for a note those about what may not change.
#[must_use]
pub fn check_update(before: &Object, after: &Object, release: &Release) -> Vec<Issue> {
    let mut issues = check_on(after, release, Occasion::Update(before));
    if note::is_note(before) {
        issues.extend(note::update::check_update(before, after));
    }
    issues
}

fn check_on(resource: &Object, release: &Release, occasion: Occasion<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    if note::is_note(resource) {
        issues.extend(note::check(resource, release, occasion));
    } else {
        issues.extend(note::not_taken_for_a_note(resource));
    }
    // The tables of the profiles speak of the elements of today.
    if Form::of(release) == Form::Today {
        // A note that declares its profile has been checked against it, with more care.
        let checked_already = note::is_note(resource).then_some(note::PROFILE);
        issues.extend(profiles::check_declared(resource, checked_already));
    }
    if resource.resource_type() == Some("Bundle") {
        for (index, entry) in resource.objects("entry").enumerate() {
            let Some(inner) = entry.object("resource") else { continue };
            let inner_issues = check_on(inner, release, Occasion::Creation);
            issues.extend(inner_issues.into_iter().map(|issue| placed_in_entry(issue, index)));
        }
    } else {
        issues.extend(check_identifiers(resource));
    }
    issues
}

fn placed_in_entry(mut issue: Issue, index: usize) -> Issue {
    let inside = issue.place.split_once('.').map(|(_, rest)| format!(".{rest}")).unwrap_or_default();
    issue.place = format!("Bundle.entry[{index}].resource{inside}");
    issue
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{
        array, object,
        outcome::{Severity, refused},
        release::{r4, stu3},
        tree::Value,
    };
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::note::{PROFILE, tests::note};

    fn places(issues: &[Issue]) -> Vec<&str> {
        issues.iter().map(|issue| issue.place.as_str()).collect()
    }

    #[test]
    fn a_good_note_gives_nothing_to_say() {
        let mut profiled = note();
        profiled.insert_at(1, "meta", object! { "profile" => array![PROFILE] });
        assert_eq!(check(&profiled, r4()), []);
    }

    #[test]
    fn a_rule_of_notes_is_said_once_even_when_the_profile_is_declared() {
        let mut bad = note();
        bad.insert_at(1, "meta", object! { "profile" => array![PROFILE] });
        bad.set("docStatus", "final");
        assert_eq!(places(&check(&bad, r4())), ["DocumentReference.docStatus"]);
    }

    #[test]
    fn declared_profiles_speak_of_the_elements_of_today() {
        let patient = object! {
            "resourceType" => "Patient",
            "meta" => object! { "profile" => array!["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient"] },
            "telecom" => array![object! { "value" => "0600000000" }],
        };
        assert_eq!(places(&check(&patient, r4())), ["Patient.telecom[0].system"]);
        assert_eq!(places(&check(&patient, stu3())), [""; 0]);
    }

    #[test]
    fn other_documents_are_left_to_their_release() {
        let document = object! { "resourceType" => "DocumentReference", "docStatus" => "final" };
        let issues = check(&document, r4());
        assert!(!refused(&issues));
        assert_eq!(issues.iter().map(|issue| issue.severity).collect::<Vec<_>>(), [Severity::Information]);
    }

    #[test]
    fn findings_in_bundles_are_placed_in_their_entry_once() {
        let patient = object! {
            "resourceType" => "Patient",
            "identifier" => array![object! { "system" => "urn:oid:1.2.250.1.213.1.4.9", "value" => "123456789012244" }],
        };
        let mut bad = note();
        bad.remove("author");
        let bundle = object! { "resourceType" => "Bundle", "type" => "collection", "entry" => array![
            object! { "resource" => patient },
            object! { "resource" => bad },
        ] };
        for release in [r4(), stu3()] {
            assert_eq!(
                places(&check(&bundle, release)),
                ["Bundle.entry[0].resource.identifier[0].value", "Bundle.entry[1].resource.author"]
            );
        }
    }

    #[test]
    fn an_update_keeps_what_a_note_is() {
        let mut after = note();
        after.set("subject", object! { "reference" => "Patient/other" });
        assert_eq!(places(&check_update(&note(), &after, r4())), ["DocumentReference.subject"]);
        let document = object! { "resourceType" => "DocumentReference" };
        assert!(!refused(&check_update(&document, &document, r4())));
    }

    /// Trees of the names that the rules look at, in places where they do not belong.
    fn any_tree() -> impl Strategy<Value = Value> {
        let names = [
            "resourceType",
            "type",
            "coding",
            "system",
            "code",
            "identifier",
            "value",
            "use",
            "meta",
            "profile",
            "extension",
            "url",
            "valueBoolean",
            "valueCoding",
            "securityLabel",
            "author",
            "reference",
            "subject",
            "relatesTo",
            "content",
            "attachment",
            "entry",
            "resource",
            "name",
            "family",
            "given",
            "telecom",
            "masterIdentifier",
            "contained",
            "id",
            "practitioner",
            "patient",
            "period",
            "participant",
        ];
        let texts = [
            "DocumentReference",
            "Patient",
            "Practitioner",
            "PractitionerRole",
            "RelatedPerson",
            "Organization",
            "Bundle",
            "CareTeam",
            PROFILE,
            "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins",
            note::TYPES,
            "OBS",
            "urn:oid:1.2.250.1.213.1.4.8",
            "urn:oid:1.2.250.1.71.4.2.1",
            "https://sirene.fr",
            "é",
            "8",
            "2A",
            "#x",
            "|",
            "",
            "https://finess.esante.gouv.fr",
            "123456789012244",
            "old",
            note::urgency::EXTENSION,
        ];
        let leaf = prop_oneof![
            8 => select(texts.to_vec()).prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => "\\PC{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, move |inner| {
            let member = (select(names.to_vec()), inner.clone());
            prop_oneof![
                2 => vec(member, 0..8).prop_map(|members| {
                    let mut object = Object::new();
                    for (name, value) in members {
                        object.set(name, value);
                    }
                    object.into()
                }),
                1 => vec(inner, 0..4).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_tree_is_too_odd(tree in any_tree(), before in any_tree()) {
            let (Value::Object(tree), Value::Object(before)) = (tree, before) else { return Ok(()) };
            for release in [r4(), stu3()] {
                for issue in check(&tree, release).into_iter().chain(check_update(&before, &tree, release)) {
                    prop_assert!(!issue.text.en.is_empty() && !issue.place.is_empty());
                }
                prop_assert!(note::check(&tree, release, Occasion::Update(&before)).iter().all(|i| !i.text.fr.is_empty()));
            }
            let keys = crate::unique::keys(&tree);
            prop_assert!(keys.iter().all(|key| !key.key.is_empty() && key.place.contains('.')));
            prop_assert!(crate::matching::may_be_same(&tree, &tree));
            prop_assert_eq!(crate::matching::may_be_same(&tree, &before), crate::matching::may_be_same(&before, &tree));
            prop_assert!(crate::matching::attempts(&tree).len() <= 32);
            if let note::author::Identity::Unknown(missing) = note::author::author_is_identified(&tree) {
                prop_assert!(!missing.fr.is_empty());
            }
            let answered = note::reply::answered(&tree);
            prop_assert!(answered.iter().all(|(place, _)| place.ends_with(".target")));
            prop_assert!(note::is_note(&before) || note::reply::check_target(&tree, &before, "x").is_some());
        }
    }
}
