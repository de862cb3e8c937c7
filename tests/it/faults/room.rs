//! The disk of PostgreSQL is full.

use std::time::Duration;

use liaison_test_postgres::{Cluster, Log, Setup};
use liaison_tests::{Answer, Fhir, machine::Tmpfs, sample};

use super::nodes_at;

/// Enough for what PostgreSQL brings, and a little more.
const MEGABYTES: u32 = 160;

/// Notes with a photo each, as many as are acknowledged before one is not.
async fn until_refused(r4: &Fhir, circle: &sample::Circle, prefix: &str, most: usize) -> (Vec<String>, Option<Answer>) {
    let mut acknowledged = Vec::new();
    for at in 0..most {
        let value = format!("{prefix}-{at}");
        let photo = sample::attachment("image/png", &liaison_tests::ledger::bytes_of(&value, 100_000));
        let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &value);
        let note = sample::with(note, "/content", serde_json::json!([{ "attachment": photo }]));
        let answer = r4.request("POST", "DocumentReference").json(&note).send().await;
        if answer.status != 201 {
            return (acknowledged, Some(answer));
        }
        acknowledged.push(value);
    }
    (acknowledged, None)
}

async fn there_once(r4: &Fhir, values: &[String]) {
    for value in values {
        let found = r4.get(&format!("DocumentReference?identifier={}|{value}", sample::LOCAL)).await.is(200).matches();
        assert_eq!(found.len(), 1, "{value}");
        r4.get(&format!("DocumentReference/{}", found[0]["id"].as_str().expect("an id"))).await.is(200);
    }
}

/// One more note, as soon as it is taken.
async fn goes_on(r4: &Fhir, circle: &sample::Circle) -> String {
    let begun = std::time::Instant::now();
    loop {
        let value = format!("after-{}", begun.elapsed().as_nanos());
        let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &value);
        let answer = r4.post("DocumentReference", &note).await;
        if answer.status == 201 {
            return value;
        }
        assert!([503, 507].contains(&answer.status), "{}", answer.text());
        assert!(begun.elapsed() < super::RECOVERY, "it does not go on: {}", answer.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_tables_refuses_writes_until_there_is_room() {
    let Some(disk) = Tmpfs::of(MEGABYTES) else { return };
    let (data, under) = (Some(disk.folder().join("data")), disk.under());
    let cluster = Cluster::start(Setup { durable: true, data, under, log: Log::Apart, ..Setup::default() });
    let database = cluster.database();
    let nodes = nodes_at(database.url()).await;
    let r4 = nodes.r4(0);
    let circle = sample::circle(&r4).await;
    disk.fill();
    let (mut acknowledged, refused) = until_refused(&r4, &circle, "full", 3000).await;
    let refused = refused.expect("a disk without room refuses");
    assert!([507, 503].contains(&refused.status), "{}", refused.text());
    assert!(!refused.header("retry-after").is_empty() && !refused.findings().is_empty(), "{}", refused.text());
    eprintln!("a full disk: {} after {} notes", refused.status, acknowledged.len());
    assert!(cluster.runs(), "PostgreSQL goes on");
    for number in 0..nodes.many() {
        there_once(&nodes.r4(number), &acknowledged).await;
    }
    disk.free();
    acknowledged.push(goes_on(&nodes.r4(1), &circle).await);
    let (more, refused) = until_refused(&r4, &circle, "room", 20).await;
    assert!(refused.is_none(), "{:?}", refused.map(|answer| answer.text()));
    acknowledged.extend(more);
    there_once(&nodes.r4(2), &acknowledged).await;
    assert_eq!(nodes.server(0).site().get("readyz").await.is(200).text(), "ready\n");
}

/// PostgreSQL does not survive a log that it cannot write: it ends, and whoever watches over it starts it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_log_ends_postgresql_and_loses_nothing() {
    let Some(disk) = Tmpfs::of(MEGABYTES) else { return };
    let (log, under) = (Log::In(disk.folder().join("wal")), disk.under());
    let cluster = Cluster::start(Setup { durable: true, log, under, ..Setup::default() });
    let database = cluster.database();
    let nodes = nodes_at(database.url()).await;
    let r4 = nodes.r4(0);
    let circle = sample::circle(&r4).await;
    disk.fill();
    let (mut acknowledged, refused) = until_refused(&r4, &circle, "full", 3000).await;
    let refused = refused.expect("a disk without room refuses");
    assert!([507, 503].contains(&refused.status), "{}", refused.text());
    assert!(!refused.header("retry-after").is_empty(), "{}", refused.text());
    eprintln!("a full log: {} after {} notes", refused.status, acknowledged.len());
    // It recovers by itself as long as it can; without room for its log it ends.
    for _ in 0..100 {
        if !cluster.runs() {
            break;
        }
        let answer = r4.post("Patient", &sample::patient("more", "Un", "Anne")).await;
        assert!([201, 503, 507].contains(&answer.status), "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    disk.free();
    if !cluster.runs() {
        cluster.ended();
        cluster.start_again();
    }
    acknowledged.push(goes_on(&nodes.r4(1), &circle).await);
    for number in 0..nodes.many() {
        there_once(&nodes.r4(number), &acknowledged).await;
    }
}
