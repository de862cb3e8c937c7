//! Clocks that differ between nodes, and step back.

use liaison_tests::{Launch, Nodes, Store, machine::Faults, sample};

/// What is written later is later for everybody, whatever the clock of the node says that wrote it.
#[tokio::test(flavor = "multi_thread")]
async fn versions_go_on_in_time_though_the_clocks_of_the_nodes_do_not() {
    let faults = Faults::none();
    let how = Launch { settings: faults.settings(), ..Launch::on(Store::in_a_database()) };
    // One clock is right, one is moved.
    let moved = Nodes::start(&how, 1).await;
    let right = Nodes::start(&Launch::on(how.store.clone()), 1).await;
    let circle = sample::circle(&right.r4(0)).await;
    let note = sample::create(&right.r4(0), &sample::note(&circle.patient, &circle.practitioner, "x")).await;
    let mut instants = Vec::new();
    let mut began = String::new();
    for (round, seconds) in [0, 3600, -3600, 7200, -86_400, 0].into_iter().enumerate() {
        faults.clock(seconds);
        for nodes in [&moved, &right] {
            let r4 = nodes.r4(0);
            let now = r4.get(&note).await.is(200).json();
            let said = r4.put(&note, &sample::with(now, "/description", format!("round {round}"))).await.is(200).json();
            instants.push(said["meta"]["lastUpdated"].as_str().expect("when").to_owned());
            if began.is_empty() {
                began.clone_from(&instants[0]);
            }
            sample::create(&r4, &sample::patient(&format!("p-{}", instants.len()), "Morel", "Jeanne")).await;
        }
    }
    assert!(instants.is_sorted_by(|one, next| one < next), "{instants:?}");
    // Who asks for what has changed since then is told all of it.
    for nodes in [&moved, &right] {
        let since = format!("_history?_since={}&_count=100", began.replace('+', "%2B"));
        assert_eq!(nodes.r4(0).get(&since).await.is(200).json()["total"], 24, "all of it happened since the first");
    }
}
