//! Jobs that are committed together.
//!
//! A job that fails must leave nothing. A savepoint for each job would see to that, and costs a
//! copy of every page the job touches; nearly every job that fails has written nothing yet. So the
//! jobs run without, and when one fails after it has written, all of the group are undone and run
//! again, this time with savepoints.

use std::time::Instant;

use super::job::{Job, Outcome};
use super::{Counters, Shared, Tx};
use crate::audit::Lines;
use crate::contract::{Instant as Moment, StoreError};
use crate::dialect::sqlite::Connection;
use crate::dialect::unavailable;
use crate::dictionary::Growth;
use crate::figures;

/// An open transaction with the jobs that ran in it.
pub(super) struct Group {
    jobs: Vec<Box<dyn Job>>,
    /// As after the last of them.
    counters: Counters,
    /// As before the first of them.
    before: Counters,
    /// Rows the connection had ever changed when the transaction began.
    changes: u64,
    undoing: Undoing,
}

/// How a job that fails is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undoing {
    /// With all the others, which are run again.
    All,
    /// Alone: each has a savepoint.
    Each,
}

impl Group {
    /// Begins a transaction.
    pub(super) fn begin(db: &Connection, counters: Counters) -> Result<Self, StoreError> {
        db.execute("BEGIN IMMEDIATE", &[])?;
        let changes = db.total_changes();
        Ok(Self { jobs: Vec::new(), before: counters.clone(), counters, changes, undoing: Undoing::All })
    }

    /// How many jobs ran in it.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Runs one more. An error means that the transaction cannot go on.
    pub(super) fn run(&mut self, job: Box<dyn Job>, db: &Connection, shared: &Shared) -> Result<(), StoreError> {
        self.jobs.push(job);
        if self.run_from(self.jobs.len() - 1, db, shared)? == Standing::Spoiled {
            self.begin_anew(db)?;
            shared.words.forget();
            self.counters = self.before.clone();
            self.undoing = Undoing::Each;
            self.run_from(0, db, shared)?;
        }
        Ok(())
    }

    fn begin_anew(&mut self, db: &Connection) -> Result<(), StoreError> {
        db.execute("ROLLBACK", &[])?;
        db.execute("BEGIN IMMEDIATE", &[])?;
        self.changes = db.total_changes();
        Ok(())
    }

    fn run_from(&mut self, first: usize, db: &Connection, shared: &Shared) -> Result<Standing, StoreError> {
        for at in first..self.jobs.len() {
            let Some(job) = self.jobs.get_mut(at) else { break };
            if self.undoing == Undoing::Each {
                db.execute("SAVEPOINT job", &[])?;
            }
            let (counters, changes) = (self.counters.clone(), db.total_changes());
            let mut tx = Tx::new(db.into(), None, shared, &mut self.counters);
            let outcome = job.run(&mut tx);
            let growth = tx.growth;
            if !db.in_transaction() {
                // A full disk or a failing one makes SQLite undo the whole transaction by itself.
                return Err(unavailable("the database gave the transaction up"));
            }
            if outcome == Outcome::Undo {
                self.counters = counters;
                let wrote = db.total_changes() != changes;
                if growth == Growth::New {
                    shared.words.forget();
                }
                match self.undoing {
                    _ if !wrote => {}
                    Undoing::Each => drop(db.execute("ROLLBACK TO job", &[])?),
                    // Nobody else has written yet.
                    Undoing::All if changes == self.changes => self.begin_anew(db)?,
                    Undoing::All => return Ok(Standing::Spoiled),
                }
            }
            if self.undoing == Undoing::Each {
                db.execute("RELEASE job", &[])?;
            }
        }
        Ok(Standing::Good)
    }

    /// Commits what the jobs wrote: on the disk when this returns. Gives the numbers last given.
    pub(super) fn commit(&self, db: &Connection, shared: &Shared) -> Result<Counters, StoreError> {
        let now = Moment((shared.clock)().0.max(self.counters.updated));
        shared.chain.append(db.into(), &self.counters.lines, now)?;
        let begun = Instant::now();
        db.execute("COMMIT", &[])?;
        figures::committed(self.jobs.len(), begun.elapsed());
        let mut counters = self.counters.clone();
        counters.lines = Lines::default();
        Ok(counters)
    }

    /// The jobs, to be answered.
    ///
    /// Even a refusal waits for the commit: it may rest on what another job of the group wrote.
    pub(super) fn into_jobs(self) -> Vec<Box<dyn Job>> {
        self.jobs
    }
}

/// Whether what is in the transaction is what the jobs that succeeded wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// What a job that failed wrote is among it.
    Spoiled,
}
