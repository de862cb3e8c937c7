//! `liaison demo`: a living notebook, with nothing to prepare.

use std::fs;

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

/// Serves the demonstration until asked to stop.
pub fn run(flags: &DemoFlags) -> Result<(), Failure> {
    fs::create_dir_all(&flags.dir)
        .map_err(|error| Failure::of(&format!("the folder {} cannot be made", flags.dir.display()), error))?;
    let mut given = Given::default();
    given.flag("listen", Some(&flags.listen));
    given.flag("log", flags.log.as_ref());
    given.flag("store", Some(&format!("sqlite:{}", flags.dir.join("liaison.db").display())));
    let settings: Settings = settings(&given)?;
    wait_for(async {
        let bound = Bound::to(settings.listen).await?;
        let assembly = Assembly::with(&settings, Claim::Lead, Some(demo::cast())).await?;
        // A demonstration of an earlier version.
        reindex::beside(assembly.app().clone()).await;
        let now = jiff::Timestamp::now().to_zoned(settings.zone.clone());
        demo::seed(&Door::new(assembly.router.clone()), &now).await?;
        print!("{}", demo::welcome(&format!("http://{}", bound.address()), &flags.dir));
        bound.serve(assembly.router.clone(), encryption::manner(&settings)?, settings.shutdown_time).await?;
        assembly.close().await;
        Ok(())
    })
}
