//! PostgreSQL: any number of processes on one database.
//!
//! A connection is used by one thread at a time, which waits for each answer: see [`socket`]. What a
//! writing job puts into tables is gathered and sent with the next statement that must see it, many rows
//! at once: see [`staging`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use tokio_postgres::{Client, Statement};

use self::transaction::Transaction;
use crate::contract::StoreError;
use crate::dialect::unavailable;
use crate::figures;
use crate::shard::ShardSet;

mod address;
mod asking;
mod binding;
mod certificates;
mod encryption;
mod foresight;
mod key;
mod socket;
mod staging;
mod statement;
mod transaction;
mod value;
mod waiting;

pub use address::{Address, Way};
pub(crate) use foresight::Question;
pub(crate) use key::{LONGEST_KEY, stand_in};
pub(crate) use staging::{Resource, Staging};
pub(crate) use value::Row;
pub(crate) use waiting::Failure;

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
    _counted: figures::Connected,
}

/// What carries bytes to and fro, polled by whoever waits.
struct Driver {
    socket: socket::Socket,
    work: Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: &Address, purpose: Purpose) -> Result<Self, StoreError> {
        let address::Connected { client, socket, work, .. } = address.connect()?;
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
            _counted: match purpose {
                Purpose::Write => figures::Connected::to_write(),
                Purpose::Read => figures::Connected::to_read(),
            },
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
}
