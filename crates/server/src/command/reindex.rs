//! `liaison reindex`: the index made anew from what is stored, beside those who serve.
//!
//! It goes on where it was broken off, and may be run by several programs at the same time: the store
//! keeps the place reached.

use liaison_app::{
    App,
    caller::Caller,
    error::AppError,
    operation::reindex::{self, Rebuild, Reindex, Reindexed, Wanted},
};
use liaison_fhir::release;
use liaison_store::{contract::StoreError, indexing::Claim, store::StoreUrl};

use crate::{
    assembly::{Assembly, store_text},
    cli::ReindexFlags,
    failure::Failure,
    progress::{Far, Progress},
    settings::{Place, SettingError},
};

use super::{Variables, bulk, store_settings, wait_for};

/// Makes anew what is asked for.
pub fn run(flags: &ReindexFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let types = flags.types.iter().map(|name| known_type(name)).collect::<Result<Vec<_>, _>>()?;
    let rebuild = if flags.all { Rebuild::All } else { Rebuild::Missing };
    let wanted = Wanted { types, rebuild };
    let claim = match settings.store {
        // Nobody else writes to a file meanwhile: it goes by this program from now on.
        StoreUrl::Sqlite(_) => Claim::Lead,
        // Those who serve say what it goes by.
        StoreUrl::Postgres(_) => Claim::Follow,
    };
    let named = store_text(&settings.store);
    wait_for(async {
        let assembly = Assembly::new(&settings, claim).await?;
        let mut progress = Progress::new();
        let tell = |far: reindex::Far| {
            let shown = Far { done: far.done, all: far.all, resources: far.passed };
            progress.tell(shown, || format!("{} of {} resources, {} changed", far.done, far.all, far.changed));
        };
        let done = assembly.app().execute(&Caller::System, Reindex { wanted, tell }).await;
        progress.end();
        assembly.close().await;
        println!("{}", told(&done.map_err(|error| failed(&named, &error))?));
        Ok(())
    })
}

/// Makes anew what searches wait for, while the program serves.
pub async fn beside(app: App) {
    let mut told = std::time::Instant::now();
    let tell = move |far: reindex::Far| {
        if told.elapsed() > BETWEEN_LINES {
            told = std::time::Instant::now();
            tracing::info!("the index is being made anew: {} of {} resources", far.done, far.all);
        }
    };
    let wanted = Wanted { types: Vec::new(), rebuild: Rebuild::Missing };
    match app.execute(&Caller::System, Reindex { wanted, tell }).await {
        Ok(Reindexed::Nothing) => {}
        Ok(done) => tracing::info!("{}", self::told(&done)),
        Err(error) => tracing::error!(%error, "the index could not be made anew: run `liaison reindex`"),
    }
}

/// Between two lines of a log.
const BETWEEN_LINES: std::time::Duration = std::time::Duration::from_secs(30);

fn told(done: &Reindexed) -> String {
    match done {
        Reindexed::Nothing => "every search is ready: nothing was to be done".to_owned(),
        Reindexed::Done { types, far } => format!(
            "{} resources of {} types indexed anew ({} by this run, {} of them had other rows): every search of them is ready",
            far.all,
            types.len(),
            far.passed,
            far.changed
        ),
    }
}

fn known_type(name: &str) -> Result<Box<str>, SettingError> {
    match release::view().resource(name) {
        Some(_) => Ok(name.into()),
        None => Err(SettingError {
            place: Place::Flag("--type".into()),
            problem: format!(
                "{name:?} is no type of resources that is kept here: write one, such as DocumentReference"
            ),
        }),
    }
}

fn failed(store: &str, error: &AppError) -> Failure {
    let cause = error.cause.as_deref().and_then(|cause| cause.downcast_ref::<StoreError>());
    match cause {
        Some(StoreError::Superseded) => Failure::of_store(store, StoreError::Superseded),
        _ => bulk::failed("the index was not made anew", error),
    }
}
