//! `delete`, by id and conditional: <https://hl7.org/fhir/R4/http.html#delete>.

use liaison_store::{
    contract::{Change, Name, Version},
    reader::Reader,
    shard::{Places, Reach},
};

use crate::{
    audit::AuditRecord,
    conformance,
    criteria::{self, Criteria, Matched},
    error::AppError,
    face::Face,
    operation::{
        Operation, Stage,
        update::{Expected, Target},
    },
    permission,
    policy::{Action, Interaction},
    stored::Stored,
    there::View,
    write::{commit::commit, prepare::deletion},
};

/// Deletes a resource; its history stays.
#[derive(Clone, Debug)]
pub struct Delete {
    /// Through which base.
    pub face: Face,
    /// Which resource.
    pub target: Target,
    /// What must hold of its current version.
    pub expected: Expected,
}

/// What a deletion left: the version that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Which resource.
    pub name: Name,
    /// Its last version: the deletion, this one or an earlier one.
    pub version: u32,
}

impl Operation for Delete {
    type Answer = Deleted;

    fn action(&self) -> Action {
        Action::on(Interaction::Delete, self.target.resource_type())
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Delete, entity: self.target.audited() }
    }

    async fn run(self, stage: Stage) -> Result<Deleted, AppError> {
        let Self { face, target, expected } = self;
        let whom = match target {
            Target::Named(name) => Whom::Named(name),
            Target::Matching { resource_type, criteria } => {
                Whom::Matching(Criteria::read(resource_type, criteria, &face, &stage)?)
            }
        };
        let job_stage = stage.clone();
        stage
            .write_at(EVERYWHERE, move |tx| {
                let before = whom.find(tx, &job_stage)?;
                conformance::writable(&before.name)?;
                job_stage.shows([&Stored::light(before.clone())], tx)?;
                let (name, version) = (before.name.clone(), before.version);
                if before.change == Change::Delete {
                    // Deleted before: nothing is left to be done, and nothing is added to its history.
                    return Ok(Deleted { name, version });
                }
                permission::to_delete(&before, &job_stage.there)?;
                expected.check(Some(&before))?;
                let version = commit(tx, &deletion(&before, &job_stage))?.version.version;
                Ok(Deleted { name, version })
            })
            .await
    }
}

/// Who still refers to it is looked for everywhere.
const EVERYWHERE: Places = Places {
    names: Vec::new(),
    shards: Vec::new(),
    answers: Vec::new(),
    looks: Vec::new(),
    keys: Vec::new(),
    reach: Reach::Everywhere,
};

#[derive(Clone, Debug)]
enum Whom {
    Named(Name),
    Matching(Criteria),
}

impl Whom {
    fn find(&self, look: &Reader<'_>, stage: &Stage) -> Result<Version, AppError> {
        match self {
            Self::Named(name) => View::of(look, &stage.there).current(name)?.ok_or_else(|| AppError::unknown(name)),
            Self::Matching(criteria) => match criteria.matched(look, stage)? {
                Matched::None => Err(criteria::none()),
                Matched::One(version) => Ok(version),
                Matched::Many => Err(criteria::many()),
            },
        }
    }
}
