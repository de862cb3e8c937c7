//! How far a long command is: a bar that moves where somebody watches, a line now and then in a log.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Between two pictures of the bar.
const FRAME: Duration = Duration::from_millis(200);
/// Before the first line of a log; twice as long before each further one.
const FIRST_LINE: Duration = Duration::from_secs(10);
/// Between two lines of a log, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Signs of a bar.
const WIDTH: u64 = 24;

/// The progress of a command.
pub struct Progress {
    watched: bool,
    started: Instant,
    /// When it is told next, and how long after that again.
    next: Instant,
    pause: Duration,
    /// What was done before this program was started.
    before: Option<u64>,
}

/// How far something is.
#[derive(Clone, Copy, Debug)]
pub struct Far {
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub all: u64,
    /// Resources done since the command was started, for the rate.
    pub resources: u64,
}

impl Progress {
    /// At the start.
    pub fn new() -> Self {
        let (now, watched) = (Instant::now(), std::io::stderr().is_terminal());
        let pause = if watched { FRAME } else { FIRST_LINE };
        Self { watched, started: now, next: now + pause, pause, before: None }
    }

    /// Says how far it is, when it is time to.
    pub fn tell(&mut self, far: Far, said: impl FnOnce() -> String) {
        let before = *self.before.get_or_insert(far.done);
        let now = Instant::now();
        if now < self.next {
            return;
        }
        if !self.watched {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        self.next = now + self.pause;
        let line = format!("{}: {}", shown(far, before, now - self.started), said());
        let _ = match self.watched {
            // The rest of a longer line before is wiped away.
            true => write!(std::io::stderr(), "\r{} {line}\x1b[K", bar(far)),
            false => writeln!(std::io::stderr(), "{line}"),
        };
    }

    /// Clears the bar away.
    pub fn end(&self) {
        if self.watched {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar(far: Far) -> String {
    let full = far.done.min(far.all) * WIDTH / far.all.max(1);
    let sign = |at: u64| if at < full { '#' } else { '.' };
    format!("[{}]", (0..WIDTH).map(sign).collect::<String>())
}

/// Share, rate and remaining time.
fn shown(far: Far, before: u64, passed: Duration) -> String {
    let seconds = passed.as_secs_f64().max(0.001);
    let share = far.done.min(far.all) * 100 / far.all.max(1);
    let rate = (far.resources as f64 / seconds).round();
    let done = far.done.saturating_sub(before);
    let rest = far.all.saturating_sub(far.done);
    match done {
        0 => format!("{share} %, {rate}/s"),
        done => format!("{share} %, {rate}/s, {} left", clock(seconds * rest as f64 / done as f64)),
    }
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_rate_and_remaining_time_are_those_of_this_run() {
        // A third was done before; a third in ten seconds; so the last takes ten more.
        let far = Far { done: 200, all: 300, resources: 50 };
        assert_eq!(shown(far, 100, Duration::from_secs(10)), "66 %, 5/s, 0:10 left");
        assert_eq!(shown(Far { done: 0, all: 0, resources: 0 }, 0, Duration::ZERO), "0 %, 0/s");
        assert_eq!(bar(far), "[################........]");
        assert_eq!(bar(Far { done: 9, all: 3, resources: 0 }), "[########################]");
        assert_eq!((clock(59.6), clock(3661.0)), ("1:00".to_owned(), "1:01:01".to_owned()));
    }
}
