//! What a page gives: live resources by their keys, from memory where they are kept.

use std::collections::HashMap;
use std::sync::Arc;

use crate::contract::StoreError;
use crate::dialect::postgres::Question;
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

/// A question for many resources.
pub(super) struct Many {
    pub(super) question: Question,
    keys: Vec<i64>,
}

impl<'r> Resources<'r> {
    /// Those that this reader sees.
    pub(super) fn new(reader: &'r Reader<'r>) -> Self {
        Self { reader, statement: None, rows: LiveRows::new(), ahead: HashMap::new() }
    }

    /// The question for those that will be asked for, where each question is a way to a server and back:
    /// one for all of them that are not in memory. Nothing when nothing is left to ask.
    pub(super) fn many(&self, keys: impl Iterator<Item = i64>) -> Result<Option<Many>, StoreError> {
        if self.reader.db.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let mut wanted: Vec<i64> = keys.filter(|key| !self.ahead.contains_key(key)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut keys = Vec::with_capacity(wanted.len());
        for key in wanted {
            if self.reader.kept(key)?.is_none() {
                keys.push(key);
            }
        }
        let question = Question::new(OF_KEYS, &[Value::Ints(keys.as_slice().into())]);
        Ok((!keys.is_empty()).then_some(Many { question, keys }))
    }

    /// Takes the answer to such a question.
    pub(super) fn take(&mut self, many: Many) -> Result<(), StoreError> {
        let Self { reader, rows, ahead, .. } = self;
        ahead.extend(many.keys.iter().map(|key| (*key, None)));
        reader.db.each(&many.question.sql, &many.question.values, |row| {
            let live = rows.read(reader, row)?;
            reader.keep(&live)?;
            ahead.insert(live.key, Some(live));
            Ok(())
        })
    }

    /// Asks for those that will be asked for.
    pub(super) fn expect(&mut self, keys: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        match self.many(keys)? {
            Some(many) => self.take(many),
            None => Ok(()),
        }
    }

    /// The last version of a resource; nothing when it is not live.
    pub(super) fn get(&mut self, key: i64) -> Result<Option<Arc<Live>>, StoreError> {
        if let Some(fetched) = self.ahead.get(&key) {
            return Ok(fetched.clone());
        }
        if let Some(live) = self.reader.kept(key)? {
            return Ok(Some(live));
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
            reader.keep(live)?;
        }
        Ok(live)
    }
}
