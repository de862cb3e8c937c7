//! `$export`, asked for now and read later
//! (<https://hl7.org/fhir/uv/bulkdata/export.html>).
//!
//! A job is a description that is kept in the store: a moment, types, since when. Its files are made
//! while they are read, by whichever program is asked (`docs/decisions/0032-bulk-export.md`).

use liaison_fhir::{
    json, object,
    outcome::{Issue, IssueKind},
    text,
    tree::Value,
};
use liaison_store::{bulk::Walk, contract::Instant, jobs::Job, reader::Reader};

use super::export::{self, Attachments, Export, Piece, Reached, Standing};
use crate::{
    audit::AuditRecord,
    clock,
    error::{AppError, Refusal},
    face::Face,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored,
    there::View,
};

/// How long a job is kept.
const KEPT: i64 = 24 * 3600 * 1_000_000;
/// Jobs kept at once: beyond, whoever asks for one more is asked to delete some.
const MOST: usize = 1_000;

/// Asks for an export of the whole system.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Only these types; when there are none, all but `Binary`.
    pub types: Vec<&'static str>,
    /// Only what was changed after this, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// The request, as it came.
    pub request: String,
}

/// What came of asking for an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has this name.
    Job(String),
    /// There are too many.
    TooMany,
}

impl Operation for Begin {
    type Answer = Begun;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Export)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: "$export".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<Begun, AppError> {
        let at = export::now(&stage).await?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let until = clock::now().as_microsecond().saturating_add(KEPT);
        let types = self.types.into_iter().map(str::to_owned).collect();
        let job = Described { at, until, types, since: self.since, request: self.request }.kept(&id);
        let put = stage.app.store().write(move |tx| {
            if tx.jobs()?.len() >= MOST {
                return Ok::<_, AppError>(Begun::TooMany);
            }
            tx.put_job(&job)?;
            Ok(Begun::Job(job.id.clone()))
        });
        put.await
    }
}

/// Asks what there is to be read of an export.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its name.
    pub id: String,
    /// Through which base.
    pub face: Face,
}

/// What there is to be read of an export.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The moment that it is of, as FHIR writes instants.
    pub at: String,
    /// Until when it can be read, in microseconds since 1970 UTC.
    pub until: i64,
    /// The request, as it came.
    pub request: String,
    /// The files: of each type what is there, and what was deleted.
    pub files: Vec<(&'static str, Standing)>,
}

impl Operation for Look {
    type Answer = Manifest;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Export)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: "$export".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<Manifest, AppError> {
        let there = stage.there.clone();
        stage.app.store().read(move |reader| self.look(View::of(reader, &there))).await
    }
}

impl Look {
    fn look(self, view: View<'_, '_>) -> Result<Manifest, AppError> {
        let reader = view.reader();
        let job = Described::of(&self.id, reader)?;
        let mut files = Vec::new();
        for resource_type in self.face.release.resources().into_iter().filter(|kind| job.is_of(kind)) {
            for standing in [Standing::Live, Standing::Deleted] {
                let (since, at) = (job.since.map(Instant), Instant(job.at));
                let walk = Walk { resource_type: resource_type.into(), since, at, standing };
                // What was deleted before is not told of a system that is given whole.
                let told = standing == Standing::Live || since.is_some();
                if told && export::is_some(&walk, view)? {
                    files.push((resource_type, standing));
                }
            }
        }
        Ok(Manifest { at: Instant(job.at).text(), until: job.until, request: job.request, files })
    }
}

/// Reads the next piece of a file of an export.
#[derive(Clone, Debug)]
pub struct ReadFile {
    /// The name of the export.
    pub id: String,
    /// Through which base.
    pub face: Face,
    /// The type.
    pub resource_type: &'static str,
    /// What is there, or what was deleted.
    pub standing: Standing,
    /// Where the piece before ended.
    pub after: Option<Reached>,
}

impl Operation for ReadFile {
    type Answer = Piece;

    fn action(&self) -> Action {
        Action::on(Interaction::Export, self.resource_type)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: "$export".to_owned() }
    }

    fn goes_on(&self) -> bool {
        self.after.is_some()
    }

    async fn run(self, stage: Stage) -> Result<Piece, AppError> {
        stage.shows_everything(self.resource_type);
        let there = stage.there.clone();
        let read = stage.app.store().read(move |reader| {
            // Looked at for each piece: a job that was deleted is not read to its end.
            let job = Described::of(&self.id, reader)?;
            if !job.is_of(self.resource_type) {
                return Err(unknown());
            }
            let Self { face, resource_type, standing, after, .. } = self;
            let (since, at, attachments) = (job.since, job.at, Attachments::ByAddress);
            Export { face, resource_type, since, at, standing, attachments, after }.read(View::of(reader, &there))
        });
        read.await
    }
}

/// Gives an export up.
#[derive(Clone, Debug)]
pub struct GiveUp {
    /// Its name.
    pub id: String,
}

impl Operation for GiveUp {
    type Answer = ();

    fn action(&self) -> Action {
        Action::on_system(Interaction::Export)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Export, entity: "$export".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<(), AppError> {
        let given_up = stage.app.store().write(move |tx| {
            Described::of(&self.id, tx)?;
            Ok(tx.drop_job(&self.id)?)
        });
        given_up.await
    }
}

/// Forgets the exports that nobody can read any more.
///
/// # Errors
/// When the store is away.
pub(crate) async fn forget_old(stage: &Stage) -> Result<(), AppError> {
    let forget = stage.app.store().write(|tx| {
        let now = clock::now().as_microsecond();
        for job in tx.jobs()? {
            if Described::read(&job).is_none_or(|described| described.until < now) {
                tx.drop_job(&job.id)?;
            }
        }
        Ok::<_, AppError>(())
    });
    forget.await
}

/// What is kept of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Described {
    at: i64,
    until: i64,
    types: Vec<String>,
    since: Option<i64>,
    request: String,
}

impl Described {
    /// The job of a name, as long as it is kept.
    fn of(id: &str, reader: &Reader<'_>) -> Result<Self, AppError> {
        let described = reader.job(id)?.as_ref().and_then(Self::read);
        described.filter(|job| job.until >= clock::now().as_microsecond()).ok_or_else(unknown)
    }

    fn is_of(&self, resource_type: &str) -> bool {
        match self.types.is_empty() {
            // Attachments are read by their addresses.
            true => resource_type != "Binary",
            false => self.types.iter().any(|kind| kind == resource_type),
        }
    }

    fn kept(&self, id: &str) -> Job {
        let types: Vec<Value> = self.types.iter().map(|kind| kind.as_str().into()).collect();
        let mut kept = object! {
            "at" => self.at.to_string(),
            "until" => self.until.to_string(),
            "request" => self.request.as_str(),
            "types" => types,
        };
        if let Some(since) = self.since {
            kept.push("since", since.to_string());
        }
        Job { id: id.to_owned(), description: json::write(&kept) }
    }

    /// Nothing when another program wrote it otherwise.
    fn read(job: &Job) -> Option<Self> {
        let kept = stored::read_stored(&job.description).ok()?;
        Some(Self {
            at: kept.str("at")?.parse().ok()?,
            until: kept.str("until")?.parse().ok()?,
            types: kept.items("types").iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
            since: kept.str("since").map(str::parse).transpose().ok()?,
            request: kept.str("request")?.to_owned(),
        })
    }
}

fn unknown() -> AppError {
    AppError::new(
        Refusal::Unknown,
        Issue::error(
            IssueKind::NotFound,
            "",
            text!(
                en: "There is no such export here (any more): it was deleted, has expired after a day, or never was. Ask for a new one with $export.",
                fr: "Il n'y a pas (ou plus) d'export de ce nom ici : il a été supprimé, a expiré au bout d'un jour, ou n'a jamais existé. Demandez-en un nouveau par $export.",
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_job_is_read_again() {
        for (types, since) in [(vec![], None), (vec!["Patient".to_owned(), "Binary".to_owned()], Some(-7))] {
            let job = Described { at: 5, until: 9, types, since, request: "http://a/$export?_type=\"".into() };
            assert_eq!(Described::read(&job.kept("x")), Some(job));
        }
        assert_eq!(Described::read(&Job { id: "x".into(), description: b"{}".to_vec() }), None);
    }
}
