//! Faults of nodes, of the network and of PostgreSQL, under clients that keep a ledger. What holds through each of
//! them: what was acknowledged is there, once; nobody waits without end; "not now" says when to come back; when the
//! fault is over, all goes on without a hand. `./test faults` goes through each of them more often.

mod clocks;
mod database;
mod network;
mod node;
mod room;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use liaison_test_postgres::{Cluster, Setup};
use liaison_tests::{Fhir, Launch, Nodes, Store, ledger::Ledger, sample};
use tokio::task::JoinHandle;

/// How often each fault comes; `LIAISON_TEST_FAULTS` asks for more.
fn rounds() -> usize {
    std::env::var("LIAISON_TEST_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Nobody waits longer, whatever is broken: less than the server lets a request take.
const AT_MOST: Duration = Duration::from_secs(40);
/// When a fault is over, writing goes on by then.
const RECOVERY: Duration = Duration::from_secs(60);

/// A PostgreSQL of one test, which synchronises with its disk what it commits.
fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Cluster::start(Setup { durable: true, settings, ..Setup::default() })
}

/// Three nodes on the database with this address.
async fn nodes_at(url: String) -> Nodes {
    Nodes::start(&Launch::on(Store::at(url)), 3).await
}

/// Nodes under load, while something breaks.
struct Trial {
    what: &'static str,
    nodes: Nodes,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

impl Trial {
    /// Sixteen who write: half of them go on with other things when they were not answered, half insist.
    async fn begin(what: &'static str, nodes: Nodes) -> Self {
        let circle = Arc::new(sample::circle(&nodes.r4(0)).await);
        let (ledger, stop) = (Arc::new(Ledger::through_faults()), Arc::new(AtomicBool::new(false)));
        let mut writers = Vec::new();
        for writer in 0..8 {
            let (book, circle) = (nodes.book(), Arc::clone(&circle));
            writers.push(tokio::spawn(Arc::clone(&ledger).insist(book, circle, writer, Arc::clone(&stop))));
            let (ledger, book, stop) = (Arc::clone(&ledger), nodes.book(), Arc::clone(&stop));
            let circle = Arc::new(sample::circle_of(&nodes.r4(0), &format!("h{writer}")).await);
            writers.push(tokio::spawn(async move {
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let word = format!("h{writer}.{round}");
                    Arc::clone(&ledger).write(book.r4(writer + round), circle.clone(), word, stop.clone()).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }));
        }
        let trial = Self { what, nodes, ledger, stop, writers };
        trial.goes_on(100).await;
        trial
    }

    /// Until so many more writes were acknowledged.
    async fn goes_on(&self, more: usize) {
        let (begun, enough) = (Instant::now(), self.ledger.acknowledged() + more);
        while self.ledger.acknowledged() < enough {
            assert_eq!(self.ledger.refusals(), [""; 0], "{}", self.what);
            let failed = self.writers.iter().any(JoinHandle::is_finished);
            assert!(!failed, "{}: a client gave up", self.what);
            assert!(begun.elapsed() < RECOVERY, "{}: nothing is written any more\n{}", self.what, self.ledger);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Until so many more were told to come back, which is how the fault shows.
    async fn shows(&self, more: usize) {
        let (begun, enough) = (Instant::now(), self.ledger.unavailable() + more);
        while self.ledger.unavailable() < enough {
            assert!(begun.elapsed() < RECOVERY, "{}: nobody was told to come back\n{}", self.what, self.ledger);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Everybody ends what they are at; then all that was acknowledged is looked for, through every node.
    async fn settle(self) -> Nodes {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap_or_else(|_| panic!("{}: a client failed", self.what));
        }
        assert_eq!(self.ledger.refusals(), [""; 0], "{}: nothing was refused", self.what);
        for number in 0..self.nodes.many() {
            assert_eq!(self.nodes.server(number).site().get("readyz").await.is(200).text(), "ready\n");
            self.ledger.settle(&self.nodes.r4(number)).await;
        }
        eprintln!("\n{}\n{}", self.what, self.ledger);
        assert!(self.ledger.longest() < AT_MOST, "{}: somebody waited {:?}", self.what, self.ledger.longest());
        self.nodes
    }
}

/// A request while nothing can be done is told so, soon, in words, and when to come back.
async fn is_told_to_come_back(r4: &Fhir, method: &str, address: &str) {
    let begun = Instant::now();
    let mut request = r4.request(method, address);
    if method == "POST" {
        request = request.json(&sample::patient("nobody", "Personne", "Anne"));
    }
    let answer = request.send().await.is(503);
    assert!(begun.elapsed() < AT_MOST, "{method} {address}: it took {:?}", begun.elapsed());
    let seconds: u64 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("{:?}", answer.headers));
    assert!((1..=60).contains(&seconds), "to come back in {seconds}s");
    assert!(!answer.findings().is_empty(), "it is said why");
}
