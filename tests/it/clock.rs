//! A clock that is set back: what happened later stays later.

use liaison_tests::{Launch, Server, machine::Faults, sample};

#[tokio::test]
async fn versions_go_on_in_time_when_the_clock_goes_back() {
    let faults = Faults::none();
    let mut server = Server::launch(Launch { settings: faults.settings(), ..Launch::default() }).await;
    let circle = sample::circle(&server.r4()).await;
    let mut instants = Vec::new();
    for (round, seconds) in [0, 7200, -3600, -86_400, 0].into_iter().enumerate() {
        faults.clock(seconds);
        if round == 3 {
            // What is known of the last instant does not end with the process.
            server.kill().await;
            server = server.restart().await;
        }
        let r4 = server.r4();
        let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &format!("n-{round}"));
        let name = sample::create(&r4, &note).await;
        let instant = async || r4.get(&name).await.json()["meta"]["lastUpdated"].as_str().expect("when").to_owned();
        instants.push(instant().await);
        let changed = sample::with(r4.get(&name).await.json(), "/description", "changed");
        r4.put(&name, &changed).await.is(200);
        instants.push(instant().await);
        let deleted = sample::create(&r4, &sample::patient(&format!("p-{round}"), "Morel", "Jeanne")).await;
        r4.delete(&deleted).await;
    }
    // In one form and one zone, instants are in the order of their letters.
    assert!(instants.is_sorted_by(|one, next| one < next), "{instants:?}");
    let hour = |instant: &str| instant.get(..13).map(str::to_owned);
    assert_ne!(hour(&instants[1]), hour(&instants[2]), "the clock did change: {instants:?}");
    let since = format!("DocumentReference/_history?_since={}&_count=100", instants[0].replace('+', "%2B"));
    assert_eq!(server.r4().get(&since).await.is(200).json()["total"], 10, "all of it happened since the first");
    assert_eq!(server.r4().get("DocumentReference?_sort=_lastUpdated&_elements=id").await.is(200).matches().len(), 5);
}
