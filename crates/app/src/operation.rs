//! What an operation must say of itself before it may run.

use std::{future::Future, sync::Arc};

use liaison_store::{reader::Reader, shard::Places, writer::Tx};

use crate::{
    app::App,
    audit::{AuditRecord, Shown, Telling, What, line::EVERYBODY},
    caller::Caller,
    error::AppError,
    policy::{self, Action},
    stored::Stored,
    there::There,
};

/// A use case. One that does not say which leave it asks for, and what the audit trail will tell
/// of it, does not compile.
pub trait Operation: Send + Sized {
    /// What it gives.
    type Answer: Send;

    /// What it asks leave for.
    fn action(&self) -> Action;

    /// What the audit trail says of it.
    fn audit(&self) -> AuditRecord;

    /// Whether it goes on with what was told of when it began: then it is not told of again.
    fn goes_on(&self) -> bool {
        false
    }

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
    /// What is told of it, when a trail is kept.
    pub(crate) telling: Option<Arc<Telling>>,
    /// What is there for the caller: everything read on the caller's behalf is read through it.
    pub(crate) there: There,
}

impl Stage {
    /// What is done when nobody is told of it: by the program for itself.
    pub(crate) fn untold(app: &App) -> Self {
        Self { app: app.clone(), caller: Caller::System, telling: None, there: There::Everything }
    }

    /// Runs a job of the writer, and tells of it in its transaction.
    pub(crate) fn write_at<R, J>(
        &self,
        places: Places,
        job: J,
    ) -> impl Future<Output = Result<R, AppError>> + Send + use<R, J>
    where
        J: Fn(&mut Tx<'_>) -> Result<R, AppError> + Send + 'static,
        R: Send + 'static,
    {
        let telling = self.telling.clone();
        let told = telling.clone();
        let written = self.app.store().write_at(places, move |tx| {
            let answer = job(tx)?;
            if let Some(telling) = &telling {
                let (line, about) = telling.done(tx.made());
                tx.record(line, about);
            }
            Ok(answer)
        });
        async move {
            let written = written.await;
            if let (Ok(_), Some(told)) = (&written, told) {
                told.was_told();
            }
            written
        }
    }

    /// Carries out another operation as a part of this one: it needs its own leave, and is told of with this one.
    ///
    /// # Errors
    /// Whatever the policy or the operation refuses.
    pub(crate) async fn carries_out<O: Operation>(&self, operation: O) -> Result<O::Answer, AppError> {
        policy::decide(&self.caller, &operation.action())?;
        operation.run(self.clone()).await
    }

    /// Says that these are shown, for the trail.
    ///
    /// # Errors
    /// When what they belong to cannot be read.
    pub(crate) fn shows<'s>(
        &self,
        shown: impl IntoIterator<Item = &'s Stored>,
        reader: &Reader<'_>,
    ) -> Result<(), AppError> {
        let Some(telling) = &self.telling else { return Ok(()) };
        for stored in shown {
            let version = stored.shared_version();
            let notebooks = match self.there.notebooks_alone(&version)? {
                Some(notebooks) => notebooks,
                None => self.there.notebooks(&version, reader)?.into(),
            };
            telling.shows(Shown { what: What::Stored(version), notebooks });
        }
        Ok(())
    }

    /// As [`Self::shows`], of one that was read.
    ///
    /// # Errors
    /// As there, and when the store is away.
    pub(crate) async fn shows_one(&self, shown: &Stored) -> Result<(), AppError> {
        let Some(telling) = &self.telling else { return Ok(()) };
        let version = shown.shared_version();
        match self.there.notebooks_alone(&version)? {
            Some(notebooks) => {
                telling.shows(Shown { what: What::Stored(version), notebooks });
                Ok(())
            }
            None => self.app.store().read_here(|reader| self.shows([shown], reader)).await,
        }
    }

    /// Says that all of a type is shown, or much of it.
    pub(crate) fn shows_everything(&self, of: &'static str) {
        if let Some(telling) = &self.telling {
            telling.shows(Shown { what: What::All(of), notebooks: vec![EVERYBODY.to_owned()].into() });
        }
    }
}

pub(crate) mod audit_trail;
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
pub mod who_saw;
