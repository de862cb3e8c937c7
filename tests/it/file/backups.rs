//! Backups: one moment of a store under load; nothing damaged is kept or put back.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

use liaison_tests::{Launch, Server, binary, ledger::Ledger, sample};

fn run(arguments: &[&str], store: &Path, rest: &[&Path]) -> Output {
    let store = format!("sqlite:{}", store.display());
    Command::new(binary()).args(arguments).arg("--store").arg(store).args(rest).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_under_load_is_one_moment_of_the_store() {
    let server = Server::start_on_file().await;
    let circle = Arc::new(sample::circle(&server.r4()).await);
    let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            tokio::spawn(ledger.clone().write(server.r4(), circle.clone(), format!("w{writer}"), stop.clone()))
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    for number in 0..3 {
        while ledger.acknowledged() < (number + 1) * 100 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let before = ledger.acknowledged();
        let copy = folder.path().join(format!("copy-{number}.db"));
        let (store, out) = (server.store().file(), copy.clone());
        let made = tokio::task::spawn_blocking(move || {
            let store = format!("sqlite:{}", store.display());
            Command::new(binary()).args(["backup", "--store", &store, "--out"]).arg(out).output().expect("it runs")
        })
        .await
        .unwrap();
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        copies.push((copy, before));
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(ledger.refusals(), [""; 0]);
    for (copy, before) in copies {
        let whole = run(&["doctor", "--check-store", "--listen", "127.0.0.1:0"], &copy, &[]);
        assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
        let place = folder.path().join("restored").join("liaison.db");
        let _ = fs::remove_dir_all(place.parent().unwrap());
        fs::create_dir(place.parent().unwrap()).unwrap();
        let restored = run(&["restore"], &place, &[&copy]);
        assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
        let server = Server::launch(Launch::on_file(&place)).await;
        let r4 = server.r4();
        let changes = r4.get("_history?_count=1").await.is(200).json()["total"].as_u64().unwrap();
        assert!(changes >= before as u64, "{changes} changes, {before} were acknowledged before the backup began");
        // Each person of a transaction is there with the note of the same name, or neither is.
        for at in (0..8).flat_map(|writer| (0..20).map(move |turn| format!("w{writer}-{}", turn * 9))) {
            let count = async |kind: &str| {
                let found = r4.get(&format!("{kind}?identifier={}|{at}", sample::LOCAL)).await.is(200);
                found.matches().len()
            };
            assert_eq!(count("Patient").await, count("DocumentReference").await, "{at}");
        }
    }
}

#[tokio::test]
async fn a_damaged_backup_is_not_put_in_the_place_of_a_store() {
    let server = Server::start_on_file().await;
    sample::circle(&server.r4()).await;
    let (_kept, store) = (server.store(), server.store().file());
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let out = copy.display().to_string();
    let made = run(&["backup", "--out", &out], &store, &[]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let name = sample::create(&server.r4(), &sample::patient("later", "Morel", "Anne")).await;
    let busy = run(&["restore"], &store, &[&copy]);
    assert!(busy.status.code() == Some(1) && said(&busy).contains("another process"), "{}", said(&busy));
    server.r4().get(&name).await.is(200);
    assert_eq!(server.stop().await.code(), Some(0));
    let whole = fs::read(&copy).unwrap();
    for (what, at) in [("header", 30), ("first page", 4000), ("middle", whole.len() / 2), ("end", whole.len() - 9)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&copy, bytes).unwrap();
        let refused = run(&["restore"], &store, &[&copy]);
        assert_eq!(refused.status.code(), Some(1), "{what}: {}", said(&refused));
        assert!(said(&refused).contains("damaged"), "{what}: {}", said(&refused));
    }
    fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(run(&["restore"], &store, &[&copy]).status.code(), Some(1), "half a backup");
    // What was there is there, and no rest of it lies about.
    let server = Server::launch(Launch::on_file(&store)).await;
    server.r4().get(&name).await.is(200);
    assert_eq!(server.stop().await.code(), Some(0));
    let mut left: Vec<_> = fs::read_dir(store.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    // An empty log may stay.
    left.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    assert_eq!(left, ["liaison.db", "liaison.db-mark", "liaison.db.lock"]);
    // The whole one is, with the other kept beside it.
    fs::write(&copy, whole).unwrap();
    let restored = run(&["restore"], &store, &[&copy]);
    assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
    let server = Server::launch(Launch::on_file(&store)).await;
    server.r4().get(&name).await.is(404);
    let kept = store.with_file_name("liaison.db.replaced-1");
    let before = Server::launch(Launch::on_file(kept)).await;
    before.r4().get(&name).await.is(200);
}

#[tokio::test]
async fn a_damaged_store_is_not_backed_up_as_if_it_were_whole() {
    let server = Server::start_on_file().await;
    sample::circle(&server.r4()).await;
    let (_kept, store) = (server.store(), server.store().file());
    assert_eq!(server.stop().await.code(), Some(0));
    let mut bytes = fs::read(&store).unwrap();
    let at = bytes.len() - 100;
    bytes[at] ^= 1;
    fs::write(&store, bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("copy.db").display().to_string();
    let refused = run(&["backup", "--out", &out], &store, &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("damaged"), "{}", said(&refused));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of the copy");
}
