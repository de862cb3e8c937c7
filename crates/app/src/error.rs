//! Why a request was not done.

use std::error::Error;

use liaison_fhir::{
    outcome::{Issue, IssueKind, Text},
    text,
};
use liaison_store::contract::{Name, StoreError};

use crate::{audit::Untold, place};

/// A refusal: of what kind, and the findings that say why.
///
/// What the caller may read is in `issues` and nowhere else; `cause` is for the log only.
#[derive(Debug, thiserror::Error)]
#[error("{refusal:?}: {}", .issues.iter().map(|i| i.text.en.as_str()).collect::<Vec<_>>().join("; "))]
pub struct AppError {
    /// Of what kind: decides the status.
    pub refusal: Refusal,
    /// What the caller reads; never empty.
    pub issues: Vec<Issue>,
    /// What only the log reads.
    #[source]
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request could not be understood.
    NotUnderstood,
    /// The caller may know that the thing exists, but not do this to it.
    Forbidden,
    /// There is no such thing.
    Unknown,
    /// The thing exists and never takes this interaction; those it takes.
    NotAllowed(&'static [&'static str]),
    /// It was there and has been deleted: its last version.
    Gone(u32),
    /// It contradicts what is stored.
    Conflict,
    /// It repeats what this resource holds already: by version, when known.
    Duplicate(Name),
    /// These still refer to it.
    Referred(Vec<Name>),
    /// A precondition of the request does not hold.
    Precondition,
    /// A limit of size was passed.
    TooLarge,
    /// Content of a kind that is not taken here.
    Unsupported,
    /// Understood, but against a rule.
    AgainstARule,
    /// Gave up after the time limit.
    TooSlow,
    /// There is no room to write: nothing was done, reads go on.
    Full,
    /// The store cannot be written to: nothing was done, reads go on.
    ReadOnly,
    /// What is stored is not what was written: it is not given.
    Damaged,
    /// What it rests on is not indexed yet: somebody must have that done.
    NotIndexed,
    /// The store is away or broken: try again later.
    Away,
    /// A defect of this program: never the fault of a request.
    Defect,
}

impl AppError {
    /// A refusal for one reason.
    #[must_use]
    pub fn new(refusal: Refusal, issue: Issue) -> Self {
        Self { refusal, issues: vec![issue], cause: None }
    }

    /// The same refusal once more; its cause stays with the first.
    #[must_use]
    pub(crate) fn again(&self) -> Self {
        Self { refusal: self.refusal.clone(), issues: self.issues.clone(), cause: None }
    }

    /// The request, or a part of it, was not understood.
    #[must_use]
    pub fn not_understood(kind: IssueKind, place: impl Into<String>, text: Text) -> Self {
        Self::new(Refusal::NotUnderstood, Issue::error(kind, place, text))
    }

    /// Understood, but against a rule.
    #[must_use]
    pub fn against_a_rule(kind: IssueKind, place: impl Into<String>, text: Text) -> Self {
        Self::new(Refusal::AgainstARule, Issue::error(kind, place, text))
    }

    /// A precondition does not hold.
    #[must_use]
    pub fn precondition(kind: IssueKind, text: Text) -> Self {
        Self::new(Refusal::Precondition, Issue::error(kind, "", text))
    }

    /// There is no such resource.
    #[must_use]
    pub fn unknown(name: &Name) -> Self {
        let (resource_type, id) = (&name.resource_type, &name.id);
        Self::new(
            Refusal::Unknown,
            Issue::error(
                IssueKind::NotFound,
                "",
                text!(
                    en: "There is no {resource_type}/{id} here.",
                    fr: "Il n'y a pas de {resource_type}/{id} ici.",
                ),
            ),
        )
    }

    /// The resource was deleted.
    #[must_use]
    pub fn gone(name: &Name, version: u32) -> Self {
        let (resource_type, id) = (&name.resource_type, &name.id);
        Self::new(
            Refusal::Gone(version),
            Issue::error(
                IssueKind::Deleted,
                "",
                text!(
                    en: "{resource_type}/{id} has been deleted; its earlier versions are in its history.",
                    fr: "{resource_type}/{id} a été supprimé ; ses versions antérieures sont dans son historique.",
                ),
            ),
        )
    }

    /// Whether it is about where it was run, not about what was asked: run elsewhere, it may go well.
    pub(crate) fn is_to_be_run_again(&self) -> bool {
        self.refusal == Refusal::Away
    }

    /// The findings of a reader: the content could not be read.
    #[must_use]
    pub fn unreadable(issues: Vec<Issue>) -> Self {
        let refusal = if issues.iter().any(|i| i.kind == IssueKind::TooLong) {
            Refusal::TooLarge
        } else {
            Refusal::NotUnderstood
        };
        Self { refusal, issues, cause: None }
    }

    /// The findings of validation: not understood when the form itself is wrong (unknown elements,
    /// wrong types, bad primitives), against a rule otherwise.
    #[must_use]
    pub fn invalid(issues: Vec<Issue>) -> Self {
        let form = |i: &Issue| i.refuses() && matches!(i.kind, IssueKind::Structure | IssueKind::Value);
        let refusal = if issues.iter().any(form) { Refusal::NotUnderstood } else { Refusal::AgainstARule };
        Self { refusal, issues, cause: None }
    }

    /// The same refusal, its places seen from the bundle that holds the resource.
    #[must_use]
    pub fn inside(mut self, prefix: &str) -> Self {
        for issue in &mut self.issues {
            issue.place = place::inside(prefix, &issue.place);
        }
        self
    }
}

/// Parameters named when a search is refused for want of them.
const NAMED: usize = 10;

impl From<Untold> for AppError {
    fn from(untold: Untold) -> Self {
        let text = text!(
            en: "What is done here must be recorded, and the audit trail cannot be written at the moment: try again shortly.",
            fr: "Ce qui est fait ici doit être tracé, et la trace ne peut pas être écrite pour le moment : réessayez sous peu.",
        );
        Self { cause: Some(Box::new(untold)), ..Self::new(Refusal::Away, Issue::error(IssueKind::Transient, "", text)) }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::KeyTaken { key, holder } => {
                let (scope, id, of) = (key.scope, &holder.id, &holder.resource_type);
                let issue = Issue::error(
                    IssueKind::Duplicate,
                    "",
                    text!(
                        en: "{of}/{id} already has this identifier ({scope}): read it, and update it if need be.",
                        fr: "{of}/{id} a déjà cet identifiant ({scope}) : lisez-le, et mettez-le à jour au besoin.",
                    ),
                );
                Self::new(Refusal::Duplicate(holder), issue)
            }
            StoreError::Unresolved(links) => {
                let issues = links
                    .iter()
                    .map(|link| {
                        let (of, id) = (&link.to.resource_type, &link.to.id);
                        Issue::error(
                            IssueKind::NotFound,
                            link.place.as_ref(),
                            text!(
                                en: "{of}/{id} does not exist here: create it first, or refer to it by identifier.",
                                fr: "{of}/{id} n'existe pas ici : créez-le d'abord, ou désignez-le par son identifiant.",
                            ),
                        )
                    })
                    .collect();
                Self { refusal: Refusal::AgainstARule, issues, cause: None }
            }
            StoreError::Referred { by } => {
                let names = by.iter().map(|n| format!("{}/{}", n.resource_type, n.id)).collect::<Vec<_>>().join(", ");
                Self::new(
                    Refusal::Referred(by),
                    Issue::error(
                        IssueKind::Conflict,
                        "",
                        text!(
                            en: "Not deleted, since others still refer to it: {names}.",
                            fr: "Non supprimé, car d'autres ressources y font encore référence : {names}.",
                        ),
                    ),
                )
            }
            StoreError::WrongState => Self::new(
                Refusal::Conflict,
                Issue::error(
                    IssueKind::Conflict,
                    "",
                    text!(
                        en: "Somebody else changed it at the same moment: read it again, then retry.",
                        fr: "Quelqu'un l'a modifié au même moment : relisez, puis recommencez.",
                    ),
                ),
            ),
            StoreError::TooSlow => Self::new(
                Refusal::TooSlow,
                Issue::error(
                    IssueKind::Timeout,
                    "",
                    text!(
                        en: "The search took too long and was given up: add criteria, or ask for less at a time.",
                        fr: "La recherche a été abandonnée car trop longue : ajoutez des critères, ou demandez moins à la fois.",
                    ),
                ),
            ),
            StoreError::BadCursor => Self::not_understood(
                IssueKind::Value,
                "http._cursor",
                text!(
                    en: "This page link is not one of this search: start again from its first page.",
                    fr: "Ce lien de page n'est pas de cette recherche : repartez de sa première page.",
                ),
            ),
            StoreError::NotReady { params } => {
                let mut names: Vec<String> =
                    params.iter().map(|param| format!("{}.{}", param.base, param.code)).collect();
                let more = names.len().saturating_sub(NAMED);
                names.truncate(NAMED);
                let (names, more) = (names.join(", "), if more > 0 { format!(" (+ {more})") } else { String::new() });
                Self::new(
                    Refusal::NotIndexed,
                    Issue::error(
                        IssueKind::Transient,
                        "",
                        text!(
                            en: "This cannot be answered in full until the index has been made anew for {names}{more}: nothing was done. The operator must run `liaison reindex`; other searches are answered.",
                            fr: "Il n'est pas possible d'y répondre entièrement avant que l'index ne soit refait pour {names}{more} : rien n'a été fait. L'exploitant doit lancer `liaison reindex` ; les autres recherches ont leur réponse.",
                        ),
                    ),
                )
            }
            superseded @ StoreError::Superseded => Self::of_store(
                Refusal::ReadOnly,
                IssueKind::NoStore,
                text!(
                    en: "This server is of another version than the one that the store is indexed by: nothing was done. Another node takes it; the operator must bring this one to the same version.",
                    fr: "Ce serveur n'est pas de la version par laquelle le stockage est indexé : rien n'a été fait. Un autre nœud l'acceptera ; l'exploitant doit mettre celui-ci à la même version.",
                ),
                superseded,
            ),
            overtaken @ StoreError::Overtaken => Self::of_store(
                Refusal::Conflict,
                IssueKind::Conflict,
                text!(
                    en: "What was being made anew was changed by another program: one of another version, or of other settings, began to write, or another pass was begun. Stop that, then begin again.",
                    fr: "Un autre programme est intervenu pendant la réindexation : une autre version, ou d'autres réglages, ou une autre réindexation. Arrêtez-le, puis recommencez.",
                ),
                overtaken,
            ),
            full @ StoreError::Full(_) => Self::of_store(
                Refusal::Full,
                IssueKind::NoStore,
                text!(
                    en: "There is no room left to store this: nothing was done. Reading goes on. The operator must free space; then try again.",
                    fr: "Il n'y a plus de place pour enregistrer ceci : rien n'a été fait. La lecture reste possible. L'exploitant doit libérer de l'espace ; réessayez ensuite.",
                ),
                full,
            ),
            read_only @ StoreError::ReadOnly(_) => Self::of_store(
                Refusal::ReadOnly,
                IssueKind::NoStore,
                text!(
                    en: "The store cannot be written to: nothing was done. Reading goes on. The operator must make it writable; then try again.",
                    fr: "Le stockage n'est pas accessible en écriture : rien n'a été fait. La lecture reste possible. L'exploitant doit le rendre inscriptible ; réessayez ensuite.",
                ),
                read_only,
            ),
            damaged @ StoreError::Damaged(_) => Self::of_store(
                Refusal::Damaged,
                IssueKind::NoStore,
                text!(
                    en: "What is stored here is damaged and therefore not given; nothing was changed. The operator must check the store and restore a backup.",
                    fr: "Ce qui est enregistré ici est endommagé et n'est donc pas rendu ; rien n'a été modifié. L'exploitant doit vérifier le stockage et restaurer une sauvegarde.",
                ),
                damaged,
            ),
            doubt @ StoreError::InDoubt(_) => Self::of_store(
                Refusal::Away,
                IssueKind::Transient,
                text!(
                    en: "The store went away while it was writing: whether this was done is not known. Look before you send it again, or send it with the same Idempotency-Key.",
                    fr: "Le stockage a été perdu pendant l'écriture : on ne sait pas si elle a été faite. Vérifiez avant de renvoyer, ou renvoyez avec la même Idempotency-Key.",
                ),
                doubt,
            ),
            other => Self::of_store(
                Refusal::Away,
                IssueKind::Transient,
                text!(
                    en: "The store is not available at the moment: nothing was done, try again shortly.",
                    fr: "Le stockage n'est pas disponible pour le moment : rien n'a été fait, réessayez sous peu.",
                ),
                other,
            ),
        }
    }
}

impl AppError {
    /// A defect: what is wrong is for the log only.
    #[must_use]
    pub(crate) fn defect(what: String) -> Self {
        Self {
            refusal: Refusal::Defect,
            issues: vec![Issue::error(
                IssueKind::Exception,
                "",
                text!(
                    en: "The server failed on this request; the failure is in its log under the id of the request.",
                    fr: "Le serveur a échoué sur cette requête ; l'échec est dans son journal, sous l'identifiant de la requête.",
                ),
            )],
            cause: Some(what.into()),
        }
    }

    fn of_store(refusal: Refusal, kind: IssueKind, text: Text, cause: StoreError) -> Self {
        Self { refusal, issues: vec![Issue::error(kind, "", text)], cause: Some(Box::new(cause)) }
    }
}
