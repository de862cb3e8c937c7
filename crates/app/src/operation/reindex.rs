//! Making the index anew from what is stored, beside whoever reads and writes
//! (`docs/decisions/0035-reindex.md`).

use std::sync::Arc;

use jiff::tz::TimeZone;
use liaison_fhir::{
    release,
    search::{
        extract::{self, ExtractContext},
        index::{IndexRow, IndexValue, Target},
    },
};
pub use liaison_store::reindex::{Rebuild, Wanted};
use liaison_store::{
    contract::{Name, StoreError},
    reindex::{self, Pass, Progress, Put},
    store::Store,
};
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    task::JoinSet,
};

use crate::{
    audit::AuditRecord,
    error::AppError,
    operation::{Operation, Stage},
    policy::{Action, Interaction},
    stored::Stored,
};

/// Shards on which it works at the same time: while one waits for the disk, others are read.
const AT_ONCE: usize = 4;

/// Makes the rows of the index anew, going on where an earlier run was broken off.
#[derive(Clone, Debug)]
pub struct Reindex<T> {
    /// What of it.
    pub wanted: Wanted,
    /// Is told how far it is, again and again.
    pub tell: T,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Far {
    /// Resources done, by earlier runs too.
    pub done: u64,
    /// Resources in all.
    pub all: u64,
    /// Resources done by this run.
    pub passed: u64,
    /// Of those, how many had other rows.
    pub changed: u64,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reindexed {
    /// Nothing was to be done.
    Nothing,
    /// The searches of these types are ready.
    Done {
        /// Which types.
        types: Vec<Box<str>>,
        /// How much of it.
        far: Far,
    },
}

impl<T> Operation for Reindex<T>
where
    T: FnMut(Far) + Send,
{
    type Answer = Reindexed;

    fn action(&self) -> Action {
        Action::on_system(Interaction::Operation)
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Operation, entity: String::new() }
    }

    async fn run(mut self, stage: Stage) -> Result<Reindexed, AppError> {
        let store = stage.app.store().clone();
        let Some(pass) = begin(&store, &self.wanted).await? else { return Ok(Reindexed::Nothing) };
        let zone = Arc::new(stage.app.settings().zone.clone());
        let done = carry_on(&store, &pass, &zone, &mut self.tell).await;
        store.look_at_index_again();
        match done {
            Ok(far) => Ok(Reindexed::Done { types: pass.types().to_vec(), far }),
            // Somebody who took part was the one to end it.
            Err(error) if error.is_overtaken() && ended(&store, &self.wanted).await? => Ok(Reindexed::Nothing),
            Err(error) => Err(error),
        }
    }
}

async fn begin(store: &Store, wanted: &Wanted) -> Result<Option<Pass>, AppError> {
    let asked = wanted.clone();
    let counted = store.read(move |reader| Ok::<_, AppError>(reader.to_reindex(&asked)?)).await?;
    let Some(counted) = counted else { return Ok(None) };
    let wanted = wanted.clone();
    store.write_at(reindex::everywhere(), move |tx| Ok(tx.begin_reindexing(&wanted, &counted)?)).await
}

/// Whether what was wanted is so, whoever did it.
async fn ended(store: &Store, wanted: &Wanted) -> Result<bool, AppError> {
    let wanted = wanted.clone();
    let left = store.read(move |reader| Ok::<_, AppError>(reader.to_reindex(&wanted)?)).await?;
    Ok(left.is_none())
}

async fn carry_on(
    store: &Store,
    pass: &Pass,
    zone: &Arc<TimeZone>,
    tell: &mut (impl FnMut(Far) + Send),
) -> Result<Far, AppError> {
    let mut far = Far { done: 0, all: 0, passed: 0, changed: 0 };
    let progress = progress(store).await?;
    let mut waiting = progress.as_ref().map(|now| now.shards.clone()).unwrap_or_default();
    if let Some(Progress { done, all, .. }) = progress {
        far = Far { done, all, ..far };
    }
    tell(far);
    let (pieces, mut put) = mpsc::unbounded_channel::<Put>();
    let mut running: JoinSet<Result<(), AppError>> = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(shard) = waiting.pop()
        {
            running.spawn(one_shard(store.clone(), pass.clone(), shard, Arc::clone(zone), pieces.clone()));
        }
        tokio::select! {
            biased;
            Some(Put { passed, changed }) = put.recv() => {
                far.passed += passed;
                far.changed += changed;
                // What was changed meanwhile is not met: with the end of its shard it counts as done.
                far.done = (far.done + passed).min(far.all);
                tell(far);
            }
            ended = running.join_next() => match ended {
                None => break,
                Some(ended) => ended.map_err(|error| AppError::defect(error.to_string()))??,
            },
        }
    }
    let of = pass.clone();
    store.write_at(reindex::everywhere(), move |tx| Ok::<_, AppError>(tx.end_reindexing(&of)?)).await?;
    Ok(Far { done: far.all, ..far })
}

async fn progress(store: &Store) -> Result<Option<Progress>, AppError> {
    store.read(|reader| Ok(reader.reindexing()?)).await
}

/// Carries a shard to its end.
async fn one_shard(
    store: Store,
    pass: Pass,
    shard: u32,
    zone: Arc<TimeZone>,
    pieces: UnboundedSender<Put>,
) -> Result<(), AppError> {
    loop {
        let (of, zone) = (pass.clone(), Arc::clone(&zone));
        let read = store.read(move |reader| {
            let Some(piece) = reader.next_piece(&of, shard)? else { return Ok::<_, AppError>(None) };
            let rows = piece.resources.iter().map(|stored| rows(stored, &zone)).collect::<Result<Vec<_>, _>>()?;
            Ok(Some((piece, rows)))
        });
        let Some((piece, rows)) = read.await? else { return Ok(()) };
        let of = pass.clone();
        let put = store.write_at(piece.places(), move |tx| Ok::<_, AppError>(tx.put_piece(&of, &piece, &rows)?));
        let put = put.await?;
        tracing::debug!(shard, passed = put.passed, changed = put.changed, "a piece was indexed anew");
        // Whoever is told may be gone, with all of this.
        let _ = pieces.send(put);
    }
}

/// The rows that find a resource, as if it were written now.
fn rows(stored: &reindex::Stored, zone: &TimeZone) -> Result<Vec<IndexRow>, AppError> {
    let view = Stored::light(stored.version.clone()).tree_in(release::view())?;
    let rows = extract::extract(&view, &ExtractContext { zone, bases: &[] });
    let bases = bases(&rows, stored);
    if bases.is_empty() {
        return Ok(rows);
    }
    Ok(extract::extract(&view, &ExtractContext { zone, bases: &bases }))
}

/// The addresses under which this server was called when a resource was written: those before the names of
/// resources that it was found to refer to here.
fn bases(rows: &[IndexRow], stored: &reindex::Stored) -> Vec<String> {
    let mut bases: Vec<String> = Vec::new();
    for row in rows {
        let IndexValue::Reference(Target::Elsewhere(url)) = &row.value else { continue };
        if stored.elsewhere.iter().any(|known| **known == **url) {
            continue;
        }
        let base = stored.refers.iter().find_map(|name| before(url, name));
        bases.extend(base.filter(|base| !bases.contains(base)));
    }
    bases
}

/// What stands before the name of a resource in an address of it.
fn before(url: &str, name: &Name) -> Option<String> {
    let tail = format!("/{}/{}", name.resource_type, name.id);
    let (base, rest) = url.split_at(url.rfind(&tail)?);
    let version = rest.strip_prefix(&tail)?;
    (version.is_empty() || version.starts_with("/_history/") || version.starts_with('|')).then(|| format!("{base}/"))
}

impl AppError {
    fn is_overtaken(&self) -> bool {
        let store = self.cause.as_deref().and_then(|cause| cause.downcast_ref::<StoreError>());
        matches!(store, Some(StoreError::Overtaken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_name_is_a_base_of_ours() {
        let name = Name { resource_type: "Patient".into(), id: "1".into() };
        let cases = [
            ("http://h:1/fhir/r4/Patient/1", Some("http://h:1/fhir/r4/")),
            ("http://h/fhir/r4/Patient/1/_history/2", Some("http://h/fhir/r4/")),
            ("http://h/fhir/r4/Patient/12", None),
            ("http://h/fhir/r4/Group/1", None),
        ];
        for (url, base) in cases {
            assert_eq!(before(url, &name).as_deref(), base, "{url}");
        }
    }
}
