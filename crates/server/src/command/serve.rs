//! `liaison serve`: the server.

use liaison_store::indexing::Claim;

use crate::{
    assembly::Assembly,
    cli::ServeFlags,
    encryption,
    failure::Failure,
    serving::Bound,
    settings::{Auth, Reindexing, Settings},
    traces::Traces,
    watch::Watch,
};

use super::{Variables, given, reindex, start_logs, wait_for};

/// Serves until asked to stop.
pub fn run(flags: &ServeFlags, variables: &Variables) -> Result<(), Failure> {
    let given = given(flags, variables)?;
    let settings = Settings::read(&given)?;
    wait_for(async {
        let traces = settings.otlp_endpoint.as_deref().map(Traces::to).transpose()?;
        start_logs(&settings, &given, traces.as_ref());
        let bound = Bound::to(settings.listen).await?;
        let watch = match settings.metrics_listen {
            Some(address) => Some(Watch::begin(address).await?),
            None => None,
        };
        let assembly = Assembly::new(&settings, Claim::Lead).await?;
        if let Some(watch) = watch {
            watch.answer(assembly.store(), settings.store.clone());
        }
        match &settings.auth {
            Auth::Off => tracing::info!("without login: every caller is the system, on this machine only"),
            Auth::Oidc(trusted) => tracing::info!(providers = trusted.len(), "callers need an access token"),
        }
        assembly.clear_up_from_time_to_time();
        if settings.reindex == Reindexing::On {
            tokio::spawn(reindex::beside(assembly.app().clone()));
        }
        let router = match &traces {
            Some(_) => Traces::around(assembly.router.clone()),
            None => assembly.router.clone(),
        };
        bound.serve(router, encryption::manner(&settings)?, settings.shutdown_time).await?;
        assembly.close().await;
        if let Some(traces) = traces {
            traces.finish().await;
        }
        Ok(())
    })
}
