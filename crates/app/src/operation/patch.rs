//! `patch`, by JSON Patch: <https://hl7.org/fhir/R4/http.html#patch>.

use liaison_fhir::{
    outcome::IssueKind,
    patch, text,
    tree::{Object, Value},
};
use liaison_store::{
    contract::{Change, Name, StoreError, Version},
    reader::Reader,
};

use crate::{
    audit::AuditRecord,
    conformance,
    criteria::{self, Criteria, Matched},
    error::{AppError, Refusal},
    face::Face,
    load, name,
    operation::{
        Operation, Stage,
        update::{Expected, Target},
    },
    policy::{Action, Interaction},
    there::View,
    write::{
        commit::commit,
        draft::{Draft, draft},
        prepare::prepare,
        rules,
    },
    written::{Effect, Written},
};

/// Changes parts of a resource, in the release of the base it comes through.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Through which base.
    pub face: Face,
    /// Which resource.
    pub target: Target,
    /// The JSON Patch.
    pub patch: Value,
    /// What must hold of the version that is changed.
    pub expected: Expected,
}

impl Operation for Patch {
    type Answer = Written;

    fn action(&self) -> Action {
        Action::on(Interaction::Patch, self.target.resource_type())
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Patch, entity: self.target.audited() }
    }

    async fn run(self, stage: Stage) -> Result<Written, AppError> {
        let Self { face, target, patch, expected } = self;
        let whom = match target {
            Target::Named(name) => Whom::Named(name),
            Target::Matching { resource_type, criteria } => {
                Whom::Matching(Criteria::read(resource_type, criteria, &face, &stage)?)
            }
        };
        // A patch is made on a version outside the writer; when somebody changed it meanwhile, it is
        // made again on theirs. Somebody gets through at each turn.
        for _ in 0..TURNS {
            if let Some(written) = attempt(&whom, &patch, expected, &face, &stage).await? {
                return Ok(written);
            }
        }
        Err(StoreError::WrongState.into())
    }
}

/// What a patch makes of a resource.
///
/// # Errors
/// A patch that does not apply, or that makes something of the resource that it must not be.
pub(crate) fn patched(
    mut tree: Object,
    patch: &Value,
    name: &Name,
    face: &Face,
    stage: &Stage,
) -> Result<Draft, AppError> {
    patch::apply(&mut tree, patch).map_err(|issue| AppError::new(refusal(issue.kind), issue))?;
    if tree.str("id") != Some(&name.id) || tree.resource_type() != Some(&name.resource_type) {
        return Err(AppError::against_a_rule(
            IssueKind::BusinessRule,
            "id",
            text!(
                en: "A patch changes neither the type nor the id of a resource.",
                fr: "Un patch ne change ni le type ni l'id d'une ressource.",
            ),
        ));
    }
    draft(tree, name::resource_type(&name.resource_type, face.release)?, face, stage)
}

/// What kind of refusal a patch that does not apply is: a `test` that fails is a precondition that
/// does not hold.
const fn refusal(kind: IssueKind) -> Refusal {
    match kind {
        IssueKind::Conflict => Refusal::Precondition,
        IssueKind::Structure | IssueKind::Value | IssueKind::Required => Refusal::NotUnderstood,
        _ => Refusal::AgainstARule,
    }
}

/// More turns than there are requests at once on one resource.
const TURNS: u32 = 200;

/// One attempt; nothing when another write came in between.
async fn attempt(
    whom: &Whom,
    patch: &Value,
    expected: Expected,
    face: &Face,
    stage: &Stage,
) -> Result<Option<Written>, AppError> {
    let (look_whom, look_stage) = (whom.clone(), stage.clone());
    let before = stage.app.store().read(move |reader| look_whom.find(reader, &look_stage)).await?;
    let name = before.name.clone();
    conformance::writable(&name)?;
    expected.check(Some(&before))?;
    let tree = load::whole(stage, before.clone()).await?.tree(face)?;
    let draft = patched(tree, patch, &name, face, stage)?;
    let prepared = prepare(&draft, &name, Some(&before), face, stage)?;
    let issues = prepared.issues.clone();
    rules::check_apart(&prepared, Some(&before), &draft, face, stage).await?;
    let version = stage
        .write_at(prepared.places(), move |tx| -> Result<Option<Version>, AppError> {
            if tx.current(&name)?.map(|now| now.version) != Some(before.version) {
                return Ok(None);
            }
            let version = commit(tx, &prepared)?.version;
            Ok(Some(version))
        })
        .await?;
    let Some(version) = version else { return Ok(None) };
    Ok(Some(Written { effect: Effect::Updated, resource: load::whole(stage, version).await?, issues }))
}

#[derive(Clone, Debug)]
enum Whom {
    Named(Name),
    Matching(Criteria),
}

impl Whom {
    fn find(&self, look: &Reader<'_>, stage: &Stage) -> Result<Version, AppError> {
        let version = match self {
            Self::Named(name) => View::of(look, &stage.there).current(name)?.ok_or_else(|| AppError::unknown(name))?,
            Self::Matching(criteria) => match criteria.matched(look, stage)? {
                Matched::None => return Err(criteria::none()),
                Matched::One(version) => version,
                Matched::Many => return Err(criteria::many()),
            },
        };
        if version.change == Change::Delete {
            return Err(AppError::gone(&version.name, version.version));
        }
        Ok(version)
    }
}
