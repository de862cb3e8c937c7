//! Waiting for an answer, and what its absence means.

use std::cell::Cell;
use std::future::Future;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use super::{Connection, Purpose, socket};
use crate::contract::StoreError;
use crate::dialect::unavailable;

/// The longest that one statement is waited for when nothing else is said: what is read by its name is
/// there at once, or the way to it is gone. Whatever takes its time says how long (`Connection::within`).
const LONGEST: Duration = Duration::from_secs(15);

/// The longest that a statement of a write is waited for: others wait for the same locks.
const LONGEST_WRITE: Duration = Duration::from_secs(10);

/// What the server says when it ends a connection: shutting down, crashed, not up yet, given up while idle.
const ENDS: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25P03"];

/// Why a transaction cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Others were in the way: run again, the same may go.
    Others,
    /// The connection is lost, or was given up.
    Lost,
    /// The server refused a statement, and takes no other before the end of the transaction.
    Refused,
}

impl Connection {
    /// Carries what bytes there are, without waiting for more. Ready: the connection has ended.
    pub(super) fn carry(&self) -> Poll<()> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.driver.borrow_mut().work.as_mut().poll(&mut context).map(drop)
    }

    /// Runs `work`; any statement still running after `limit` ends with [`StoreError::TooSlow`].
    pub(crate) fn within<T>(&self, limit: Duration, work: impl FnOnce() -> T) -> T {
        struct Lift<'a>(&'a Cell<Option<Instant>>);
        impl Drop for Lift<'_> {
            fn drop(&mut self) {
                self.0.set(None);
            }
        }
        self.deadline.set(Instant::now().checked_add(limit));
        let _lift = Lift(&self.deadline);
        work()
    }

    /// Waits for an answer, carrying bytes meanwhile.
    pub(super) fn wait<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        if self.broken.get() {
            return Err(unavailable("the connection to the database is lost"));
        }
        let longest = match self.purpose {
            Purpose::Write => LONGEST_WRITE,
            Purpose::Read => LONGEST,
        };
        let until = self.deadline.get().or_else(|| Instant::now().checked_add(longest));
        let mut driver = self.driver.borrow_mut();
        let socket = driver.socket.clone();
        let mut asked = std::pin::pin!(asked);
        let mut ended = None;
        let work = |context: &mut Context<'_>| {
            if let Poll::Ready(answer) = asked.as_mut().poll(context) {
                return Poll::Ready(Ok(answer));
            }
            if ended.is_none()
                && let Poll::Ready(end) = driver.work.as_mut().poll(context)
            {
                ended = Some(end);
                // What was answered before the end may still be taken.
                return match asked.as_mut().poll(context) {
                    Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                    Poll::Pending => Poll::Ready(Err(())),
                };
            }
            Poll::Pending
        };
        let ran = socket::run(&socket, until, work);
        match ran {
            Ok(Some(Ok(Ok(answer)))) => Ok(answer),
            Ok(Some(Ok(Err(error)))) => {
                // The server says that it ends the connection before it does.
                let ends = error.code().is_some_and(|code| ENDS.contains(&code.code()));
                if error.is_closed() || ended.is_some() || ends {
                    self.broken.set(true);
                }
                Err(self.failed(error))
            }
            Ok(Some(Err(()))) => {
                self.broken.set(true);
                Err(match ended {
                    Some(Err(error)) => self.failed(error),
                    _ => unavailable("the database closed the connection"),
                })
            }
            Ok(None) => {
                // Answers that come later would be taken for those of other questions.
                self.broken.set(true);
                // A commit that is given up while it waits for a replica would be one without it.
                if !self.committing.get() {
                    self.cancel();
                }
                match self.deadline.get() {
                    Some(_) => Err(StoreError::TooSlow),
                    None => Err(unavailable("the database does not answer")),
                }
            }
            Err(error) => {
                self.broken.set(true);
                Err(StoreError::Unavailable(Box::new(error)))
            }
        }
    }

    /// Asks the server to stop what it does for this connection. Whether it does is not waited for.
    fn cancel(&self) {
        if let Err(error) = self.address.cancel(&self.client.cancel_token()) {
            tracing::debug!(%error, "a statement was not cancelled");
        }
    }

    fn failed(&self, error: tokio_postgres::Error) -> StoreError {
        let failure = if self.broken.get() {
            Failure::Lost
        } else if others_in_the_way(&error) {
            Failure::Others
        } else {
            Failure::Refused
        };
        self.failure.set(Some(failure));
        let late = self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline);
        classed(error, late)
    }

    /// Why nothing goes on, once.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        let lost = self.broken.get().then_some(Failure::Lost);
        self.failure.take().or(lost)
    }
}

/// The class of an error of the server's, or of the way to it.
pub(super) fn classed(error: tokio_postgres::Error, late: bool) -> StoreError {
    let Some(code) = error.code() else { return StoreError::Unavailable(Box::new(error)) };
    match *code {
        SqlState::QUERY_CANCELED if late => StoreError::TooSlow,
        SqlState::DISK_FULL => StoreError::Full(Box::new(error)),
        SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly(Box::new(error)),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => StoreError::Damaged(Box::new(error)),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// Whether an error says that others were in the way: run again, the same may go.
fn others_in_the_way(error: &tokio_postgres::Error) -> bool {
    const THEIRS: [&SqlState; 4] = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::LOCK_NOT_AVAILABLE,
    ];
    error.code().is_some_and(|code| THEIRS.contains(&code))
}
