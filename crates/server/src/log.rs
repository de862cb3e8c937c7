//! Logs: on standard error, for people or for machines, without a person's data.

use std::io::stderr;

use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::LogForm;

/// Starts writing logs. What is not ours speaks only of what went wrong.
pub fn start(form: LogForm, level: tracing::Level) {
    let filter = EnvFilter::new(format!("warn,liaison={level}"));
    let logs = fmt().with_env_filter(filter).with_writer(stderr);
    // A second start in one process (tests) changes nothing.
    let _ = match form {
        LogForm::Text => logs.with_ansi(false).try_init(),
        LogForm::Json => logs.json().flatten_event(true).try_init(),
    };
    // Where, and not what: the message of a panic may quote what was being read.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked at {place}");
    }));
}
