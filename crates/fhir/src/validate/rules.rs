//! The invariants of the base releases that matter here, each a small rule by its key.
//!
//! `rules.tsv` says on which structures of a release a rule holds; a rule sees one object and says
//! what is broken. Invariants that the walk checks anyway (dom, ref, txt, ele) have no rule here.

mod administration;
mod appointment;
mod bundle;
mod datatypes;
mod timing;

use super::Walk;
use crate::{
    outcome::{IssueKind, Text},
    place::Place,
    release::Structure,
    tree::{Object, Value},
};

/// What a rule found: where, seen from the object, and what.
struct Broken {
    /// `entry[2].request`, or empty for the object itself.
    way: String,
    text: Text,
}

impl Broken {
    fn here(text: Text) -> Self {
        Self { way: String::new(), text }
    }

    fn at(way: impl Into<String>, text: Text) -> Self {
        Self { way: way.into(), text }
    }
}

/// A rule: what it finds broken in an object.
type Rule = fn(&Object) -> Option<Broken>;

/// The rule of that key. `None` for a key that means nothing, and for those the walk itself checks.
fn rule(key: &str) -> Option<Rule> {
    datatypes::rule(key)
        .or_else(|| timing::rule(key))
        .or_else(|| bundle::rule(key))
        .or_else(|| appointment::rule(key))
        .or_else(|| administration::rule(key))
}

impl Walk<'_> {
    pub(super) fn check_rules(&mut self, object: &Object, structure: &Structure, place: Place<'_>) {
        for key in &structure.rules {
            let Some(broken) = rule(key).and_then(|rule| rule(object)) else { continue };
            let Broken { way, text: Text { en, fr } } = broken;
            let key = key.trim_end_matches("-loose");
            let text = crate::text!(en: "{en} ({key}).", fr: "{fr} ({key}).");
            if way.is_empty() {
                self.error(IssueKind::Invariant, place, text);
            } else {
                self.error(IssueKind::Invariant, place.child(&way), text);
            }
        }
    }
}

/// Whether an element is there, with a value or with extensions alone.
fn has(object: &Object, name: &str) -> bool {
    object.iter().any(|(n, _)| n == name || n.strip_prefix('_') == Some(name))
}

/// Whether a choice element is there, in whatever form.
fn has_choice(object: &Object, name: &str) -> bool {
    object.iter().any(|(n, _)| {
        let form = n.strip_prefix('_').unwrap_or(n).strip_prefix(name);
        form.is_some_and(|form| form.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

/// The items of an array of objects, with their positions.
fn items<'a>(object: &'a Object, name: &str) -> impl Iterator<Item = (usize, &'a Object)> {
    object.items(name).iter().enumerate().filter_map(|(i, item)| Some((i, item.as_object()?)))
}

/// Whether an array of strings holds one of these.
fn holds_any(object: &Object, name: &str, wanted: &[&str]) -> bool {
    object.items(name).iter().filter_map(Value::as_str).any(|text| wanted.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release;

    #[test]
    fn every_key_of_the_tables_means_something() {
        for release in [release::r4(), release::stu3()] {
            let keys = release.structures().flat_map(|s| &s.rules).collect::<Vec<_>>();
            assert!(keys.len() > 40);
            for key in keys {
                assert!(rule(key).is_some() || key.starts_with("dom-"), "{key}");
            }
        }
    }
}
