//! Reads by name, as many as are asked for at the same time with one statement.
//!
//! A way to the server and back costs many times what a row does. While one statement is on its way the
//! next reads gather: the more there are, the fewer ways each costs. A read waits for no other longer than
//! for the statement that was sent before it was asked for.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::{Patience, Pool, View, WAITING};
use crate::contract::{Name, StoreError, Version};
use crate::dialect::unavailable;

/// Statements on their way at the same time.
const LANES: usize = 2;

/// Most names of one statement.
const MOST: usize = 128;

type Told = Result<Option<Arc<Version>>, StoreError>;

struct Ask {
    name: Name,
    tell: oneshot::Sender<Told>,
}

/// Those who read by name together.
pub(super) struct Together(mpsc::Sender<Ask>);

impl Together {
    /// Starts the threads that ask.
    pub(super) fn start(pool: &Arc<Pool>) -> Result<Self, StoreError> {
        let (asks, waiting) = mpsc::channel::<Ask>(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..LANES {
            let (pool, waiting) = (Arc::clone(pool), Arc::clone(&waiting));
            let work = move || {
                let mut asked = Vec::with_capacity(MOST);
                loop {
                    let many =
                        waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv_many(&mut asked, MOST);
                    if many == 0 {
                        break;
                    }
                    answer(&pool, &mut asked);
                }
            };
            std::thread::Builder::new()
                .name(format!("store-names-{number}"))
                .spawn(work)
                .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        }
        Ok(Self(asks))
    }

    /// The last version of a resource, a deletion included. `None` when it never was.
    pub(super) async fn current(&self, name: &Name) -> Told {
        let closed = || unavailable("the store is closed");
        let (tell, told) = oneshot::channel();
        self.0.send(Ask { name: name.clone(), tell }).await.map_err(|_| closed())?;
        told.await.map_err(|_| closed())?
    }
}

fn answer(pool: &Pool, asked: &mut Vec<Ask>) {
    // Nobody listens any more: not worth the work.
    asked.retain(|ask| !ask.tell.is_closed());
    if asked.is_empty() {
        return;
    }
    let (names, tells): (Vec<_>, Vec<_>) = asked.drain(..).map(|Ask { name, tell }| (name, tell)).unzip();
    let found = pool.run(View::Snapshot, Patience::Whole, |reader| reader.current_of(&names)).0;
    match found {
        Ok(found) => tells.into_iter().zip(found).for_each(|(tell, found)| drop(tell.send(found))),
        Err(error) => {
            for (name, tell) in names.into_iter().zip(tells) {
                // What is damaged is that of one of them.
                let told = match &error {
                    StoreError::Damaged(_) => {
                        let alone = |reader: &super::Reader<'_>| reader.current_of(std::slice::from_ref(&name));
                        let alone = pool.run(View::Snapshot, Patience::Whole, alone).0;
                        alone.and_then(|mut found| found.pop().unwrap_or(Ok(None)))
                    }
                    StoreError::Unavailable(cause) => Err(unavailable(cause.to_string())),
                    other => Err(unavailable(other.to_string())),
                };
                drop(tell.send(told));
            }
        }
    }
}
