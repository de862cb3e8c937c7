//! The writing end, on its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::checkpoint::Checkpoints;
use super::group::Group;
use super::job::Job;
use super::{Counters, Order, Shared};
use crate::contract::StoreError;
use crate::dialect::sqlite::Connection;
use crate::figures;
use crate::health::{Ailment, Health};
use crate::lock::ProcessLock;
use crate::mark::Mark;
use crate::shard::Places;

/// What the thread works with.
pub(super) struct Work {
    db: Connection,
    shared: Shared,
    /// Unknown at the start and after a failure: then read from the store.
    counters: Option<Counters>,
    checkpoints: Checkpoints,
    mark: Mark,
    health: Health,
    /// Let go of when the thread ends, after the last commit.
    _lock: ProcessLock,
}

/// The group before: those it answered are likely to write again at once.
#[derive(Clone, Copy, Debug, Default)]
struct LastGroup {
    jobs: usize,
    took: Duration,
}

impl LastGroup {
    /// How long to wait for as many as last time: a part of what a commit costs, so that many
    /// callers share one, and a single caller never waits.
    fn worth_waiting(self) -> Duration {
        (self.took / 4).min(Duration::from_millis(1))
    }
}

/// The next order; when closing, only what waits already.
fn next_order(waiting: &Receiver<Order>, closing: &[oneshot::Sender<()>]) -> Option<Order> {
    if closing.is_empty() { waiting.recv().ok() } else { waiting.try_recv().ok() }
}

impl Work {
    pub(super) fn new(
        db: Connection,
        shared: Shared,
        checkpoints: Checkpoints,
        (lock, mark): (ProcessLock, Mark),
        health: Health,
    ) -> Self {
        Self { db, shared, counters: None, checkpoints, mark, health, _lock: lock }
    }

    pub(super) fn run(mut self, waiting: &Receiver<Order>, batch: usize) {
        let mut closing = Vec::new();
        let mut last = LastGroup::default();
        while let Some(first) = next_order(waiting, &closing) {
            match first {
                Order::Close(tell) => closing.push(tell),
                Order::Run(job, permit, _) => {
                    last = self.write_together((job, permit), waiting, batch, last, &mut closing);
                    self.checkpoints.keep_the_log_short(&self.db);
                }
            }
        }
        // Nothing waits any more: leave a file without a log behind. If that fails, the log is
        // read at the next start.
        self.checkpoints.stop();
        if let Err(error) = self.db.run("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %cause(&error), "the log was not copied back on closing");
        }
        self.mark.settle();
        drop(self);
        closing.into_iter().for_each(|tell| {
            let _ = tell.send(());
        });
    }

    /// Runs jobs as they come, in one transaction, and answers them when it is committed.
    fn write_together(
        &mut self,
        first: (Box<dyn Job>, OwnedSemaphorePermit),
        waiting: &Receiver<Order>,
        batch: usize,
        last: LastGroup,
        closing: &mut Vec<oneshot::Sender<()>>,
    ) -> LastGroup {
        let mut group = match self.begin() {
            Ok(group) => group,
            Err(error) => {
                self.give_up(vec![first.0], error);
                return LastGroup::default();
            }
        };
        let begun = Instant::now();
        let mut waited = Duration::ZERO;
        let mut permits = Vec::new();
        let mut next = Some(Order::Run(first.0, first.1, Places::default()));
        let mut done = Ok(());
        while let Some(order) = next {
            match order {
                Order::Run(job, permit, _) => {
                    permits.push(permit);
                    done = group.run(job, &self.db, &self.shared);
                    if done.is_err() {
                        break;
                    }
                }
                Order::Close(tell) => closing.push(tell),
            }
            next = if group.len() >= batch { None } else { waiting.try_recv().ok() };
            if next.is_none() && group.len() < last.jobs.min(batch) && closing.is_empty() {
                let (from, left) = (Instant::now(), last.worth_waiting().saturating_sub(waited));
                next = waiting.recv_timeout(left).ok();
                waited += from.elapsed();
            }
        }
        match done.and_then(|()| group.commit(&self.db, &self.shared)) {
            Ok(counters) => {
                self.shared.chain.committed();
                // Before anybody is answered.
                if let Some(kept) = &self.shared.kept {
                    kept.commit(counters.sequence());
                }
                self.mark.note(counters.sequence().cast_unsigned());
                // Also of a job that failed alone: what keeps one from writing will keep others.
                match self.db.take_trouble() {
                    Some(why) => self.health.did_not_write(why),
                    None => self.health.wrote(),
                }
                self.counters = Some(counters);
                let last = LastGroup { jobs: group.len(), took: begun.elapsed().saturating_sub(waited) };
                group.into_jobs().into_iter().for_each(|job| job.answer(None));
                last
            }
            Err(error) => {
                self.give_up(group.into_jobs(), error);
                LastGroup::default()
            }
        }
    }

    fn begin(&self) -> Result<Group, StoreError> {
        let counters = match &self.counters {
            Some(counters) => counters.clone(),
            None => Counters::load((&self.db).into())?,
        };
        Group::begin(&self.db, counters)
    }

    /// Undoes a transaction that could not be committed, and tells those who wait for it.
    fn give_up(&mut self, jobs: Vec<Box<dyn Job>>, error: StoreError) {
        tracing::error!(error = %cause(&error), "a commit failed");
        figures::not_committed();
        self.counters = None;
        self.shared.words.forget();
        self.shared.chain.forget();
        if self.db.in_transaction()
            && let Err(error) = self.db.execute("ROLLBACK", &[])
        {
            tracing::error!(error = %cause(&error), "a rollback failed");
        }
        let why = self.db.take_trouble().or_else(|| Ailment::of(&error)).unwrap_or(Ailment::NotWriting);
        self.health.did_not_write(why);
        let error = Arc::new(error);
        for job in jobs {
            job.answer(Some(why.refusal(Box::new(CommitFailed(Arc::clone(&error))))));
        }
    }
}

/// Why a group of writes was not committed: shared by all of them.
#[derive(Debug, thiserror::Error)]
#[error("the commit failed")]
pub(super) struct CommitFailed(#[source] pub(super) Arc<StoreError>);

/// An error with the errors that caused it.
pub(super) fn cause(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
