//! Lines on their way into the trail: gathered in memory, written together.
//!
//! What changes nothing is told a moment after it was answered: a program that is killed, or a machine
//! that stops, loses the lines of that moment ([`GATHERED`], and as long as the write takes). One that ends in order
//! loses none. As long as the store cannot be written, lines wait, up to a limit; beyond it nobody is answered.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use liaison_store::{contract::StoreError, store::Store};
use tokio::sync::Notify;

use super::{Call, Untold, line::Writing};

/// How long lines are gathered.
const GATHERED: Duration = Duration::from_millis(50);
/// Bytes of lines that may wait.
const MOST: usize = 4 << 20;
/// Bytes of lines that may wait when those are counted for which nobody waits.
const MOST_AT_ONCE: usize = 4 * MOST;
/// How long a line waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries to write.
const BETWEEN: Duration = Duration::from_millis(200);

/// The trail, for whoever tells. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Trail(Arc<Gathering>);

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").finish_non_exhaustive()
    }
}

struct Gathering {
    store: Store,
    waiting: Mutex<Waiting>,
    more: Arc<Notify>,
    room: Notify,
    /// Held while lines are written, so that they stay in their order.
    writing: tokio::sync::Mutex<()>,
}

/// Lines that wait to be written.
#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Whom they are about.
    about: BTreeSet<String>,
}

impl Waiting {
    fn add<'a>(&mut self, lines: &[u8], about: impl IntoIterator<Item = &'a String>) {
        if !self.lines.is_empty() {
            self.lines.push(b'\n');
        }
        self.lines.extend_from_slice(lines);
        for one in about {
            if !self.about.contains(one) {
                self.about.insert(one.clone());
            }
        }
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        // The task ends.
        self.more.notify_one();
    }
}

impl Trail {
    /// Begins to gather lines for a store.
    pub(crate) fn begin(store: Store) -> Self {
        let more = Arc::new(Notify::new());
        let gathering = Arc::new(Gathering {
            store,
            waiting: Mutex::default(),
            more: Arc::clone(&more),
            room: Notify::new(),
            writing: tokio::sync::Mutex::new(()),
        });
        let seen = Arc::downgrade(&gathering);
        tokio::spawn(async move {
            loop {
                more.notified().await;
                tokio::time::sleep(GATHERED).await;
                let Some(gathering) = seen.upgrade() else { return };
                let trail = Self(gathering);
                while let Err(error) = trail.write().await {
                    tracing::error!(%error, "the audit trail cannot be written");
                    tokio::time::sleep(BETWEEN).await;
                }
            }
        });
        Self(gathering)
    }

    /// Adds a line, when there is room for it.
    ///
    /// # Errors
    /// When there is none for a while.
    pub(crate) async fn tell(&self, line: &[u8], about: Vec<String>) -> Result<(), Untold> {
        if self.add(line, &about, MOST) {
            return Ok(());
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let room = self.0.room.notified();
            tokio::pin!(room);
            // Listens before it looks.
            room.as_mut().enable();
            if self.add(line, &about, MOST) {
                return Ok(());
            }
            if tokio::time::timeout_at(until, room).await.is_err() {
                return Err(Untold);
            }
        }
    }

    /// Adds a line for which nobody can wait any more.
    pub(crate) fn tell_at_once(&self, line: &[u8], about: Vec<String>) {
        if !self.add(line, &about, MOST_AT_ONCE) {
            tracing::error!("the audit trail cannot be written, and a request that was given up is not told of");
        }
    }

    fn add(&self, line: &[u8], about: &[String], most: usize) -> bool {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() > most {
            return false;
        }
        if waiting.lines.is_empty() {
            self.0.more.notify_one();
        }
        waiting.add(line, about);
        true
    }

    /// Tells of a request that came to no operation.
    ///
    /// # Errors
    /// As [`Trail::tell`].
    pub(crate) async fn refused(&self, call: &Call, method: &str, path: &str, status: u16) -> Result<(), Untold> {
        if call.was_told_of() {
            return Ok(());
        }
        let (line, about) = Writing::of_call(call, method, path, status);
        self.tell(&line, about).await
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// When the store cannot be written: what waited still waits.
    pub(crate) async fn write(&self) -> Result<(), StoreError> {
        let _turn = self.0.writing.lock().await;
        let taken = std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.lines.is_empty() {
            return Ok(());
        }
        let (lines, about) = (Bytes::from(taken.lines), taken.about);
        let (again, told): (_, Vec<String>) = (lines.clone(), about.iter().cloned().collect());
        let written = self.0.store.write(move |tx| {
            tx.record(lines.clone(), told.clone());
            Ok::<_, StoreError>(())
        });
        let written = written.await;
        if written.is_err() {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let later = std::mem::take(&mut *waiting);
            waiting.add(&again, &about);
            if !later.lines.is_empty() {
                waiting.add(&later.lines, &later.about);
            }
            return written;
        }
        self.0.room.notify_waiters();
        Ok(())
    }
}
