//! What ails a store that is served: for whoever watches over it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::{Cause, StoreError};

/// What ails a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// What is there is not what was written. Stays until the store is opened again.
    Damaged,
    /// The disk is full: writes are refused.
    Full,
    /// The file cannot be written to: writes are refused.
    ReadOnly,
    /// Writes fail for another reason.
    NotWriting,
}

impl Ailment {
    /// What an error says of the store; nothing when it is one of the request.
    pub(crate) fn of(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::Damaged(_) => Some(Self::Damaged),
            StoreError::Full(_) => Some(Self::Full),
            StoreError::ReadOnly(_) => Some(Self::ReadOnly),
            StoreError::Unavailable(_) => Some(Self::NotWriting),
            _ => None,
        }
    }

    /// The error of a write that this kept from being done.
    pub(crate) fn refusal(self, cause: Cause) -> StoreError {
        match self {
            Self::Damaged => StoreError::Damaged(cause),
            Self::Full => StoreError::Full(cause),
            Self::ReadOnly => StoreError::ReadOnly(cause),
            Self::NotWriting => StoreError::Unavailable(cause),
        }
    }
}

/// What is known of it, shared by all who meet it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    damaged: bool,
    writing: Option<Ailment>,
}

impl Health {
    /// Damage was met.
    pub(crate) fn damaged(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).damaged = true;
    }

    /// A commit succeeded.
    pub(crate) fn wrote(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).writing = None;
    }

    /// A write failed for a reason that lies with the file.
    pub(crate) fn did_not_write(&self, why: Ailment) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Ailment::Damaged => known.damaged = true,
            other => known.writing = Some(other),
        }
    }

    /// The worst of it.
    pub(crate) fn ailment(&self) -> Option<Ailment> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.damaged { Some(Ailment::Damaged) } else { known.writing }
    }
}
