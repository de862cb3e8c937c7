//! Copying the write-ahead log back into the file, so that it stays short.
//!
//! Most of it is done by a thread of its own, beside the writer: otherwise those who wait for the
//! next commit would wait for it too. What was written meanwhile is left, and little: that the
//! writer copies itself, between two groups, since only a log that was copied to its end is begun
//! anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;

use super::thread::cause;
use crate::contract::StoreError;
use crate::dialect::sqlite::{Connection, Purpose};

/// Pages in the log when copying begins (32 MB).
const BEGIN_AT: u32 = 4000;
/// Pages in the log when the writer no longer waits for the other thread (128 MB).
const TOO_LONG: u32 = 16_000;
/// Cache of the connection that copies: pages go from file to file.
const CACHE_KIB: u32 = 256;

/// The log, seen by the writer.
pub(super) struct Checkpoints {
    /// Pages in it, as of the last commit.
    length: Arc<AtomicU32>,
    /// Whether the thread has copied what it found.
    copied: Arc<AtomicBool>,
    /// Has the thread copy; none when it is to end.
    ask: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread.
    pub(super) fn of(writer: &mut Connection, path: &Path) -> Result<Self, StoreError> {
        let length = Arc::new(AtomicU32::new(0));
        let told = Arc::clone(&length);
        writer.on_commit(move |pages| told.store(pages, Ordering::Relaxed))?;
        let copied = Arc::new(AtomicBool::new(false));
        let (ask, asked) = crossbeam_channel::bounded(1);
        let db = Connection::open(path, Purpose::Read, CACHE_KIB)?;
        let done = Arc::clone(&copied);
        let work = move || {
            let mut failed_before = false;
            while asked.recv().is_ok() {
                let copied = db.copy_log_back();
                if let Err(error) = &copied
                    && !failed_before
                {
                    // It is asked again after each commit, and tells it once.
                    tracing::warn!(error = %cause(error), "the log was not copied back");
                }
                failed_before = copied.is_err();
                done.store(copied.is_ok(), Ordering::Relaxed);
            }
        };
        let thread = std::thread::Builder::new()
            .name("store-copy".to_owned())
            .spawn(work)
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { length, copied, ask: Some(ask), thread: Some(thread) })
    }

    /// To be called by the writer between two groups, when those it served have their answers.
    pub(super) fn keep_the_log_short(&self, writer: &Connection) {
        let length = self.length.load(Ordering::Relaxed);
        if length < BEGIN_AT {
            // What was copied is no longer in the log.
            self.copied.store(false, Ordering::Relaxed);
            return;
        }
        if self.copied.swap(false, Ordering::Relaxed) || length >= TOO_LONG {
            if let Err(error) = writer.copy_log_back() {
                tracing::warn!(error = %cause(&error), "the log was not copied back");
            }
        } else if let Some(ask) = &self.ask {
            // Full: it is at it.
            let _ = ask.try_send(());
        }
    }

    /// Ends the thread, so that nobody but the writer has the file open.
    pub(super) fn stop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that copies the log back panicked");
        }
    }
}
