//! Updates: a note changes in what it says, never in whom it is about or who wrote it.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::{Object, Value},
};

use super::is_note;

/// What an update of a note may not do. Both versions in the same release, references resolved to
/// the same form.
#[must_use]
pub fn check_update(before: &Object, after: &Object) -> Vec<Issue> {
    let mut issues = Vec::new();
    if !is_note(after) {
        issues.push(Issue::error(IssueKind::BusinessRule, "DocumentReference.type", text!(
            en: "A note stays a note: keep a type of JDV_J23. To withdraw it, set its status or delete it.",
            fr: "Une note reste une note : gardez un type du JDV_J23. Pour la retirer, changez son statut ou supprimez-la."
        )));
    }
    if who(before.get("subject")) != who(after.get("subject")) {
        issues.push(Issue::error(IssueKind::BusinessRule, "DocumentReference.subject", text!(
            en: "An update cannot move a note to another person. Keep its subject; to correct a mistake, mark the note entered-in-error and write another.",
            fr: "Une mise à jour ne peut pas déplacer une note vers une autre personne. Gardez son sujet ; pour corriger une erreur, marquez la note entered-in-error et écrivez-en une autre."
        )));
    }
    if who(before.get("author")) != who(after.get("author")) {
        issues.push(Issue::error(
            IssueKind::BusinessRule,
            "DocumentReference.author",
            text!(
                en: "An update cannot change who wrote a note. Keep its authors.",
                fr: "Une mise à jour ne peut pas changer qui a écrit une note. Gardez ses auteurs."
            ),
        ));
    }
    issues
}

/// Whom references mean, in no particular order: the literal reference without its version, or else
/// the identifier. What is only shown (`display`) makes no difference.
fn who(references: Option<&Value>) -> Vec<String> {
    let mut who: Vec<String> = references
        .map(Value::each)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|reference| match (reference.str("reference"), reference.object("identifier")) {
            (Some(literal), _) => Some(literal.split("/_history/").next().unwrap_or(literal).to_owned()),
            (None, Some(identifier)) => Some(format!(
                "{}|{}",
                identifier.str("system").unwrap_or_default(),
                identifier.str("value").unwrap_or_default()
            )),
            (None, None) => None,
        })
        .collect();
    who.sort_unstable();
    who
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::note::tests::{coding, note};

    #[test]
    fn what_a_note_says_may_change() {
        let mut after = note();
        after.set("description", "Autre titre");
        after.set("status", "superseded");
        after.set("subject", object! { "reference" => "Patient/p/_history/3", "display" => "M. Langdon" });
        assert_eq!(check_update(&note(), &after), []);
    }

    #[test]
    fn its_subject_and_its_authors_may_not() {
        let mut moved = note();
        moved.set("subject", object! { "reference" => "Patient/other" });
        moved.set("author", array![object! { "reference" => "Practitioner/a" }, object! { "reference" => "Device/d" }]);
        let places: Vec<_> = check_update(&note(), &moved).into_iter().map(|issue| issue.place).collect();
        assert_eq!(places, ["DocumentReference.subject", "DocumentReference.author"]);
    }

    #[test]
    fn the_order_of_authors_makes_no_difference() {
        let (one, other) =
            (object! { "reference" => "Practitioner/a" }, object! { "reference" => "PractitionerRole/r" });
        let (mut before, mut after) = (note(), note());
        before.set("author", array![one.clone(), other.clone()]);
        after.set("author", array![other, one]);
        assert_eq!(check_update(&before, &after), []);
    }

    #[test]
    fn a_note_stays_a_note() {
        let mut after = note();
        after.set("type", coding("http://loinc.org", "18842-5"));
        assert!(check_update(&note(), &after).iter().any(|issue| issue.place == "DocumentReference.type"));
    }
}
