//! The application: the only door between callers and the store.

use std::{fmt, sync::Arc};

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};
use liaison_store::{
    contract::{Instant, Name},
    store::Store,
};

use crate::{
    audit::{Call, Telling, Trail},
    caller::Caller,
    clock, conformance,
    error::{AppError, Refusal},
    operation::{Operation, Stage, audit_trail, export_job},
    policy,
    settings::{Audit, Settings},
    sights::{Sights, Sureness},
    there::{There, View},
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
    sights: Sights,
    /// Where it is told who did what.
    trail: Option<Trail>,
}

impl App {
    /// The application over an open store.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn open(store: Store, settings: Settings) -> Result<Self, AppError> {
        let opened = clock::text(clock::now(), &settings.zone);
        let trail = match settings.audit {
            Audit::On => Some(Trail::begin(store.clone())),
            Audit::Off => None,
        };
        let app = Self { inner: Arc::new(Inner { store, settings, opened, sights: Sights::new(), trail }) };
        conformance::lay_in(&Stage::untold(&app)).await?;
        Ok(app)
    }

    /// Whether it is kept who did what.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        self.inner.trail.is_some()
    }

    /// Tells of a request that came to no operation, if it did not: by method, path below its base, and status.
    ///
    /// # Errors
    /// When that cannot be kept: then it is not answered otherwise.
    pub async fn tell_of_call(&self, call: &Call, method: &str, path: &str, status: u16) -> Result<(), AppError> {
        match &self.inner.trail {
            Some(trail) => Ok(trail.refused(call, method, path, status).await?),
            None => Ok(()),
        }
    }

    /// Writes what waits to be told, before the store is closed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn finish_telling(&self) -> Result<(), AppError> {
        match &self.inner.trail {
            Some(trail) => Ok(trail.write().await?),
            None => Ok(()),
        }
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
        let stage = Stage::untold(self);
        export_job::forget_old(&stage).await?;
        let now = Instant(clock::now().as_microsecond());
        let day_ago = Instant(now.0 - 24 * 3600 * 1_000_000);
        loop {
            let cleared = self.inner.store.write(move |tx| {
                Ok::<_, AppError>(tx.forget_answers(day_ago)? + tx.collect_blobs(day_ago)? + tx.forget_leases(now)?)
            });
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
        let trail = self.inner.trail.as_ref().filter(|_| !operation.goes_on());
        let Some(trail) = trail else { return self.executed(caller, operation, None).await };
        let telling = Arc::new(Telling::begin(trail, caller, &operation.audit()));
        let answer = self.executed(caller, operation, Some(&telling)).await;
        telling.ended(answer.as_ref().err().map(|error| &error.refusal)).await?;
        answer
    }

    async fn executed<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        telling: Option<&Arc<Telling>>,
    ) -> Result<O::Answer, AppError> {
        let action = operation.action();
        policy::decide(caller, &action)?;
        audit_trail::allows(&action, self)?;
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
        let Caller::Somebody(known) = caller else {
            return self.run(caller, operation, telling, There::Everything).await;
        };
        let store = &self.inner.store;
        // What is written is written by what is so for sure.
        if let Some(first) = operation.again() {
            let looked = self.inner.sights.of(known, Sureness::AsFarAsKnown, &self.inner.settings, store).await?;
            let answer = self.run(caller, first, telling, There::Only(looked.seen.clone())).await;
            if looked.held(store) {
                return answer;
            }
        }
        let looked = self.inner.sights.of(known, Sureness::Sure, &self.inner.settings, store).await?;
        self.run(caller, operation, telling, There::Only(looked.seen)).await
    }

    async fn run<O: Operation>(
        &self,
        caller: &Caller,
        operation: O,
        telling: Option<&Arc<Telling>>,
        there: There,
    ) -> Result<O::Answer, AppError> {
        if let Some(telling) = telling {
            telling.begins_again();
        }
        let (telling, caller) = (telling.cloned(), caller.clone());
        let answer = operation.run(Stage { app: self.clone(), caller, telling, there: there.clone() }).await;
        if answer.as_ref().is_err_and(|error| error.refusal == Refusal::Damaged) {
            self.inner.store.met_damage();
        }
        match answer {
            Err(error) => Err(self.veiled(error, there).await?),
            answer => answer,
        }
    }

    /// A refusal that names nothing that is not there for the caller.
    async fn veiled(&self, error: AppError, there: There) -> Result<AppError, AppError> {
        let named: Vec<Name> = match &error.refusal {
            _ if matches!(there, There::Everything) => return Ok(error),
            Refusal::Duplicate(holder) => vec![holder.clone()],
            Refusal::Referred(by) => by.clone(),
            _ => return Ok(error),
        };
        let all_there = self.inner.store.read(move |reader| {
            let view = View::of(reader, &there);
            let hidden = named.iter().find_map(|name| match view.current(name) {
                Ok(Some(_)) => None,
                Ok(None) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            });
            hidden.transpose().map(|hidden| hidden.is_none())
        });
        if all_there.await? {
            return Ok(error);
        }
        let text = match error.refusal {
            Refusal::Referred(_) => text!(
                en: "Not deleted, since others still refer to it.",
                fr: "Non supprimé, car d'autres ressources y font encore référence.",
            ),
            _ => text!(
                en: "Something here has this identifier already, and it is not for you to see.",
                fr: "Une ressource a déjà cet identifiant ici, et vous n'avez pas à la voir.",
            ),
        };
        let place = error.issues.into_iter().next().map(|issue| issue.place).unwrap_or_default();
        Ok(AppError::new(Refusal::Conflict, Issue::error(IssueKind::Conflict, place, text)))
    }
}
