//! What the server fills in on a note: the moment it was created.

use liaison_fhir::{release::Release, tree::Object};

use crate::{clock, operation::Stage};

/// Whether the server filled in the moment of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// The client said it, or this is no note.
    Nothing,
    /// In this element: on an update the moment of the version before is kept.
    In(&'static str),
}

/// Fills in the moment of creation of a note: `indexed` where the release has it (it is the
/// server's), `date` where the client left it out.
pub(crate) fn stamp(tree: &mut Object, release: &'static Release, stage: &Stage) -> Stamped {
    if tree.resource_type() != Some("DocumentReference") {
        return Stamped::Nothing;
    }
    let has_indexed = release.resource("DocumentReference").is_some_and(|note| note.element("indexed").is_some());
    let element = if has_indexed { "indexed" } else { "date" };
    // `_date` alone (an extension that says why there is none) is the client's word.
    if !has_indexed && (tree.contains("date") || tree.contains("_date")) {
        return Stamped::Nothing;
    }
    tree.remove("_indexed");
    tree.set(element, clock::text(clock::now(), &stage.app.settings().zone));
    Stamped::In(element)
}
