//! Nothing lost: what was acknowledged is there after the process was killed.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use liaison_tests::{Fhir, Server, sample};

/// Notes and transactions, written one after the other until the server is gone. What was
/// acknowledged is noted down as names, those of one transaction together.
async fn write_until_gone(
    r4: Fhir,
    circle: Arc<sample::Circle>,
    writer: usize,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<String>>>,
) {
    for at in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let value = format!("w{writer}-{at}");
        let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &value);
        let request = if at % 3 == 0 {
            let person = format!("urn:uuid:00000000-0000-4000-8000-{writer:04}{at:08}");
            let patient = sample::creating(&person, sample::patient(&value, "Morel", "Jeanne"));
            let note = sample::creating(
                "urn:uuid:11111111-1111-4111-8111-111111111111",
                sample::with(note, "/subject/reference", person),
            );
            r4.request("POST", "").json(&sample::bundle("transaction", vec![patient, note]))
        } else {
            r4.request("POST", "DocumentReference").json(&note)
        };
        match request.try_send().await {
            Ok(answer) if [200, 201].contains(&answer.status) => acknowledged.lock().unwrap().push(value),
            Ok(answer) => panic!("{} {}", answer.status, answer.text()),
            Err(_) => break,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_note_survives_a_kill() {
    let mut server = Server::start().await;
    let circle = Arc::new(sample::circle(&server.r4()).await);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..16)
            .map(|writer| {
                let (r4, circle, stop, list) = (server.r4(), circle.clone(), stop.clone(), acknowledged.clone());
                tokio::spawn(write_until_gone(r4, circle, round * 100 + writer, stop, list))
            })
            .collect();
        // Killed in the middle of it: not after a time, but after so much was acknowledged.
        let enough = (round + 1) * 150;
        while acknowledged.lock().unwrap().len() < enough {
            tokio::task::yield_now().await;
        }
        server.kill().await;
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.expect("no request was refused");
        }
        server = server.restart().await;
        let r4 = server.r4();
        let values = acknowledged.lock().unwrap().clone();
        for value in values {
            let found = r4
                .get(&format!(
                    "DocumentReference?identifier={}|{value}&_include=DocumentReference:subject",
                    sample::LOCAL
                ))
                .await
                .is(200);
            assert_eq!((found.matches().len(), found.included().len()), (1, 1), "{value}");
        }
        // No half transaction: each person of one has the note that came with it.
        let persons = r4.get("Patient?_summary=count").await.json()["total"].as_u64();
        let with_notes =
            r4.get("Patient?_has:DocumentReference:subject:status=current&_summary=count").await.json()["total"]
                .as_u64();
        assert_eq!(persons, with_notes);
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_store_is_refused() {
    let server = Server::start().await;
    let store = format!("sqlite:{}", server.store_file().display());
    let second = std::process::Command::new(liaison_tests::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--auth", "off", "--store", &store])
        .output()
        .expect("the program runs");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another process"), "{said}");
}
