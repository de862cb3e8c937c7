//! Nothing lost: what was acknowledged is there, once, after the process was killed or stopped.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Duration,
};

use liaison_tests::{Fhir, Server, Store, ledger::Ledger, on_postgres, sample};
use tokio::task::JoinHandle;

/// How often the server is killed; `LIAISON_TEST_KILLS` asks for more.
fn kills() -> usize {
    std::env::var("LIAISON_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Sixteen who write.
fn load(
    client: impl Fn() -> Fhir,
    circle: &Arc<sample::Circle>,
    ledger: &Arc<Ledger>,
    round: usize,
    stop: &Arc<AtomicBool>,
) -> Vec<JoinHandle<()>> {
    let write = |writer| ledger.clone().write(client(), circle.clone(), format!("r{round}w{writer}"), stop.clone());
    (0..16).map(|writer| tokio::spawn(write(writer))).collect()
}

/// Until so many more writes were acknowledged than before.
async fn acknowledged(ledger: &Ledger, enough: usize) {
    while ledger.acknowledged() < enough {
        assert_eq!(ledger.refusals(), [""; 0]);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn ended(writers: Vec<JoinHandle<()>>) {
    for writer in writers {
        writer.await.expect("a writer does not fail");
    }
}

/// What `doctor` says of a store that nobody serves.
fn doctor(store: &Store) -> (Option<i32>, String) {
    let output = std::process::Command::new(liaison_tests::binary())
        .args(["doctor", "--check-store", "--listen", "127.0.0.1:0", "--store", store.url()])
        .output()
        .expect("the program runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_write_survives_kills() {
    let mut server = Server::start().await;
    let circle = Arc::new(sample::circle(&server.r4()).await);
    let every = Arc::new(Ledger::default());
    for round in 0..kills() {
        let stop = Arc::new(AtomicBool::new(false));
        let before = every.acknowledged();
        let writers = load(|| server.r4(), &circle, &every, round, &stop);
        // Killed in the middle of it: not after a time, but after so much was acknowledged.
        acknowledged(&every, before + 60 + 37 * (round % 5)).await;
        server.kill().await;
        ended(writers).await;
        assert_eq!(every.refusals(), [""; 0], "no request was refused");
        if round % 2 == 0 {
            let (status, said) = doctor(&server.store());
            assert_eq!(status, Some(0), "{said}");
        }
        server = server.restart().await;
        every.settle(&server.r4()).await;
    }
    assert_eq!(server.site().get("readyz").await.is(200).text(), "ready\n");
}

/// Longer than any client waits that has something to do.
const STOPPED: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_for_a_while_loses_and_doubles_nothing() {
    let server = Server::start().await;
    let circle = Arc::new(sample::circle(&server.r4()).await);
    // A database does not wait so long for what a program reads: then it is told "not now".
    let ledger = || Arc::new(if on_postgres() { Ledger::through_faults() } else { Ledger::default() });
    let (patient, hasty) = (ledger(), ledger());
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = load(|| server.r4(), &circle, &patient, 1, &stop);
    writers.extend(load(|| server.r4_within(Duration::from_secs(3)), &circle, &hasty, 2, &stop));
    acknowledged(&patient, 100).await;
    acknowledged(&hasty, 100).await;
    server.signal("STOP").await;
    let stopped = std::time::Instant::now();
    // What was on its way is answered by now, if it ever is.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let when_stopped = patient.acknowledged();
    tokio::time::sleep(STOPPED.saturating_sub(stopped.elapsed())).await;
    assert_eq!(patient.acknowledged(), when_stopped, "it was stopped");
    server.signal("CONT").await;
    // Those who waited are answered and go on; those who did not wait are gone.
    acknowledged(&patient, when_stopped + 100).await;
    stop.store(true, Ordering::Relaxed);
    ended(writers).await;
    assert_eq!(server.site().get("readyz").await.is(200).text(), "ready\n");
    for ledger in [patient, hasty] {
        assert_eq!(ledger.refusals(), [""; 0]);
        ledger.settle(&server.r4()).await;
    }
}
