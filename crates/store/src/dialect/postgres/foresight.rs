//! What a job that reads will ask, asked at once; and what it supposes, looked at on the way.
//!
//! Each question is a way to the server and back, which costs more than most answers. So a job says what it
//! will ask as soon as it knows: everything goes in one message, and the questions find their answers
//! there. And where the answer is nearly always what it was the last time (who has this identifier), the
//! job supposes that it still is, and goes on: what it supposed is asked together with the next question. If
//! it was otherwise, the job fails, and is run again knowing better.
//!
//! All of this holds within one snapshot, where the same question always has the same answer.

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio_postgres::Row;

use super::Connection;
use crate::contract::StoreError;
use crate::dialect::{Value, unavailable};

/// A statement with its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value<'static>>,
}

impl Question {
    /// A question of a statement and its values.
    pub(crate) fn new(sql: &str, values: &[Value<'_>]) -> Self {
        Self { sql: sql.to_owned(), values: values.iter().cloned().map(Value::into_owned).collect() }
    }

    fn is(&self, sql: &str, values: &[Value<'_>]) -> bool {
        self.sql == sql && self.values == values
    }
}

/// A question whose answer is whole numbers: the first column of each row.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) question: Question,
    pub(crate) answer: Vec<i64>,
}

/// What is known of the snapshot that is read.
#[derive(Debug, Default)]
pub(crate) struct Foresight {
    /// Asked, and not yet wanted.
    answered: Vec<(Question, Vec<Row>)>,
    /// To be asked with whatever is asked next.
    along: Vec<Question>,
    /// Supposed, and not yet asked.
    supposed: Vec<Settled>,
    /// Known for sure.
    settled: Vec<Settled>,
    mistaken: bool,
}

impl Connection {
    /// Forgets what was asked: another moment is read.
    pub(crate) fn forget_foreseen(&self) {
        let mut foresight = self.foresight.borrow_mut();
        // Nearly always there is nothing to forget, and nothing to give back.
        foresight.answered.clear();
        foresight.along.clear();
        foresight.supposed.clear();
        foresight.settled.clear();
        foresight.mistaken = false;
    }

    /// Asks questions at once; each then finds its answer when it is asked by itself.
    pub(crate) fn foresee(&self, questions: Vec<Question>) -> Result<(), StoreError> {
        let asked: Vec<_> = questions.iter().map(|question| (question.sql.as_str(), &*question.values)).collect();
        let answers = self.ask_with_supposed(&asked)?;
        self.foresight.borrow_mut().answered.extend(questions.into_iter().zip(answers));
        Ok(())
    }

    /// The answer to a question that was foreseen.
    pub(super) fn foreseen(&self, sql: &str, values: &[Value<'_>]) -> Option<Vec<Row>> {
        let mut foresight = self.foresight.borrow_mut();
        // Asked before it was asked along.
        foresight.along.retain(|question| !question.is(sql, values));
        let place = foresight.answered.iter().position(|(question, _)| question.is(sql, values))?;
        Some(foresight.answered.swap_remove(place).1)
    }

    /// Whether a question has its answer already.
    pub(crate) fn has_foreseen(&self, sql: &str, values: &[Value<'_>]) -> bool {
        self.foresight.borrow().answered.iter().any(|(question, _)| question.is(sql, values))
    }

    /// Has a question asked with whatever is asked next, of which it finds its answer.
    pub(crate) fn ask_along(&self, question: Question) {
        self.foresight.borrow_mut().along.push(question);
    }

    /// Whether something waits to be asked with something else.
    pub(super) fn has_more_to_ask(&self) -> bool {
        let foresight = self.foresight.borrow();
        !foresight.supposed.is_empty() || !foresight.along.is_empty()
    }

    /// Asks questions, and with them whatever was supposed or was to be asked along.
    pub(super) fn ask_with_supposed(&self, asked: &[(&str, &[Value<'_>])]) -> Result<Vec<Vec<Row>>, StoreError> {
        let (supposed, along) = {
            let mut foresight = self.foresight.borrow_mut();
            (std::mem::take(&mut foresight.supposed), std::mem::take(&mut foresight.along))
        };
        let first = supposed.iter().map(|supposed| &supposed.question).chain(&along);
        let first = first.map(|question| (question.sql.as_str(), &*question.values));
        let all: Vec<_> = first.chain(asked.iter().copied()).collect();
        let mut answers = self.ask_at_once(&all)?;
        let mut more = answers.split_off(supposed.len());
        let rest = more.split_off(along.len());
        let mut foresight = self.foresight.borrow_mut();
        foresight.answered.extend(along.into_iter().zip(more));
        // Only whoever went on from it has to begin again: what is asked after that rests on what is so.
        let mut mistaken = false;
        for (Settled { question, answer }, rows) in supposed.into_iter().zip(answers) {
            let read: Vec<i64> = rows.iter().map(|row| super::Row::of(row).int(0)).collect::<Result<_, _>>()?;
            mistaken |= read != answer;
            foresight.settled.push(Settled { question, answer: read });
        }
        foresight.mistaken |= mistaken;
        if mistaken { Err(unavailable("what was supposed is not so")) } else { Ok(rest) }
    }

    fn ask_at_once(&self, asked: &[(&str, &[Value<'_>])]) -> Result<Vec<Vec<Row>>, StoreError> {
        let statements: Vec<_> = asked.iter().map(|(sql, _)| self.prepared(sql)).collect::<Result<_, _>>()?;
        self.with_gathered(async |client| {
            // Polled in order, so sent in order.
            let each = statements
                .iter()
                .zip(asked)
                .map(async |(statement, (_, values))| client.query_raw(statement, *values).await?.try_collect().await);
            try_join_all(each).await
        })
    }

    /// Supposes an answer.
    pub(crate) fn suppose(&self, question: Question, answer: Vec<i64>) {
        self.foresight.borrow_mut().supposed.push(Settled { question, answer });
    }

    /// Says the answer that a question has at this moment of the store.
    pub(crate) fn settle(&self, question: Question, answer: Vec<i64>) {
        self.foresight.borrow_mut().settled.push(Settled { question, answer });
    }

    /// The answer to a question, when it is known.
    pub(crate) fn settled(&self, sql: &str, values: &[Value<'_>]) -> Option<Vec<i64>> {
        let foresight = self.foresight.borrow();
        let known = foresight.settled.iter().find(|known| known.question.is(sql, values))?;
        Some(known.answer.clone())
    }

    /// Looks at whatever is still supposed.
    pub(crate) fn confirm(&self) -> Result<(), StoreError> {
        let supposes = !self.foresight.borrow().supposed.is_empty();
        if supposes { self.ask_with_supposed(&[]).map(drop) } else { Ok(()) }
    }

    /// Whether something was not as supposed: nothing more is, at this moment of the store.
    pub(crate) fn was_mistaken(&self) -> bool {
        self.foresight.borrow().mistaken
    }

    /// What became known of this moment.
    pub(crate) fn each_settled(&self, mut each: impl FnMut(&Settled)) {
        self.foresight.borrow().settled.iter().for_each(&mut each);
    }
}
