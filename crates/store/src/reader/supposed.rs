//! What was answered lately to questions whose answers seldom change, and is supposed to be so still.

use quick_cache::{Weighter, sync::Cache};

use super::Reader;
use crate::contract::StoreError;
use crate::dialect::postgres::Question;
use crate::dialect::{Db, Value};
use crate::dictionary::Kind;

/// Bytes of all questions and answers together.
const ROOM: u64 = 8 * 1024 * 1024;

/// What one of them usually takes.
const USUAL: u64 = 128;

/// Answers, by question.
pub(super) struct Supposed(Cache<Box<[u8]>, Box<[i64]>, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<Box<[u8]>, Box<[i64]>> for Bytes {
    fn weight(&self, question: &Box<[u8]>, answer: &Box<[i64]>) -> u64 {
        (question.len() + size_of_val(&**answer)) as u64 + USUAL / 2
    }
}

impl Supposed {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(usize::try_from(ROOM / USUAL).unwrap_or(usize::MAX), ROOM, Bytes))
    }
}

/// Whether there is more than a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Going {
    On,
    NoFurther,
}

/// A question as bytes. `None` for one with values of which it is not kept.
fn written(sql: &str, values: &[Value<'_>]) -> Option<Box<[u8]>> {
    let mut bytes = Vec::with_capacity(sql.len() + 48);
    bytes.extend_from_slice(sql.as_bytes());
    for value in values {
        match value {
            Value::Int(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => {
                bytes.push(2);
                bytes.extend_from_slice(&text.len().to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            Value::Ints(numbers) => {
                bytes.push(3);
                bytes.extend_from_slice(&numbers.len().to_le_bytes());
                numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
            }
            Value::Real(_) | Value::Bytes(_) | Value::Texts(_) | Value::Null => return None,
        }
    }
    Some(bytes.into())
}

impl Reader<'_> {
    /// The whole numbers that a statement gives, a row each: where asking is a way to a server and back,
    /// those it gave the last time, which are looked at with the next question.
    pub(crate) fn suppose(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<i64>, StoreError> {
        let (Db::Postgres(db, _), Some(memory)) = (self.db, self.supposed) else { return self.ask_ints(sql, values) };
        if let Some(known) = db.settled(sql, values) {
            return Ok(known);
        }
        let written = written(sql, values);
        let remembered = written.as_ref().filter(|_| !db.was_mistaken()).and_then(|written| memory.0.get(written));
        if let Some(answer) = remembered {
            db.suppose(Question::new(sql, values), answer.to_vec());
            return Ok(answer.into());
        }
        let answer = self.ask_ints(sql, values)?;
        db.settle(Question::new(sql, values), answer.clone());
        if let Some(written) = written {
            memory.0.insert(written, answer.as_slice().into());
        }
        Ok(answer)
    }

    /// The type of this name, if there ever was a resource of it.
    pub(crate) fn kind_named(&self, name: &str) -> Result<Option<Kind>, StoreError> {
        // One that is not there may come at any time, so that nobody remembers it for sure.
        let there = || self.suppose("SELECT key FROM resource_type WHERE name = ?1", &[name.into()]);
        if !self.words.knows_kind(name) && there()?.is_empty() {
            return Ok(None);
        }
        self.words.kind(self.db, name)
    }

    /// Whether the statement of a page found more than a page the last time, whatever its values were.
    pub(crate) fn went_on(&self, sql: &str) -> bool {
        let remembered = self.supposed.and_then(|memory| memory.0.get(sql.as_bytes()));
        remembered.is_some_and(|answer| *answer == [1])
    }

    /// Remembers that for the next time.
    pub(crate) fn note_going_on(&self, sql: &str, goes_on: Going) {
        if let Some(memory) = self.supposed
            && self.went_on(sql) != (goes_on == Going::On)
        {
            memory.0.insert(sql.as_bytes().into(), Box::new([i64::from(goes_on == Going::On)]));
        }
    }

    /// Carries out what supposes: once more, knowing better, when something was not as supposed.
    pub(crate) fn supposing<T>(&self, work: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (Db::Postgres(db, _), Some(memory)) = (self.db, self.supposed) else { return work() };
        if db.was_mistaken() {
            // Nothing is supposed any more.
            return work();
        }
        let looked_at = work().and_then(|done| db.confirm().map(|()| done));
        if !db.was_mistaken() {
            return looked_at;
        }
        db.each_settled(|settled| {
            if let Some(written) = written(&settled.question.sql, &settled.question.values) {
                memory.0.insert(written, settled.answer.as_slice().into());
            }
        });
        work()
    }

    fn ask_ints(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<i64>, StoreError> {
        self.db.all(sql, values, |row| row.int(0))
    }
}
