//! The program as whoever runs it sees it: commands, settings, exit status, signals.

use std::process::{Command, Output};

use liaison_tests::{Server, Store, binary, sample};

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn help_is_everywhere_and_wrong_usage_is_2() {
    for command in ["demo", "serve", "migrate", "backup", "restore", "doctor", "import", "export"] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{command}");
        assert!(said(&help).contains("Usage"), "{command}");
    }
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["dance"]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--colour", "blue"]).status.code(), Some(2));
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn a_wrong_setting_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("liaison.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nmax_boddy = 3\n").unwrap();
    let wrong = run(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("line 2") && said(&wrong).contains("max_body"), "{}", said(&wrong));
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_stops_well() {
    let server = Server::start().await;
    let name = sample::create(&server.r4(), &sample::patient("1", "Morel", "Jeanne")).await;
    assert!(!name.is_empty());
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test]
async fn what_runs_when_the_server_is_asked_to_stop_is_finished() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let entries = (0..400).map(|at| {
        let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &format!("n-{at}"));
        sample::creating(&format!("urn:uuid:00000000-0000-4000-8000-{at:012}"), note)
    });
    let bundle = sample::bundle("transaction", entries.collect());
    let running = tokio::spawn(r4.request("POST", "").json(&bundle).try_send());
    // Until the server has the request; asked to stop before, it may refuse it, which is no loss.
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert_eq!(server.stop().await.code(), Some(0));
    match running.await.unwrap() {
        Ok(answer) => assert_eq!(answer.status, 200, "{}", answer.text()),
        Err(error) => assert!(error.is_connect() || error.is_request(), "{error:?}"),
    }
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let photo: Vec<u8> = b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..100_000).map(|at| at as u8)).collect();
    let note = sample::note(&circle.patient, &circle.role, "x");
    let note =
        sample::with(note, "/content", serde_json::json!([{ "attachment": sample::attachment("image/png", &photo) }]));
    let note = sample::create(&r4, &note).await;
    let before = r4.get(&note).await.json();
    let store = server.store();
    assert_eq!(server.stop().await.code(), Some(0));
    let out = folder.path().join("out");
    let exported = run(&["export", "--store", store.url(), "--out", out.to_str().unwrap()]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let mut files: Vec<String> =
        std::fs::read_dir(&out).unwrap().map(|file| file.unwrap().path().display().to_string()).collect();
    // A note before what it refers to: what is not there yet is tried again.
    files.sort();
    for kind in ["DocumentReference", "Patient", "Practitioner", "PractitionerRole"] {
        assert!(files.iter().any(|file| file.ends_with(&format!("/{kind}.ndjson"))), "{kind}: {files:?}");
    }
    assert!(!files.iter().any(|file| file.contains("Binary")), "the photo stands in its note: {files:?}");
    let copy = Store::new();
    let mut arguments = vec!["import", "--store", copy.url()];
    arguments.extend(files.iter().map(String::as_str));
    let imported = run(&arguments);
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    assert!(said(&imported).contains("4 written"), "{}", said(&imported));
    let again = run(&arguments);
    assert!(said(&again).contains("0 written") && again.status.success(), "{}", said(&again));
    let server = Server::on(copy.clone()).await;
    let mut after = server.r4().get(&note).await.is(200).json();
    after["meta"] = before["meta"].clone();
    assert_eq!(after["content"][0]["attachment"]["data"], before["content"][0]["attachment"]["data"]);
    assert_eq!(after["subject"], before["subject"]);
}

#[test]
fn doctor_says_what_is_in_force_and_what_is_wrong() {
    let store = Store::new();
    let well = run(&["doctor", "--store", store.url(), "--listen", "127.0.0.1:0"]);
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    assert!(said(&well).contains("time_zone") && said(&well).contains("nothing is wrong"), "{}", said(&well));
    run(&["migrate", "--store", store.url()]);
    let whole = run(&["doctor", "--store", store.url(), "--listen", "127.0.0.1:0", "--check-store"]);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    // A folder that is not there, a port on which nobody listens.
    for nowhere in ["sqlite:/nowhere/at/all.db", "postgres://liaison@127.0.0.1:9/nowhere/at"] {
        let ill = run(&["doctor", "--store", nowhere, "--listen", "127.0.0.1:0"]);
        assert_eq!(ill.status.code(), Some(1), "{}", said(&ill));
        assert!(said(&ill).contains("/nowhere/at"), "{}", said(&ill));
    }
}

#[tokio::test]
async fn doctor_can_be_called_beside_the_server() {
    let server = Server::start().await;
    let address = server.root().trim_start_matches("http://").to_owned();
    let store = server.store();
    let well = run(&["doctor", "--store", store.url(), "--listen", &address, "--check-store"]);
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    assert!(said(&well).contains("lives at"), "{}", said(&well));
}

#[test]
fn a_store_is_migrated_by_a_command() {
    let store = Store::new();
    let plan = run(&["migrate", "--store", store.url(), "--dry-run"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
    assert!(said(&plan).contains("to do"), "{}", said(&plan));
    let done = run(&["migrate", "--store", store.url()]);
    assert!(said(&done).contains("done"), "{}", said(&done));
    let nothing = run(&["migrate", "--store", store.url()]);
    assert!(said(&nothing).contains("at the version"), "{}", said(&nothing));
}
