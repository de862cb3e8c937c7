//! A disk that takes nothing any more: full, read-only, failing. Said clearly; nothing acknowledged is lost.

use std::process::Output;

use liaison_tests::{
    Answer, Fhir, Launch, Server, binary,
    ledger::bytes_of,
    machine::{Faults, SmallDisk, Writing},
    sample,
};

/// On this disk.
fn launch(disk: &SmallDisk) -> Launch {
    Launch { under: disk.under(), settings: disk.settings(), ..Launch::on_file(disk.store()) }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn named(circle: &sample::Circle, value: &str) -> serde_json::Value {
    sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), value)
}

/// Notes, as many as are acknowledged before one is refused.
async fn notes_until_refused(r4: &Fhir, circle: &sample::Circle, prefix: &str) -> (Vec<String>, Answer) {
    let mut acknowledged = Vec::new();
    for at in 0..5000 {
        let value = format!("{prefix}-{at}");
        let answer = r4.post("DocumentReference", &named(circle, &value)).await;
        if answer.status != 201 {
            return (acknowledged, answer);
        }
        acknowledged.push(value);
    }
    panic!("{} notes were written to a disk without room", acknowledged.len());
}

/// All that was acknowledged is found, each once, and read.
async fn all_there(r4: &Fhir, values: &[String]) {
    for value in values {
        let found = r4.get(&format!("DocumentReference?identifier={}|{value}", sample::LOCAL)).await.is(200).matches();
        assert_eq!(found.len(), 1, "{value}");
        r4.get(&format!("DocumentReference/{}", found[0]["id"].as_str().expect("an id"))).await.is(200);
    }
}

#[track_caller]
fn is_refusal(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}\n{}", answer.asked, answer.text());
    let findings = answer.findings();
    // In French first, and in English beside it.
    assert!(findings[0].contains("no-store") && answer.text().contains(words), "{}", answer.text());
    assert!(!answer.header("retry-after").is_empty(), "it says when to ask again");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_nothing_else_until_there_is_room_again() {
    let disk = SmallDisk::new(16);
    let server = Server::launch(launch(&disk)).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let mut acknowledged = Vec::new();
    for at in 0..20 {
        let value = format!("before-{at}");
        r4.post("DocumentReference", &named(&circle, &value)).await.is(201);
        acknowledged.push(value);
    }
    disk.fill();
    let (more, refused) = notes_until_refused(&r4, &circle, "last").await;
    acknowledged.extend(more);
    is_refusal(&refused, 507, "no room");
    // What is large, what comes in several parts, and what changes something: all of it or nothing.
    let photo = sample::attachment("image/png", &bytes_of("photo", 3_000_000));
    let heavy = sample::with(named(&circle, "heavy"), "/content", serde_json::json!([{ "attachment": photo }]));
    is_refusal(&r4.post("DocumentReference", &heavy).await, 507, "no room");
    let upload = r4.request("POST", "Binary").body("image/png", bytes_of("upload", 3_000_000)).send().await;
    is_refusal(&upload, 507, "no room");
    let entries = (0..100).map(|at| {
        sample::creating(&format!("urn:uuid:00000000-0000-4000-8000-{at:012}"), named(&circle, &format!("t-{at}")))
    });
    is_refusal(&r4.post("", &sample::bundle("transaction", entries.collect())).await, 507, "no room");
    for value in ["heavy", "t-0", "t-99"] {
        let found = r4.get(&format!("DocumentReference?identifier={}|{value}", sample::LOCAL)).await.is(200);
        assert_eq!(found.matches().len(), 0, "{value} was refused");
    }
    // Reads go on, and readiness tells.
    all_there(&r4, &acknowledged).await;
    let ready = server.site().get("readyz").await.is(503);
    assert!(ready.text().contains("full"), "{}", ready.text());
    assert_eq!(server.site().get("healthz").await.is(200).text(), "ok\n");
    // A backup is refused too, and leaves nothing in the way.
    let before = disk.files();
    let copy = disk.store().with_file_name("copy.db");
    let store = format!("sqlite:{}", disk.store().display());
    let backup = disk.command(binary()).args(["backup", "--store", &store, "--out"]).arg(&copy).output().unwrap();
    assert_eq!(backup.status.code(), Some(1), "{}", said(&backup));
    assert!(said(&backup).contains("no room"), "{}", said(&backup));
    assert_eq!(disk.files(), before, "nothing is left of the copy");
    // Room again: without a restart.
    disk.free();
    r4.post("DocumentReference", &heavy).await.is(201);
    assert_eq!(server.site().get("readyz").await.is(200).text(), "ready\n");
    r4.post("DocumentReference", &named(&circle, "after")).await.is(201);
    acknowledged.extend(["heavy".to_owned(), "after".to_owned()]);
    let backup = disk.command(binary()).args(["backup", "--store", &store, "--out"]).arg(&copy).output().unwrap();
    assert_eq!(backup.status.code(), Some(0), "{}", said(&backup));
    // And it is all there for the next one.
    let mut server = server;
    server.kill().await;
    let server = server.restart().await;
    all_there(&server.r4(), &acknowledged).await;
}

#[tokio::test]
async fn readiness_comes_back_by_itself_when_there_is_room() {
    let faults = Faults::none();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("liaison.db");
    let server = Server::launch(Launch { settings: faults.settings(), ..Launch::on_file(store) }).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    for (writing, status, words, ready) in [
        (Writing::Full, 507, "no room", "full"),
        (Writing::ReadOnly, 503, "cannot be written to", "cannot be written to"),
    ] {
        faults.writing(writing);
        let refused = r4.post("DocumentReference", &named(&circle, "refused")).await;
        is_refusal(&refused, status, words);
        assert!(server.site().get("readyz").await.is(503).text().contains(ready));
        r4.get(&circle.patient).await.is(200);
        faults.writing(Writing::Goes);
        // Nobody wrote anything meanwhile.
        assert_eq!(server.site().get("readyz").await.is(200).text(), "ready\n");
    }
    assert_eq!(r4.get("DocumentReference").await.is(200).matches().len(), 0);
}

#[tokio::test]
async fn a_disk_that_fails_is_no_defect_of_the_server() {
    let faults = Faults::none();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("liaison.db");
    let mut server = Server::launch(Launch { settings: faults.settings(), ..Launch::on_file(store) }).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    for at in 0..30 {
        faults.writing(if at % 3 == 1 { Writing::Broken } else { Writing::Goes });
        let value = format!("n-{at}");
        let answer = r4.post("DocumentReference", &named(&circle, &value)).await;
        if at % 3 == 1 {
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(!answer.findings().is_empty());
            refused.push(value);
        } else {
            answer.is(201);
            acknowledged.push(value);
        }
    }
    faults.writing(Writing::Goes);
    all_there(&r4, &acknowledged).await;
    server.kill().await;
    let server = server.restart().await;
    all_there(&server.r4(), &acknowledged).await;
    for value in refused {
        let found = server.r4().get(&format!("DocumentReference?identifier={}|{value}", sample::LOCAL)).await.is(200);
        assert_eq!(found.matches().len(), 0, "{value} was refused");
    }
}

#[tokio::test]
async fn a_disk_that_is_full_or_read_only_at_the_start_is_said() {
    for (shut, words) in [(false, "no room"), (true, "read-only")] {
        let disk = SmallDisk::new(4);
        if shut {
            disk.shut();
        } else {
            disk.fill();
        }
        let refused = Server::try_launch(launch(&disk)).await.err().expect("it does not serve");
        assert_eq!(refused.status, Some(1), "{}", refused.said);
        assert!(refused.said.contains(words) && refused.said.contains("liaison.db"), "{}", refused.said);
    }
}

#[tokio::test]
async fn a_store_that_became_read_only_between_two_starts_is_said() {
    let disk = SmallDisk::new(16);
    let server = Server::launch(launch(&disk)).await;
    sample::circle(&server.r4()).await;
    assert_eq!(server.stop().await.code(), Some(0));
    disk.shut();
    let refused = Server::try_launch(launch(&disk)).await.err().expect("it does not serve");
    assert_eq!(refused.status, Some(1), "{}", refused.said);
    assert!(refused.said.contains("read-only"), "{}", refused.said);
}

#[tokio::test]
async fn what_was_there_is_served_again_after_a_start_on_a_full_disk() {
    let disk = SmallDisk::new(16);
    let mut server = Server::launch(launch(&disk)).await;
    let circle = sample::circle(&server.r4()).await;
    disk.fill();
    let (mut acknowledged, _) = notes_until_refused(&server.r4(), &circle, "n").await;
    server.kill().await;
    let how = server.how();
    // Without room it may serve what can be read, or say that it cannot start.
    match Server::try_launch(how.clone()).await {
        Ok(mut server) => {
            all_there(&server.r4(), &acknowledged).await;
            let (more, refused) = notes_until_refused(&server.r4(), &circle, "m").await;
            is_refusal(&refused, 507, "no room");
            acknowledged.extend(more);
            server.kill().await;
        }
        Err(refused) => {
            assert_eq!(refused.status, Some(1));
            assert!(refused.said.contains("no room"), "{}", refused.said);
        }
    }
    disk.free();
    let server = Server::launch(how).await;
    all_there(&server.r4(), &acknowledged).await;
    server.r4().post("DocumentReference", &named(&circle, "after")).await.is(201);
}
