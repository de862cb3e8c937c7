//! A node that dies or freezes is not missed by the others.

use std::time::Duration;

use super::{Trial, cluster, nodes_at, rounds};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_takes_nothing_with_it() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let mut trial = Trial::begin("a node is killed, and started again", nodes_at(database.url()).await).await;
    for round in 0..rounds() * 3 {
        trial.goes_on(40 + 17 * (round % 3)).await;
        trial.nodes.kill(round % 3).await;
        trial.goes_on(60).await;
        trial.nodes.start_again(round % 3).await;
    }
    trial.goes_on(60).await;
    trial.settle().await;
}

/// It holds what it was writing when it froze; the database takes that from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_freezes_holds_the_others_up_for_a_moment_only() {
    let cluster = cluster(&[]);
    let database = cluster.database();
    let trial = Trial::begin("a node is frozen for 25 s under load", nodes_at(database.url()).await).await;
    trial.nodes.server(1).signal("STOP").await;
    // Its own clients wait: whoever asks another node is answered.
    let frozen = tokio::time::sleep(Duration::from_secs(25));
    trial.goes_on(100).await;
    frozen.await;
    trial.nodes.server(1).signal("CONT").await;
    trial.goes_on(200).await;
    trial.settle().await;
}
