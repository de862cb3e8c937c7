//! Rules of a note that need what it refers to: its authors must be known, it replies to a note.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use liaison_care::note::{
    author::{Identity, author_is_identified, unknown_author},
    reply,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    release::Release,
    search::{extract, index::Target},
    text,
    tree::Object,
};
use liaison_store::{
    contract::{Change, Name, StoreError, Version},
    reader::Reader,
};

use super::{draft::Draft, prepare::Prepared};
use crate::{
    error::{AppError, Refusal},
    face::Face,
    operation::Stage,
    permission::{self, Fresh},
    stored::Stored,
    there::{There, View},
};

/// What a note refers to, looked up beside it.
pub(crate) trait Beside {
    /// The resource of that name in a release; nothing when it does not exist.
    fn resource(&self, name: &Name, release: &'static Release) -> Result<Option<Object>, AppError>;
}

impl Beside for Reader<'_> {
    fn resource(&self, name: &Name, release: &'static Release) -> Result<Option<Object>, AppError> {
        let version = self.current(name).map_err(|error: StoreError| AppError::from(error))?;
        match version.filter(|version| version.change != Change::Delete) {
            Some(version) => Stored::light(version).tree_in(release).map(Some),
            None => Ok(None),
        }
    }
}

/// What was read so far, and what was asked for beyond it.
#[derive(Default)]
struct Met {
    read: HashMap<Name, Option<Arc<Version>>>,
    wanted: RefCell<Vec<Name>>,
}

impl Beside for Met {
    fn resource(&self, name: &Name, release: &'static Release) -> Result<Option<Object>, AppError> {
        let Some(version) = self.read.get(name) else {
            self.wanted.borrow_mut().push(name.clone());
            return Ok(None);
        };
        match version.clone().filter(|version| version.change != Change::Delete) {
            Some(version) => Stored::light(version).tree_in(release).map(Some),
            None => Ok(None),
        }
    }
}

/// Checks a prepared note before the writer's turn. What it refers to may still change before it is
/// stored, but only to another version that was checked itself; that it exists is for the writer.
///
/// # Errors
/// What the caller may not write, and what the rules of notes find.
pub(crate) async fn check_apart(
    prepared: &Prepared,
    before: Option<&Version>,
    draft: &Draft,
    face: &Face,
    stage: &Stage,
) -> Result<(), AppError> {
    if let There::Only(_) = &stage.there {
        let look = |reader: &Reader<'_>| {
            permission::to_write(prepared, before, &Fresh::new(), &stage.there, View::of(reader, &stage.there))
        };
        stage.app.store().read_here(look).await?;
    }
    let Some(note) = &prepared.note else { return Ok(()) };
    // Each is read by its name, from memory or together with what others read: no transaction, no thread of its
    // own. One may lead to another, so the rules are asked again until they wanted nothing new.
    let mut met = Met::default();
    let issues = loop {
        let issues = findings(note, draft.release, &face.bases, &met)?;
        let wanted = met.wanted.take();
        if wanted.is_empty() {
            break issues;
        }
        for name in wanted {
            let version = stage.app.store().current(&name).await?;
            met.read.insert(name, version);
        }
    };
    refuse(issues.into_iter().map(|issue| Issue { place: draft.seen_from_bundle(issue.place), ..issue }).collect())
}

pub(crate) fn refuse(issues: Vec<Issue>) -> Result<(), AppError> {
    if issues.is_empty() { Ok(()) } else { Err(AppError { refusal: Refusal::AgainstARule, issues, cause: None }) }
}

/// What the resources that a note refers to make wrong with it.
///
/// # Errors
/// When one of them cannot be read.
pub(crate) fn findings(
    note: &Object,
    release: &'static Release,
    bases: &[String],
    beside: &impl Beside,
) -> Result<Vec<Issue>, AppError> {
    let mut issues = Vec::new();
    for (index, author) in note.objects("author").enumerate() {
        let Some(name) = author.str("reference").and_then(|reference| local(reference, bases)) else { continue };
        let place = format!("DocumentReference.author[{index}]");
        let Some(author) = beside.resource(&name, release)? else { continue };
        match author_is_identified(&author) {
            Identity::Known => {}
            Identity::Unknown(missing) => issues.push(unknown_author(&place, missing)),
            Identity::Through(reference) => {
                let Some(name) = local(&reference, bases) else { continue };
                let Some(person) = beside.resource(&name, release)? else { continue };
                if let Identity::Unknown(missing) = author_is_identified(&person) {
                    issues.push(unknown_author(&place, missing));
                }
            }
        }
    }
    for (place, reference) in reply::answered(note) {
        let Some(name) = local(reference, bases) else { continue };
        match beside.resource(&name, release)? {
            Some(target) => issues.extend(reply::check_target(note, &target, &place)),
            None => issues.push(Issue::error(
                IssueKind::NotFound,
                place,
                text!(
                    en: "The note replied to does not exist here.",
                    fr: "La note à laquelle il est répondu n'existe pas ici.",
                ),
            )),
        }
    }
    Ok(issues)
}

fn local(reference: &str, bases: &[String]) -> Option<Name> {
    local_target(extract::target(reference, bases)?)
}

/// The name of a target of this server.
pub(crate) fn local_target(target: Target) -> Option<Name> {
    match target {
        Target::Local { resource_type, id } => {
            Some(Name { resource_type: resource_type.as_str().into(), id: id.as_str().into() })
        }
        Target::Elsewhere(_) => None,
    }
}
