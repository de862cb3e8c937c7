//! The profiles, nomenclatures and other definitions that this server speaks by: readable and
//! searchable like everything stored, and not to be changed through the API.
//!
//! They are laid into the store when it is opened, so that searches, includes and histories find
//! them without knowing of them; a fingerprint of them all says when there is nothing to lay in.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use liaison_care::conformance::{self, search_parameter};
use liaison_fhir::{
    json,
    outcome::{Issue, IssueKind},
    release::{self, Release},
    text,
    tree::Object,
};
use liaison_store::{
    contract::{Change, HistoryOf, HistoryRequest, Name, RememberedAnswer, Version},
    reader::Reader,
};
use ring::digest;

use crate::{
    error::{AppError, Refusal},
    face::Face,
    name,
    operation::Stage,
    write::{
        commit::commit,
        draft::{Draft, People},
        note::Stamped,
        prepare::{Prepared, prepare},
        same::same_as,
    },
};

/// A definition that this server brings.
struct BuiltIn {
    name: Name,
    release: &'static Release,
    resource: Arc<Object>,
}

static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let artefacts = conformance::resources().iter().map(|artefact| (release::view(), Arc::clone(&artefact.resource)));
    let parameters = [release::r4(), release::stu3()]
        .into_iter()
        .flat_map(|release| search_parameter::added(release).into_iter().map(move |tree| (release, Arc::new(tree))));
    let mut seen = HashSet::new();
    artefacts
        .chain(parameters)
        .filter_map(|(release, resource)| {
            let resource_type = resource.resource_type()?;
            let name = Name { resource_type: resource_type.into(), id: resource.str("id")?.into() };
            seen.insert(name.clone()).then_some(BuiltIn { name, release, resource })
        })
        .collect()
});

static NAMES: LazyLock<HashSet<Name>> = LazyLock::new(|| ALL.iter().map(|one| one.name.clone()).collect());

/// Whether this is a definition of the server's own.
pub(crate) fn is_built_in(name: &Name) -> bool {
    NAMES.contains(name)
}

/// How many versions of the definitions a history of everything counts.
///
/// # Errors
/// When the store is away.
pub(crate) fn versions(reader: &Reader<'_>, of: &HistoryRequest) -> Result<u64, AppError> {
    let mut versions = 0;
    for one in ALL.iter() {
        let request =
            HistoryRequest { of: HistoryOf::Resource(one.name.clone()), count: 0, cursor: None, ..of.clone() };
        versions += reader.history(&request)?.total;
    }
    Ok(versions)
}

/// Refuses to change what the server itself brings.
///
/// # Errors
/// 405 for a definition of the server's own.
pub(crate) fn writable(name: &Name) -> Result<(), AppError> {
    if !is_built_in(name) {
        return Ok(());
    }
    let reference = name::reference(name);
    let issue = Issue::error(
        IssueKind::NotSupported,
        "",
        text!(
            en: "{reference} comes with this server and is not changed: create your own under another id.",
            fr: "{reference} est fourni avec ce serveur et ne se modifie pas : créez la vôtre sous un autre id.",
        ),
    );
    Err(AppError::new(Refusal::NotAllowed(&["GET", "HEAD"]), issue))
}

/// Lays the definitions into the store, where they are not there yet as they are now.
///
/// # Errors
/// When the store is away.
pub(crate) async fn lay_in(stage: &Stage) -> Result<(), AppError> {
    let fingerprint = fingerprint();
    let there = stage.app.store().read(move |reader| reader.remembered(FINGERPRINT)).await?;
    if there.is_some_and(|there| there.request == fingerprint) {
        return Ok(());
    }
    let work = stage.clone();
    let changed = stage
        .app
        .store()
        .read(move |reader| {
            let mut changed: Vec<Prepared> = Vec::new();
            for one in ALL.iter() {
                changed.extend(prepared(one, reader.current(&one.name)?.as_ref(), &work)?);
            }
            Ok::<_, AppError>(changed)
        })
        .await?;
    tracing::info!(count = changed.len(), "laying in the definitions that this server brings");
    stage
        .app
        .store()
        .write(move |tx| {
            for one in &changed {
                commit(tx, one)?;
            }
            let answer = RememberedAnswer { request: fingerprint, versions: Vec::new(), at: tx.now() };
            Ok::<_, AppError>(tx.remember(FINGERPRINT, &answer)?)
        })
        .await
}

/// Under which key the fingerprint is kept. No client's key begins like this: theirs are preceded by
/// the name of their caller.
const FINGERPRINT: &str = "definitions of this server";

fn fingerprint() -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for one in ALL.iter() {
        context.update(&json::write(&one.resource));
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

fn prepared(one: &BuiltIn, before: Option<&Version>, stage: &Stage) -> Result<Option<Prepared>, AppError> {
    let Some(structure) = one.release.resource(&one.name.resource_type) else { return Ok(None) };
    let draft = Draft {
        resource_type: structure.path,
        release: one.release,
        tree: one.resource.as_ref().clone(),
        apart: Vec::new(),
        issues: Vec::new(),
        stamped: Stamped::Nothing,
        people: People::AsSent,
        place: None,
    };
    let live = before.filter(|version| version.change != Change::Delete);
    if let Some(version) = live
        && same_as(&draft, version)?
    {
        return Ok(None);
    }
    let face = Face { release: one.release, base: "".into(), bases: Arc::new([]) };
    prepare(&draft, &one.name, before, &face, stage).map(Some)
}
