//! References hold: what a job links to is live when the job ends, and what it deletes is not
//! linked to any more.
//!
//! Both are checked once, at the end, so that the versions of one job may refer to each other in
//! any order, in circles, and may be deleted together.

use crate::contract::{Link, Name, StoreError};
use crate::reader::Reader;
use crate::writer::Tx;

/// Referrers named when a deletion is refused.
const REFERRERS_NAMED: u32 = 10;

/// What must be looked at again when the job ends.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Links whose target was not live when they were made.
    pub(crate) unresolved: Vec<(i64, Link)>,
    /// Resources that were deleted.
    pub(crate) deleted: Vec<i64>,
}

impl Tx<'_> {
    /// Checks the references of the job; called by the writer when the job has succeeded.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut self.pending);
        let mut missing = Vec::new();
        for (target, link) in pending.unresolved {
            if !self.is_live(target)? && !missing.contains(&link) {
                missing.push(link);
            }
        }
        if !missing.is_empty() {
            return Err(StoreError::Unresolved(missing));
        }
        for target in pending.deleted {
            if self.is_live(target)? {
                continue;
            }
            let by = self.linked_from(target, REFERRERS_NAMED)?;
            if !by.is_empty() {
                return Err(StoreError::Referred { by });
            }
        }
        Ok(())
    }

    fn is_live(&self, resource: i64) -> Result<bool, StoreError> {
        if let Some(live) = self.db.known_life(resource) {
            return Ok(live);
        }
        let live =
            self.db.first_before("SELECT live FROM resource WHERE key = ?1", &[resource.into()], |row| row.int(0))?;
        Ok(live == Some(1))
    }
}

impl Reader<'_> {
    /// Live resources other than itself that link to a resource: at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn referrers(&self, name: &Name, limit: u32) -> Result<Vec<Name>, StoreError> {
        match self.key_of(name)? {
            Some(target) => self.linked_from(target, limit),
            None => Ok(Vec::new()),
        }
    }

    fn linked_from(&self, target: i64, limit: u32) -> Result<Vec<Name>, StoreError> {
        let sql = "SELECT r.type, r.id FROM (
                     SELECT DISTINCT resource FROM reference
                     WHERE target = ?1 AND link = 1 AND resource <> ?1 LIMIT ?2
                   ) f CROSS JOIN resource r ON r.key = f.resource";
        let rows = self
            .db
            .all(sql, &[target.into(), limit.into()], |row| Ok((row.int(0)?, Box::<str>::from(row.text(1)?))))?;
        rows.into_iter().map(|(kind, id)| self.named(kind, id)).collect()
    }
}
