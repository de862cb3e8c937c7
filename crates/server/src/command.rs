//! The commands, one to a file, and what they share: the settings in force, and a runtime.

pub mod audit;
pub mod backup;
mod bulk;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod import;
pub mod migrate;
pub mod reindex;
pub mod restore;
pub mod serve;

use std::{ffi::OsString, future::Future, path::PathBuf};

use crate::{
    cli::{ServeFlags, StoreFlags},
    failure::Failure,
    log,
    settings::{CONFIG_VARIABLE, Given, Place, SettingError, Settings},
    threads,
    traces::Traces,
};

type Variables = [(OsString, OsString)];

/// What was given to `serve` and `doctor`.
fn given(flags: &ServeFlags, variables: &Variables) -> Result<Given, SettingError> {
    let mut given = Given::default();
    given.flag("listen", flags.listen.as_ref());
    given.flag("store", flags.store.as_ref());
    given.flag("attachments", flags.attachments.as_ref());
    given.flag("auth", flags.auth.as_ref());
    given.flag("public_url", flags.public_url.as_ref());
    given.flag("time_zone", flags.time_zone.as_ref());
    given.flag("metrics_listen", flags.metrics_listen.as_ref());
    given.flag("otlp_endpoint", flags.otlp_endpoint.as_ref());
    given.flag("log", flags.log.as_ref());
    given.set_flags(&flags.others)?;
    given.environment(variables.iter().cloned())?;
    let file = flags.config.as_ref().map(|path| (path.clone(), Place::Flag("--config".into())));
    if let Some((path, place)) = file.or_else(|| config_variable(variables)) {
        let text = std::fs::read_to_string(&path).map_err(|error| SettingError {
            place,
            problem: format!("the file {} cannot be read: {error}", path.display()),
        })?;
        given.file(&path, &text)?;
    }
    given.of_others(variables);
    Ok(given)
}

fn config_variable(variables: &Variables) -> Option<(PathBuf, Place)> {
    let (_, value) = variables.iter().find(|(name, value)| name == CONFIG_VARIABLE && !value.is_empty())?;
    Some((value.into(), Place::Variable(CONFIG_VARIABLE.into())))
}

/// The settings of a command that works on a store, with logs started.
fn store_settings(flags: &StoreFlags, variables: &Variables) -> Result<Settings, Failure> {
    let flags = ServeFlags {
        config: flags.config.clone(),
        store: flags.store.clone(),
        attachments: flags.attachments.clone(),
        log: flags.log.clone(),
        ..ServeFlags::default()
    };
    settings(&given(&flags, variables)?)
}

/// The settings in force, with logs started.
fn settings(given: &Given) -> Result<Settings, Failure> {
    let settings = Settings::read(given)?;
    start_logs(&settings, given, None);
    Ok(settings)
}

fn start_logs(settings: &Settings, given: &Given, traces: Option<&Traces>) {
    log::start(settings.log, settings.log_level, traces);
    for name in &given.unknown_variables {
        tracing::warn!("{name} in the environment is none of our settings and is not used");
    }
}

/// Runs something that waits, on [`threads::callers`] threads.
fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads::callers()).enable_all().build();
    runtime.map_err(|error| Failure::of("the program cannot start its threads", error))?.block_on(work)
}
