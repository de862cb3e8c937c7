//! `update`, by id and conditional: <https://hl7.org/fhir/R4/http.html#update>.

use std::sync::Arc;

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};
use liaison_store::{
    contract::{Change, Name, StoreError, Version},
    reader::Reader,
    shard::Reach,
};

use crate::{
    audit::AuditRecord,
    conformance,
    content::Content,
    criteria::{self, Criteria, Matched},
    error::AppError,
    face::Face,
    load, name,
    operation::{Operation, Stage},
    part,
    permission::{self, Fresh},
    policy::{Action, Interaction},
    there::View,
    write::{
        commit::commit,
        draft::{Draft, People},
        prepare::prepare,
        rules,
    },
    written::{Effect, Written},
};

/// Replaces a resource, or creates it under the id the client gives.
#[derive(Clone, Debug)]
pub struct Update {
    /// Through which base.
    pub face: Face,
    /// Which resource.
    pub target: Target,
    /// What was sent.
    pub content: Content,
    /// What must hold of the version that is replaced.
    pub expected: Expected,
}

/// Which resource a change is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Named(Name),
    /// The one that matches.
    Matching {
        /// Its type.
        resource_type: &'static str,
        /// What it matches.
        criteria: Vec<(String, String)>,
    },
}

impl Target {
    /// The type of the resource.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Named(name) => &name.resource_type,
            Self::Matching { resource_type, .. } => resource_type,
        }
    }

    /// How the audit trail names it: never by what it matches, which may be a person's identifier.
    #[must_use]
    pub fn audited(&self) -> String {
        match self {
            Self::Named(name) => name::reference(name),
            Self::Matching { resource_type, .. } => format!("{resource_type}?"),
        }
    }
}

/// What must hold of the version that a change is made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing in particular.
    Anything,
    /// It is this version (`If-Match`).
    Version(u32),
    /// There is none (`If-None-Match: *`).
    Absent,
}

impl Operation for Update {
    type Answer = Written;

    fn action(&self) -> Action {
        Action::on(Interaction::Update, self.target.resource_type())
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Update, entity: self.target.audited() }
    }

    async fn run(self, stage: Stage) -> Result<Written, AppError> {
        let Self { face, target, content, expected } = self;
        // Bytes say nothing of themselves.
        if let (Target::Named(name), Content::Resource(_)) = (&target, &content) {
            same_id(content.id(), name)?;
        }
        let (resource_type, whom, people) = Whom::read(target, content.id(), &face, &stage)?;
        if let Whom::Named(name) = &whom {
            conformance::writable(name)?;
        }
        if let Content::Resource(resource) = &content {
            part::refuse(resource)?;
        }
        let mut draft = content.draft(resource_type, &face, &stage)?;
        draft.people = people;
        let (effect, version, issues) = replace(draft, whom, expected, face, &stage).await?;
        Ok(Written { effect, resource: load::whole(&stage, version).await?, issues })
    }
}

/// Whom an update replaces.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// This one, or nothing yet of that name.
    Named(Name),
    /// The one that matches.
    Matching {
        /// What it matches.
        criteria: Criteria,
        /// What it is called when the server gives the id.
        fresh: Name,
        /// What becomes of the update when nothing matches.
        absent: WhenAbsent,
    },
}

/// What a conditional update does when nothing matches.
#[derive(Clone, Debug)]
pub(crate) enum WhenAbsent {
    /// Creates, under an id of the server's.
    Created,
    /// Creates, under the id of the body.
    CreatedAs(String),
    /// 404: the volet of 2017 updates notes, and creates them by another request.
    Refused,
}

impl Whom {
    /// Reads whom an update is for, and what it changes of a note: alone, in a batch and in a
    /// transaction alike. `sent_id` is the id of the body.
    ///
    /// # Errors
    /// A type that is not kept here, criteria that are not understood.
    pub(crate) fn read(
        target: Target,
        sent_id: Option<&str>,
        face: &Face,
        stage: &Stage,
    ) -> Result<(&'static str, Self, People), AppError> {
        let (resource_type, criteria) = match target {
            Target::Named(name) => {
                let resource_type = name::resource_type(&name.resource_type, face.release)?;
                return Ok((resource_type, Self::Named(name), People::AsSent));
            }
            Target::Matching { resource_type, criteria } => (resource_type, criteria),
        };
        let by_2017_key = face.speaks_2017() && criteria.iter().any(|(name, _)| name == "masterIdentifier");
        let criteria = Criteria::read(resource_type, criteria, face, stage)?;
        let id = sent_id.filter(|id| name::is_id(id)).map(str::to_owned);
        let absent = match (by_2017_key, id) {
            (true, _) => WhenAbsent::Refused,
            (false, Some(id)) if !face.speaks_2017() => WhenAbsent::CreatedAs(id),
            (false, _) => WhenAbsent::Created,
        };
        let people = if by_2017_key { People::AsBefore } else { People::AsSent };
        Ok((resource_type, Self::Matching { criteria, fresh: name::fresh(resource_type), absent }, people))
    }

    /// The resource and its current version.
    ///
    /// # Errors
    /// Criteria that match several resources, or another than the body names; nothing to update
    /// where an update does not create.
    pub(crate) fn find(&self, look: &Reader<'_>, stage: &Stage) -> Result<(Name, Option<Version>), AppError> {
        let (criteria, fresh, absent) = match self {
            Self::Named(name) => return Ok((name.clone(), View::of(look, &stage.there).current(name)?)),
            Self::Matching { criteria, fresh, absent } => (criteria, fresh, absent),
        };
        match (criteria.matched(look, stage)?, absent) {
            (Matched::Many, _) => Err(criteria::many()),
            (Matched::One(version), WhenAbsent::CreatedAs(id)) if version.name.id.as_ref() != id => Err(other_id(id)),
            (Matched::One(version), _) => Ok((version.name.clone(), Some(version))),
            (Matched::None, WhenAbsent::Refused) => Err(criteria::none()),
            (Matched::None, WhenAbsent::Created) => Ok((fresh.clone(), None)),
            (Matched::None, WhenAbsent::CreatedAs(id)) => {
                let name = Name { id: id.as_str().into(), ..fresh.clone() };
                match look.current(&name)? {
                    Some(version) if version.change != Change::Delete => Err(StoreError::WrongState.into()),
                    before => Ok((name, before)),
                }
            }
        }
    }
}

async fn replace(
    draft: Draft,
    whom: Whom,
    expected: Expected,
    face: Face,
    stage: &Stage,
) -> Result<(Effect, Version, Vec<Issue>), AppError> {
    let (name, seen) = match &whom {
        Whom::Named(name) => {
            let found = stage.app.store().current(name).await?;
            (name.clone(), stage.there.shown(found, stage).await?.map(Arc::unwrap_or_clone))
        }
        Whom::Matching { .. } => {
            let (look_whom, look_stage) = (whom.clone(), stage.clone());
            stage.app.store().read(move |reader| look_whom.find(reader, &look_stage)).await?
        }
    };
    expected.check(seen.as_ref())?;
    let prepared = prepare(&draft, &name, seen.as_ref(), &face, stage)?;
    rules::check_apart(&prepared, seen.as_ref(), &draft, &face, stage).await?;
    let job_stage = stage.clone();
    let mut places = prepared.places();
    if matches!(whom, Whom::Matching { .. }) {
        places.reach = Reach::Everywhere;
    }
    stage
        .write_at(places, move |tx| {
            let (name, before) = whom.find(tx, &job_stage)?;
            conformance::writable(&name)?;
            expected.check(before.as_ref())?;
            let as_seen =
                name == prepared.version.name && before.as_ref().map(|v| v.version) == seen.as_ref().map(|v| v.version);
            let anew = match as_seen {
                true => None,
                false => Some(prepare(&draft, &name, before.as_ref(), &face, &job_stage)?),
            };
            if let Some(anew) = &anew {
                let view = View::of(tx, &job_stage.there);
                permission::to_write(anew, before.as_ref(), &Fresh::new(), &job_stage.there, view)?;
            }
            let prepared = anew.as_ref().unwrap_or(&prepared);
            let effect = match prepared.version.change {
                Change::Create => Effect::Created,
                Change::Update | Change::Delete => Effect::Updated,
            };
            let issues = prepared.issues.clone();
            Ok((effect, commit(tx, prepared)?.version, issues))
        })
        .await
}

impl Expected {
    /// Whether the current version is what the change supposes.
    ///
    /// # Errors
    /// 412 when it is not.
    pub(crate) fn check(self, before: Option<&Version>) -> Result<(), AppError> {
        let live = before.filter(|version| version.change != Change::Delete);
        match (self, live) {
            (Self::Anything, _) | (Self::Absent, None) => Ok(()),
            (Self::Version(expected), Some(version)) if version.version == expected => Ok(()),
            (Self::Absent, Some(version)) => {
                let is = version.version;
                Err(AppError::precondition(
                    IssueKind::Conflict,
                    text!(
                        en: "There is one already, at version {is}.",
                        fr: "Il en existe déjà un, à la version {is}.",
                    ),
                ))
            }
            (Self::Version(expected), live) => {
                let is = live.map_or(0, |version| version.version);
                Err(AppError::precondition(
                    IssueKind::Conflict,
                    text!(
                        en: "If-Match asks for version {expected}, the current one is {is}: read it again, then retry.",
                        fr: "If-Match demande la version {expected}, l'actuelle est la {is} : relisez, puis recommencez.",
                    ),
                ))
            }
        }
    }
}

/// The body of an update names the resource of the address.
///
/// # Errors
/// When it names another, or none.
pub(crate) fn same_id(sent_id: Option<&str>, name: &Name) -> Result<(), AppError> {
    match sent_id {
        Some(id) if id == name.id.as_ref() => Ok(()),
        Some(id) => Err(other_id(id)),
        None => {
            let id = &name.id;
            Err(AppError::not_understood(
                IssueKind::Required,
                "id",
                text!(
                    en: "The body of an update has the id of the address, “{id}”.",
                    fr: "Le corps d'une mise à jour porte l'id de l'adresse, « {id} ».",
                ),
            ))
        }
    }
}

fn other_id(id: &str) -> AppError {
    let id: String = id.chars().take(80).collect();
    AppError::not_understood(
        IssueKind::Invalid,
        "id",
        text!(
            en: "The id of the body, “{id}”, is not that of the resource to update.",
            fr: "L'id du corps, « {id} », n'est pas celui de la ressource à mettre à jour.",
        ),
    )
}
