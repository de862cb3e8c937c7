//! `create`, plain and conditional: <https://hl7.org/fhir/R4/http.html#create>.

use liaison_care::{note_bundle, unique};
use liaison_fhir::{outcome::IssueKind, text, tree::Object};
use liaison_store::{
    contract::{Named, StoreError, UniqueKey, Version},
    reader::Reader,
    shard::Reach,
    writer::Tx,
};

use crate::{
    audit::AuditRecord,
    content::Content,
    criteria::{self, Criteria, Matched},
    error::AppError,
    face::Face,
    idempotence::Key,
    load, name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    query_string,
    stored::Stored,
    there::{Holder, View},
    write::{
        commit::{commit, taken},
        draft::{Draft, in_r4},
        prepare::{Prepared, prepare},
        rules,
        same::same_as,
    },
    written::{Effect, Written},
};

/// Creates a resource under an id of the server's.
#[derive(Clone, Debug)]
pub struct Create {
    /// Through which base.
    pub face: Face,
    /// The type the address names.
    pub resource_type: &'static str,
    /// What was sent.
    pub content: Content,
    /// `If-None-Exist`, as sent: nothing is created when something matches.
    pub if_none_exist: Option<String>,
    /// `Idempotency-Key`: makes it safe to repeat.
    pub idempotency_key: Option<String>,
}

impl Operation for Create {
    type Answer = Written;

    fn action(&self) -> Action {
        Action::on(Interaction::Create, self.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Create, entity: self.resource_type.to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<Written, AppError> {
        let Self { face, resource_type, content, if_none_exist, idempotency_key } = self;
        let address = format!("POST {resource_type} {}", if_none_exist.as_deref().unwrap_or_default());
        let key = Key::new(idempotency_key, &address, &content, &face, &stage)?;
        let condition = if_none_exist.map(|text| condition(resource_type, &text, &face, &stage)).transpose()?;
        if let Content::Resource(bundle) = &content {
            kept(bundle)?;
        }
        let draft = content.draft(resource_type, &face, &stage)?;
        let prepared = match checked(&draft, &face, &stage).await {
            // What is here already was good when it came: it is only found again.
            Err(refused) if twin(&draft, &stage).await?.is_none() => return Err(refused),
            prepared => prepared,
        };
        let issues = prepared.as_ref().map_or_else(|_| draft.issues.clone(), |prepared| prepared.issues.clone());
        let job_stage = stage.clone();
        let mut places = prepared.as_ref().map(Prepared::places).unwrap_or_default();
        places.answers.extend(key.as_ref().map(Key::name));
        if condition.is_some() {
            places.reach = Reach::Everywhere;
        }
        let (effect, version) = stage
            .write_at(places, move |tx| {
                create(tx, &draft, prepared.as_ref(), condition.as_ref(), key.as_ref(), &job_stage)
            })
            .await?;
        Ok(Written { effect, resource: load::whole(&stage, version).await?, issues })
    }
}

/// Makes a new resource ready, and checks what it refers to.
async fn checked(draft: &Draft, face: &Face, stage: &Stage) -> Result<Prepared, AppError> {
    let mut prepared = prepare(draft, &name::fresh(draft.resource_type), None, face, stage)?;
    prepared.version.named = Named::ByServer;
    rules::check_apart(&prepared, None, draft, face, stage).await?;
    Ok(prepared)
}

/// The note that says the same under the same `masterIdentifier`, as it stands now.
async fn twin(draft: &Draft, stage: &Stage) -> Result<Option<Version>, AppError> {
    stage.app.store().read_here(|reader: &Reader<'_>| same_note(View::of(reader, &stage.there), draft)).await
}

fn same_note(look: View<'_, '_>, draft: &Draft) -> Result<Option<Version>, AppError> {
    let view = in_r4(&draft.tree, draft.release);
    for key in unique::keys(&view).into_iter().filter(|key| key.scope == unique::NOTE) {
        let Holder::Seen(holder) = look.holder(&UniqueKey { scope: key.scope, key: key.key.into() })? else { continue };
        let Some(version) = look.current(&holder)? else { continue };
        if same_as(draft, &version)? {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// Refuses to keep a bundle that asks to be processed: what it brings would be found by nobody.
fn kept(bundle: &Object) -> Result<(), AppError> {
    let asks = matches!(bundle.str("type"), Some("transaction" | "batch")) || note_bundle::is_note_collection(bundle);
    if bundle.resource_type() != Some("Bundle") || !asks {
        return Ok(());
    }
    Err(AppError::against_a_rule(
        IssueKind::BusinessRule,
        "Bundle.type",
        text!(
            en: "A bundle that is to be processed is sent by itself, to the base or to Bundle; it is not an entry of another.",
            fr: "Un bundle à traiter s'envoie seul, à la base ou à Bundle ; il n'est pas l'entrée d'un autre.",
        ),
    ))
}

/// The criteria of an `If-None-Exist` header: a query string, with or without its `?`.
pub(crate) fn condition(
    resource_type: &'static str,
    text: &str,
    face: &Face,
    stage: &Stage,
) -> Result<Criteria, AppError> {
    let text = text.trim();
    let text = text.split_once('?').map_or(text, |(_, query)| query);
    Criteria::read(resource_type, query_string::read(text.as_bytes())?, face, stage)
}

/// Creates inside the writer, unless the request was answered before, the condition matches, or the
/// same note is there already.
fn create(
    tx: &mut Tx<'_>,
    draft: &Draft,
    prepared: Result<&Prepared, &AppError>,
    condition: Option<&Criteria>,
    key: Option<&Key>,
    stage: &Stage,
) -> Result<(Effect, Version), AppError> {
    if let Some(before) = key.map(|key| key.answered(tx)).transpose()?.flatten()
        && let Some((name, number)) = before.versions.first()
        && let Some(version) = tx.version(name, *number)?
    {
        // A repeated request gets the answer it got.
        let effect = if version.updated < before.at { Effect::Found } else { Effect::Created };
        stage.shows([&Stored::light(version.clone())], tx)?;
        return Ok((effect, version));
    }
    let found = match condition.map(|c| c.matched(tx, stage)).transpose()? {
        Some(Matched::Many) => return Err(criteria::many()),
        Some(Matched::One(version)) => Some(version),
        Some(Matched::None) | None => match prepared {
            Ok(prepared) => already_there(View::of(tx, &stage.there), draft, prepared)?,
            Err(refused) => Some(same_note(View::of(tx, &stage.there), draft)?.ok_or_else(|| refused.again())?),
        },
    };
    let (effect, version) = match (found, prepared) {
        (Some(version), _) => (Effect::Found, version),
        (None, Ok(prepared)) => (Effect::Created, commit(tx, prepared)?.version),
        (None, Err(refused)) => return Err(refused.again()),
    };
    if effect == Effect::Found {
        stage.shows([&Stored::light(version.clone())], tx)?;
    }
    if let Some(key) = key {
        let at = (effect == Effect::Created).then_some(version.updated.0);
        key.remember(tx, at, vec![(version.name.clone(), version.version)])?;
    }
    Ok((effect, version))
}

/// The note that has the same `masterIdentifier` and says the same.
///
/// # Errors
/// 409, naming the holder, when it says something else, or for any other key that is taken.
fn already_there(look: View<'_, '_>, draft: &Draft, prepared: &Prepared) -> Result<Option<Version>, AppError> {
    for key in &prepared.version.unique {
        // One that is not there for the caller is refused as taken, and not named (`App::execute`).
        let Some(holder) = look.reader().holder(key)? else { continue };
        let taken = || {
            let error = StoreError::KeyTaken { key: key.clone(), holder: holder.clone() };
            taken(error, &prepared.version.unique, &prepared.key_places)
        };
        if key.scope != unique::NOTE {
            return Err(taken());
        }
        let Some(version) = look.current(&holder)? else { return Err(taken()) };
        return if same_as(draft, &version)? { Ok(Some(version)) } else { Err(taken()) };
    }
    Ok(None)
}
