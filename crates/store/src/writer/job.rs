//! A write that waits: run as often as need be, answered once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::Tx;
use super::course::Course;
use crate::contract::StoreError;
use crate::dialect::unavailable;

/// A write on the writer's thread.
pub(super) trait Job: Send {
    /// Runs it, again from the beginning when it ran before: what an earlier run wrote was undone.
    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome;

    /// Gives the answer of the last run; the failure of the commit instead, if it failed.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

/// Whether what a job wrote is to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Keep,
    Undo,
}

/// A job with the caller that waits for it.
pub(super) struct Waiting<R, E, J> {
    job: J,
    answer: Option<Result<R, E>>,
    tell: oneshot::Sender<Told<R, E, J>>,
    course: Course,
}

/// What the caller is told.
pub(super) struct Told<R, E, J> {
    pub(super) answer: Result<R, E>,
    pub(super) job: J,
}

impl<R, E, J> Waiting<R, E, J> {
    pub(super) fn new(job: J) -> (Box<Self>, oneshot::Receiver<Told<R, E, J>>) {
        let (tell, told) = oneshot::channel();
        (Box::new(Self { job, answer: None, tell, course: Course::wait() }), told)
    }
}

impl<R, E, J> Job for Waiting<R, E, J>
where
    J: Fn(&mut Tx<'_>) -> Result<R, E> + Send,
    R: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome {
        self.course.turn();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let answer = (self.job)(tx)?;
            tx.settle()?;
            Ok(answer)
        }));
        let answer = ran.unwrap_or_else(|panic| Err(panicked(panic.as_ref()).into()));
        let outcome = if answer.is_ok() { Outcome::Keep } else { Outcome::Undo };
        self.answer = Some(answer);
        outcome
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let Self { job, answer, tell, course } = *self;
        let answer = match (failure, answer) {
            (Some(failure), _) => Err(failure.into()),
            (None, Some(answer)) => answer,
            (None, None) => Err(unavailable("the write was not run").into()),
        };
        // Ends before the caller goes on.
        drop(course);
        // A caller that went away does not want its answer.
        let _ = tell.send(Told { answer, job });
    }
}

fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    unavailable(format!("a writing job panicked: {}", text.unwrap_or("no message")))
}
