//! Transactions: begun with the first statement in them, ended with the last.

use std::task::Context;

use super::Connection;
use crate::contract::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    /// Begins with the next statement.
    Wanted(&'static str),
    Open,
}

impl Connection {
    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.get() == Transaction::Open
    }

    /// Begins a transaction with the next statement.
    pub(crate) fn begin(&self, how: &'static str) {
        self.transaction.set(Transaction::Wanted(how));
    }

    /// Ends a transaction, if one was begun.
    pub(crate) fn end(&self, how: &str) -> Result<(), StoreError> {
        match self.transaction.replace(Transaction::None) {
            Transaction::None | Transaction::Wanted(_) => Ok(()),
            Transaction::Open => self.wait(self.client.batch_execute(how)),
        }
    }

    /// Ends a transaction that read: its end is sent, and its answer looked at by whoever asks next.
    pub(crate) fn end_soon(&self) {
        if self.transaction.replace(Transaction::None) == Transaction::Open {
            let mut context = Context::from_waker(std::task::Waker::noop());
            let mut asked = std::pin::pin!(self.client.batch_execute("COMMIT"));
            if asked.as_mut().poll(&mut context).is_ready() || self.carry().is_ready() {
                self.broken.set(true);
            }
        }
    }

    /// Sends what was gathered and commits.
    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        if self.staging.borrow().is_empty() && self.transaction.get() != Transaction::Open {
            self.transaction.set(Transaction::None);
            return Ok(());
        }
        self.committing.set(true);
        let done = self.with_gathered(async |client| client.batch_execute("COMMIT").await);
        self.committing.set(false);
        self.transaction.set(Transaction::None);
        done
    }

    /// Undoes what was done since a savepoint, also after an error.
    pub(crate) fn undo_to_savepoint(&self, sql: &str) -> Result<(), StoreError> {
        // What was read since may be what was undone.
        self.staging.borrow_mut().forget();
        self.run(sql)
    }
}
