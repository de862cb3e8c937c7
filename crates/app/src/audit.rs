//! The audit trail: who did what, when, from where, and with which outcome; never what a note says.
//!
//! Every operation is told of once ([`Telling`]): one that changes something in the transaction that changes
//! it, all others in blocks, a moment later ([`trail`]). A request that was refused before it came to an operation is
//! told of by whoever took it ([`Call`]). A [`line`](mod@line) tells of one; as FHIR it is an [`event`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use liaison_care::access::Belonging;
use liaison_store::{
    audit::Made,
    contract::{Name, Version},
};

use crate::{caller::Caller, error::Refusal, policy::Interaction};

mod call;
pub(crate) mod event;
pub(crate) mod line;
mod trail;

pub use call::Call;
pub(crate) use call::current;
pub use line::about;
pub(crate) use trail::Trail;

use line::{Outcome, Writing};

/// What an operation does, to what: declared before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// What is done.
    pub interaction: Interaction,
    /// To which resource, as `Type/id`; the type alone, or nothing, when no single one is meant.
    pub entity: String,
}

/// Something that was shown or made, and in whose notebooks it is.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// What.
    pub what: What,
    /// The ids of the persons.
    pub notebooks: Notebooks,
}

/// What was shown or made.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A version.
    Version(Name, u32),
    /// One that was read.
    Stored(Arc<Version>),
    /// All of a type.
    All(&'static str),
}

/// The ids of persons.
#[derive(Clone, Debug)]
pub(crate) enum Notebooks {
    /// As they were told.
    These(Vec<String>),
    /// Those that something belongs to.
    Of(Arc<Belonging>),
}

impl From<Vec<String>> for Notebooks {
    fn from(these: Vec<String>) -> Self {
        Self::These(these)
    }
}

impl Notebooks {
    /// The ids.
    pub(crate) fn ids(&self) -> &[String] {
        match self {
            Self::These(these) => these,
            Self::Of(belonging) => &belonging.notebooks,
        }
    }
}

/// Versions as a line names them, by the notebooks that they are in; those in none under nothing.
pub(crate) type Grouped = BTreeMap<String, BTreeSet<String>>;

/// What is told of one operation, and whether it was.
#[derive(Debug)]
pub(crate) struct Telling {
    trail: Trail,
    /// The line as far as it is known before the operation runs.
    begun: Writing,
    shown: Mutex<Vec<Shown>>,
    told: AtomicBool,
}

impl Telling {
    /// Begins to tell of what a caller does.
    pub(crate) fn begin(trail: &Trail, caller: &Caller, record: &AuditRecord) -> Self {
        let call = current();
        if let Some(call) = &call {
            call.is_told_of();
        }
        let mut begun = Writing::begin(call.as_deref());
        begun.who(caller);
        begun.does(record.interaction.told(), &record.entity);
        Self { trail: trail.clone(), begun, shown: Mutex::default(), told: AtomicBool::new(false) }
    }

    /// The operation is carried out from its beginning: nothing was shown yet.
    pub(crate) fn begins_again(&self) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A version is shown.
    pub(crate) fn shows(&self, shown: Shown) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
    }

    /// The line of an operation that was carried out and made these versions, and whom it is about.
    pub(crate) fn done(&self, made: &[Made]) -> (Bytes, Vec<String>) {
        let of = |made: &Made| {
            let notebook = made.notebook.as_ref().unwrap_or(&made.name);
            (*notebook.resource_type == *"Patient").then(|| notebook.id.to_string())
        };
        let made: Vec<Shown> = made
            .iter()
            .map(|made| Shown {
                what: What::Version(made.name.clone(), made.version),
                notebooks: of(made).into_iter().collect::<Vec<_>>().into(),
            })
            .collect();
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        self.begun.clone().end(&made, &shown, Outcome::Done)
    }

    /// It was told with what it changed.
    pub(crate) fn was_told(&self) {
        self.told.store(true, Ordering::Release);
    }

    /// Tells how it ended, unless it was told.
    ///
    /// # Errors
    /// When it cannot be: nobody is answered what is not told of.
    pub(crate) async fn ended(&self, refusal: Option<&Refusal>) -> Result<(), Untold> {
        if self.told.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let outcome = refusal.map_or(Outcome::Done, outcome);
        let shown = match outcome {
            Outcome::Done => std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner)),
            _ => Vec::new(),
        };
        let (line, about) = self.begun.clone().end(&[], &shown, outcome);
        self.trail.tell(&line, about).await
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !*self.told.get_mut() {
            // Whoever asked went away, or it took too long: how far it came is not known.
            let shown = std::mem::take(self.shown.get_mut().unwrap_or_else(PoisonError::into_inner));
            let (line, about) = self.begun.clone().end(&[], &shown, Outcome::BrokenOff);
            self.trail.tell_at_once(&line, about);
        }
    }
}

/// The trail cannot be written, and there is no room for more that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub struct Untold;

/// How an operation ended that was refused: in words that name nothing of what is stored.
const fn outcome(refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::NotUnderstood => Outcome::Refused("not-understood"),
        Refusal::Forbidden => Outcome::Refused("forbidden"),
        Refusal::Unknown => Outcome::Refused("unknown"),
        Refusal::NotAllowed(_) => Outcome::Refused("not-allowed"),
        Refusal::Gone(_) => Outcome::Refused("gone"),
        Refusal::Conflict | Refusal::Duplicate(_) | Refusal::Referred(_) => Outcome::Refused("conflict"),
        Refusal::Precondition => Outcome::Refused("precondition"),
        Refusal::TooLarge => Outcome::Refused("too-large"),
        Refusal::Unsupported => Outcome::Refused("unsupported"),
        Refusal::AgainstARule => Outcome::Refused("against-a-rule"),
        Refusal::TooSlow => Outcome::Failed("too-slow"),
        Refusal::NotIndexed => Outcome::Failed("not-indexed"),
        Refusal::Full | Refusal::ReadOnly | Refusal::Damaged | Refusal::Away => Outcome::Failed("store"),
        Refusal::Defect => Outcome::Failed("defect"),
    }
}
