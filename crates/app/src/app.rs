//! The application: the only door between callers and the store.

use std::{fmt, sync::Arc};

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};
use liaison_store::store::Store;

use crate::{
    caller::Caller,
    error::{AppError, Refusal},
    operation::{Operation, Stage},
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
}

impl App {
    /// The application over an open store.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open(store: Store, settings: Settings) -> Result<Self, AppError> {
        Ok(Self { inner: Arc::new(Inner { store, settings }) })
    }

    /// How it is set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
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
        let record = operation.audit();
        // The entity is an address (`Patient/…`), never a person's data.
        tracing::debug!(
            interaction = record.interaction.code(),
            entity = record.entity,
            caller = caller.name(),
            "app.execute"
        );
        operation.run(Stage { app: self.clone(), caller: caller.clone(), scope }).await
    }
}
