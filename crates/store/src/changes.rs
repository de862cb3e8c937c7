//! The change feed: every version, in the order of its commit, without a gap.

use crate::contract::{ChangeRecord, Instant, StoreError};
use crate::reader::Reader;
use crate::versions::{read_change, version_number};

impl Reader<'_> {
    /// The changes after a place in the feed, oldest first, at most `limit`. Starts after 0.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<ChangeRecord>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let sql = "SELECT c.sequence, c.version, c.at, c.change, c.caller, r.type, r.id
                   FROM change c CROSS JOIN resource r ON r.key = c.resource
                   WHERE c.sequence > ?1 ORDER BY c.sequence LIMIT ?2";
        self.db.all(sql, &[after.into(), limit.into()], |row| {
            Ok(ChangeRecord {
                sequence: row.int(0)?.cast_unsigned(),
                name: self.named(row.int(5)?, row.text(6)?.into())?,
                version: version_number(row.int(1)?),
                at: Instant(row.int(2)?),
                change: read_change(row.int(3)?)?,
                caller: row.text(4)?.into(),
            })
        })
    }

    /// The place of the last change; 0 when there was none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn last_sequence(&self) -> Result<u64, StoreError> {
        let last = self.db.first("SELECT coalesce(max(sequence), 0) FROM change", &[], |row| row.int(0))?;
        Ok(last.unwrap_or_default().cast_unsigned())
    }
}
