//! What the entries of a bundle call each other, and what they are called here.

use std::collections::BTreeMap;

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    place::Place,
    text,
    tree::{Object, Value},
};
use liaison_store::contract::Name;

use crate::name;

/// What the references of a bundle to its own entries stand for.
///
/// That they are exactly the `fullUrl` of an entry has been seen to before
/// (`liaison_care::note_bundle::into_transaction`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Called {
    by_text: BTreeMap<String, Name>,
}

impl Called {
    /// Says what a reference of that text points to: the `fullUrl` of an entry, or criteria
    /// (`Patient?identifier=…`).
    pub(crate) fn insert(&mut self, text: &str, name: &Name) {
        self.by_text.insert(text.to_owned(), name.clone());
    }

    /// Rewrites every reference of a resource to an entry. Those to something else stay.
    ///
    /// # Errors
    /// Findings about URNs that no entry has: they would point nowhere.
    pub(crate) fn rewrite(&self, tree: &mut Object, place: &str) -> Vec<Issue> {
        let mut issues = Vec::new();
        each_reference(tree, &Place::root(place), &mut |text, place| match self.by_text.get(text.trim()) {
            Some(name) => Some(name::reference(name)),
            None => {
                if text.starts_with("urn:uuid:") || text.starts_with("urn:oid:") {
                    let text: String = text.chars().take(80).collect();
                    issues.push(Issue::error(
                        IssueKind::NotFound,
                        place,
                        text!(
                            en: "No entry of the bundle has the fullUrl {text}.",
                            fr: "Aucune entrée du bundle n'a le fullUrl {text}.",
                        ),
                    ));
                }
                None
            }
        });
        issues
    }
}

/// The references by criteria of a resource, with their places.
pub(crate) fn by_criteria(tree: &mut Object, place: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    each_reference(tree, &Place::root(place), &mut |text, place| {
        let kind = text.split_once('?').map(|(kind, _)| kind);
        if kind.is_some_and(|kind| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphabetic())) {
            found.push((text.to_owned(), place.to_string()));
        }
        None
    });
    found
}

/// Calls for the text of every reference, and of every address of an attachment that is a URN, and
/// puts in what it gives. A place is written only by whoever has something to say of it.
fn each_reference(object: &mut Object, place: &Place<'_>, call: &mut impl FnMut(&str, &Place<'_>) -> Option<String>) {
    for (name, value) in object.iter_mut() {
        match value {
            Value::String(text) if name == "reference" || (name == "url" && text.starts_with("urn:")) => {
                // An identifier system or an extension's name is no address of an entry.
                let is_none = name == "url" && !text.starts_with("urn:uuid:");
                if let Some(rewritten) = if is_none { None } else { call(text, &place.child(name)) } {
                    *text = rewritten.into();
                }
            }
            Value::Object(inner) => each_reference(inner, &place.child(name), call),
            Value::Array(items) => {
                let place = place.child(name);
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Object(inner) = item {
                        each_reference(inner, &place.item(index), call);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    #[test]
    fn references_to_entries_become_those_of_this_server() {
        let mut called = Called::default();
        called.insert("urn:uuid:0d92", &Name { resource_type: "Patient".into(), id: "new".into() });
        let mut note = object! {
            "subject" => object! { "reference" => "urn:uuid:0d92" },
            "author" => array![object! { "reference" => "Practitioner/elsewhere" }],
            "identifier" => array![object! { "value" => "urn:uuid:0d92" }],
        };
        assert_eq!(called.rewrite(&mut note, "x"), []);
        assert_eq!(note.object("subject").unwrap().str("reference"), Some("Patient/new"));
        assert_eq!(note.objects("author").next().unwrap().str("reference"), Some("Practitioner/elsewhere"));
        assert_eq!(note.objects("identifier").next().unwrap().str("value"), Some("urn:uuid:0d92"));
    }

    #[test]
    fn a_urn_that_no_entry_has_is_told() {
        let mut tree = object! { "subject" => object! { "reference" => "urn:uuid:none" } };
        let issues = Called::default().rewrite(&mut tree, "Bundle.entry[0].resource");
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0].place, "Bundle.entry[0].resource.subject.reference");
    }

    #[test]
    fn references_by_criteria_are_collected() {
        let mut tree = object! { "subject" => object! { "reference" => "Patient?identifier=a|b" } };
        let found = by_criteria(&mut tree, "x");
        assert_eq!(found, [("Patient?identifier=a|b".to_owned(), "x.subject.reference".to_owned())]);
    }
}
