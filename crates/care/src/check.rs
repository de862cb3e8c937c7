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
        let declared = profiles::check_declared(resource);
        // A note that declares its profile has been checked against it, with more care.
        let said: Vec<Issue> = declared.into_iter().filter(|issue| !note_said_so(resource, issue)).collect();
        issues.extend(said);
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

fn note_said_so(resource: &Object, issue: &Issue) -> bool {
    note::is_note(resource) && issue.refuses()
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
    };

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
}
