//! Conditional create, update, patch and delete; idempotency keys.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn a_conditional_create_writes_only_what_is_not_there() {
    let server = Server::start().await;
    let r4 = server.r4();
    let patient = sample::patient("1", "Morel", "Jeanne");
    let create = |query: &str| r4.request("POST", "Patient").header("if-none-exist", query).json(&patient);
    let query = format!("identifier={}|1", sample::LOCAL);
    let id = create(&query).send().await.is(201).id();
    let again = create(&query).send().await.is(200);
    assert_eq!(again.id(), id);
    assert_eq!(again.header("etag"), "W/\"1\"");
    assert_eq!(r4.get("Patient").await.json()["total"], 1);
}

#[tokio::test]
async fn a_condition_that_several_meet_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    for value in ["1", "2"] {
        sample::create(&r4, &sample::patient(value, "Morel", "Jeanne")).await;
    }
    let patient = sample::patient("3", "Morel", "Jeanne");
    r4.request("POST", "Patient").header("if-none-exist", "family=Morel").json(&patient).send().await.is(412);
    r4.put("Patient?family=Morel", &patient).await.is(412);
    r4.delete("Patient?family=Morel").await.is(412);
    assert_eq!(r4.get("Patient").await.json()["total"], 2);
}

#[tokio::test]
async fn a_condition_that_is_none_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let patient = sample::patient("3", "Morel", "Jeanne");
    for query in ["", "_sort=family", "unknown=1", "family=", "_count=1"] {
        let status = r4.request("POST", "Patient").header("if-none-exist", query).json(&patient).send().await.status;
        assert!([400, 412].contains(&status), "{query}: {status}");
    }
    assert!([400, 412].contains(&r4.delete("Patient?").await.status));
    assert_eq!(r4.get("Patient").await.json()["total"], 0);
}

#[tokio::test]
async fn a_conditional_update_changes_the_one_that_matches_or_creates() {
    let server = Server::start().await;
    let r4 = server.r4();
    let address = format!("Patient?identifier={}|1", sample::LOCAL);
    let created = r4.put(&address, &sample::patient("1", "Morel", "Jeanne")).await.is(201);
    let updated = r4.put(&address, &sample::patient("1", "Lefèvre", "Jeanne")).await.is(200);
    assert_eq!(updated.id(), created.id());
    assert_eq!(updated.header("etag"), "W/\"2\"");
    let of_another = sample::with(sample::patient("1", "Morel", "Jeanne"), "/id", "another");
    r4.put(&address, &of_another).await.is(400);
}

#[tokio::test]
async fn a_conditional_delete_takes_the_one_that_matches() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let answer = r4.delete(&format!("Patient?identifier={}|1", sample::LOCAL)).await;
    assert!([200, 204].contains(&answer.status), "{}", answer.text());
    r4.get(&name).await.is(410);
    let nobody = r4.delete(&format!("Patient?identifier={}|1", sample::LOCAL)).await.status;
    assert!([200, 204, 404].contains(&nobody), "{nobody}");
}

#[tokio::test]
async fn a_conditional_patch_changes_the_one_that_matches() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let patch = json!([{ "op": "replace", "path": "/gender", "value": "male" }]).to_string();
    let address = format!("Patient?identifier={}|1", sample::LOCAL);
    r4.request("PATCH", &address).body("application/json-patch+json", patch.clone()).send().await.is(200);
    assert_eq!(r4.get(&name).await.json()["gender"], "male");
    r4.request("PATCH", "Patient?family=Nobody").body("application/json-patch+json", patch).send().await.is(404);
}

#[tokio::test]
async fn an_idempotency_key_makes_a_retry_safe() {
    let server = Server::start().await;
    let r4 = server.r4();
    let device = json!({ "resourceType": "Device", "status": "active" });
    let create =
        |device: &serde_json::Value| r4.request("POST", "Device").header("idempotency-key", "k-1").json(device);
    let first = create(&device).send().await.is(201);
    let again = create(&device).send().await;
    assert!([200, 201].contains(&again.status), "{}", again.text());
    assert_eq!(again.id(), first.id());
    let other = create(&json!({ "resourceType": "Device", "status": "inactive" })).send().await;
    assert!([409, 422].contains(&other.status), "{}: {}", other.status, other.text());
    assert_eq!(r4.get("Device").await.json()["total"], 1);
}
