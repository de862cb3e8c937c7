//! What a page gives: live resources by their keys, from memory where they are kept.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::StoreError;
use crate::dialect::{Dialect, Keyed, Value};
use crate::kept::Live;
use crate::reader::Reader;
use crate::versions::{LiveRows, live_columns};

const OF_KEYS: &str = concat!("SELECT ", live_columns!(), " FROM resource WHERE key = ANY(?1::int8[]) AND live = 1");

/// Live resources, by key.
pub(super) struct Resources<'r> {
    reader: &'r Reader<'r>,
    /// Prepared when something is not in memory.
    statement: Option<Keyed<'r>>,
    rows: LiveRows,
    /// Fetched before they were asked for; nothing for those that are not live.
    ahead: HashMap<i64, Option<Arc<Live>>>,
}

impl<'r> Resources<'r> {
    /// Those that this reader sees.
    pub(super) fn new(reader: &'r Reader<'r>) -> Self {
        Self { reader, statement: None, rows: LiveRows::new(), ahead: HashMap::new() }
    }

    /// Says which will be asked for: where each question is a way to a server and back, one is asked for
    /// all of them.
    pub(super) fn expect(&mut self, keys: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        if self.reader.db.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let mut wanted: Vec<i64> = keys.filter(|key| !self.ahead.contains_key(key)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        self.ahead.extend(wanted.iter().map(|key| (*key, None)));
        let Self { reader, rows, ahead, .. } = self;
        reader.db.each(OF_KEYS, &[Value::Ints(wanted.into())], |row| {
            let live = rows.read(reader, row)?;
            ahead.insert(live.key, Some(live));
            Ok(())
        })
    }

    /// The last version of a resource; nothing when it is not live.
    pub(super) fn get(&mut self, key: i64) -> Result<Option<Arc<Live>>, StoreError> {
        if let Some(live) = self.reader.kept(key) {
            return Ok(Some(live));
        }
        if let Some(fetched) = self.ahead.get(&key) {
            return Ok(fetched.clone());
        }
        let Self { reader, statement, rows, .. } = self;
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
