//! `batch`: <https://hl7.org/fhir/R4/http.html#transaction>.

use futures_util::future::join_all;
use liaison_fhir::{outcome::Issue, tree::Object};

use crate::{
    audit::AuditRecord,
    bundle::{
        answer::{BundleAnswer, EntryAnswer},
        entry::{self, Raw},
        request::{self, Asked},
    },
    content::Content,
    error::AppError,
    face::Face,
    operation::{
        Operation, Stage, create::Create, delete::Delete, patch::Patch, read::Read, search::Search, update::Update,
        vread::Vread,
    },
    place,
    policy::{Action, Interaction},
    wire_2017,
};

/// Carries out the entries of a bundle, each for itself.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Through which base.
    pub face: Face,
    /// The bundle, of type `batch`.
    pub bundle: Object,
}

impl Operation for Batch {
    type Answer = BundleAnswer;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Batch)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Batch, entity: "Bundle".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<BundleAnswer, AppError> {
        let Self { face, bundle } = self;
        let (bundle, issues) = wire_2017::bundle(bundle, &face);
        let raw = entry::open(bundle, &face, &stage)?;
        let asked: Vec<_> = raw
            .iter()
            .map(|raw| match &raw.request {
                Some(request) => Asked::read(request, &face),
                None => Err(request::without()),
            })
            .collect();
        let mut answers: Vec<Option<Result<EntryAnswer, AppError>>> = asked.iter().map(|_| None).collect();
        let mut waiting: Vec<(usize, u8, Raw, Asked)> = Vec::new();
        for (index, (raw, asked)) in raw.into_iter().zip(asked).enumerate() {
            match asked {
                Ok(asked) => waiting.push((index, asked.turn(), raw, asked)),
                Err(error) => put(&mut answers, index, Err(placed(error, index, "request"))),
            }
        }
        // In the order of a transaction, though entries of a batch must not hang on each other;
        // those of one turn together, so that the store commits them together.
        for turn in 0..=3 {
            let (now, later) = waiting.into_iter().partition(|(_, its, ..)| *its == turn);
            waiting = later;
            let done = join_all(now.into_iter().map(|(index, _, raw, asked)| {
                let (face, stage) = (face.clone(), stage.clone());
                async move { (index, carry_out(asked, raw, face, stage).await) }
            }));
            for (index, answer) in done.await {
                put(&mut answers, index, answer.map_err(|error| placed(error, index, "resource")));
            }
        }
        let entries = answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| Err(AppError::defect("an entry was left out".to_owned()))))
            .collect();
        Ok(BundleAnswer { entries, issues })
    }
}

fn put(answers: &mut [Option<Result<EntryAnswer, AppError>>], index: usize, answer: Result<EntryAnswer, AppError>) {
    if let Some(place) = answers.get_mut(index) {
        *place = Some(answer);
    }
}

fn placed(error: AppError, index: usize, part: &str) -> AppError {
    let prefix = format!("Bundle.entry[{index}].{part}");
    let issues = error.issues.into_iter().map(|i| Issue { place: place::inside(&prefix, &i.place), ..i }).collect();
    AppError { issues, ..error }
}

async fn carry_out(asked: Asked, raw: Raw, face: Face, stage: Stage) -> Result<EntryAnswer, AppError> {
    let (app, caller) = (&stage.app, &stage.caller);
    let body = |raw: Raw| raw.resource.ok_or_else(entry::without_resource);
    let written = |written| EntryAnswer::Written(Box::new(written));
    Ok(match asked {
        Asked::Create { resource_type, if_none_exist, .. } => {
            let content = Content::Resource(body(raw)?);
            let create = Create { face, resource_type, content, if_none_exist, idempotency_key: None };
            written(app.execute(caller, create).await?)
        }
        Asked::Update { target, expected } => {
            let content = Content::Resource(body(raw)?);
            written(app.execute(caller, Update { face, target, content, expected }).await?)
        }
        Asked::Patch { target, expected } => {
            let patch = entry::patch_of(&body(raw)?)?;
            written(app.execute(caller, Patch { face, target, patch, expected }).await?)
        }
        Asked::Delete { target, expected } => {
            EntryAnswer::Deleted(app.execute(caller, Delete { face, target, expected }).await?)
        }
        Asked::Read(name) => EntryAnswer::Read(Box::new(app.execute(caller, Read { name }).await?)),
        Asked::Vread(name, version) => EntryAnswer::Read(Box::new(app.execute(caller, Vread { name, version }).await?)),
        Asked::Search { resource_type, pairs } => {
            let search = Search { face, resource_type, pairs, handling: Default::default(), write: Ok };
            EntryAnswer::Found(Box::new(app.execute(caller, search).await?), resource_type)
        }
    })
}
