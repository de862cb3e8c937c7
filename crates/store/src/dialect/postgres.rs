//! PostgreSQL: any number of processes on one database.
//!
//! A connection is used by one thread at a time, which waits for each answer: see [`socket`]. What a
//! writing job puts into tables is gathered and sent with the next statement that must see it, many rows
//! at once: see [`staging`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

use super::{Value, damaged, unavailable};
use crate::contract::StoreError;
use crate::shard::ShardSet;

mod address;
mod foresight;
mod socket;
mod staging;
mod statement;
mod value;

pub use address::Address;
pub(crate) use foresight::Question;
pub(crate) use staging::{Resource, Staging};
pub(crate) use value::Row;

/// Statements kept prepared on each connection.
const PREPARED: usize = 256;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To write.
    Write,
    /// To read.
    Read,
}

/// What the server is told of each connection.
///
/// The store has planned its searches itself, from what it knows of its tables: joins are made in the
/// order in which they are written, along the indexes that they name, and a statement is planned once.
const ALWAYS: &str = "SET application_name = 'liaison'; SET client_min_messages = warning; SET jit = off; \
    SET plan_cache_mode = force_generic_plan; SET join_collapse_limit = 1; SET from_collapse_limit = 1; \
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
    SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed'; \
    SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s'";

/// And of those that write. How long they take is seen to here: a server that gives up a commit while it
/// waits for a replica has committed all the same, and by itself alone.
const OF_WRITERS: &str = "SET statement_timeout = 0";

/// And of those that only read.
const OF_READERS: &str = "SET statement_timeout = '60s'; SET default_transaction_read_only = on";

/// The longest that one statement is waited for when nothing else is said: what is read by its name is
/// there at once, or the way to it is gone. Whatever takes its time says how long (`Connection::within`).
const LONGEST: Duration = Duration::from_secs(15);

/// The longest that a statement of a write is waited for: others wait for the same locks.
const LONGEST_WRITE: Duration = Duration::from_secs(10);

/// A connection with its prepared statements, and what a write is about to do.
pub(crate) struct Connection {
    client: Client,
    driver: RefCell<Driver>,
    statements: RefCell<HashMap<String, Statement>>,
    address: Address,
    purpose: Purpose,
    /// When whatever runs is given up.
    deadline: Cell<Option<Instant>>,
    /// Whether a commit is on its way.
    committing: Cell<bool>,
    /// Whether a transaction is open, or begins with the next statement.
    transaction: Cell<Transaction>,
    /// What went wrong last, until it is asked for.
    failure: Cell<Option<Failure>>,
    broken: Cell<bool>,
    pub(crate) staging: RefCell<Staging>,
    /// What a job that reads has asked ahead, and what it supposes.
    foresight: RefCell<foresight::Foresight>,
    /// The shards that are held, and those that a job turned out to need.
    held: RefCell<ShardSet>,
    wanted: RefCell<ShardSet>,
}

/// Longer texts are not indexed: a row of an index has at most 2,704 bytes, of which one code or
/// address may be three times as long in UTF-8 as it looks.
pub(crate) const LONGEST_KEY: usize = 1000;
/// Of a longer one so much is kept as it is.
const KEPT_OF_KEY: usize = 900;

/// What the server says when it ends a connection: shutting down, crashed, not up yet, given up while idle.
const ENDS: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25P03"];

/// What is kept in the place of a text that is too long to be indexed: as good to compare by equality,
/// and in the order of its beginning.
pub(crate) fn stand_in(text: &str) -> String {
    let end = (0..=KEPT_OF_KEY.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let mut kept = text.get(..end).unwrap_or_default().to_owned();
    kept.push('…');
    for byte in ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref() {
        // Writing to a text does not fail.
        let _ = std::fmt::Write::write_fmt(&mut kept, format_args!("{byte:02x}"));
    }
    kept
}

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

/// What carries bytes to and fro, polled by whoever waits.
struct Driver {
    socket: socket::Socket,
    work: Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    None,
    /// Begins with the next statement.
    Wanted(&'static str),
    Open,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: &Address, purpose: Purpose) -> Result<Self, StoreError> {
        let (client, socket, work) = address.connect()?;
        let connection = Self {
            client,
            driver: RefCell::new(Driver { socket, work }),
            statements: RefCell::default(),
            address: address.clone(),
            purpose,
            deadline: Cell::default(),
            committing: Cell::default(),
            transaction: Cell::new(Transaction::None),
            failure: Cell::default(),
            broken: Cell::new(false),
            staging: RefCell::default(),
            foresight: RefCell::default(),
            held: RefCell::default(),
            wanted: RefCell::default(),
        };
        connection.run(ALWAYS)?;
        connection.run(match purpose {
            Purpose::Write => OF_WRITERS,
            Purpose::Read => OF_READERS,
        })?;
        Ok(connection)
    }

    /// Whether it can be used no more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Whether the server ended the connection while nothing was asked.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_broken() || self.carry().is_ready()
    }

    /// Carries what bytes there are, without waiting for more. Ready: the connection has ended.
    fn carry(&self) -> Poll<()> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.driver.borrow_mut().work.as_mut().poll(&mut context).map(drop)
    }

    /// Whether it is one that writes.
    pub(crate) fn writes(&self) -> bool {
        self.purpose == Purpose::Write
    }

    /// Says which shards are held from now on.
    pub(crate) fn hold(&self, shards: ShardSet) {
        *self.held.borrow_mut() = shards;
        *self.wanted.borrow_mut() = ShardSet::default();
    }

    /// The shards that a job turned out to need, once.
    pub(crate) fn take_wanted(&self) -> ShardSet {
        self.wanted.take()
    }

    /// Looks whether what a job needs is held; else notes it down.
    pub(crate) fn need(
        &self,
        holds: impl FnOnce(&ShardSet) -> bool,
        note: impl FnOnce(&mut ShardSet),
    ) -> Result<(), StoreError> {
        if !self.writes() || holds(&self.held.borrow()) {
            return Ok(());
        }
        note(&mut self.wanted.borrow_mut());
        Err(unavailable("a shard that is needed is not held yet"))
    }

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
    fn wait<T>(&self, asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
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

    /// Runs statements without values or rows.
    pub(crate) fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(sql))
    }

    /// A prepared statement.
    fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let text = statement::translated(sql);
        let statement = self.wait(self.client.prepare(&text))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= PREPARED {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// What must be sent before a statement: the beginning of a transaction, and what was gathered.
    async fn ahead(&self, gathered: &[staging::Bulk]) -> Result<Vec<u64>, tokio_postgres::Error> {
        let begin = async {
            match self.transaction.get() {
                Transaction::Wanted(how) => self.client.batch_execute(how).await,
                _ => Ok(()),
            }
        };
        let writes = try_join_all(gathered.iter().map(|bulk| bulk.send(&self.client)));
        // Polled in order, so sent in order.
        let ((), changed) = futures_util::future::try_join(begin, writes).await?;
        Ok(changed)
    }

    /// Sends what was gathered, with what `then` asks after it in the same message.
    fn with_gathered<T>(
        &self,
        then: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let gathered = self.gathered()?;
        let wanted = self.transaction.get() != Transaction::None;
        let asked = async {
            let ahead = self.ahead(&gathered);
            futures_util::future::try_join(ahead, then(&self.client)).await
        };
        let answer = self.wait(asked);
        if wanted && !self.broken.get() {
            self.transaction.set(Transaction::Open);
        }
        let (changed, answer) = answer?;
        let as_many = gathered.iter().zip(changed).all(|(bulk, changed)| bulk.rows.len() as u64 == changed);
        if as_many { Ok(answer) } else { Err(damaged("a row that should be there is not")) }
    }

    /// What was gathered, as statements that were prepared.
    fn gathered(&self) -> Result<Vec<staging::Bulk>, StoreError> {
        if self.staging.borrow().is_empty() {
            return Ok(Vec::new());
        }
        let written = self.staging.borrow_mut().take();
        written
            .into_iter()
            .map(|(sql, columns, rows)| Ok(staging::Bulk { statement: self.prepared(&sql)?, columns, rows }))
            .collect()
    }

    /// Sends what was gathered.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        if self.staging.borrow().is_empty() {
            return Ok(());
        }
        self.with_gathered(async |_| Ok(()))
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

    /// Runs a statement that changes; gives the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let statement = self.prepared(sql)?;
        let changed = self.with_gathered(async |client| client.execute_raw(&statement, values).await)?;
        if self.transaction.get() != Transaction::None {
            self.staging.borrow_mut().sent();
        }
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Hands every row of a statement to `each`.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&super::Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let rows = self.rows(sql, values)?;
        rows.iter().try_for_each(|row| each(&super::Row::Postgres(Row::of(row))))
    }

    /// Hands every row of a statement to `each` as it comes: for what may be all of the store. Nothing
    /// else may be asked meanwhile: its answer would wait behind rows that nobody takes.
    pub(crate) fn stream(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&super::Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.prepared(sql)?;
        let rows = self.with_gathered(async |client| client.query_raw(&statement, values).await)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = self.wait(rows.try_next())? {
            each(&super::Row::Postgres(Row::of(&row)))?;
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(crate) fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        if let Some(foreseen) = self.foreseen(sql, values) {
            return Ok(foreseen);
        }
        if self.supposes() {
            return Ok(self.ask_with_supposed(&[(sql, values)])?.pop().unwrap_or_default());
        }
        let statement = self.prepared(sql)?;
        self.with_gathered(async |client| client.query_raw(&statement, values).await?.try_collect().await)
    }

    /// The rows of a statement that sees nothing of what was gathered, nor needs to.
    pub(crate) fn rows_before(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let statement = self.prepared(sql)?;
        let asked = async {
            let (_, rows) = futures_util::future::try_join(self.ahead(&[]), async {
                self.client.query_raw(&statement, values).await?.try_collect().await
            })
            .await?;
            Ok(rows)
        };
        let rows = self.wait(asked);
        if matches!(self.transaction.get(), Transaction::Wanted(_)) && !self.broken.get() {
            self.transaction.set(Transaction::Open);
        }
        rows
    }
}

/// The class of an error of the server's, or of the way to it.
fn classed(error: tokio_postgres::Error, late: bool) -> StoreError {
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
