//! What is counted of requests, for whoever watches over the server. Whether anybody collects it, and how
//! it is shown, is for the program to know.
//!
//! Labels are few and fixed: interaction, class of type, status. What was asked for once is looked up
//! never again: each combination keeps its counter.

use std::{
    sync::{LazyLock, OnceLock},
    time::Instant,
};

use axum::response::Response;
use liaison_fhir::outcome::{Issue, IssueKind};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::asked_for::{AskedFor, Class, Ending, Interaction};

/// Whether requests are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// They are not.
    #[default]
    Off,
    /// They are, by whatever collector the program chose before.
    On,
}

/// The figures of all requests.
struct Figures {
    requests: Box<[OnceLock<Counter>]>,
    seconds: [Histogram; Interaction::ALL.len()],
    in_flight: Gauge,
}

static FIGURES: LazyLock<Figures> = LazyLock::new(|| Figures {
    requests: std::iter::repeat_with(OnceLock::new)
        .take(Interaction::ALL.len() * Class::ALL.len() * Ending::COUNT)
        .collect(),
    seconds: Interaction::ALL
        .map(|interaction| histogram!("liaison_request_seconds", "interaction" => interaction.code())),
    in_flight: gauge!("liaison_requests_in_flight"),
});

/// A request being counted, until it is dropped: answered, or abandoned by its caller.
#[derive(Debug)]
pub struct Counted {
    asked_for: AskedFor,
    since: Instant,
    ending: Ending,
}

impl Counted {
    /// It came.
    #[must_use]
    pub fn since_now(asked_for: AskedFor) -> Self {
        FIGURES.in_flight.increment(1);
        Self { asked_for, since: Instant::now(), ending: Ending::ABANDONED }
    }

    /// This is its answer.
    pub fn answered(&mut self, response: &Response) {
        self.ending = Ending::with(response.status());
        if let Some(interaction) = response.extensions().get() {
            self.asked_for.interaction = *interaction;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let AskedFor { interaction, class } = self.asked_for;
        let place = (interaction as usize * Class::ALL.len() + class as usize) * Ending::COUNT + self.ending.place();
        if let Some(cell) = FIGURES.requests.get(place) {
            cell.get_or_init(|| {
                let (interaction, class, status) = (interaction.code(), class.name(), self.ending.name());
                counter!("liaison_requests_total", "interaction" => interaction, "class" => class, "status" => status)
            })
            .increment(1);
        }
        if let Some(seconds) = FIGURES.seconds.get(interaction as usize) {
            seconds.record(self.since.elapsed());
        }
        FIGURES.in_flight.decrement(1);
    }
}

/// The limits that refuse, by the code of the finding that says so.
const LIMITS: [IssueKind; 4] = [IssueKind::TooLong, IssueKind::TooCostly, IssueKind::Timeout, IssueKind::Throttled];

static REFUSED: LazyLock<[Counter; 4]> =
    LazyLock::new(|| LIMITS.map(|kind| counter!("liaison_refused_by_limits_total", "limit" => kind.code())));

/// Shows what was not counted yet as zero, so that its first rise is seen: to be called once it is known
/// who collects.
pub fn begin() {
    FIGURES.in_flight.increment(0);
    REFUSED.iter().for_each(|counter| counter.increment(0));
}

/// Counts a refusal that is due to a limit.
pub fn refused(issues: &[Issue]) {
    let limit = LIMITS
        .iter()
        .zip(&*REFUSED)
        .find(|(kind, _)| issues.iter().any(|issue| issue.refuses() && issue.kind == **kind));
    if let Some((_, counter)) = limit {
        counter.increment(1);
    }
}
