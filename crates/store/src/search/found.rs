//! What a page gives: live resources by their keys, from memory where they are kept.

use std::sync::Arc;

use crate::contract::StoreError;
use crate::dialect::Keyed;
use crate::kept::Live;
use crate::reader::Reader;
use crate::versions::{LiveRows, live_columns};

/// Live resources, by key.
pub(super) struct Resources<'r> {
    reader: &'r Reader<'r>,
    /// Prepared when something is not in memory.
    statement: Option<Keyed<'r>>,
    rows: LiveRows,
}

impl<'r> Resources<'r> {
    /// Those that this reader sees.
    pub(super) const fn new(reader: &'r Reader<'r>) -> Self {
        Self { reader, statement: None, rows: LiveRows::new() }
    }

    /// The last version of a resource; nothing when it is not live.
    pub(super) fn get(&mut self, key: i64) -> Result<Option<Arc<Live>>, StoreError> {
        if let Some(live) = self.reader.kept(key) {
            return Ok(Some(live));
        }
        let Self { reader, statement, rows } = self;
        let statement = match statement {
            Some(prepared) => prepared,
            None => statement.insert(reader.db.keyed(concat!(
                "SELECT ",
                live_columns!(),
                " FROM resource WHERE key = ?1 AND live = 1"
            ))?),
        };
        let live = statement.row(key, |row| rows.read(reader, row))?;
        if let Some(live) = &live {
            reader.keep(live);
        }
        Ok(live)
    }
}
