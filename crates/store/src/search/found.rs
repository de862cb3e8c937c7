//! What a page gives: live resources by their keys, from memory where they are kept.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::StoreError;
use crate::dialect::postgres::Question;
use crate::dialect::{Dialect, Keyed, Value};
use crate::kept::Live;
use crate::reader::Reader;
use crate::versions::{LiveRows, live_columns, number_and_seal, numbered_columns};

/// Those of these keys that are live: `u` says the number and the seal of what is kept of each.
const OF_KEYS: &str = concat!(
    "SELECT ",
    numbered_columns!(),
    " FROM unnest(?1::int8[], ?2::int8[], ?3::int8[]) AS u (key, sequence, seal) \
     CROSS JOIN resource r ON r.key = u.key WHERE r.live = 1"
);

/// Live resources, by key.
pub(super) struct Resources<'r> {
    reader: &'r Reader<'r>,
    /// Prepared when something is not in memory.
    statement: Option<Keyed<'r>>,
    rows: LiveRows,
    /// Fetched before they were asked for; nothing for those that are not live.
    ahead: HashMap<i64, Option<Arc<Live>>>,
}

/// A question for many resources, with what was kept of them when it was made.
pub(super) struct Many {
    pub(super) question: Question,
    kept: HashMap<i64, Option<Arc<Live>>>,
}

impl<'r> Resources<'r> {
    /// Those that this reader sees.
    pub(super) fn new(reader: &'r Reader<'r>) -> Self {
        Self { reader, statement: None, rows: LiveRows::new(), ahead: HashMap::new() }
    }

    /// The question for those that will be asked for, where each question is a way to a server and back:
    /// one for all of them. Nothing when nothing is left to ask.
    pub(super) fn many(&self, keys: impl Iterator<Item = i64>) -> Option<Many> {
        if self.reader.db.dialect() == Dialect::Sqlite {
            return None;
        }
        let mut wanted: Vec<i64> = keys.filter(|key| !self.ahead.contains_key(key)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return None;
        }
        let read_last = |key| self.reader.numbered().and_then(|kept| kept.read_last(key));
        let kept: Vec<_> = wanted.iter().map(|key| read_last(*key)).collect();
        let (sequences, seals): (Vec<i64>, Vec<i64>) = kept.iter().map(number_and_seal).unzip();
        let kept = wanted.iter().copied().zip(kept).collect();
        let values = [wanted, sequences, seals].map(|numbers| Value::Ints(numbers.into()));
        Some(Many { question: Question { sql: OF_KEYS.to_owned(), values: values.into() }, kept })
    }

    /// Takes the answer to such a question.
    pub(super) fn take(&mut self, many: Many) -> Result<(), StoreError> {
        let Many { question, mut kept } = many;
        let Self { reader, rows, ahead, .. } = self;
        ahead.extend(kept.keys().map(|key| (*key, None)));
        reader.db.each(&question.sql, &question.values, |row| {
            let key = row.int(7)?;
            let kept = kept.remove(&key).flatten();
            let known = kept.clone();
            let live = rows.read_numbered(reader, row, || kept)?;
            if known.is_none_or(|known| !Arc::ptr_eq(&known, &live)) {
                reader.keep(&live);
            }
            ahead.insert(key, Some(live));
            Ok(())
        })
    }

    /// Asks for those that will be asked for.
    pub(super) fn expect(&mut self, keys: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        match self.many(keys) {
            Some(many) => self.take(many),
            None => Ok(()),
        }
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
