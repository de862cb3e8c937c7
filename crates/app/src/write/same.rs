//! Whether a note that is sent again says the same.
//!
//! Compared in the R4 view, so that a note sent through either face is recognised; without what the
//! server gives (id, meta, moment of registration), with attachments by their content.

use liaison_fhir::{
    place::Place,
    tree::{Object, Value},
};
use liaison_store::contract::{BlobId, Filler, Version};

use super::{
    attachments,
    draft::{Draft, in_r4},
    note::Stamped,
};
use crate::{
    error::AppError,
    face::release_of,
    stored::{Stored, fill, read_stored},
};

/// Whether the version says what the draft says.
///
/// # Errors
/// When the stored body cannot be read: a defect.
pub(crate) fn same_as(draft: &Draft, stored: &Version) -> Result<bool, AppError> {
    let release = release_of(stored.form);
    let body = fill(stored, |filler, out| {
        if let Filler::Data(blob) = filler {
            out.extend_from_slice(format!("\"data\":\"{}\",", content_mark(blob)).as_bytes());
        }
    });
    let mut before = read_stored(&body)?;
    let mut now = draft.tree.clone();
    let unplaced = |attachment: &mut Object| {
        for member in ["url", "size", "hash"] {
            attachment.remove(member);
        }
    };
    if let Some(structure) = release.resource(draft.resource_type) {
        attachments::each(&mut before, structure, release, &NOWHERE, &mut |attachment, _| {
            if attachment.str("data").is_some_and(|data| data.starts_with(CONTENT)) {
                unplaced(attachment);
            }
        });
    }
    if let Some(structure) = draft.release.resource(draft.resource_type) {
        attachments::each(&mut now, structure, draft.release, &NOWHERE, &mut |attachment, _| {
            let apart = attachment.str("data").and_then(|data| draft.apart.iter().find(|a| a.mark == data));
            if let Some(apart) = apart {
                attachment.set("data", content_mark(&apart.bytes.id()));
                unplaced(attachment);
            }
        });
    }
    // What the server filled in is not what the client says.
    if let Stamped::In(element) = draft.stamped
        && let Some(moment) = Stored::light(stored.clone()).tree_in(draft.release)?.get(element)
    {
        now.set(element, moment.clone());
    }
    let view = |tree: &Object, release| canonical(in_r4(tree, release).into_owned());
    Ok(view(&before, release) == view(&now, draft.release))
}

/// Nothing is told of what is compared.
const NOWHERE: Place<'static> = Place::root("");

const CONTENT: &str = "content:";

fn content_mark(blob: &BlobId) -> String {
    let hex: String = blob.0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{CONTENT}{hex}")
}

fn canonical(mut tree: Object) -> Object {
    tree.remove("id");
    tree.remove("meta");
    sort(&mut tree);
    tree
}

fn sort(object: &mut Object) {
    object.sort_by_key(str::to_owned);
    for (_, value) in object.iter_mut() {
        sort_value(value);
    }
}

fn sort_value(value: &mut Value) {
    match value {
        Value::Object(object) => sort(object),
        Value::Array(items) => items.iter_mut().for_each(sort_value),
        _ => {}
    }
}
