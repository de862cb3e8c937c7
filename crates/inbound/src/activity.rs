//! What goes on in a connection, so that one in which nothing does is closed.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How long nothing may go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// In the middle of something: a handshake, a head, a body, an answer.
    pub(crate) stalled: Duration,
    /// Between requests.
    pub(crate) idle: Duration,
}

/// What goes on in a connection.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// When something was last done for a caller, in milliseconds since it began.
    last: AtomicU64,
    /// When the first byte of a head came that is not whole yet; 0: none did.
    head: AtomicU64,
    /// Requests until the last byte of their answers is handed on.
    running: AtomicUsize,
    /// Whether requests come several at a time (HTTP/2): then a byte need not be of a head.
    multiplexed: AtomicBool,
    /// Answers of which something was handed on and nothing taken since, by when.
    untaken: Mutex<BTreeMap<u64, Instant>>,
    answers: AtomicU64,
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again then.
    Again(Instant),
    /// Nothing goes on: to be closed, after what is under way.
    Idle,
    /// Whoever is at the other end keeps us waiting.
    Stalled,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            head: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            multiplexed: AtomicBool::new(false),
            untaken: Mutex::default(),
            answers: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        // From 1, so that 0 is no moment.
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn moment(&self, of: u64) -> Instant {
        self.began + Duration::from_millis(of.saturating_sub(1))
    }

    /// Several requests come at a time.
    pub(crate) fn multiplexed(&self) {
        self.multiplexed.store(true, Ordering::Relaxed);
        self.head.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    /// Bytes came: of a head, when no request runs.
    pub(crate) fn received(&self) {
        if self.running.load(Ordering::Relaxed) == 0 && !self.is_multiplexed() {
            let _ = self.head.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Bytes of answers were taken.
    pub(crate) fn taken(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// A head is whole, and its request runs.
    pub(crate) fn begins(&self) {
        self.head.store(0, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// The last byte of an answer was handed on, or its request was given up.
    pub(crate) fn ends(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
        self.taken();
    }

    /// The number of an answer, to say by which of them something was taken.
    pub(crate) fn answer(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed)
    }

    /// Something of an answer is handed on, and it is for the other end to take it.
    pub(crate) fn handed_on(&self, answer: u64) {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner).insert(answer, Instant::now());
    }

    /// What was handed on of an answer is taken: more is asked for, or it is over.
    pub(crate) fn asked_for(&self, answer: u64) {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner).remove(&answer);
    }

    /// What is to be done by what goes on.
    pub(crate) fn verdict(&self, patience: Patience) -> Verdict {
        let now = Instant::now();
        let oldest = self.untaken.lock().unwrap_or_else(PoisonError::into_inner).values().min().copied();
        let head = match self.head.load(Ordering::Relaxed) {
            0 => None,
            since => Some(self.moment(since)),
        };
        let stalls = [oldest, head].into_iter().flatten().map(|since| since + patience.stalled).min();
        if stalls.is_some_and(|end| end <= now) {
            return Verdict::Stalled;
        }
        let idle = match self.running.load(Ordering::Relaxed) {
            0 => self.moment(self.last.load(Ordering::Relaxed)) + patience.idle,
            _ => now + patience.idle,
        };
        if idle <= now {
            return Verdict::Idle;
        }
        // What begins meanwhile cannot end before this.
        let next = stalls.unwrap_or(idle).min(idle).min(now + patience.stalled.min(patience.idle));
        Verdict::Again(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { stalled: Duration::from_secs(10), idle: Duration::from_secs(60) };

    /// How long a connection lasts, in seconds.
    async fn lasts(activity: &Activity) -> (u64, Verdict) {
        let began = Instant::now();
        loop {
            match activity.verdict(PATIENCE) {
                Verdict::Again(then) if began.elapsed().as_secs() < 1000 => tokio::time::sleep_until(then).await,
                verdict => return (began.elapsed().as_secs(), verdict),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_in_which_nothing_goes_on_is_idle() {
        assert_eq!(lasts(&Activity::new()).await, (60, Verdict::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_not_ended_stalls() {
        let activity = Activity::new();
        activity.received();
        tokio::time::advance(Duration::from_secs(3)).await;
        activity.received();
        assert_eq!(lasts(&activity).await, (7, Verdict::Stalled), "from its first byte");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_runs_is_waited_for() {
        let activity = Activity::new();
        activity.received();
        activity.begins();
        activity.received();
        assert!(matches!(lasts(&activity).await, (1000.., Verdict::Again(_))));
        activity.ends();
        assert_eq!(lasts(&activity).await, (60, Verdict::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_stalls_beside_others_that_are() {
        let activity = Activity::new();
        activity.multiplexed();
        let (stuck, flowing) = (activity.answer(), activity.answer());
        activity.begins();
        activity.begins();
        activity.handed_on(stuck);
        activity.handed_on(flowing);
        activity.asked_for(flowing);
        activity.taken();
        assert_eq!(lasts(&activity).await, (10, Verdict::Stalled));
    }

    #[tokio::test(start_paused = true)]
    async fn where_requests_come_together_bytes_need_not_be_of_a_head() {
        let activity = Activity::new();
        activity.received();
        activity.multiplexed();
        activity.received();
        assert_eq!(lasts(&activity).await, (60, Verdict::Idle));
    }
}
