//! The wire form of 2017: what its clients write and ask, made good where the 2017 base is spoken.

use liaison_care::cahier2017;
use liaison_fhir::{
    outcome::Issue,
    text,
    tree::{Object, Value},
};

use crate::{face::Face, name};

/// A resource with the quirks of 2017 made good, each repair told.
pub(crate) fn resource(tree: Object, face: &Face) -> (Object, Vec<Issue>) {
    if face.speaks_2017() { cahier2017::read_resource(tree) } else { (tree, Vec::new()) }
}

/// A bundle with the quirks of 2017 made good, those of its entries too.
pub(crate) fn bundle(tree: Object, face: &Face) -> (Object, Vec<Issue>) {
    if !face.speaks_2017() {
        return (tree, Vec::new());
    }
    let (mut bundle, mut issues) = cahier2017::read_bundle(tree);
    let is_collection = bundle.str("type") == Some("collection");
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    for (index, entry) in entries.into_iter().flatten().enumerate().filter(|_| is_collection) {
        let Some(resource) = entry.as_object_mut().and_then(|e| e.get_mut("resource")?.as_object_mut()) else {
            continue;
        };
        // The server gives the ids of what it creates: one it could not give (`prac_role1`) is left
        // aside like any other.
        if let Some(id) = resource.str("id").filter(|id| !name::is_id(id)).map(str::to_owned) {
            resource.remove("id");
            issues.push(Issue::information(
                format!("Bundle.entry[{index}].resource.id"),
                text!(
                    en: "“{id}” is not a FHIR id; the server gives one.",
                    fr: "« {id} » n'est pas un id FHIR ; le serveur en attribue un.",
                ),
            ));
        }
    }
    (bundle, issues)
}

/// Search parameters with the names of 2017 made conformant.
pub(crate) fn query(pairs: Vec<(String, String)>, face: &Face) -> (Vec<(String, String)>, Vec<Issue>) {
    if face.speaks_2017() { cahier2017::read_query(pairs) } else { (pairs, Vec::new()) }
}
