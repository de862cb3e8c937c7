//! Logs: on standard error, for people or for machines, without a person's data.

use std::io::stderr;

use tracing_subscriber::{EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{settings::LogForm, traces::Traces};

/// Starts writing logs. What is not ours speaks only of what went wrong.
pub fn start(form: LogForm, level: tracing::Level, traces: Option<&Traces>) {
    let filter = EnvFilter::new(format!("warn,liaison={level}"));
    // A second start in one process (tests) changes nothing.
    let _ = match (traces, form) {
        (None, LogForm::Text) => fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false).try_init(),
        (None, LogForm::Json) => {
            fmt().with_env_filter(filter).with_writer(stderr).json().flatten_event(true).try_init()
        }
        (Some(traces), form) => {
            let logs = fmt::layer().with_writer(stderr);
            let logs = match form {
                LogForm::Text => logs.with_ansi(false).boxed(),
                LogForm::Json => logs.json().flatten_event(true).boxed(),
            };
            tracing_subscriber::registry()
                .with(logs.with_filter(filter))
                .with(traces.layer())
                .try_init()
                .map_err(Into::into)
        }
    };
    // Where, and not what: the message of a panic may quote what was being read.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked at {place}");
    }));
}
