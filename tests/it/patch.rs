//! JSON Patch (RFC 6902) on resources.

use liaison_tests::{Answer, Fhir, Server, sample};
use serde_json::{Value, json};

async fn patch(fhir: &Fhir, name: &str, operations: &Value) -> Answer {
    fhir.request("PATCH", name).body("application/json-patch+json", operations.to_string()).send().await
}

#[tokio::test]
async fn a_patch_changes_what_it_says_and_nothing_else() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let operations = json!([
        { "op": "test", "path": "/gender", "value": "female" },
        { "op": "replace", "path": "/name/0/family", "value": "Lefèvre" },
        { "op": "add", "path": "/name/0/given/-", "value": "Anne" },
    ]);
    let patched = patch(&r4, &name, &operations).await.is(200);
    assert_eq!(patched.header("etag"), "W/\"2\"");
    let now = r4.get(&name).await.json();
    assert_eq!(now["name"][0], json!({ "use": "official", "family": "Lefèvre", "given": ["Jeanne", "Anne"] }));
    assert_eq!(now["birthDate"], "1941-03-12");
}

#[tokio::test]
async fn a_patch_that_does_not_fit_changes_nothing() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    for (operations, expected) in [
        (json!([{ "op": "test", "path": "/gender", "value": "male" }]), vec![409, 412, 422]),
        (json!([{ "op": "remove", "path": "/nothing" }]), vec![400, 422]),
        (json!([{ "op": "dance", "path": "/gender" }]), vec![400, 422]),
        (json!({ "op": "remove" }), vec![400, 422]),
        (json!([{ "op": "replace", "path": "/gender", "value": "purple" }]), vec![400, 422]),
        (json!([{ "op": "replace", "path": "/id", "value": "other" }]), vec![400, 422]),
        (json!([{ "op": "replace", "path": "/resourceType", "value": "Device" }]), vec![400, 422]),
    ] {
        let status = patch(&r4, &name, &operations).await.status;
        assert!(expected.contains(&status), "{operations}: {status}");
    }
    assert_eq!(r4.get(&name).await.header("etag"), "W/\"1\"");
    patch(&r4, "Patient/nobody", &json!([])).await.is(404);
}

#[tokio::test]
async fn a_patch_heeds_the_version_it_supposes() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let operations = json!([{ "op": "replace", "path": "/gender", "value": "male" }]).to_string();
    let send = |version: &str| {
        let request = r4.request("PATCH", &name).header("if-match", version);
        request.body("application/json-patch+json", operations.clone()).send()
    };
    send("W/\"7\"").await.is(412);
    send("W/\"1\"").await.is(200);
}

#[tokio::test]
async fn digits_survive_a_patch() {
    let server = Server::start().await;
    let r4 = server.r4();
    let body = r#"{"resourceType":"Location","status":"active","position":{"longitude":2.3500,"latitude":48.850}}"#;
    let id = r4.request("POST", "Location").body("application/fhir+json", body).send().await.is(201).id();
    let name = format!("Location/{id}");
    patch(&r4, &name, &json!([{ "op": "add", "path": "/name", "value": "Ici" }])).await.is(200);
    assert!(r4.get(&name).await.text().contains("\"longitude\":2.3500,\"latitude\":48.850"));
}

#[tokio::test]
async fn a_patch_comes_as_json_patch() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    r4.request("PATCH", &name).body("text/plain", "[]").send().await.is(415);
}
