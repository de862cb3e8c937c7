//! Attachments in an S3-compatible store of objects: the same notes, whatever becomes of it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use liaison_tests::{Fhir, Launch, ObjectStore, Server, Store, sample};
use serde_json::{Value, json};

const SECRET: &str = "a-secret-that-nobody-is-shown";

async fn on(store: &Store, place: &str) -> Server {
    Server::launch(launch(store, place)).await
}

fn launch(store: &Store, place: &str) -> Launch {
    let key = [("AWS_ACCESS_KEY_ID", "liaison"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    Launch::on(store.clone()).with(&[("LIAISON_ATTACHMENTS", place), key[0], key[1]])
}

/// Bytes that begin like a PNG: heavy enough to be stored apart, and more than two pieces.
fn photo(seed: usize) -> Vec<u8> {
    let noise = (0..600_000).map(|at| (((at + seed) * 2_654_435_761_usize) >> 7) as u8);
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()
}

fn note(circle: &sample::Circle, bytes: &[u8]) -> Value {
    let note = sample::note(&circle.patient, &circle.practitioner, "photo jointe");
    let pieces = json!([note["content"][0], { "attachment": sample::attachment("image/png", bytes) }]);
    sample::with(note, "/content", pieces)
}

async fn photo_of(r4: &Fhir, name: &str) -> Vec<u8> {
    let whole = r4.get(name).await.is(200).json();
    BASE64_STANDARD.decode(whole["content"][1]["attachment"]["data"].as_str().expect("whole")).unwrap()
}

#[tokio::test]
async fn attachments_are_kept_there_and_come_back_whole_and_in_parts() {
    let (objects, store) = (ObjectStore::start().await, Store::new());
    let server = on(&store, &objects.setting("notes/a")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let bytes = photo(1);
    let name = sample::create(&r4, &note(&circle, &bytes)).await;
    let kept = objects.names().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].starts_with("a/") && objects.get(&kept[0]).await == bytes, "the bytes as they are");
    assert_eq!(photo_of(&r4, &name).await, bytes);
    let light = r4.get("DocumentReference").await.is(200).matches();
    let address = light[0]["content"][1]["attachment"]["url"].as_str().expect("where it is").to_owned();
    let range = |text: &str| r4.request("GET", &address).header("accept", "image/png").header("range", text);
    for (from, to) in [(0, 9), (262_140, 262_150), (599_000, 600_007)] {
        let part = range(&format!("bytes={from}-{to}")).send().await.is(206);
        assert_eq!(part.body, bytes[from..=to], "{from}");
    }
    // The same once more is the same object.
    sample::create(&r4, &note(&circle, &bytes)).await;
    assert_eq!(objects.names().await.len(), 1);
    assert!(!server.log().contains(SECRET));
    assert_eq!(server.stop().await.code(), Some(0));
    let again = on(&store, &objects.setting("notes/a/")).await;
    assert_eq!(photo_of(&again.r4(), &name).await, bytes);
}

#[tokio::test]
async fn a_store_is_refused_with_attachments_elsewhere_than_they_are() {
    let (objects, store) = (ObjectStore::start().await, Store::new());
    let server = on(&store, &objects.setting("notes/a")).await;
    assert_eq!(server.stop().await.code(), Some(0));
    let elsewhere = launch(&store, &objects.setting("notes/b"));
    for wrong in [Launch::on(store.clone()), elsewhere] {
        let Err(refused) = Server::try_launch(wrong).await else { panic!("it serves") };
        assert_eq!(refused.status, Some(1), "{}", refused.said);
        assert!(refused.said.contains("are kept in s3://notes/a?endpoint="), "{}", refused.said);
    }
    let plain = Store::new();
    let server = Server::launch(Launch::on(plain.clone())).await;
    let circle = sample::circle(&server.r4()).await;
    sample::create(&server.r4(), &note(&circle, &photo(2))).await;
    assert_eq!(server.stop().await.code(), Some(0));
    let Err(refused) = Server::try_launch(launch(&plain, &objects.setting("notes/c"))).await else {
        panic!("it serves")
    };
    assert!(refused.said.contains("are kept in the database"), "{}", refused.said);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_and_never_shown() {
    let objects = "s3://notes?endpoint=http://127.0.0.1:1";
    let without = Launch::on(Store::new()).with(&[("LIAISON_ATTACHMENTS", objects)]);
    let Err(refused) = Server::try_launch(without).await else { panic!("it serves") };
    assert_eq!(refused.status, Some(2));
    assert!(refused.said.contains("AWS_SECRET_ACCESS_KEY"), "{}", refused.said);
    let Err(refused) = Server::try_launch(launch(&Store::new(), "s3://notes?secret=x")).await else {
        panic!("it serves")
    };
    assert_eq!(refused.status, Some(2));
    assert!(!refused.said.contains(SECRET), "{}", refused.said);
}

#[tokio::test]
async fn what_is_refused_leaves_no_object_behind() {
    let objects = ObjectStore::start().await;
    let server = on(&Store::in_a_file(), &objects.setting("notes")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let dangling = sample::with(note(&circle, &photo(3)), "/subject/reference", "Patient/nobody");
    r4.post("DocumentReference", &dangling).await.is(422);
    assert_eq!(objects.names().await, Vec::<String>::new());
    let named = sample::named(note(&circle, &photo(3)), "urn:oid:1.2.3.4");
    r4.post("DocumentReference", &named).await.is(201);
    let other = sample::named(note(&circle, &photo(4)), "urn:oid:1.2.3.4");
    r4.post("DocumentReference", &other).await.is(409);
    assert_eq!(objects.names().await.len(), 1);
}

#[tokio::test]
async fn without_it_nothing_is_half_done_and_it_goes_on_by_itself() {
    let objects = ObjectStore::start().await;
    let server = on(&Store::new(), &objects.setting("notes")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let first = sample::create(&r4, &note(&circle, &photo(5))).await;
    let heavy = sample::named(note(&circle, &photo(6)), "urn:oid:1.2.3.5");
    objects.signal("STOP").await;
    let (written, read) = tokio::join!(r4.post("DocumentReference", &heavy), r4.get(&first));
    for answer in [written.is(503), read.is(503)] {
        assert!(!answer.header("retry-after").is_empty());
    }
    sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "sans photo")).await;
    assert_eq!(r4.get("DocumentReference?_summary=count").await.is(200).json()["total"], 2);
    objects.signal("CONT").await;
    let name = r4.post("DocumentReference", &heavy).await.is(201).id();
    r4.post("DocumentReference", &heavy).await.is(200);
    assert_eq!(photo_of(&r4, &format!("DocumentReference/{name}")).await, photo(6));
    assert_eq!(r4.get("DocumentReference?_summary=count").await.is(200).json()["total"], 3);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_away_and_not_damage() {
    let objects = ObjectStore::start().await;
    let server = on(&Store::new(), &objects.setting("nowhere")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    r4.post("DocumentReference", &note(&circle, &photo(7))).await.is(503);
    server.site().get("readyz").await.is(200);
    assert!(server.log().contains("NoSuchBucket"), "{}", server.log());
}

#[tokio::test]
async fn bytes_that_changed_or_went_are_never_answered() {
    let objects = ObjectStore::start().await;
    let server = on(&Store::new(), &objects.setting("notes")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let name = sample::create(&r4, &note(&circle, &photo(8))).await;
    let kept = objects.names().await.remove(0);
    let mut bytes = photo(8);
    bytes[400_000] ^= 1;
    objects.put(&kept, bytes).await;
    r4.get(&name).await.is(503);
    server.site().get("readyz").await.is(503);
    objects.remove(&kept).await;
    r4.get(&name).await.is(503);
}

#[tokio::test]
async fn a_transaction_that_patches_a_note_sees_its_attachments() {
    let objects = ObjectStore::start().await;
    let server = on(&Store::new(), &objects.setting("notes")).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let name = sample::create(&r4, &note(&circle, &photo(9))).await;
    let operations = json!([{ "op": "add", "path": "/description", "value": "Une photo" }]);
    let patch = json!({
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": BASE64_STANDARD.encode(operations.to_string())
    });
    let entry = json!({ "resource": patch, "request": { "method": "PATCH", "url": name } });
    let mut entries = vec![entry];
    for at in 10..22 {
        let address = format!("urn:uuid:0b9e7a5c-7b3f-4b53-8f2b-0a4d1c7d9f{at}");
        entries.push(sample::creating(&address, note(&circle, &photo(at))));
    }
    r4.post("", &sample::bundle("transaction", entries)).await.is(200);
    assert_eq!(r4.get(&name).await.is(200).json()["description"], "Une photo");
    assert_eq!(photo_of(&r4, &name).await, photo(9));
    assert_eq!(objects.names().await.len(), 13);
}
