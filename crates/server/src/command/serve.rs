//! `liaison serve`: the server.

use crate::{assembly::Assembly, cli::ServeFlags, failure::Failure, serving::Bound, settings::Auth};

use super::{Variables, given, settings, wait_for};

/// Serves until asked to stop.
pub fn run(flags: &ServeFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = settings(&given(flags, variables)?)?;
    wait_for(async {
        let bound = Bound::to(settings.listen).await?;
        let assembly = Assembly::new(&settings).await?;
        match settings.auth {
            Auth::Off => tracing::info!("without login: every caller is the system, on this machine only"),
        }
        assembly.clear_up_from_time_to_time();
        bound.serve(assembly.router.clone(), settings.shutdown_time).await?;
        assembly.close().await;
        Ok(())
    })
}
