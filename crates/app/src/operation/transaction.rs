//! `transaction`: <https://hl7.org/fhir/R4/http.html#transaction>.

use std::sync::Arc;

use liaison_care::note_bundle;
use liaison_fhir::{
    outcome::{self, Issue},
    tree::Object,
};
use liaison_store::contract::{Change, Name};

use crate::{
    audit::AuditRecord,
    bundle::{
        answer::{BundleAnswer, EntryAnswer},
        entry::{self, Entry},
        plan::Transaction as Carried,
    },
    error::{AppError, Refusal},
    face::Face,
    idempotence::Key,
    operation::{Operation, Stage, delete::Deleted},
    policy::{Action, Interaction},
    stored::Stored,
    wire_2017,
    written::{Effect, Written},
};

/// Carries out all entries of a bundle, or none.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Through which base.
    pub face: Face,
    /// The bundle, of type `transaction`.
    pub bundle: Object,
    /// `Idempotency-Key`: makes it safe to repeat.
    pub idempotency_key: Option<String>,
}

impl Operation for Transaction {
    type Answer = BundleAnswer;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Transaction)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Transaction, entity: "Bundle".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<BundleAnswer, AppError> {
        let Self { face, bundle, idempotency_key } = self;
        let key = Key::new(idempotency_key, "POST transaction", &bundle, &face, &stage)?;
        let (entries, issues) = read(bundle, &face, &stage)?;
        let answers = carry_out(entries, key, face, stage).await?;
        Ok(BundleAnswer { entries: answers.into_iter().map(Ok).collect(), issues })
    }
}

/// Reads the entries of a bundle that is carried out as a transaction, and tells what is wrong with
/// any of them at once; with what was read otherwise than it was written.
pub(crate) fn read(bundle: Object, face: &Face, stage: &Stage) -> Result<(Vec<Entry>, Vec<Issue>), AppError> {
    let (bundle, mut issues) = wire_2017::bundle(bundle, face);
    let (bundle, found) = note_bundle::into_transaction(bundle);
    issues.extend(found);
    if outcome::refused(&issues) {
        return Err(AppError { refusal: Refusal::AgainstARule, issues, cause: None });
    }
    let raw = entry::open(bundle, face, stage)?;
    let mut entries = Vec::with_capacity(raw.len());
    let mut refused: Option<AppError> = None;
    for (index, raw) in raw.into_iter().enumerate() {
        match (Entry::read(index, raw, face, stage), &mut refused) {
            (Ok(entry), _) => entries.push(entry),
            (Err(error), None) => refused = Some(error),
            (Err(error), Some(first)) => first.issues.extend(error.issues),
        }
    }
    refused.map_or(Ok((entries, issues)), Err)
}

/// Carries out entries together, once for each idempotency key.
pub(crate) async fn carry_out(
    entries: Vec<Entry>,
    key: Option<Key>,
    face: Face,
    stage: Stage,
) -> Result<Vec<EntryAnswer>, AppError> {
    let carried = Carried { entries: Arc::new(entries), face, stage };
    let (asked, name, kept) = (key.clone(), key.as_ref().map(Key::name), key);
    carried
        .carry_out(
            name,
            move |reader| match asked.as_ref().map(|key| key.answered(reader)).transpose()?.flatten() {
                None => Ok(None),
                Some(before) => {
                    let mut answers = Vec::with_capacity(before.versions.len());
                    for (name, number) in &before.versions {
                        let version = reader.version(name, *number)?.ok_or_else(|| AppError::unknown(name))?;
                        answers.push(if version.change == Change::Delete {
                            EntryAnswer::Deleted(Deleted { name: version.name, version: version.version })
                        } else {
                            let effect = match version.change {
                                _ if version.updated < before.at => Effect::Found,
                                Change::Create => Effect::Created,
                                Change::Update | Change::Delete => Effect::Updated,
                            };
                            let issues: Vec<Issue> = Vec::new();
                            EntryAnswer::Written(Box::new(Written { effect, resource: Stored::light(version), issues }))
                        });
                    }
                    Ok(Some(answers))
                }
            },
            move |tx, answers| match &kept {
                Some(key) => {
                    let at = answers.iter().filter_map(first_instant).min();
                    key.remember(tx, at, answers.iter().filter_map(version_of).collect())
                }
                None => Ok(()),
            },
        )
        .await
}

/// When a version that the transaction wrote was committed.
fn first_instant(answer: &EntryAnswer) -> Option<i64> {
    match answer {
        EntryAnswer::Written(written) if written.effect != Effect::Found => Some(written.resource.updated()),
        _ => None,
    }
}

fn version_of(answer: &EntryAnswer) -> Option<(Name, u32)> {
    match answer {
        EntryAnswer::Written(written) => Some((written.resource.name().clone(), written.resource.version())),
        EntryAnswer::Deleted(deleted) => Some((deleted.name.clone(), deleted.version)),
        EntryAnswer::Read(_) | EntryAnswer::Found(..) => None,
    }
}
