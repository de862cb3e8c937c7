//! Whether a note is urgent: one extension, under today's name or that of 2017.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::{Object, Value},
};

/// The extension of CdL 3.0.0.
pub const EXTENSION: &str = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
/// The extension of 2017 and of CdL 2.0.
pub const FORMER_EXTENSION: &str = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent";

/// The urgency extensions of a resource, with their positions.
pub fn extensions(resource: &Object) -> impl Iterator<Item = (usize, &Object)> {
    resource.items("extension").iter().enumerate().filter_map(|(index, extension)| {
        let extension = extension.as_object()?;
        extension
            .str("url")
            .is_some_and(|url| matches!(url.trim(), EXTENSION | FORMER_EXTENSION))
            .then_some((index, extension))
    })
}

/// Whether a note says that it is urgent.
#[must_use]
pub fn is_urgent(note: &Object) -> bool {
    extensions(note).any(|(_, extension)| extension.get("valueBoolean").and_then(Value::as_bool) == Some(true))
}

/// A note says at most once whether it is urgent, and says it with a boolean.
#[must_use]
pub fn check(note: &Object) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (position, (index, extension)) in extensions(note).enumerate() {
        let place = format!("DocumentReference.extension[{index}]");
        if position > 0 {
            issues.push(Issue::error(
                IssueKind::BusinessRule,
                place,
                text!(
                    en: "A note says once whether it is urgent. Keep one of these extensions.",
                    fr: "Une note dit une seule fois si elle est urgente. Gardez une seule de ces extensions."
                ),
            ));
        } else if extension.get("valueBoolean").and_then(Value::as_bool).is_none() {
            issues.push(Issue::error(
                IssueKind::Value,
                place,
                text!(
                    en: "The urgency of a note is true or false: give valueBoolean.",
                    fr: "L'urgence d'une note est vraie ou fausse : donnez valueBoolean."
                ),
            ));
        }
    }
    issues
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    fn urgent(url: &str) -> Value {
        object! { "url" => url, "valueBoolean" => true }.into()
    }

    #[test]
    fn urgency_is_read_under_both_names() {
        for url in [EXTENSION, FORMER_EXTENSION] {
            let note = object! { "extension" => array![urgent(url)] };
            assert!(is_urgent(&note));
            assert_eq!(check(&note), []);
        }
        assert!(!is_urgent(
            &object! { "extension" => array![object! { "url" => EXTENSION, "valueBoolean" => false }] }
        ));
        assert!(!is_urgent(&object! { "extension" => array![urgent("http://example.org/urgent")] }));
    }

    #[test]
    fn urgency_is_said_once_whatever_the_name() {
        let note = object! { "extension" => array![urgent(EXTENSION), urgent("http://example.org/x"), urgent(FORMER_EXTENSION)] };
        let places: Vec<_> = check(&note).into_iter().map(|issue| issue.place).collect();
        assert_eq!(places, ["DocumentReference.extension[2]"]);
    }

    #[test]
    fn urgency_is_a_boolean() {
        let note = object! { "extension" => array![object! { "url" => EXTENSION, "valueString" => "oui" }] };
        assert!(check(&note).iter().all(Issue::refuses) && check(&note).len() == 1);
    }
}
