//! The change feed: every version, in each shard in the order of its commit, without a gap.

use crate::contract::{ChangeRecord, Instant, StoreError};
use crate::cursor::AsOf;
use crate::dialect::Dialect;
use crate::reader::Reader;
use crate::versions::{read_change, version_number};

impl Reader<'_> {
    /// How many feeds there are: one a shard, counted from 0.
    #[must_use]
    pub fn feeds(&self) -> u32 {
        self.db.shards().count()
    }

    /// The changes after a place in the feed of a shard, oldest first, at most `limit`. Starts after 0.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn changes(&self, shard: u32, after: u64, limit: u32) -> Result<Vec<ChangeRecord>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut values = vec![after.into(), limit.into()];
        let of = match self.db.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => {
                values.push(shard.into());
                " AND c.shard = ?3"
            }
        };
        let sql = format!(
            "SELECT c.sequence, c.version, c.at, c.change, c.caller, r.type, r.id
             FROM change c CROSS JOIN resource r ON r.key = c.resource
             WHERE c.sequence > ?1{of} ORDER BY c.sequence LIMIT ?2"
        );
        self.db.all(&sql, &values, |row| {
            Ok(ChangeRecord {
                shard,
                sequence: row.int(0)?.cast_unsigned(),
                name: self.named(row.int(5)?, row.text(6)?.into())?,
                version: version_number(row.int(1)?),
                at: Instant(row.int(2)?),
                change: read_change(row.int(3)?)?,
                caller: row.text(4)?.into(),
            })
        })
    }

    /// The place of the last change in each feed; 0 where there was none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn last_sequences(&self) -> Result<Vec<u64>, StoreError> {
        Ok(self.as_of()?.0.iter().map(|last| last.cast_unsigned()).collect())
    }

    /// The moment that is read.
    pub(crate) fn as_of(&self) -> Result<AsOf, StoreError> {
        let sql = match self.db.dialect() {
            Dialect::Sqlite => "SELECT coalesce(max(sequence), 0) FROM change",
            Dialect::Postgres => "SELECT ARRAY(SELECT sequence FROM shard ORDER BY shard)",
        };
        if let Some(moment) = self.moment()? {
            return Ok(AsOf(moment.iter().map(|end| end.sequence).collect()));
        }
        Ok(AsOf(self.db.first(sql, &[], |row| row.ints(0))?.unwrap_or_default().into()))
    }
}
