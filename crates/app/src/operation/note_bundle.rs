//! `POST [base]/Bundle`: what the volets send there, and plain bundles.
//!
//! The volet of 2017 creates a note by a `collection` sent here, and so do the diagrams of the
//! volet of today with a `transaction`. Both are processed: a note that was merely kept inside a
//! bundle would be found by nobody.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};

use crate::{
    audit::AuditRecord,
    bundle::{
        answer::{BundleAnswer, EntryAnswer},
        entry::Entry,
    },
    content::Content,
    error::AppError,
    face::Face,
    idempotence::Key,
    load,
    operation::{
        Operation, Stage,
        batch::Batch,
        create::Create,
        transaction::{Transaction, carry_out, read},
    },
    policy::{Action, Interaction},
    written::Written,
};

/// Takes a bundle that was sent to the address of bundles.
#[derive(Clone, Debug)]
pub struct NoteBundle {
    /// Through which base.
    pub face: Face,
    /// The bundle.
    pub bundle: Object,
    /// `If-None-Exist`, for a bundle that is kept.
    pub if_none_exist: Option<String>,
    /// `Idempotency-Key`: makes it safe to repeat.
    pub idempotency_key: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub enum Taken {
    /// It was processed as at the base.
    Processed(BundleKind, BundleAnswer),
    /// The note it brought, with the actors it brought along.
    Note(Box<Written>),
    /// It is kept as it is.
    Kept(Box<Written>),
}

/// The bundles that are processed at the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of FHIR's bundle types")]
pub enum BundleKind {
    Batch,
    Transaction,
}

impl Operation for NoteBundle {
    type Answer = Taken;

    fn action(&self) -> Action {
        Action::on(Interaction::Create, "Bundle")
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Create, entity: "Bundle".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<Taken, AppError> {
        let Self { face, bundle, if_none_exist, idempotency_key } = self;
        match bundle.str("type").map(str::trim) {
            Some("transaction") => {
                let transaction = Transaction { face, bundle, idempotency_key };
                Ok(Taken::Processed(BundleKind::Transaction, stage.carries_out(transaction).await?))
            }
            Some("batch") => Ok(Taken::Processed(BundleKind::Batch, stage.carries_out(Batch { face, bundle }).await?)),
            Some("collection") => collection(face, bundle, idempotency_key, stage).await,
            Some("document" | "message") | None => {
                let create = Create {
                    face,
                    resource_type: "Bundle",
                    content: Content::Resource(bundle),
                    if_none_exist,
                    idempotency_key,
                };
                Ok(Taken::Kept(Box::new(stage.carries_out(create).await?)))
            }
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                Err(AppError::against_a_rule(
                    IssueKind::BusinessRule,
                    "Bundle.type",
                    text!(
                        en: "Bundles of type “{other}” are answers, not requests: send a transaction, a batch, a collection with a note, a document or a message.",
                        fr: "Les bundles de type « {other} » sont des réponses, pas des demandes : envoyez une transaction, un batch, une collection avec une note, un document ou un message.",
                    ),
                ))
            }
        }
    }
}

/// A note with its subject and authors, as the volet of 2017 sends it.
async fn collection(
    face: Face,
    bundle: Object,
    idempotency_key: Option<String>,
    stage: Stage,
) -> Result<Taken, AppError> {
    let key = Key::new(idempotency_key, "POST collection", &bundle, &face, &stage)?;
    let (entries, repairs) = read(bundle, &face, &stage)?;
    let notes: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.resource_type() == "DocumentReference")
        .map(|(index, _)| index)
        .collect();
    let [note] = notes.as_slice() else { return Err(one_note(notes.len())) };
    let issues = volet_findings(&entries, *note)?;
    let mut answers = carry_out(entries, key, face, stage.clone()).await?;
    if *note >= answers.len() {
        return Err(AppError::defect("the note of a bundle got no answer".to_owned()));
    }
    let EntryAnswer::Written(written) = answers.swap_remove(*note) else {
        return Err(AppError::defect("the note of a bundle was not written".to_owned()));
    };
    let mut written = *written;
    written.resource = load::whole(&stage, written.resource.into_version()).await?;
    written.issues.extend(repairs.into_iter().chain(issues));
    Ok(Taken::Note(Box::new(written)))
}

/// What comes by this way is a note whatever it says of itself.
fn volet_findings(entries: &[Entry], note: usize) -> Result<Vec<Issue>, AppError> {
    use liaison_care::note::{check, is_note, label::Occasion};
    let Some((entry, draft)) = entries.get(note).and_then(|entry| Some((entry, entry.draft.as_ref()?))) else {
        return Ok(Vec::new());
    };
    if is_note(&draft.tree) {
        // Looked at when it is prepared.
        return Ok(Vec::new());
    }
    let issues: Vec<Issue> = check(&draft.tree, draft.release, Occasion::Creation)
        .into_iter()
        .map(|issue| Issue { place: crate::place::inside(&entry.place, &issue.place), ..issue })
        .collect();
    if liaison_fhir::outcome::refused(&issues) {
        return Err(AppError { refusal: crate::error::Refusal::AgainstARule, issues, cause: None });
    }
    Ok(issues)
}

fn one_note(found: usize) -> AppError {
    AppError::against_a_rule(
        IssueKind::BusinessRule,
        "Bundle.entry",
        text!(
            en: "A collection sent here brings one note (DocumentReference) with its subject and authors; this one has {found}. To store other resources together, send a transaction.",
            fr: "Une collection envoyée ici apporte une note (DocumentReference) avec son sujet et ses auteurs ; celle-ci en a {found}. Pour enregistrer d'autres ressources ensemble, envoyez une transaction.",
        ),
    )
}
