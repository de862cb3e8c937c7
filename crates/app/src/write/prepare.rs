//! From a checked resource to what the store takes: body, index, links, keys, attachments.

use std::collections::HashMap;

use bytes::Bytes;
use liaison_care::{
    access::{Belonging, Leave, belonging, scopes::Right},
    unique,
};
use liaison_fhir::{
    json, object,
    outcome::{Issue, refused},
    place::Place,
    release,
    search::{
        extract::{self, ExtractContext},
        index::IndexRow,
    },
    tree::{Object, Value},
};
use liaison_store::contract::{
    BlobId, Change, Filler, Hole, Link, Name, Named, NewBlob, NewVersion, PreparedBody, UniqueKey, Version,
};
use liaison_store::shard::{Places, Reach};

use super::{
    attachments::{self, Apart},
    draft::{Draft, People, in_r4},
    note::Stamped,
};
use crate::{
    error::{AppError, Refusal},
    face::{Face, form_of},
    name,
    operation::{Stage, audit_trail},
    policy::{Action, Interaction},
    refers,
    stored::Stored,
    there::There,
};

/// Everything one write stores, in order.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The bytes of its attachments.
    pub blobs: Vec<NewBlob>,
    /// The `Binary` resources made of its attachments.
    pub binaries: Vec<NewVersion>,
    /// The resource.
    pub version: NewVersion,
    /// `Binary` resources that an earlier version made and this one has no use for: deleted unless
    /// something else refers to them.
    pub obsolete: Vec<Name>,
    /// Where its unique keys stand, in their order.
    pub key_places: Vec<String>,
    /// The note, when it is one, for the rules that need what it refers to.
    pub note: Option<Object>,
    /// What it belongs to, where the caller may not write everything.
    pub belonging: Option<Belonging>,
    /// Whether the scopes of the caller's token reach it as it will be.
    pub in_scope: bool,
    /// Warnings, those of the draft among them.
    pub issues: Vec<Issue>,
}

/// Prepares a resource under a name, given the version it follows.
///
/// # Errors
/// Every rule of the volets that it breaks, alone or as what follows the version before.
pub(crate) fn prepare(
    draft: &Draft,
    name: &Name,
    before: Option<&Version>,
    face: &Face,
    stage: &Stage,
) -> Result<Prepared, AppError> {
    // An entry of a transaction comes here first.
    audit_trail::allows(&Action::on(Interaction::Update, &name.resource_type), &stage.app)?;
    let live = before.filter(|version| version.change != Change::Delete);
    let mut tree = draft.tree.clone();
    let earlier = live.map(|version| Stored::light(version.clone()).tree_in(draft.release)).transpose()?;
    keep_from_before(&mut tree, draft, earlier.as_ref());
    let issues = volet_findings(&tree, draft, earlier.as_ref())?;
    let known = live.map(attachments::made_by).unwrap_or_default();
    let apart = place_binaries(&mut tree, draft, &known, face);

    let caller: Box<str> = stage.caller.name().into();
    let context = ExtractContext { zone: &stage.app.settings().zone, bases: &face.bases };
    let fresh = |a: &&Placed| a.fresh.is_some();
    let mut made: Vec<&str> = Vec::new();
    let mut binaries = Vec::new();
    for placed in apart.iter().filter(fresh) {
        if let Some(id) = placed.binary.as_deref()
            && !made.contains(&id)
        {
            made.push(id);
            binaries.push(binary_of(id, placed, name, &caller, &context));
        }
    }
    let links = links(&mut tree, draft, face);
    let view = in_r4(&tree, draft.release);
    let (unique, key_places) = unique::keys(&view)
        .into_iter()
        .map(|key| (UniqueKey { scope: key.scope, key: key.key.into() }, draft.seen_from_bundle(key.place)))
        .unzip();
    let holes: Vec<(String, BlobId)> = apart.iter().map(|a| (a.mark.clone(), a.blob)).collect();
    let index = extract::extract(&view, &context);
    let notebook = notebook(&index);
    let (belonging, in_scope) = match &stage.there {
        There::Everything => (None, true),
        There::Only(seen) => {
            let belonging = Belonging::of(&view, &index, &face.bases);
            let right = if live.is_some() { Right::Update } else { Right::Create };
            let in_scope = seen.sight.limits.reach(Leave::Do(right), &view, &belonging, &context);
            (Some(belonging), in_scope)
        }
    };
    for binary in &mut binaries {
        binary.notebook = Some(notebook.as_ref().unwrap_or(name).clone());
    }
    let version = NewVersion {
        name: name.clone(),
        notebook,
        // Who knows better says so.
        named: Named::ByCaller,
        change: if live.is_some() { Change::Update } else { Change::Create },
        form: form_of(draft.release.id),
        body: Some(body(&tree, name, &holes)),
        index,
        links,
        unique,
        blobs: apart.iter().map(|a| a.blob).collect(),
        caller,
    };
    let kept: Vec<&str> = apart.iter().filter_map(|a| a.binary.as_deref()).collect();
    let obsolete = known
        .into_keys()
        .filter(|id| !kept.contains(&id.as_str()))
        .map(|id| Name { resource_type: "Binary".into(), id: id.into() })
        .collect();
    let blobs = apart.iter().filter_map(|a| a.fresh.as_ref()).map(|a| a.bytes.clone()).collect();
    let note = liaison_care::note::is_note(&tree).then_some(tree);
    Ok(Prepared { blobs, binaries, version, obsolete, key_places, note, belonging, in_scope, issues })
}

/// Whose notebook a resource is kept in: that of the first person it is about.
fn notebook(index: &[IndexRow]) -> Option<Name> {
    let id = belonging::notebooks(index).next()?;
    Some(Name { resource_type: "Patient".into(), id: id.into() })
}

impl Prepared {
    /// Where it will be written.
    pub(crate) fn places(&self) -> Places {
        let mut names = Vec::with_capacity(2);
        for version in self.binaries.iter().chain([&self.version]) {
            let own = version.named == Named::ByCaller;
            for name in version.notebook.iter().chain(own.then_some(&version.name)) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            if !own && version.notebook.is_none() {
                names.push(version.name.clone());
            }
        }
        // What is deleted is looked for everywhere.
        let deletes = !self.obsolete.is_empty() || self.version.change == Change::Delete;
        let reach = if deletes { Reach::Everywhere } else { Reach::Places };
        let looks = self.version.links.iter().map(|link| link.to.clone()).collect();
        Places { names, looks, keys: self.version.unique.clone(), reach, ..Places::default() }
    }
}

/// The findings of the volets about a resource that is new, or that follows another version.
fn volet_findings(tree: &Object, draft: &Draft, earlier: Option<&Object>) -> Result<Vec<Issue>, AppError> {
    let found = match earlier {
        Some(earlier) => liaison_care::check::check_update(earlier, tree, draft.release),
        None => liaison_care::check(tree, draft.release),
    };
    let mut issues = draft.issues.clone();
    issues.extend(found.into_iter().map(|issue| Issue { place: draft.seen_from_bundle(issue.place), ..issue }));
    if refused(&issues) {
        return Err(AppError { refusal: Refusal::AgainstARule, issues, cause: None });
    }
    Ok(issues)
}

/// Puts in what an update does not change: the moment of creation that the server once filled in,
/// and, where they are not the update's business, subject and authors.
fn keep_from_before(tree: &mut Object, draft: &Draft, earlier: Option<&Object>) {
    let Some(earlier) = earlier else { return };
    let mut kept = match draft.stamped {
        Stamped::In(element) => vec![element],
        Stamped::Nothing => Vec::new(),
    };
    if draft.people == People::AsBefore {
        kept.extend(["subject", "author"]);
    }
    for element in kept {
        if let Some(value) = earlier.get(element) {
            tree.set(element, value.clone());
        }
    }
}

/// The deletion of a resource, given its last version.
pub(crate) fn deletion(before: &Version, stage: &Stage) -> Prepared {
    let obsolete = attachments::made_by(before)
        .into_keys()
        .map(|id| Name { resource_type: "Binary".into(), id: id.into() })
        .collect();
    let version = deleted(before.name.clone(), stage.caller.name().into());
    Prepared {
        blobs: Vec::new(),
        binaries: Vec::new(),
        version,
        obsolete,
        key_places: Vec::new(),
        note: None,
        belonging: None,
        in_scope: true,
        issues: Vec::new(),
    }
}

/// The version that says that a resource is no more.
pub(crate) fn deleted(name: Name, caller: Box<str>) -> NewVersion {
    NewVersion {
        name,
        notebook: None,
        named: Named::ByCaller,
        change: Change::Delete,
        form: form_of(release::view().id),
        body: None,
        index: Vec::new(),
        links: Vec::new(),
        unique: Vec::new(),
        blobs: Vec::new(),
        caller,
    }
}

/// An attachment whose `Binary` is known.
struct Placed<'d> {
    mark: String,
    blob: BlobId,
    binary: Option<String>,
    /// Set when its bytes came with this request.
    fresh: Option<&'d Apart>,
}

/// Gives every attachment set apart its address: that of the `Binary` an earlier version made of the
/// same bytes, or a new one. An attachment that only bears the address of such a `Binary` (a note
/// sent back as a search showed it) is set apart again, so that it loses nothing.
fn place_binaries<'d>(
    tree: &mut Object,
    draft: &'d Draft,
    known: &HashMap<String, BlobId>,
    face: &Face,
) -> Vec<Placed<'d>> {
    let mut placed: Vec<Placed<'d>> = draft
        .apart
        .iter()
        .map(|apart| {
            let earlier = known.iter().find(|(_, blob)| **blob == apart.bytes.id()).map(|(id, _)| id.clone());
            let fresh = if earlier.is_some() { None } else { Some(apart) };
            let binary = earlier.or_else(|| apart.binary.clone());
            Placed { mark: apart.mark.clone(), blob: apart.bytes.id(), binary, fresh }
        })
        .collect();
    if draft.resource_type == "Binary" {
        return placed;
    }
    let Some(structure) = draft.release.resource(draft.resource_type) else { return placed };
    attachments::each(tree, structure, draft.release, &Place::root(draft.resource_type), &mut |attachment, _| {
        let at = attachment.str("data").and_then(|data| placed.iter().position(|p| p.mark == data));
        if let Some(binary) = at.and_then(|at| placed.get(at)).and_then(|p| p.binary.as_deref()) {
            attachment.set("url", format!("Binary/{binary}"));
            return;
        }
        if attachment.contains("data") {
            return;
        }
        let Some(id) = attachment.str("url").and_then(|url| attachments::our_binary(url, face)) else { return };
        let Some((id, blob)) = known.get_key_value(id) else { return };
        let mark = attachments::mark();
        let at = attachment.iter().position(|(n, _)| n == "url").unwrap_or_default();
        attachment.insert_at(at, "data", mark.as_str());
        attachment.set("url", format!("Binary/{id}"));
        placed.push(Placed { mark, blob: *blob, binary: Some(id.clone()), fresh: None });
    });
    placed
}

/// The `Binary` made of an attachment. It names the note as its security context, without a link
/// that would keep the note from being deleted: they go together.
fn binary_of(id: &str, placed: &Placed<'_>, of: &Name, caller: &str, context: &ExtractContext<'_>) -> NewVersion {
    let content_type = placed
        .fresh
        .and_then(|apart| apart.content_type.clone())
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let name = Name { resource_type: "Binary".into(), id: id.into() };
    let tree = object! {
        "resourceType" => "Binary",
        "data" => placed.mark.as_str(),
        "contentType" => content_type,
        "securityContext" => object! { "reference" => name::reference(of) },
    };
    NewVersion {
        body: Some(body(&tree, &name, &[(placed.mark.clone(), placed.blob)])),
        name,
        notebook: None,
        // Ids of these are made here, as those of everything that the server names.
        named: Named::ByServer,
        change: Change::Create,
        form: form_of(release::view().id),
        index: extract::extract(&tree, context),
        links: Vec::new(),
        unique: Vec::new(),
        blobs: vec![placed.blob],
        caller: caller.into(),
    }
}

/// The body around the version and instant that the store will put in, holes cut out.
fn body(tree: &Object, name: &Name, marks: &[(String, BlobId)]) -> PreparedBody {
    let mut head = Vec::with_capacity(96);
    head.extend_from_slice(b"{\"resourceType\":");
    json::write_string_into(&name.resource_type, &mut head);
    head.extend_from_slice(b",\"id\":");
    json::write_string_into(&name.id, &mut head);
    head.extend_from_slice(b",\"meta\":{");

    let mut tail = Vec::with_capacity(1024);
    let member = |name: &str, value: &Value, tail: &mut Vec<u8>| {
        tail.push(b',');
        json::write_string_into(name, tail);
        tail.push(b':');
        json::write_value_into(value, tail);
    };
    if let Some(meta) = tree.object("meta") {
        let ours = |n: &str| matches!(n, "versionId" | "_versionId" | "lastUpdated" | "_lastUpdated");
        for (name, value) in meta.iter().filter(|(n, _)| !ours(n)) {
            member(name, value, &mut tail);
        }
    }
    tail.push(b'}');
    for (name, value) in tree.iter().filter(|(n, _)| !matches!(*n, "resourceType" | "id" | "meta")) {
        member(name, value, &mut tail);
    }
    tail.push(b'}');
    let (tail, holes) = cut(tail, marks);
    PreparedBody { head: head.into(), tail, holes }
}

/// Cuts the marked data out of a body, and the place of the base before the address that follows.
fn cut(tail: Vec<u8>, marks: &[(String, BlobId)]) -> (Bytes, Vec<Hole>) {
    if marks.is_empty() {
        return (tail.into(), Vec::new());
    }
    let mut found: Vec<(usize, usize, BlobId)> = marks
        .iter()
        .filter_map(|(mark, blob)| {
            let text = format!("\"data\":\"{mark}\",");
            let at = tail.windows(text.len()).position(|window| window == text.as_bytes())?;
            Some((at, at + text.len(), *blob))
        })
        .collect();
    found.sort_unstable_by_key(|(at, ..)| *at);
    let mut out = Vec::with_capacity(tail.len());
    let mut holes = Vec::new();
    let mut from = 0;
    for (at, end, blob) in found {
        out.extend_from_slice(&tail[from..at]);
        holes.push(Hole { at: offset(out.len()), filler: Filler::Data(blob) });
        const URL: &[u8] = b"\"url\":\"";
        from = end;
        if tail[end..].starts_with(URL) {
            out.extend_from_slice(URL);
            from = end + URL.len();
            holes.push(Hole { at: offset(out.len()), filler: Filler::Base });
        }
    }
    out.extend_from_slice(&tail[from..]);
    (out.into(), holes)
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What a tree refers to, to be looked for where it is kept.
fn links(tree: &mut Object, draft: &Draft, face: &Face) -> Vec<Link> {
    let mut links = Vec::new();
    refers::each(tree, draft.release, face, |to, place| {
        links.push(Link { to, place: draft.seen_from_bundle(place).into() });
    });
    links
}
