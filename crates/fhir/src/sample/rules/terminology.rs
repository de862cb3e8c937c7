//! Code systems, value sets, concept maps and naming systems.

use super::{Drawing, drop_all, has};
use crate::{
    array, object,
    release::ReleaseId,
    tree::{Object, Value},
};

impl Drawing {
    pub(super) fn mend_terminology(&mut self, path: &str, object: &mut Object) {
        match path {
            "CodeSystem" => {
                self.plain_name(object);
                let mut next = 0;
                number_concepts(object, &mut next);
            }
            "ValueSet" => {
                self.plain_name(object);
                let may_say_nothing = self.is_wide() && self.release.id == ReleaseId::R4;
                if !has(object, "compose") && !may_say_nothing {
                    let include = array![object! { "system" => "http://example.org/codes" }];
                    object.push("compose", object! { "include" => include });
                }
            }
            "ValueSet.compose.include" => {
                if !has(object, "system") {
                    object.push("system", "http://example.org/codes");
                }
                if has(object, "concept") {
                    drop_all(object, &["filter"]);
                }
            }
            "ValueSet.expansion.contains" => {
                drop_all(object, &["system", "code"]);
                object.push("system", "http://example.org/codes");
                object.push("code", "OBS");
            }
            "ConceptMap" => self.plain_name(object),
            "ConceptMap.group.element.target" if !has(object, "comment") => {
                object.push("comment", "à relire");
            }
            "ConceptMap.group.unmapped" => {
                drop_all(object, &["mode"]);
                object.push("mode", "provided");
            }
            "NamingSystem" => {
                self.plain_name(object);
                drop_all(object, &["replacedBy", "kind"]);
                object.push("kind", "codesystem");
            }
            "NamingSystem.uniqueId" => drop_all(object, &["preferred"]),
            _ => {}
        }
    }

    /// A name as R4 recommends it.
    pub(super) fn plain_name(&mut self, object: &mut Object) {
        if self.release.id == ReleaseId::R4 && has(object, "name") || object.contains("name") {
            drop_all(object, &["name"]);
            object.push("name", format!("Nom{}", self.below(1000)));
        }
    }
}

/// Gives every concept a code of its own.
fn number_concepts(object: &mut Object, next: &mut usize) {
    let Some(Value::Array(concepts)) = object.get_mut("concept") else { return };
    for concept in concepts.iter_mut().filter_map(Value::as_object_mut) {
        *next += 1;
        concept.set("code", format!("C{next}"));
        number_concepts(concept, next);
    }
}
