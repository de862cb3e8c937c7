//! The program as whoever runs it sees it: commands, settings, exit status, signals.

use std::process::{Command, Output};

use liaison_tests::{Server, binary, sample};

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn store_in(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("liaison.db").display())
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
fn without_login_only_a_loopback_address_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let open = run(&["serve", "--listen", "0.0.0.0:0", "--auth", "off", "--store", &store_in(&folder)]);
    assert_eq!(open.status.code(), Some(2));
    assert!(said(&open).contains("loopback"), "{}", said(&open));
    let oidc = run(&["serve", "--auth", "oidc", "--store", &store_in(&folder)]);
    assert_eq!(oidc.status.code(), Some(2));
    assert!(said(&oidc).contains("--auth"), "{}", said(&oidc));
    assert!(!folder.path().join("liaison.db").exists(), "nothing was made");
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
async fn a_backup_is_a_store_of_its_moment() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let name = sample::create(&server.r4(), &sample::patient("1", "Morel", "Jeanne")).await;
    let store = format!("sqlite:{}", server.store_file().display());
    let copy = folder.path().join("copy.db");
    let made = run(&["backup", "--store", &store, "--out", copy.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    sample::create(&server.r4(), &sample::patient("2", "Arnaud", "Lucien")).await;
    let again = run(&["backup", "--store", &store, "--out", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1), "a backup is never written over: {}", said(&again));
    let busy = run(&["restore", "--store", &store, copy.to_str().unwrap()]);
    assert_eq!(busy.status.code(), Some(1), "{}", said(&busy));
    let restored = store_in(&folder);
    let done = run(&["restore", "--store", &restored, copy.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let server = Server::on(&restored).await;
    server.r4().get(&name).await.is(200);
    assert_eq!(server.r4().get("Patient").await.json()["total"], 1);
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
    let kept = server.keep();
    let store = format!("sqlite:{}", server.store_file().display());
    assert_eq!(server.stop().await.code(), Some(0));
    let out = folder.path().join("out");
    let exported = run(&["export", "--store", &store, "--out", out.to_str().unwrap()]);
    drop(kept);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let mut files: Vec<String> =
        std::fs::read_dir(&out).unwrap().map(|file| file.unwrap().path().display().to_string()).collect();
    // A note before what it refers to: what is not there yet is tried again.
    files.sort();
    for kind in ["DocumentReference", "Patient", "Practitioner", "PractitionerRole"] {
        assert!(files.iter().any(|file| file.ends_with(&format!("/{kind}.ndjson"))), "{kind}: {files:?}");
    }
    assert!(!files.iter().any(|file| file.contains("Binary")), "the photo stands in its note: {files:?}");
    let copy = store_in(&folder);
    let mut arguments = vec!["import", "--store", &copy];
    arguments.extend(files.iter().map(String::as_str));
    let imported = run(&arguments);
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    assert!(said(&imported).contains("4 written"), "{}", said(&imported));
    let again = run(&arguments);
    assert!(said(&again).contains("0 written") && again.status.success(), "{}", said(&again));
    let server = Server::on(&copy).await;
    let mut after = server.r4().get(&note).await.is(200).json();
    after["meta"] = before["meta"].clone();
    assert_eq!(after["content"][0]["attachment"]["data"], before["content"][0]["attachment"]["data"]);
    assert_eq!(after["subject"], before["subject"]);
}

#[test]
fn doctor_says_what_is_in_force_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let well = run(&["doctor", "--store", &store_in(&folder), "--listen", "127.0.0.1:0"]);
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    assert!(said(&well).contains("time_zone") && said(&well).contains("nothing is wrong"), "{}", said(&well));
    let store = store_in(&folder);
    run(&["migrate", "--store", &store]);
    let whole = run(&["doctor", "--store", &store, "--listen", "127.0.0.1:0", "--check-store"]);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    let ill = run(&["doctor", "--store", "sqlite:/nowhere/at/all.db", "--listen", "127.0.0.1:0"]);
    assert_eq!(ill.status.code(), Some(1));
    assert!(said(&ill).contains("/nowhere/at"), "{}", said(&ill));
}

#[tokio::test]
async fn doctor_can_be_called_beside_the_server() {
    let server = Server::start().await;
    let address = server.root().trim_start_matches("http://").to_owned();
    let store = format!("sqlite:{}", server.store_file().display());
    let well = run(&["doctor", "--store", &store, "--listen", &address, "--check-store"]);
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    assert!(said(&well).contains("lives at"), "{}", said(&well));
}

#[test]
fn a_store_is_migrated_by_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    let plan = run(&["migrate", "--store", &store, "--dry-run"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
    assert!(said(&plan).contains("to do"), "{}", said(&plan));
    let done = run(&["migrate", "--store", &store]);
    assert!(said(&done).contains("done"), "{}", said(&done));
    let nothing = run(&["migrate", "--store", &store]);
    assert!(said(&nothing).contains("at the version"), "{}", said(&nothing));
    std::fs::write(folder.path().join("other.db"), "not a database at all, but long enough to be looked at").unwrap();
    let foreign = run(&["migrate", "--store", &format!("sqlite:{}", folder.path().join("other.db").display())]);
    assert_eq!(foreign.status.code(), Some(1), "{}", said(&foreign));
}
