//! What an operation must say of itself before it may run.

use std::future::Future;

use crate::{app::App, audit::AuditRecord, caller::Caller, error::AppError, policy::Action, there::There};

/// A use case. One that does not say which leave it asks for, and what the audit trail will tell
/// of it, does not compile.
pub trait Operation: Send + Sized {
    /// What it gives.
    type Answer: Send;

    /// What it asks leave for.
    fn action(&self) -> Action;

    /// What the audit trail says of it.
    fn audit(&self) -> AuditRecord;

    /// The same once more, when it only reads: it is first done by what the caller may see as far as is known,
    /// and again when that turns out to have changed.
    fn again(&self) -> Option<Self> {
        None
    }

    /// Does it. Only [`App::execute`] calls this, after the policy has allowed it.
    fn run(self, stage: Stage) -> impl Future<Output = Result<Self::Answer, AppError>> + Send;
}

/// What an operation has at hand while it runs.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The application: store and settings.
    pub(crate) app: App,
    /// Who asks.
    pub(crate) caller: Caller,
    /// What is there for the caller: everything read on the caller's behalf is read through it.
    pub(crate) there: There,
}

pub mod batch;
pub mod capabilities;
pub mod create;
pub mod delete;
pub mod download;
pub mod emergency;
pub mod export;
pub mod export_job;
pub mod history;
pub mod join;
pub mod note_bundle;
pub mod notebooks;
pub mod patch;
pub mod read;
pub mod reindex;
pub mod search;
pub mod terminology;
pub mod transaction;
pub mod update;
pub mod validate;
pub mod vread;
