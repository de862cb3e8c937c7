//! `history` of a resource, a type or everything: <https://hl7.org/fhir/R4/http.html#history>.

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    search::query::Clause,
    text,
};
use liaison_store::contract::{Cursor, HistoryOf, HistoryRequest, Instant, Name};

use crate::{
    audit::AuditRecord,
    error::{AppError, Refusal},
    load, name,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
    there::{Seen, There, View},
};

/// Tells the versions of a resource, of a type, or of everything, newest first.
#[derive(Clone, Debug)]
pub struct History {
    /// Of what.
    pub of: Of,
    /// Only versions committed at or after this moment, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// Only versions that were current at some moment of this range.
    pub at: Option<(i64, i64)>,
    /// At most this many.
    pub count: u32,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// Of what a history is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// One resource.
    Resource(Name),
    /// All of a type.
    Type(&'static str),
    /// Everything.
    All,
}

/// A page of history.
#[derive(Clone, Debug)]
pub struct Told {
    /// The versions, newest first; with attachments, up to a limit, for the history of one
    /// resource.
    pub versions: Vec<Stored>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Bytes of attachments that a page of history carries; beyond, versions tell their address only.
const ATTACHED: u64 = 32 * 1024 * 1024;

impl Operation for History {
    type Answer = Told;

    fn action(&self) -> Action {
        match &self.of {
            Of::Resource(name) => Action::on(Interaction::History, &name.resource_type),
            Of::Type(resource_type) => Action::on(Interaction::History, resource_type),
            Of::All => Action::on_system(Interaction::History),
        }
    }

    fn audit(&self) -> AuditRecord {
        let entity = match &self.of {
            Of::Resource(name) => name::reference(name),
            Of::Type(resource_type) => (*resource_type).to_owned(),
            Of::All => String::new(),
        };
        AuditRecord { interaction: Interaction::History, entity }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Told, AppError> {
        let Self { of, since, at, count, cursor } = self;
        if let There::Only(seen) = &stage.there {
            seen.tells(&of)?;
        }
        let named = match &of {
            Of::Resource(name) => Some(name.clone()),
            _ => None,
        };
        let request = HistoryRequest {
            of: match of {
                Of::Resource(name) => HistoryOf::Resource(name),
                Of::Type(resource_type) => HistoryOf::Type(resource_type.into()),
                Of::All => HistoryOf::All,
            },
            since: since.map(Instant),
            at: at.map(|(low, high)| (Instant(low), Instant(high))),
            count,
            cursor: cursor.map(Cursor),
        };
        let (one, there) = (named.clone(), stage.there.clone());
        let page = stage
            .app
            .store()
            .read(move |reader| match &one {
                // The history of what never was is not an empty one.
                Some(name) if View::of(reader, &there).current(name)?.is_none() => Err(AppError::unknown(name)),
                Some(_) => View::of(reader, &there).history(&request),
                None => Ok(reader.history(&request)?),
            })
            .await?;
        let mut versions = Vec::with_capacity(page.versions.len());
        let mut budget = if named.is_some() { ATTACHED } else { 0 };
        for version in page.versions {
            versions.push(load::within(&stage, version, &mut budget).await?);
        }
        if stage.telling.is_some() {
            stage.app.store().read_here(|reader| stage.shows(&versions, reader)).await?;
        }
        Ok(Told { versions, total: page.total, next: page.next.map(|cursor| cursor.0) })
    }
}

impl Seen {
    /// Whether the history of many resources may be told: of what everybody who is known here sees whole.
    ///
    /// # Errors
    /// 403 for all else: to leave out what is not there would mean to read all of it.
    fn tells(&self, of: &Of) -> Result<(), AppError> {
        let whole = match of {
            Of::Resource(_) => true,
            Of::Type(resource_type) => self.sight.clause(resource_type) == Clause::always(),
            Of::All => false,
        };
        if whole {
            return Ok(());
        }
        let text = text!(
            en: "The history of a whole type is told of what everybody may see: ask for that of one resource.",
            fr: "L'historique de tout un type n'est donné que pour ce que chacun peut voir : demandez celui d'une ressource.",
        );
        Err(AppError::new(Refusal::Forbidden, Issue::error(IssueKind::Forbidden, "", text)))
    }
}
