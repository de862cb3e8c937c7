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
    contract::{Change, Instant, Name, RememberedAnswer, Version},
    shard::{Places, Reach},
    writer::Tx,
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
        prepare::{Prepared, deletion, prepare},
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
fn is_built_in(name: &Name) -> bool {
    NAMES.contains(name)
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

/// Lays the definitions into the store, where they are not there yet as they are now, and takes out
/// those that an earlier program laid in and this one does not bring.
///
/// # Errors
/// When the store is away.
pub(crate) async fn lay_in(stage: &Stage) -> Result<(), AppError> {
    let fingerprint = fingerprint();
    let there = stage.app.store().read(move |reader| reader.remembered(FINGERPRINT)).await?;
    let laid_in_before = match there {
        Some(there) if there.request == fingerprint => return Ok(()),
        Some(there) => there.versions,
        None => Vec::new(),
    };
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
    let work = stage.clone();
    stage
        .app
        .store()
        .write_at(Places { reach: Reach::Everywhere, ..Places::default() }, move |tx| {
            // Another node was faster.
            if tx.remembered(FINGERPRINT)?.is_some_and(|there| there.request == fingerprint) {
                return Ok(());
            }
            for one in &changed {
                commit(tx, one)?;
            }
            take_out(tx, &laid_in_before, &work)?;
            let mut versions = Vec::new();
            for one in ALL.iter() {
                versions.extend(tx.current(&one.name)?.map(|version| (version.name, version.version)));
            }
            let answer = RememberedAnswer { request: fingerprint, versions, at: FOR_EVER };
            Ok::<_, AppError>(tx.remember(FINGERPRINT, &answer)?)
        })
        .await
}

/// Deletes what was laid in by an earlier program, is not brought any more, and is as it was laid
/// in; unless something refers to it: then it is somebody's, like any other resource.
fn take_out(tx: &mut Tx<'_>, laid_in: &[(Name, u32)], stage: &Stage) -> Result<(), AppError> {
    for (name, version) in laid_in.iter().filter(|(name, _)| !is_built_in(name)) {
        let Some(before) = tx.current(name)? else { continue };
        let as_laid_in = before.version == *version && before.change != Change::Delete;
        if as_laid_in && tx.referrers(name, 1)?.is_empty() {
            commit(tx, &deletion(&before, stage))?;
        }
    }
    Ok(())
}

/// The fingerprint is not forgotten with the answers kept for repeated requests.
const FOR_EVER: Instant = Instant(i64::MAX);

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

#[cfg(test)]
mod tests {
    use liaison_fhir::object;
    use liaison_store::store::{Store, StoreOptions, StoreUrl};

    use super::*;
    use crate::{app::App, settings::Settings};

    fn a_former_definition(id: &str, stage: &Stage) -> Prepared {
        let name = Name { resource_type: "StructureDefinition".into(), id: id.into() };
        let tree = object! { "resourceType" => "StructureDefinition", "url" => format!("https://example.org/{id}") };
        let one = BuiltIn { name, release: release::view(), resource: Arc::new(tree) };
        prepared(&one, None, stage).unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_a_former_program_laid_in_goes_unless_it_became_somebodys() {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("store.db"));
        let store = Store::open(&url, StoreOptions::default()).unwrap();
        let app = App::open(store.clone(), Settings::default()).await.unwrap();
        let stage = Stage::untold(&app);
        let kept = || store.read(|reader| reader.remembered(FINGERPRINT));
        let first = kept().await.unwrap().unwrap();
        assert_eq!(first.versions.len(), ALL.len());

        // As after an earlier program that brought two more, one of which was changed since.
        let former = ["former", "changed"].map(|id| a_former_definition(id, &stage));
        let names = former.clone().map(|one| one.version.name);
        let (laid_in, of_the_first) = (names.clone(), first.versions.clone());
        let work = store.write(move |tx| {
            for one in &former {
                commit(tx, one)?;
            }
            let [_, changed] = &former;
            let mut again = changed.clone();
            again.version.change = Change::Update;
            commit(tx, &again)?;
            let versions = of_the_first.iter().cloned().chain(laid_in.clone().map(|name| (name, 1))).collect();
            let answer = RememberedAnswer { request: [0; 32], versions, at: FOR_EVER };
            Ok::<_, AppError>(tx.remember(FINGERPRINT, &answer)?)
        });
        work.await.unwrap();

        lay_in(&stage).await.unwrap();
        let now = store
            .read(move |reader| names.iter().map(|name| reader.current(name)).collect::<Result<Vec<_>, _>>())
            .await
            .map_err(|error: liaison_store::contract::StoreError| error)
            .unwrap();
        let changes: Vec<_> = now.into_iter().flatten().map(|version| (version.change, version.version)).collect();
        assert_eq!(changes, [(Change::Delete, 2), (Change::Update, 2)]);
        assert_eq!(kept().await.unwrap().unwrap(), first, "and the others are as they were");

        // Answers kept for repeated requests are forgotten; that nothing is to be laid in is not.
        store.write(|tx| tx.forget_answers(tx.now())).await.unwrap();
        assert_eq!(kept().await.unwrap().unwrap(), first);
        store.close().await;
    }
}
