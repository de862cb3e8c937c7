//! What is between the nodes and their database is slow, silent, or cut.

use std::time::Duration;

use liaison_test_postgres::{Cluster, Database};
use liaison_tests::{
    Launch, Server, Store,
    machine::Faults,
    proxy::{Network, Proxy},
    sample,
};

use super::{Trial, cluster, is_told_to_come_back, nodes_at, rounds};

async fn through(cluster: &Cluster, database: &Database<'_>) -> (Proxy, String) {
    let proxy = Proxy::to(cluster.port()).await;
    let url = format!("postgres://liaison@127.0.0.1:{}/{}", proxy.port(), database.name());
    (proxy, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_at_any_moment_lose_and_double_nothing() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let (proxy, url) = through(&cluster, &database).await;
    let trial = Trial::begin("every connection is cut, again and again", nodes_at(url).await).await;
    let before = proxy.connections();
    for round in 0..rounds() * 10 {
        trial.goes_on(7 + round % 5).await;
        proxy.cut();
    }
    trial.goes_on(60).await;
    assert!(proxy.connections() > before + rounds() * 10, "they were made again");
    trial.settle().await;
}

/// The one moment when nobody knows: the commit was asked for, and its answer does not come.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_out() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    // Somebody whose clock was ahead has written: until then nobody's clock tells two commits apart.
    let ahead = Faults::none();
    ahead.clock(86_400);
    let early = Launch { settings: ahead.settings(), ..Launch::on(Store::at(database.url())) };
    sample::create(&Server::launch(early).await.r4(), &sample::patient("early", "Tôt", "Anne")).await;
    let (proxy, url) = through(&cluster, &database).await;
    let trial = Trial::begin("connections are cut exactly at the commit", nodes_at(url).await).await;
    for _ in 0..rounds() {
        proxy.becomes(Network::CutAtCommit);
        let [unheard, done] = proxy.cut_at_commit();
        let enough = || {
            let now = proxy.cut_at_commit();
            now[0] >= unheard + 10 && now[1] >= done + 10
        };
        let begun = std::time::Instant::now();
        while !enough() {
            assert!(begun.elapsed() < Duration::from_secs(60), "commits are cut: {:?}", proxy.cut_at_commit());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.becomes(Network::Well);
        trial.goes_on(60).await;
    }
    let [unheard, done] = proxy.cut_at_commit();
    eprintln!("{unheard} commits were cut off before the database heard of them, {done} after it had done them");
    trial.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_slow_is_only_slow() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let (proxy, url) = through(&cluster, &database).await;
    let trial = Trial::begin("every piece takes 20 ms in each direction", nodes_at(url).await).await;
    proxy.becomes(Network::Slow(Duration::from_millis(20)));
    trial.goes_on(40 * rounds()).await;
    assert_eq!(trial.ledger.unavailable(), 0, "slow is not away");
    proxy.becomes(Network::Well);
    trial.goes_on(60).await;
    trial.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_says_nothing_is_given_up_in_time() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let (proxy, url) = through(&cluster, &database).await;
    let trial = Trial::begin("nothing arrives any more, and nobody is told", nodes_at(url).await).await;
    for _ in 0..rounds().div_ceil(2) {
        proxy.becomes(Network::Stalled);
        trial.shows(16).await;
        is_told_to_come_back(&trial.nodes.r4(0), "POST", "Patient").await;
        is_told_to_come_back(&trial.nodes.r4(1), "GET", "Patient?family=Personne").await;
        proxy.becomes(Network::Well);
        trial.goes_on(100).await;
    }
    trial.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_nobody_reaches_is_said_at_once() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let (proxy, url) = through(&cluster, &database).await;
    let trial = Trial::begin("the database cannot be reached for a while", nodes_at(url).await).await;
    for _ in 0..rounds() {
        proxy.becomes(Network::Gone);
        proxy.cut();
        trial.shows(16).await;
        is_told_to_come_back(&trial.nodes.r4(2), "POST", "Patient").await;
        proxy.becomes(Network::Well);
        trial.goes_on(60).await;
    }
    trial.settle().await;
}
