//! Replies: a note that `appends` another is part of that note's thread.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};

use super::is_note;

/// The notes that a note replies to, with the place of each reference.
#[must_use]
pub fn answered(note: &Object) -> Vec<(String, &str)> {
    note.items("relatesTo")
        .iter()
        .enumerate()
        .filter_map(|(index, relation)| {
            let relation = relation.as_object().filter(|relation| relation.str("code") == Some("appends"))?;
            let target = relation.object("target")?.str("reference")?;
            Some((format!("DocumentReference.relatesTo[{index}].target"), target))
        })
        .collect()
}

/// What is wrong with replying to a resource: only notes get replies, and a reply stays in the
/// notebook of the same person. Both notes in the same release, references resolved.
#[must_use]
pub fn check_target(reply: &Object, target: &Object, place: &str) -> Option<Issue> {
    if !is_note(target) {
        return Some(Issue::error(
            IssueKind::BusinessRule,
            place,
            text!(
                en: "Only a note can be replied to; this refers to something else. Refer to the note, or use another relation than appends.",
                fr: "On ne répond qu'à une note ; ceci renvoie à autre chose. Renvoyez à la note, ou utilisez une autre relation que appends."
            ),
        ));
    }
    let subject = |note: &Object| note.object("subject").and_then(|s| s.str("reference")).map(str::to_owned);
    match (subject(reply), subject(target)) {
        (Some(one), Some(other)) if one != other => Some(Issue::error(
            IssueKind::BusinessRule,
            place,
            text!(
                en: "A reply concerns the same person as the note it replies to; these two notes have different subjects.",
                fr: "Une réponse concerne la même personne que la note à laquelle elle répond ; ces deux notes ont des sujets différents."
            ),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::note::tests::note;

    fn reply(code: &str) -> Object {
        let mut reply = note();
        let relation = object! { "code" => code, "target" => object! { "reference" => "DocumentReference/mother" } };
        reply.set("relatesTo", array![relation]);
        reply
    }

    #[test]
    fn appending_is_replying_and_nothing_else_is() {
        let expected = ("DocumentReference.relatesTo[0].target".to_owned(), "DocumentReference/mother");
        assert_eq!(answered(&reply("appends")), [expected]);
        for code in ["replaces", "transforms", "signs"] {
            assert_eq!(answered(&reply(code)), []);
        }
    }

    #[test]
    fn only_notes_get_replies() {
        assert_eq!(check_target(&reply("appends"), &note(), "x"), None);
        let document =
            object! { "resourceType" => "DocumentReference", "subject" => object! { "reference" => "Patient/p" } };
        let issue = check_target(&reply("appends"), &document, "DocumentReference.relatesTo[0].target").unwrap();
        assert!(issue.refuses());
        assert_eq!(issue.place, "DocumentReference.relatesTo[0].target");
    }

    #[test]
    fn a_reply_stays_with_the_same_person() {
        let mut other = note();
        other.set("subject", object! { "reference" => "Patient/other" });
        assert!(check_target(&reply("appends"), &other, "x").is_some_and(|issue| issue.refuses()));
    }
}
