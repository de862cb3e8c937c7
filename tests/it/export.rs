//! `$export`: asked for, looked at on any node, read as of its moment, given up.

use liaison_tests::{Answer, Fhir, Server, Store, sample};
use serde_json::{Value, json};

async fn kick_off(r4: &Fhir, query: &str) -> String {
    let answer = r4.request("GET", &format!("$export{query}")).header("prefer", "respond-async").send().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.headers["content-location"].to_str().unwrap().to_owned()
}

async fn manifest(r4: &Fhir, job: &str) -> Value {
    let answer = r4.request("GET", job).header("accept", "application/json").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(answer.headers.contains_key("expires"));
    answer.json()
}

fn file(list: &Value, name: &str) -> Option<String> {
    let urls = list.as_array().unwrap().iter().map(|file| file["url"].as_str().unwrap());
    urls.filter(|url| url.ends_with(&format!("/{name}.ndjson"))).map(str::to_owned).next()
}

async fn read(r4: &Fhir, url: &str) -> Vec<Value> {
    let answer = r4.request("GET", url).header("accept", "application/fhir+ndjson").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "application/fhir+ndjson");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same address on another node.
fn on(r4: &Fhir, url: &str) -> String {
    let (_, below) = url.split_once("/fhir/r4/").unwrap();
    format!("{}/{below}", r4.base())
}

fn refused(answer: &Answer, status: u16, word: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(word) && answer.text().contains("OperationOutcome"), "{}", answer.text());
}

#[tokio::test]
async fn an_export_is_of_its_moment_and_read_by_whoever_is_asked() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let photo: Vec<u8> = b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..100_000).map(|at| at as u8)).collect();
    let heavy = sample::note(&circle.patient, &circle.role, "x");
    let heavy = sample::with(heavy, "/content", json!([{ "attachment": sample::attachment("image/png", &photo) }]));
    let heavy = sample::create(&r4, &heavy).await;
    let light = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "léger")).await;
    let before = r4.get(&light).await.json();
    let job = kick_off(&r4, "?_outputFormat=application/fhir%2Bndjson").await;
    // What happens now is not told, and what is gone now is told.
    sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "après")).await;
    let mut changed = before.clone();
    changed["description"] = json!("Changée depuis");
    r4.put(&light, &changed).await.is(200);
    r4.delete(&heavy).await.is(200);
    // Another process on the same store.
    let server = server.restart().await;
    let r4 = server.r4();
    let told = manifest(&r4, &on(&r4, &job)).await;
    assert_eq!(
        told["request"].as_str().unwrap().split_once("/fhir/r4/").unwrap().1,
        "$export?_outputFormat=application/fhir%2Bndjson"
    );
    assert_eq!(
        (&told["requiresAccessToken"], &told["deleted"], &told["error"]),
        (&json!(false), &json!([]), &json!([]))
    );
    assert!(file(&told["output"], "Binary").is_none(), "attachments are read by their addresses");
    let notes = read(&r4, &file(&told["output"], "DocumentReference").unwrap()).await;
    assert_eq!(notes.len(), 2);
    let of = |name: &str| notes.iter().find(|note| name.ends_with(note["id"].as_str().unwrap())).unwrap();
    assert_eq!(*of(&light), before, "as it was");
    let attachment = &of(&heavy)["content"][0]["attachment"];
    assert!(attachment["data"].is_null() && attachment["size"] == photo.len(), "{attachment}");
    assert!(attachment["url"].as_str().unwrap().starts_with(r4.base()), "{attachment}");
    assert_eq!(read(&r4, &file(&told["output"], "Patient").unwrap()).await.len(), 1);
    // From its moment on: what was changed and what was deleted, and nothing else.
    let at = told["transactionTime"].as_str().unwrap();
    let job = kick_off(&r4, &format!("?_since={at}&_type=DocumentReference,Patient")).await;
    let told = manifest(&r4, &job).await;
    assert_eq!(told["output"].as_array().unwrap().len(), 1, "{told}");
    let notes = read(&r4, &file(&told["output"], "DocumentReference").unwrap()).await;
    assert_eq!(notes.len(), 2);
    assert!(notes.iter().any(|note| note["description"] == "Changée depuis"));
    let deleted = read(&r4, &file(&told["deleted"], "DocumentReference.deleted").unwrap()).await;
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0]["entry"][0]["request"], json!({ "method": "DELETE", "url": heavy }));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_name() {
    let server = Server::start().await;
    let r4 = server.r4();
    let ask = |query: &str, prefer: &str| r4.request("GET", &format!("$export{query}")).header("prefer", prefer).send();
    refused(&r4.get("$export").await, 400, "respond-async");
    for (query, word) in [
        ("?_typeFilter=Patient%3Fgender%3Dmale", "_typeFilter"),
        ("?_typ=Patient", "_typ"),
        ("?_type=Patient,Observatio", "Observatio"),
        ("?_outputFormat=text/csv", "text/csv"),
        ("?_since=2026-01-31", "_since"),
    ] {
        refused(&ask(query, "respond-async").await, 400, word);
    }
    let lenient = ask("?_typeFilter=x&_type=Patient,Observatio", "respond-async, handling=lenient").await;
    assert_eq!(lenient.status, 202, "{}", lenient.text());
    refused(&ask("?_type=Observatio", "respond-async, handling=lenient").await, 400, "_type");
    refused(&r4.request("POST", "$export").send().await, 405, "POST");
    refused(&r4.get("Patient/$export").await, 404, "$export");
    refused(&server.stu3().get("$export").await, 404, "$export");
    refused(&r4.get("$export-status/nothing").await, 404, "$export");
    refused(&r4.get("$export-file/nothing/Patient.ndjson").await, 404, "$export");
}

#[tokio::test]
async fn an_export_that_is_given_up_is_gone() {
    let server = Server::start().await;
    let r4 = server.r4();
    sample::circle(&r4).await;
    let job = kick_off(&r4, "?_type=Patient").await;
    let told = manifest(&r4, &job).await;
    let patients = file(&told["output"], "Patient").unwrap();
    assert_eq!(told["output"].as_array().unwrap().len(), 1);
    refused(&r4.request("GET", &patients).header("accept", "application/fhir+json").send().await, 406, "ndjson");
    refused(&r4.get(&patients.replace("Patient.", "Practitioner.")).await, 404, "$export");
    assert_eq!(r4.delete(&job).await.status, 202);
    for gone in [&job, &patients] {
        refused(&r4.get(gone).await, 404, "$export");
    }
    refused(&r4.delete(&job).await, 404, "$export");
}

#[tokio::test]
async fn what_is_said_of_it_is_what_there_is() {
    let server = Server::start().await;
    let said = |statement: &Value| statement["rest"][0]["operation"].clone();
    let r4 = said(&server.r4().get("metadata").await.json());
    assert_eq!(r4[0]["definition"], "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export");
    assert_eq!(said(&server.stu3().get("metadata").await.json()), Value::Null);
}

#[tokio::test]
async fn several_nodes_of_one_database_tell_the_same() {
    let store = Store::in_a_database();
    let (one, other) = (Server::on(store.clone()).await, Server::on(store).await);
    sample::circle(&one.r4()).await;
    let job = kick_off(&one.r4(), "").await;
    sample::create(&other.r4(), &sample::patient("p-2", "Arnaud", "Lucien")).await;
    let told = manifest(&other.r4(), &on(&other.r4(), &job)).await;
    assert_eq!(read(&other.r4(), &file(&told["output"], "Patient").unwrap()).await.len(), 1);
    assert_eq!(other.r4().delete(&on(&other.r4(), &job)).await.status, 202);
    refused(&one.r4().get(&job).await, 404, "$export");
}
