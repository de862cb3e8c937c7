//! A closed loop of clients: each sends its next request when the last one is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::http::{Connection, Target};
use crate::process::{Usage, own_usage};
use crate::random::Random;

/// Writes the next request of a client.
pub type WriteRequest = Arc<dyn Fn(&mut Random, &Target, &mut Vec<u8>) + Send + Sync>;

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Clients at once.
    pub clients: usize,
    /// How long new requests are sent.
    pub lasting: Duration,
}

/// What was measured, over one or several runs.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Of each answer, in microseconds.
    latencies: Vec<u32>,
    elapsed: Duration,
    /// Requests that were not answered as they should.
    pub failures: u64,
    /// What the first of them got.
    pub first_failure: Option<String>,
    /// Processor time of the program that answered, in microseconds.
    pub served_cpu_us: u64,
    /// Processor time of the clients, in microseconds.
    pub client_cpu_us: u64,
}

/// Sends requests for a while and waits for the last answers. Clients are spread over the targets, one after the
/// other.
pub async fn run(
    targets: &[Target],
    request: &WriteRequest,
    expects: u16,
    effort: Effort,
    round: u64,
    served: impl Fn() -> Usage,
) -> Result<Figures, BenchError> {
    let (own, other) = (own_usage(), served());
    let started = Instant::now();
    let clients: Vec<_> = (0..effort.clients as u64)
        .zip(targets.iter().cycle())
        .map(|(client, target)| {
            let (target, request) = (target.clone(), Arc::clone(request));
            let random = Random::new(round << 32 | client);
            tokio::spawn(async move { drive(&target, &request, expects, random, started + effort.lasting).await })
        })
        .collect();
    let mut figures = Figures::default();
    for client in clients {
        figures.add(client.await.map_err(|_| BenchError::Stopped("a client"))?);
    }
    figures.elapsed = started.elapsed();
    figures.served_cpu_us = served().cpu_us.saturating_sub(other.cpu_us);
    figures.client_cpu_us = own_usage().cpu_us.saturating_sub(own.cpu_us);
    Ok(figures)
}

async fn drive(target: &Target, request: &WriteRequest, expects: u16, mut random: Random, until: Instant) -> Figures {
    let mut connection = Connection::new(target);
    let mut text = Vec::new();
    let mut figures = Figures::default();
    while Instant::now() < until {
        text.clear();
        request(&mut random, target, &mut text);
        let sent = Instant::now();
        match connection.exchange(&text).await {
            Ok(answer) if answer.status == expects => figures.answered(sent.elapsed()),
            Ok(answer) => {
                let said = format!("{} instead of {expects}: {}", answer.status, answer.excerpt());
                figures.failed(said);
            }
            Err(error) => {
                figures.failed(error.to_string());
                // A server that refuses connections would otherwise be asked as fast as we can.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    figures
}

impl Figures {
    /// Counts a good answer.
    pub fn answered(&mut self, after: Duration) {
        self.latencies.push(u32::try_from(after.as_micros()).unwrap_or(u32::MAX));
    }

    /// Counts a bad one.
    pub fn failed(&mut self, said: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(said);
    }

    /// Sets the time a run took.
    pub fn lasted(mut self, elapsed: Duration) -> Figures {
        self.elapsed = elapsed;
        self
    }

    /// Adds another run.
    pub fn add(&mut self, other: Figures) {
        self.latencies.extend(other.latencies);
        self.elapsed += other.elapsed;
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        self.served_cpu_us += other.served_cpu_us;
        self.client_cpu_us += other.client_cpu_us;
    }

    /// Good answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Processor time a good answer took, in microseconds, where the system tells it.
    pub fn cpu_per_answer(&self, total_us: u64) -> Option<f64> {
        (total_us > 0 && !self.latencies.is_empty()).then(|| total_us as f64 / self.latencies.len() as f64)
    }

    /// The latency that this share of the good answers does not exceed (nearest rank).
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        if sorted.is_empty() {
            return None;
        }
        let (_, value, _) = sorted.select_nth_unstable(rank);
        Some(Duration::from_micros(u64::from(*value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank_and_rates_of_all_runs() {
        let mut figures = Figures::default();
        assert_eq!(figures.percentile(0.5), None);
        for value in (1..=100).rev() {
            figures.answered(Duration::from_micros(value));
        }
        let mut figures = figures.lasted(Duration::from_secs(1));
        assert_eq!(figures.percentile(0.5), Some(Duration::from_micros(50)));
        assert_eq!(figures.percentile(0.99), Some(Duration::from_micros(99)));
        assert_eq!(figures.percentile(1.0), Some(Duration::from_micros(100)));
        figures.add(Figures::default().lasted(Duration::from_secs(1)));
        assert_eq!(figures.rate(), 50.0);
    }
}
