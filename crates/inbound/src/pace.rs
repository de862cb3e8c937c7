//! How slow somebody may be: who moves bytes may go on, who moves none is not waited for.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// Whoever moves as many bytes a second, on the average, is waited for without end: less than the slowest
/// mobile network carries.
const BYTES_A_SECOND: u32 = 500;

/// The pace of one direction. Time that we take ourselves does not count: only that which is spent waiting.
#[derive(Debug)]
pub struct Pace {
    /// How long nothing may move.
    grace: Duration,
    /// What is left of it.
    left: Duration,
    waiting: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// One at which nothing may move for so long.
    #[must_use]
    pub const fn with(grace: Duration) -> Self {
        Self { grace, left: grace, waiting: None, alarm: None }
    }

    /// So many bytes moved: those who wait may wait longer, but never longer than at the beginning.
    pub fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
            self.alarm = None;
        }
        let earned = Duration::from_secs(bytes as u64) / BYTES_A_SECOND;
        self.left = self.left.saturating_add(earned).min(self.grace);
    }

    /// Nothing moves at the moment. Ready when that has lasted too long.
    pub fn waits(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let left = self.left;
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(since + left)));
        alarm.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Waker};

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn has_to_go(pace: &mut Pace) -> bool {
        pace.waits(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn who_moves_nothing_is_not_waited_for() {
        let mut pace = Pace::with(GRACE);
        let began = Instant::now();
        poll_fn(|context| pace.waits(context)).await;
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_nothing() {
        let mut pace = Pace::with(GRACE);
        let mut seconds = 0;
        while !has_to_go(&mut pace) {
            tokio::time::advance(Duration::from_secs(1)).await;
            if has_to_go(&mut pace) {
                break;
            }
            pace.moved(1);
            seconds += 1;
            assert!(seconds < 12, "a byte a second is waited for");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_but_steady_is_waited_for() {
        let mut pace = Pace::with(GRACE);
        for _ in 0..1000 {
            assert!(!has_to_go(&mut pace));
            tokio::time::advance(Duration::from_secs(5)).await;
            assert!(!has_to_go(&mut pace));
            pace.moved(5 * BYTES_A_SECOND as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_fast_before_buys_no_time() {
        let mut pace = Pace::with(GRACE);
        pace.moved(100_000_000);
        assert!(!has_to_go(&mut pace));
        tokio::time::advance(GRACE).await;
        assert!(has_to_go(&mut pace));
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_nobody_waits_does_not_count() {
        let mut pace = Pace::with(GRACE);
        pace.moved(1);
        tokio::time::advance(GRACE * 10).await;
        assert!(!has_to_go(&mut pace));
    }
}
