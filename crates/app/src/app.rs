//! The application: the only door between callers and the store.

use std::{fmt, sync::Arc};

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    search::query::Clause,
    text,
};
use liaison_store::{contract::Instant, store::Store};

use crate::{
    caller::Caller,
    clock, conformance,
    error::{AppError, Refusal},
    operation::{Operation, Stage, export_job},
    policy::{self, Decision},
    settings::Settings,
};

/// The use cases over one store. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

struct Inner {
    store: Store,
    settings: Settings,
    /// When the application was opened, as FHIR writes instants.
    opened: String,
}

impl App {
    /// The application over an open store.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open(store: Store, settings: Settings) -> Result<Self, AppError> {
        let opened = clock::text(clock::now(), &settings.zone);
        let app = Self { inner: Arc::new(Inner { store, settings, opened }) };
        conformance::lay_in(&Stage { app: app.clone(), caller: Caller::System, scope: Clause::always() }).await?;
        Ok(app)
    }

    /// How it is set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Forgets the answers kept for repeated requests after a day, exports that have expired, and attachments that no version
    /// needs any more. To be called from time to time; a little at a time, so that nobody waits.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn clear_up(&self) -> Result<(), AppError> {
        let stage = Stage { app: self.clone(), caller: Caller::System, scope: Clause::always() };
        export_job::forget_old(&stage).await?;
        let day_ago = Instant(clock::now().as_microsecond() - 24 * 3600 * 1_000_000);
        loop {
            let cleared = self
                .inner
                .store
                .write(move |tx| Ok::<_, AppError>(tx.forget_answers(day_ago)? + tx.collect_blobs(day_ago)?));
            if cleared.await? == 0 {
                return Ok(());
            }
        }
    }

    /// When the application was opened, as FHIR writes instants.
    pub(crate) fn opened(&self) -> &str {
        &self.inner.opened
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Runs an operation for a caller: policy, audit, then the operation. There is no other way in.
    ///
    /// # Errors
    /// Whatever the policy or the operation refuses.
    pub async fn execute<O: Operation>(&self, caller: &Caller, operation: O) -> Result<O::Answer, AppError> {
        let Decision::Allowed { scope } = policy::decide(caller, &operation.action()) else {
            return Err(AppError::new(
                Refusal::Forbidden,
                Issue::error(
                    IssueKind::Forbidden,
                    "",
                    text!(en: "You may not do this.", fr: "Vous n'avez pas le droit de faire cela."),
                ),
            ));
        };
        if tracing::enabled!(tracing::Level::DEBUG) {
            let record = operation.audit();
            // The entity is an address (`Patient/…`), never a person's data.
            tracing::debug!(
                interaction = record.interaction.code(),
                entity = record.entity,
                caller = caller.name(),
                "app.execute"
            );
        }
        let answer = operation.run(Stage { app: self.clone(), caller: caller.clone(), scope }).await;
        if answer.as_ref().is_err_and(|error| error.refusal == Refusal::Damaged) {
            self.inner.store.met_damage();
        }
        answer
    }
}
