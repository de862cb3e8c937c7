//! The wire form of 2017: what its clients write and ask, made good where the 2017 base is spoken.

use liaison_care::cahier2017;
use liaison_fhir::{outcome::Issue, tree::Object};

use crate::face::Face;

/// A resource with the quirks of 2017 made good, each repair told.
pub(crate) fn resource(tree: Object, face: &Face) -> (Object, Vec<Issue>) {
    if face.speaks_2017() { cahier2017::read_resource(tree) } else { (tree, Vec::new()) }
}

/// A bundle with the quirks of 2017 made good, those of its entries too.
pub(crate) fn bundle(tree: Object, face: &Face) -> (Object, Vec<Issue>) {
    if face.speaks_2017() { cahier2017::read_bundle(tree) } else { (tree, Vec::new()) }
}

/// Search parameters with the names of 2017 made conformant.
pub(crate) fn query(pairs: Vec<(String, String)>, face: &Face) -> (Vec<(String, String)>, Vec<Issue>) {
    if face.speaks_2017() { cahier2017::read_query(pairs) } else { (pairs, Vec::new()) }
}
