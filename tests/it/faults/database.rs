//! PostgreSQL goes away and comes back, or another takes its place.

use std::{
    process::{Child, Command, Stdio},
    sync::Barrier,
    time::{Duration, Instant},
};

use liaison_test_postgres::{Cluster, Installation, Stop};
use liaison_tests::Nodes;
use tokio::runtime::Handle;

use super::{Trial, cluster, is_told_to_come_back, nodes_at, rounds};

/// What everybody is told while there is no database.
async fn nothing_but_not_now(nodes: &Nodes) {
    for number in 0..nodes.many() {
        let server = nodes.server(number);
        is_told_to_come_back(&server.r4(), "POST", "Patient").await;
        is_told_to_come_back(&server.r4(), "GET", "Patient?family=Personne").await;
        server.site().get("readyz").await.is(503);
        assert_eq!(server.site().get("healthz").await.is(200).text(), "ok\n", "the process is well");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_is_written_to_again_when_it_is_back() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let trial = Trial::begin("PostgreSQL is stopped as by a power cut, and started", nodes_at(database.url()).await);
    let trial = trial.await;
    for round in 0..rounds() {
        trial.goes_on(60 + 37 * (round % 4)).await;
        cluster.stop(Stop::Immediate);
        trial.shows(1).await;
        nothing_but_not_now(&trial.nodes).await;
        cluster.start_again();
        trial.goes_on(60).await;
    }
    trial.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_started_before_its_database_waits_or_says_so() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let nodes = nodes_at(database.url()).await;
    cluster.stop(Stop::Immediate);
    let refused = liaison_tests::Server::try_launch(nodes.server(0).how()).await;
    if let Err(refused) = refused {
        assert_eq!(refused.status, Some(1), "{}", refused.said);
        assert!(!refused.said.contains("panicked"), "{}", refused.said);
        assert!(refused.said.contains(database.name()), "it says which database: {}", refused.said);
    }
    cluster.start_again();
    drop(nodes_at(database.url()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_started_while_another_makes_the_store_waits_for_it() {
    const MAKING: Duration = Duration::from_secs(13);
    let cluster = cluster(&[]);
    let database = cluster.database();
    // A slow disk is like this: somebody holds what whoever makes a store holds, longer than any request waits for a lock
    // or for a statement.
    let (held, begun, handle) = (Barrier::new(2), Instant::now(), Handle::current());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            held.wait();
            database.sql("SELECT pg_advisory_lock(1279869257), pg_sleep(13)");
        });
        held.wait();
        let holds = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
        while cluster.sql("postgres", holds) != "1" {
            std::thread::sleep(Duration::from_millis(5));
        }
        let started = scope.spawn(|| handle.block_on(nodes_at(database.url()))).join();
        drop(started.expect("they start"));
        assert!(begun.elapsed() >= MAKING, "nobody waited: {:?}", begun.elapsed());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_with_all_that_was_acknowledged() {
    for _ in 0..rounds().div_ceil(2) {
        let cluster = cluster(&[]);
        let database = cluster.database();
        let replica = cluster.replica();
        let both = Cluster::url_of(&[&cluster, &replica], database.name());
        let trial = Trial::begin("failover to a replica that commits synchronously", nodes_at(both).await).await;
        trial.goes_on(150).await;
        cluster.stop(Stop::Immediate);
        trial.shows(1).await;
        replica.promote();
        trial.goes_on(150).await;
        trial.settle().await;
    }
}

/// What is committed but not replicated is not acknowledged: who waits for it is told in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_away_holds_up_writes_and_nobody_for_ever() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let replica = cluster.replica();
    let trial = Trial::begin("the synchronous replica is away for a while", nodes_at(database.url()).await).await;
    replica.stop(Stop::Fast);
    trial.shows(8).await;
    let read = trial.nodes.r4(0).get("Patient?_count=1").await;
    assert_eq!(read.status, 200, "what is there is read: {}", read.text());
    replica.start_again();
    cluster.wait_for_replica();
    trial.goes_on(100).await;
    trial.settle().await;
}

/// A commit that waits for the replica is no commit yet, however long it waits and whoever asks whether it was done.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_never_had_was_not_acknowledged() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let replica = cluster.replica();
    let both = Cluster::url_of(&[&cluster, &replica], database.name());
    let trial = Trial::begin("the replica is away, then the primary dies", nodes_at(both).await).await;
    trial.goes_on(60).await;
    replica.stop(Stop::Immediate);
    // What it had already is answered.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = trial.ledger.acknowledged();
    // Long enough for every time-out that there is on the way.
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(trial.ledger.acknowledged(), before, "nothing is acknowledged that one machine alone has");
    cluster.stop(Stop::Immediate);
    replica.start_again();
    replica.promote();
    trial.goes_on(100).await;
    trial.settle().await;
}

/// Others who have every connection there is and keep them, and one who ends again and again what the nodes have.
struct Others {
    all: Vec<Child>,
    _script: tempfile::NamedTempFile,
}

impl Others {
    fn take(cluster: &Cluster, database: &str, many: usize) -> Self {
        let script = tempfile::NamedTempFile::new().expect("a file");
        let ends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'liaison'";
        std::fs::write(script.path(), format!("{ends}\n\\watch 0.05\n")).expect("a script");
        let psql = |arguments: &[&str]| {
            let mut psql = Command::new(Installation::find().program("psql"));
            psql.arg(cluster.url(database)).args(arguments).stdin(Stdio::null());
            psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("psql runs")
        };
        let path = script.path().display().to_string();
        let mut all = vec![psql(&["-f", &path])];
        all.extend((0..many).map(|_| psql(&["-c", "SELECT pg_sleep(600)"])));
        Self { all, _script: script }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for other in &mut self.all {
            let _ = other.kill().and_then(|()| other.wait());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_others_have_every_connection_callers_are_told_and_it_goes_on_after() {
    // Those of the others end with them, though they sleep.
    let cluster = cluster(&[("max_connections", "100"), ("client_connection_check_interval", "200ms")]);
    let database = cluster.database();
    let trial = Trial::begin("others take every connection of PostgreSQL", nodes_at(database.url()).await).await;
    for _ in 0..rounds() {
        let others = Others::take(&cluster, database.name(), 110);
        trial.shows(8).await;
        drop(others);
        trial.goes_on(60).await;
    }
    assert!(cluster.log().contains("too many clients"), "there was none left: {}", cluster.log());
    trial.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_that_is_ended_is_made_again() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let trial =
        Trial::begin("an operator ends every connection, again and again", nodes_at(database.url()).await).await;
    for _ in 0..rounds() * 5 {
        trial.goes_on(20).await;
        let ended: usize = database
            .sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .parse()
            .expect("a number");
        assert!(ended >= 3, "the nodes have connections");
    }
    trial.goes_on(60).await;
    trial.settle().await;
}
