//! `liaison serve`: the server.

use crate::{assembly::Assembly, cli::ServeFlags, failure::Failure, serving::Bound, settings::Auth, watch::Watch};

use super::{Variables, given, settings, wait_for};

/// Serves until asked to stop.
pub fn run(flags: &ServeFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = settings(&given(flags, variables)?)?;
    wait_for(async {
        let bound = Bound::to(settings.listen).await?;
        let watch = match settings.metrics_listen {
            Some(address) => Some(Watch::begin(address).await?),
            None => None,
        };
        let assembly = Assembly::new(&settings).await?;
        if let Some(watch) = watch {
            watch.answer(assembly.store(), settings.store.clone());
        }
        match settings.auth {
            Auth::Off => tracing::info!("without login: every caller is the system, on this machine only"),
        }
        assembly.clear_up_from_time_to_time();
        bound.serve(assembly.router.clone(), settings.shutdown_time).await?;
        assembly.close().await;
        Ok(())
    })
}
