//! Commands that make, copy or refuse a file.

use std::process::{Command, Output};

use liaison_tests::{Server, Store, binary, sample};

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn without_login_only_a_loopback_address_is_served() {
    let store = Store::in_a_file();
    let open = run(&["serve", "--listen", "0.0.0.0:0", "--auth", "off", "--store", store.url()]);
    assert_eq!(open.status.code(), Some(2));
    assert!(said(&open).contains("loopback"), "{}", said(&open));
    let oidc = run(&["serve", "--auth", "oidc", "--store", store.url()]);
    assert_eq!(oidc.status.code(), Some(2));
    for missing in ["oidc_issuers", "oidc_audience", "public_url"] {
        assert!(said(&oidc).contains(missing), "{missing}: {}", said(&oidc));
    }
    assert!(!store.file().exists(), "nothing was made");
}

#[tokio::test]
async fn a_backup_is_a_store_of_its_moment() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on_file().await;
    let name = sample::create(&server.r4(), &sample::patient("1", "Morel", "Jeanne")).await;
    let store = server.store();
    let copy = folder.path().join("copy.db");
    let made = run(&["backup", "--store", store.url(), "--out", copy.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    sample::create(&server.r4(), &sample::patient("2", "Arnaud", "Lucien")).await;
    let again = run(&["backup", "--store", store.url(), "--out", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1), "a backup is never written over: {}", said(&again));
    let busy = run(&["restore", "--store", store.url(), copy.to_str().unwrap()]);
    assert_eq!(busy.status.code(), Some(1), "{}", said(&busy));
    let restored = Store::of_file(folder.path().join("liaison.db"));
    let done = run(&["restore", "--store", restored.url(), copy.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let server = Server::on(restored).await;
    server.r4().get(&name).await.is(200);
    assert_eq!(server.r4().get("Patient").await.json()["total"], 1);
}

#[test]
fn a_file_that_is_no_store_is_not_migrated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other.db"), "not a database at all, but long enough to be looked at").unwrap();
    let other = Store::of_file(folder.path().join("other.db"));
    let foreign = run(&["migrate", "--store", other.url()]);
    assert_eq!(foreign.status.code(), Some(1), "{}", said(&foreign));
}
