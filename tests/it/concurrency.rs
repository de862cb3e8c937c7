//! Nothing doubled: what races for one key leaves one resource.

use futures_util::future::join_all;
use liaison_tests::{Answer, Server, sample};
use serde_json::json;

const RACERS: usize = 64;

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn same_id(answers: &[Answer]) -> bool {
    answers.iter().all(|answer| answer.id() == answers[0].id())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_note_sent_by_many_is_one_note() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), "n-1");
    let answers = join_all((0..RACERS).map(|_| r4.post("DocumentReference", &note))).await;
    assert_eq!((count(&answers, 201), count(&answers, 200)), (1, RACERS - 1));
    assert!(same_id(&answers));
    assert_eq!(r4.get("DocumentReference").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_in_many_bundles_is_one_person() {
    let server = Server::start().await;
    let r4 = server.r4();
    let example = include_str!("../data/cdl-r4-transaction-as-published.json");
    let answers =
        join_all((0..RACERS).map(|_| r4.request("POST", "").body("application/fhir+json", example).send())).await;
    assert_eq!(
        count(&answers, 200),
        RACERS,
        "{:?}",
        answers.iter().find(|answer| answer.status != 200).map(Answer::text)
    );
    assert_eq!(r4.get("Patient").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_condition_met_by_many_creates_once() {
    let server = Server::start().await;
    let r4 = server.r4();
    let patient = sample::patient("1", "Morel", "Jeanne");
    let query = format!("identifier={}|1", sample::LOCAL);
    let create = || r4.request("POST", "Patient").header("if-none-exist", &query).json(&patient).send();
    let answers = join_all((0..RACERS).map(|_| create())).await;
    assert_eq!((count(&answers, 201), count(&answers, 200)), (1, RACERS - 1));
    assert!(same_id(&answers));
    assert_eq!(r4.get("Patient").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_creates_once() {
    let server = Server::start().await;
    let r4 = server.r4();
    let device = json!({ "resourceType": "Device", "status": "active" });
    let create = || r4.request("POST", "Device").header("idempotency-key", "one").json(&device).send();
    let answers = join_all((0..RACERS).map(|_| create())).await;
    assert_eq!(count(&answers, 201) + count(&answers, 200), RACERS);
    assert!(same_id(&answers));
    assert_eq!(r4.get("Device").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_updates_of_one_version_one_wins() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let resource = r4.get(&name).await.json();
    let update = |at: usize| {
        let changed = sample::with(resource.clone(), "/name/0/family", format!("Morel-{at}"));
        r4.request("PUT", &name).header("if-match", "W/\"1\"").json(&changed).send()
    };
    let answers = join_all((0..RACERS).map(update)).await;
    assert_eq!((count(&answers, 200), count(&answers, 412)), (1, RACERS - 1));
    assert_eq!(r4.get(&name).await.header("etag"), "W/\"2\"");
    assert_eq!(r4.get(&format!("{name}/_history")).await.json()["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_at_once_while_others_write() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    join_all((0..RACERS).map(|at| {
        let (r4, note) =
            (r4.clone(), sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &format!("n-{at}")));
        async move {
            let id = r4.post("DocumentReference", &note).await.is(201).id();
            let found =
                r4.get(&format!("DocumentReference?identifier={}|n-{at}", sample::LOCAL)).await.is(200).matches();
            assert_eq!(found.len(), 1, "the note is found as soon as it is acknowledged");
            assert_eq!(found[0]["id"], id);
        }
    }))
    .await;
    assert_eq!(r4.get("DocumentReference?_summary=count").await.json()["total"], RACERS);
}
