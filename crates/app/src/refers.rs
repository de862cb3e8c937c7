//! What a resource refers to.

use jiff::tz::TimeZone;
use liaison_fhir::{
    place::Place,
    release::Release,
    search::{
        extract::{self, ExtractContext},
        index::Target,
    },
    tree::Object,
};
use liaison_store::contract::Name;

use crate::{face::Face, write::attachments};

/// Every resource of this server that a resource refers to, by a reference or by the address of an attachment, as it
/// is read on that base.
#[must_use]
pub fn refers_to(resource: &mut Object, face: &Face) -> Vec<Name> {
    let mut found = Vec::new();
    each(resource, face.release, face, |name, _| found.push(name));
    found
}

/// Calls for each of them, with its place.
pub(crate) fn each(resource: &mut Object, release: &'static Release, face: &Face, mut call: impl FnMut(Name, String)) {
    // References have no dates.
    let context = ExtractContext { zone: &TimeZone::UTC, bases: &face.bases };
    for (target, place) in extract::references(resource, release, &context) {
        if let Target::Local { resource_type, id } = target {
            call(Name { resource_type: resource_type.as_str().into(), id: id.as_str().into() }, place);
        }
    }
    let Some(structure) = resource.resource_type().and_then(|kind| release.resource(kind)) else { return };
    attachments::each(resource, structure, release, &Place::root(structure.path), &mut |attachment, place| {
        if let Some(id) = attachment.str("url").and_then(|url| attachments::our_binary(url, face)) {
            call(Name { resource_type: "Binary".into(), id: id.into() }, place.child("url").to_string());
        }
    });
}
