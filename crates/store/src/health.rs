//! What ails a store that is served: for whoever watches over it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::{Cause, StoreError};
use crate::dialect::Dialect;
use crate::reader::Reader;
use crate::store::Store;

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

impl Store {
    /// How many bytes a database takes, without the log of its server.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let size = |reader: &Reader<'_>| {
            let sql = match reader.db.dialect() {
                Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                Dialect::Postgres => "SELECT pg_database_size(current_database())",
            };
            Ok::<_, StoreError>(reader.db.first(sql, &[], |row| row.int(0))?.unwrap_or_default().cast_unsigned())
        };
        self.read(size).await
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
