//! Writing to a database that others write to as well.
//!
//! Jobs that wait at the same time are committed together, as on a file. Before they run, the shards
//! that they will write to are locked, in ascending order, so that nobody waits in a circle; a job that
//! turns out to need another is run again, with the others, once that is locked too. What others take
//! at the same time all the same (a unique key) is refused by a constraint: then the jobs run again, and
//! see it taken. Nothing of that reaches a caller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::ahead::Asked;
use super::counters::Numbers;
use super::job::{Job, Outcome};
use super::thread::{CommitFailed, cause};
use super::{Counters, Order, Shared, Tx};
use crate::contract::{Instant as Moment, StoreError};
use crate::dialect::postgres::{Address, Connection, Failure, Purpose, Question};
use crate::dialect::{Db, Value, unavailable};
use crate::figures::{self, Again};
use crate::health::{Ailment, Health};
use crate::shard::{Places, ShardSet, Shards};

/// How long a database that is away is waited for, with writes on their way: as long as it takes to
/// start again after a crash, and less than callers wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries to reach it.
const BETWEEN: Duration = Duration::from_millis(50);

/// How often jobs are run again because others were in the way. Each time somebody got on.
const TRIES: u32 = 50;

/// How long others are waited for who do not get on: a program that froze, whose transaction the server
/// ends by then, or a commit that waits for a replica.
const HELD_UP: Duration = Duration::from_secs(8);

/// One thread that writes, with its connections.
pub(super) struct Lane {
    address: Address,
    shards: Shards,
    shared: Shared,
    health: Health,
    links: Option<Links>,
    /// Since when the database cannot be reached.
    away: Option<Instant>,
    /// Since when others are in the way, without a commit in between.
    held_up: Option<Instant>,
}

/// Connections of a lane.
struct Links {
    /// The transactions of jobs.
    db: Connection,
    /// Names and attachments, committed one by one.
    aside: Connection,
}

/// A job with what is known of it.
type Queued = (Box<dyn Job>, OwnedSemaphorePermit, Places);

/// The jobs that are committed together.
struct Together {
    jobs: Vec<Box<dyn Job>>,
    /// What they will look at, as far as is known.
    places: Vec<Places>,
    /// The shards they need, as far as is known.
    wanted: ShardSet,
    /// Whether each has a savepoint, to be undone alone.
    undoing: Undoing,
    /// A commit of which nobody knows whether it was done.
    doubt: Option<Doubt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undoing {
    All,
    Each,
}

/// What shows that a commit was done: the last change that it made in a shard.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    shard: u32,
    numbers: Numbers,
}

/// What became of a try.
enum Tried {
    Done,
    /// More shards are needed, or jobs must be undone one by one: again, at once.
    Again,
    Failed(Failure, StoreError),
}

impl Lane {
    pub(super) fn new(address: Address, shards: Shards, shared: Shared, health: Health) -> Self {
        Self { address, shards, shared, health, links: None, away: None, held_up: None }
    }

    pub(super) fn run(mut self, waiting: &Receiver<Order>, batch: usize) {
        let mut closing: Vec<oneshot::Sender<()>> = Vec::new();
        loop {
            let first = if closing.is_empty() { waiting.recv().ok() } else { waiting.try_recv().ok() };
            let Some(first) = first else { break };
            let mut queued: Vec<Queued> = Vec::new();
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Close(tell) => closing.push(tell),
                    Order::Run(job, permit, places) => queued.push((job, permit, places)),
                }
                next = if queued.len() < batch { waiting.try_recv().ok() } else { None };
            }
            if !queued.is_empty() {
                self.write_together(queued);
            }
        }
        drop(self);
        closing.into_iter().for_each(|tell| {
            let _ = tell.send(());
        });
    }

    /// Runs jobs in one transaction, as often as need be, and answers them when it is committed.
    fn write_together(&mut self, queued: Vec<Queued>) {
        let (mut wanted, mut known) = (ShardSet::default(), Vec::with_capacity(queued.len()));
        let (mut jobs, mut permits) = (Vec::with_capacity(queued.len()), Vec::with_capacity(queued.len()));
        for (job, permit, places) in queued {
            wanted.extend(&places.shards(self.shards));
            known.push(places);
            jobs.push(job);
            permits.push(permit);
        }
        let mut together = Together { jobs, places: known, wanted, undoing: Undoing::All, doubt: None };
        // From when it was found away, or others in the way: this program itself may have been stopped for a while.
        let (mut until, mut others_until) = (None, None);
        let mut tries = 0;
        let error = loop {
            match self.attempt(&mut together) {
                Tried::Done => {
                    self.held_up = None;
                    self.health.wrote();
                    together.jobs.into_iter().for_each(|job| job.answer(None));
                    return;
                }
                Tried::Again => figures::again(Again::Wider),
                Tried::Failed(Failure::Others, error) => {
                    self.rollback();
                    let since = *self.held_up.get_or_insert_with(Instant::now);
                    let until = *others_until.get_or_insert_with(|| Instant::now() + HELD_UP);
                    tries += 1;
                    // Whoever comes while nobody gets on for long is told so at once.
                    if tries > TRIES || Instant::now() >= until || since.elapsed() > HELD_UP {
                        break error;
                    }
                    figures::again(Again::Others);
                }
                // Whoever comes while it is away for long is told so at once.
                Tried::Failed(Failure::Lost, error) => {
                    self.links = None;
                    let since = *self.away.get_or_insert_with(Instant::now);
                    let until = *until.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if Instant::now() >= until || since.elapsed() > PATIENCE + BETWEEN {
                        break error;
                    }
                    figures::again(Again::Lost);
                    std::thread::sleep(BETWEEN);
                }
                Tried::Failed(_, error) => {
                    self.rollback();
                    break error;
                }
            }
        };
        self.give_up(together, error);
    }

    /// Ends a transaction that is of no use. If that fails, so does the next use of the connection.
    fn rollback(&mut self) {
        if let Some(links) = &self.links {
            links.db.staging.borrow_mut().clear();
            if links.db.end("ROLLBACK").is_err() || links.db.is_broken() {
                self.links = None;
            }
        }
    }

    fn attempt(&mut self, together: &mut Together) -> Tried {
        if self.links.as_ref().is_some_and(|links| links.db.is_broken() || links.aside.is_broken()) {
            self.links = None;
        }
        if self.links.is_none() {
            match self.connect() {
                Ok(links) => self.links = Some(links),
                Err(error) => return Tried::Failed(Failure::Lost, error),
            }
        }
        let Some(links) = &self.links else {
            return Tried::Failed(Failure::Lost, unavailable("the database is away"));
        };
        match try_once(links, self.shards, &self.shared, together) {
            Ok(tried) => {
                self.away = None;
                tried
            }
            Err(error) => {
                let failure = links.db.take_failure().or_else(|| links.aside.take_failure());
                if failure != Some(Failure::Lost) {
                    self.away = None;
                }
                Tried::Failed(failure.unwrap_or(Failure::Refused), error)
            }
        }
    }

    fn connect(&self) -> Result<Links, StoreError> {
        Ok(Links {
            db: Connection::open(&self.address, Purpose::Write)?,
            aside: Connection::open(&self.address, Purpose::Write)?,
        })
    }

    /// Tells those who wait that nothing was written, or that nobody knows.
    fn give_up(&self, Together { jobs, doubt, .. }: Together, error: StoreError) {
        self.shared.chain.forget();
        if matches!(error, StoreError::Superseded) {
            // Nothing ails the store: it is this program that is not the one to write.
            return jobs.into_iter().for_each(|job| job.answer(Some(StoreError::Superseded)));
        }
        tracing::error!(error = %cause(&error), "a commit failed");
        figures::not_committed();
        let why = Ailment::of(&error).unwrap_or(Ailment::NotWriting);
        self.health.did_not_write(why);
        let error = Arc::new(error);
        for job in jobs {
            let cause = Box::new(CommitFailed(Arc::clone(&error)));
            job.answer(Some(if doubt.is_some() { StoreError::InDoubt(cause) } else { why.refusal(cause) }));
        }
    }
}

/// Locks, runs, commits.
fn try_once(links: &Links, shards: Shards, shared: &Shared, together: &mut Together) -> Result<Tried, StoreError> {
    let Links { db, aside } = links;
    db.take_failure();
    aside.take_failure();
    db.staging.borrow_mut().clear();
    db.forget_foreseen();
    db.begin("BEGIN");
    let to_jobs = Db::Postgres(db, shards);
    let asked = Asked::of(to_jobs, Db::Postgres(aside, shards), &shared.words, &together.places)?;
    let (before, generation) = lock(db, &together.wanted, asked.questions())?;
    if let Some(doubt) = together.doubt
        && was_done(db, doubt)?
    {
        confirm(db, doubt)?;
        shared.chain.committed();
        return Ok(Tried::Done);
    }
    together.doubt = None;
    if let Some(generation) = generation {
        shared.indexing.require_open(to_jobs, generation)?;
    }
    asked.learn(to_jobs)?;
    let mut counters = before.clone();
    for job in &mut together.jobs {
        if together.undoing == Undoing::Each {
            db.execute("SAVEPOINT job", &[])?;
        }
        let mark = db.staging.borrow().mark();
        let then = counters.clone();
        let mut tx = Tx::new(to_jobs, Some(Db::Postgres(aside, shards)), shared, &mut counters);
        let outcome = job.run(&mut tx);
        let more = db.take_wanted();
        if !more.is_empty() {
            together.wanted.extend(&more);
            db.end("ROLLBACK")?;
            return Ok(Tried::Again);
        }
        match db.take_failure().or_else(|| aside.take_failure()) {
            Some(failure @ (Failure::Lost | Failure::Others)) => {
                return Ok(Tried::Failed(failure, unavailable("the transaction of a job could not go on")));
            }
            Some(Failure::Refused) if together.undoing == Undoing::All => {
                together.undoing = Undoing::Each;
                db.end("ROLLBACK")?;
                return Ok(Tried::Again);
            }
            // Its answer is that of the statement; what it did is undone below.
            Some(Failure::Refused) | None => {}
        }
        if outcome == Outcome::Undo {
            counters = then;
            let sent = db.staging.borrow().sent_since(&mark);
            db.staging.borrow_mut().back_to(&mark);
            if together.undoing == Undoing::Each {
                db.undo_to_savepoint("ROLLBACK TO job")?;
            } else if sent {
                together.undoing = Undoing::Each;
                db.end("ROLLBACK")?;
                return Ok(Tried::Again);
            }
        }
        if together.undoing == Undoing::Each {
            db.execute("RELEASE job", &[])?;
        }
    }
    let now = Moment((shared.clock)().0.max(counters.updated));
    shared.chain.append(to_jobs, &counters.lines, now)?;
    for (shard, numbers) in counters.since(&before) {
        db.staging.borrow_mut().count(shard, numbers.sequence, numbers.resource, numbers.updated);
    }
    // What is taken away is looked at before it is too late.
    if db.staging.borrow().takes_away() {
        db.flush()?;
    }
    together.doubt = counters.changed_since(&before).map(|(shard, numbers)| Doubt { shard, numbers });
    let begun = Instant::now();
    // What the server refuses, it has not committed.
    db.commit().inspect_err(|_| {
        if !db.is_broken() {
            together.doubt = None;
        }
    })?;
    shared.chain.committed();
    figures::committed(together.jobs.len(), begun.elapsed());
    Ok(Tried::Done)
}

/// The last column: nothing is given a moment before what was committed anywhere when it began, whatever
/// the clocks of the nodes say; whoever asks for what is new since then misses nothing of it.
const LOCK: &str = "SELECT shard, sequence, resource, updated, (SELECT max(updated) FROM shard), generation FROM shard
    WHERE shard = ANY(?1::int8[]) ORDER BY shard FOR UPDATE";

/// Locks shards, in ascending order, and gives the last numbers given there, and the generation of the index
/// that they all say. `then`: what is asked in the same message, to be answered when the locks are held.
fn lock(db: &Connection, wanted: &ShardSet, then: Vec<Question>) -> Result<(Counters, Option<u64>), StoreError> {
    let (mut numbers, mut latest, mut generation) = (BTreeMap::new(), 0, None);
    if !wanted.is_empty() {
        let list: Vec<i64> = wanted.iter().map(i64::from).collect();
        let locks = [Value::Ints(list.into())];
        db.foresee([Question::new(LOCK, &locks)].into_iter().chain(then).collect())?;
        db.each(LOCK, &locks, |row| {
            let shard = u32::try_from(row.int(0)?).unwrap_or_default();
            numbers
                .insert(shard, Numbers { sequence: row.int(1)?, resource: row.int(2)?, updated: row.int(3)?, seal: 0 });
            latest = latest.max(row.int(4)?);
            generation = Some(row.int(5)?.cast_unsigned());
            Ok(())
        })?;
    }
    db.hold(wanted.clone());
    Ok((Counters::of(numbers, latest), generation))
}

/// Commits once more in a shard: what was committed before is then wherever a commit has to be before it is
/// acknowledged, on a replica too.
fn confirm(db: &Connection, Doubt { shard, .. }: Doubt) -> Result<(), StoreError> {
    db.execute("UPDATE shard SET updated = updated WHERE shard = ?1", &[i64::from(shard).into()])?;
    db.commit()
}

/// The change of a number and a moment, with the checksum of the version that it made: it covers the name
/// and what stands there, so it is not another node's that came to the same number.
const MADE: &str = "SELECT 1 FROM change c
    LEFT JOIN resource r ON r.key = c.resource AND r.version = c.version
    LEFT JOIN past p ON p.resource = c.resource AND p.version = c.version
    WHERE c.shard = ?1 AND c.sequence = ?2 AND c.at = ?3 AND coalesce(r.seal, p.seal) = ?4";

/// Whether a commit was done whose answer was lost. Its shards are locked again: it is over.
fn was_done(db: &Connection, Doubt { shard, numbers }: Doubt) -> Result<bool, StoreError> {
    let Numbers { sequence, updated, seal, .. } = numbers;
    Ok(!db.rows(MADE, &[i64::from(shard).into(), sequence.into(), updated.into(), seal.into()])?.is_empty())
}
