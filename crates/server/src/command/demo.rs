//! `liaison demo`: a living notebook, with nothing to prepare.

use std::fs;

use liaison_app::settings::Audit;
use liaison_store::indexing::Claim;

use crate::{
    assembly::Assembly,
    cli::DemoFlags,
    demo,
    door::Door,
    encryption,
    failure::Failure,
    serving::Bound,
    settings::{Given, Settings},
};

use super::{reindex, settings, wait_for};

/// Puts there what is not there yet. It is no part of the story: nothing is told of it.
async fn prepare(settings: &Settings) -> Result<(), Failure> {
    let untold = Settings { audit: Audit::Off, ..settings.clone() };
    let assembly = Assembly::with(&untold, Claim::Lead, None).await?;
    // A demonstration of an earlier version.
    reindex::beside(assembly.app().clone()).await;
    let now = jiff::Timestamp::now().to_zoned(settings.zone.clone());
    let seeded = demo::seed(&Door::new(assembly.router.clone()), &now).await;
    assembly.close().await;
    seeded
}

/// Serves the demonstration until asked to stop.
pub fn run(flags: &DemoFlags) -> Result<(), Failure> {
    fs::create_dir_all(&flags.dir)
        .map_err(|error| Failure::of(&format!("the folder {} cannot be made", flags.dir.display()), error))?;
    let mut given = Given::default();
    given.flag("listen", Some(&flags.listen));
    given.flag("log", flags.log.as_ref());
    given.flag("store", Some(&format!("sqlite:{}", flags.dir.join("liaison.db").display())));
    // People sign in there: who saw what is theirs to read.
    let settings = Settings { audit: Audit::On, ..settings(&given)? };
    wait_for(async {
        let bound = Bound::to(settings.listen).await?;
        prepare(&settings).await?;
        let assembly = Assembly::with(&settings, Claim::Lead, Some(demo::cast())).await?;
        print!("{}", demo::welcome(&format!("http://{}", bound.address()), &flags.dir));
        bound.serve(assembly.router.clone(), encryption::manner(&settings)?, settings.shutdown_time).await?;
        assembly.close().await;
        Ok(())
    })
}
