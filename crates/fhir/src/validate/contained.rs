//! Contained resources: part of another, found by their id, and told apart from it by it.

use std::collections::HashMap;

use super::Walk;
use crate::{
    outcome::IssueKind,
    place::Place,
    text,
    tree::{Object, Value},
};

/// A resource and what it contains.
pub(super) struct Container<'a> {
    contained: HashMap<&'a str, Contained<'a>>,
}

struct Contained<'a> {
    index: usize,
    resource_type: &'a str,
    use_: Use,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Used,
    Unused,
}

impl<'a> Container<'a> {
    pub(super) fn of(resource: &'a Object) -> Self {
        let mut contained = HashMap::new();
        for (index, inner) in resource.items("contained").iter().filter_map(Value::as_object).enumerate() {
            if let Some(id) = inner.str("id") {
                let resource_type = inner.resource_type().unwrap_or_default();
                let use_ = if refers_to_container(inner) { Use::Used } else { Use::Unused };
                contained.entry(id).or_insert(Contained { index, resource_type, use_ });
            }
        }
        Self { contained }
    }
}

/// Whether a contained resource points at the one around it (`"#"`): that counts as being used.
fn refers_to_container(object: &Object) -> bool {
    object.iter().any(|(name, value)| {
        value.each().iter().any(|value| match value {
            Value::String(text) => name == "reference" && text == "#",
            Value::Object(inner) => refers_to_container(inner),
            _ => false,
        })
    })
}

impl<'a> Walk<'a> {
    /// The type of the contained resource of that id, which from now on counts as used.
    pub(super) fn contained_type(&mut self, id: &str) -> Option<&'a str> {
        let contained = self.containers.last_mut()?.contained.get_mut(id)?;
        contained.use_ = Use::Used;
        Some(contained.resource_type)
    }

    /// Contained resources have ids, each its own.
    pub(super) fn check_contained_ids(&mut self, resource: &Object, place: Place<'_>) {
        for (index, inner) in resource.items("contained").iter().enumerate() {
            let Some(inner) = inner.as_object() else { continue };
            let place = place.child("contained").item(index);
            let first = inner.str("id").and_then(|id| Some(self.containers.last()?.contained.get(id)?.index));
            match first {
                None => self.error(
                    IssueKind::Required,
                    place,
                    text!(
                        en: "A contained resource needs an id, by which it is referred to.",
                        fr: "Une ressource contenue a besoin d'un id, par lequel on y fait référence.",
                    ),
                ),
                Some(first) if first != index => self.error(
                    IssueKind::Structure,
                    place.child("id"),
                    text!(
                        en: "Two contained resources have the same id.",
                        fr: "Deux ressources contenues ont le même id.",
                    ),
                ),
                Some(_) => {}
            }
        }
    }

    /// What a contained resource may not have: dom-1, dom-2, dom-4, dom-5.
    pub(super) fn check_contained(&mut self, object: &Object, place: Place<'_>) {
        let rules = self.release.type_named("DomainResource").map_or(&[][..], |s| &s.rules);
        let meta = object.object("meta");
        let has = |name: &str| meta.is_some_and(|meta| meta.contains(name));
        for rule in rules {
            let (broken, name) = match *rule {
                "dom-1" => (object.contains("text"), "text"),
                "dom-2" => (object.contains("contained"), "contained"),
                "dom-4" => (has("versionId") || has("lastUpdated"), "meta"),
                "dom-5" => (has("security"), "meta"),
                _ => continue,
            };
            if broken {
                self.error(
                    IssueKind::Invariant,
                    place.child(name),
                    text!(
                        en: "A contained resource has no narrative of its own (before R4), contains none itself, and has no version, date of update or security labels of its own ({rule}).",
                        fr: "Une ressource contenue n'a pas de texte narratif propre (avant R4), n'en contient pas elle-même, et n'a ni version, ni date de mise à jour, ni étiquettes de sécurité propres ({rule}).",
                    ),
                );
            }
        }
    }

    /// dom-3, as a warning: real documents carry contained resources that nothing refers to.
    pub(super) fn check_contained_used(&mut self, place: Place<'_>) {
        let Some(container) = self.containers.last() else { return };
        let mut unused =
            container.contained.values().filter(|c| c.use_ == Use::Unused).map(|c| c.index).collect::<Vec<_>>();
        unused.sort_unstable();
        for index in unused {
            self.warning(
                IssueKind::Invariant,
                place.child("contained").item(index),
                text!(
                    en: "Nothing refers to this contained resource (dom-3).",
                    fr: "Rien ne fait référence à cette ressource contenue (dom-3).",
                ),
            );
        }
    }
}
