//! Heavy attachments: kept once by their content, out of the way of indexes and searches.
//!
//! The decoded data of an attachment above the threshold becomes a `Binary` of its own, written in
//! the same transaction. The stored body keeps a hole where the data was, and the address, size and
//! hash beside it; reads fill the hole, searches leave it.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    place::Place,
    release::{Content, Release, Structure},
    text,
    tree::{Object, Value},
};
use liaison_store::contract::{BlobId, Filler, NewBlob, Version};
use ring::digest;

use super::sniff;
use crate::{
    error::{AppError, Refusal},
    face::Face,
    name,
    settings::Settings,
};

/// An attachment set apart from its resource.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    /// What stands in its place in the tree: `data` has this text. Not valid base64, and not to be
    /// guessed, so that no client can write it.
    pub mark: String,
    /// Its bytes and their name.
    pub bytes: NewBlob,
    /// Its type, as declared.
    pub content_type: Option<String>,
    /// The id of the `Binary` it becomes, unless an earlier version of the note made one of it.
    pub binary: Option<String>,
}

/// Takes the heavy attachments out of a tree, and checks all of them, light ones too.
///
/// # Errors
/// An attachment too large, whose declared type, size or hash its bytes belie.
pub(crate) fn set_apart(
    tree: &mut Object,
    resource_type: &str,
    release: &'static Release,
    face: &Face,
    settings: &Settings,
) -> Result<Vec<Apart>, AppError> {
    let mut work = Work { apart: Vec::new() };
    if resource_type == "Binary" {
        work.binary(tree, settings)?;
        return Ok(work.apart);
    }
    let Some(structure) = release.resource(resource_type) else { return Ok(work.apart) };
    let mut failure = None;
    each(tree, structure, release, &Place::root(resource_type), &mut |attachment, place| {
        if failure.is_none() {
            failure = work.attachment(attachment, place, face, settings).err();
        }
    });
    failure.map_or(Ok(work.apart), Err)
}

/// Where the elements of a `Binary` stand.
pub(crate) const BINARY: Place<'static> = Place::root("Binary");

struct Work {
    apart: Vec<Apart>,
}

impl Work {
    fn attachment(
        &mut self,
        attachment: &mut Object,
        place: &Place<'_>,
        face: &Face,
        settings: &Settings,
    ) -> Result<(), AppError> {
        let Some(data) = attachment.str("data") else { return Ok(()) };
        let bytes = decode(data, &place.child("data"), settings)?;
        let content_type = attachment.str("contentType").map(str::to_owned);
        sniff::check(content_type.as_deref(), &bytes, &place.child("contentType"))?;
        check_stamps(attachment, &bytes, place)?;
        let url_of_its_own = attachment.str("url").is_some_and(|url| our_binary(url, face).is_none());
        if bytes.len() <= settings.inline_attachment || url_of_its_own || attachment.contains("_data") {
            return Ok(());
        }
        let (size, hash) = (bytes.len() as u64, hash_of(&bytes));
        let apart = self.apart(bytes, content_type, Some(name::fresh("Binary").id.into()));
        // The address follows the data: the hole of the one is followed by a comma, the other says
        // where the base goes.
        attachment.remove("url");
        let at = attachment.iter().position(|(n, _)| n == "data").unwrap_or_default();
        attachment.set("data", apart);
        attachment.insert_at(at + 1, "url", "");
        attachment.set("size", size);
        attachment.set("hash", hash);
        Ok(())
    }

    /// A `Binary` is nothing but its bytes: they always lie apart.
    fn binary(&mut self, binary: &mut Object, settings: &Settings) -> Result<(), AppError> {
        let Some(data) = binary.str("data") else { return Ok(()) };
        let bytes = decode(data, &BINARY.child("data"), settings)?;
        let content_type = binary.str("contentType").map(str::to_owned);
        sniff::check(content_type.as_deref(), &bytes, &BINARY.child("contentType"))?;
        if binary.contains("_data") {
            return Ok(());
        }
        let mark = self.apart(bytes, content_type, None);
        // Before `contentType`, which is always there: the hole is followed by a comma.
        binary.remove("data");
        let at = binary.iter().position(|(n, _)| n == "contentType").unwrap_or_default();
        binary.insert_at(at, "data", mark);
        Ok(())
    }

    fn apart(&mut self, bytes: Vec<u8>, content_type: Option<String>, binary: Option<String>) -> String {
        let mark = mark();
        let bytes = NewBlob::new(bytes.into());
        // The same bytes twice in one resource are one Binary.
        let same = self.apart.iter().find(|a| a.bytes.id() == bytes.id() && a.content_type == content_type);
        let binary = same.map_or(binary, |a| a.binary.clone());
        self.apart.push(Apart { mark: mark.clone(), bytes, content_type, binary });
        mark
    }
}

/// Calls for every attachment of a resource, contained ones too, with its place.
pub(crate) fn each(
    object: &mut Object,
    structure: &'static Structure,
    release: &'static Release,
    place: &Place<'_>,
    call: &mut impl FnMut(&mut Object, &Place<'_>),
) {
    for (name, value) in object.iter_mut() {
        // What stands in a resource is short text for the most part.
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            continue;
        }
        let Some(member) = structure.member(name) else { continue };
        let content = member.type_ref.content;
        let is_attachment = member.type_ref.code == "Attachment";
        let repeats = matches!(value, Value::Array(_));
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for (index, item) in items.iter_mut().enumerate() {
            let Some(item) = item.as_object_mut() else { continue };
            let inner = match content {
                Content::Structure(id) => Some(release.structure(id)),
                Content::Resource => item.resource_type().and_then(|t| release.resource(t)),
                Content::Primitive(_) => None,
            };
            let Some(inner) = inner else { continue };
            let place = place.child(name);
            let place = if repeats { place.item(index) } else { place };
            if is_attachment {
                call(item, &place);
            } else {
                each(item, inner, release, &place, call);
            }
        }
    }
}

/// A mark that no client can write: not base64, and not to be guessed.
pub(crate) fn mark() -> String {
    format!("apart:{}", uuid::Uuid::new_v4().simple())
}

/// The id of the `Binary` of this server that an address names.
pub(crate) fn our_binary<'u>(url: &'u str, face: &Face) -> Option<&'u str> {
    let relative = face.bases.iter().find_map(|base| url.strip_prefix(base.as_str())).unwrap_or(url);
    let id = relative.strip_prefix("Binary/")?;
    let id = id.split_once("/_history/").map_or(id, |(id, _)| id);
    name::is_id(id).then_some(id)
}

/// The `Binary` resources that a stored version made of its attachments: id, content.
pub(crate) fn made_by(version: &Version) -> HashMap<String, BlobId> {
    let mut made = HashMap::new();
    let mut data = None;
    for hole in &version.holes {
        match (&hole.filler, data.take()) {
            (Filler::Data(blob), _) => data = Some(*blob),
            (Filler::Base, Some(blob)) => {
                let after = version.body.get(hole.at as usize..).unwrap_or_default();
                let id = after
                    .strip_prefix(b"Binary/")
                    .and_then(|rest| rest.split(|b| *b == b'"').next())
                    .and_then(|id| std::str::from_utf8(id).ok());
                if let Some(id) = id {
                    made.insert(id.to_owned(), blob);
                }
            }
            (Filler::Base, None) => {}
        }
    }
    made
}

/// `Attachment.hash`: SHA-1, in base64, as FHIR says. Tells accidents, not malice.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes))
}

fn decode(data: &str, place: &Place<'_>, settings: &Settings) -> Result<Vec<u8>, AppError> {
    let limit = settings.limits.attachment;
    if data.len() / 4 * 3 > limit.saturating_add(limit / 8) {
        return Err(too_large(place, limit));
    }
    // FHIR allows blanks inside base64.
    let without_blanks = || data.bytes().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<_>>();
    let decoded = STANDARD.decode(data).or_else(|_| STANDARD.decode(without_blanks()));
    let bytes = decoded.map_err(|_| {
        AppError::not_understood(
            IssueKind::Value,
            place,
            text!(en: "This is not base64.", fr: "Ce n'est pas du base64."),
        )
    })?;
    if bytes.len() > limit { Err(too_large(place, limit)) } else { Ok(bytes) }
}

pub(crate) fn too_large(place: &Place<'_>, limit: usize) -> AppError {
    AppError::new(
        Refusal::TooLarge,
        Issue::error(
            IssueKind::TooLong,
            place,
            text!(
                en: "The attachment is larger than the {limit} bytes that are taken here.",
                fr: "La pièce jointe dépasse les {limit} octets acceptés ici.",
            ),
        ),
    )
}

/// A size or hash that the client gave must be that of the data beside it: otherwise something was
/// lost on the way.
fn check_stamps(attachment: &Object, bytes: &[u8], place: &Place<'_>) -> Result<(), AppError> {
    let actual = bytes.len();
    if let Some(size) = attachment.get("size").and_then(Value::as_number)
        && size != actual.to_string()
    {
        return Err(AppError::against_a_rule(
            IssueKind::Invariant,
            place.child("size"),
            text!(
                en: "The data has {actual} bytes, not {size}: was it cut on the way?",
                fr: "Les données font {actual} octets, et non {size} : ont-elles été coupées en chemin ?",
            ),
        ));
    }
    if let Some(hash) = attachment.str("hash")
        && hash != hash_of(bytes)
    {
        return Err(AppError::against_a_rule(
            IssueKind::Invariant,
            place.child("hash"),
            text!(
                en: "The hash is not the SHA-1 (in base64) of the data: was the data changed on the way?",
                fr: "L'empreinte n'est pas le SHA-1 (en base64) des données : ont-elles été altérées en chemin ?",
            ),
        ));
    }
    Ok(())
}
