//! Read, vread, create, update, delete: <https://hl7.org/fhir/R4/http.html>.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn what_is_created_is_read_at_once_with_its_version() {
    let server = Server::start().await;
    let r4 = server.r4();
    let created = r4.post("Patient", &sample::patient("1", "Morel", "Jeanne")).await.is(201);
    let id = created.id();
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert!(
        created.header("location").ends_with(&format!("/fhir/r4/Patient/{id}/_history/1")),
        "{:?}",
        created.headers
    );
    let read = r4.get(&format!("Patient/{id}")).await.is(200);
    assert_eq!(read.json()["meta"]["versionId"], "1");
    assert_eq!(read.json()["name"][0]["family"], "Morel");
    assert_eq!(read.header("etag"), "W/\"1\"");
    assert!(!read.header("last-modified").is_empty());
    assert!(read.header("content-type").starts_with("application/fhir+json"));
}

#[tokio::test]
async fn an_id_that_the_client_gives_is_not_taken_on_create() {
    let server = Server::start().await;
    let patient = sample::with(sample::patient("1", "Morel", "Jeanne"), "/id", "mine");
    assert_ne!(server.r4().post("Patient", &patient).await.is(201).id(), "mine");
}

#[tokio::test]
async fn an_update_makes_a_new_version_and_the_old_one_stays() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let mut next = r4.get(&name).await.json();
    next["name"][0]["family"] = json!("Lefèvre");
    let updated = r4.put(&name, &next).await.is(200);
    assert_eq!(updated.header("etag"), "W/\"2\"");
    assert_eq!(r4.get(&name).await.json()["name"][0]["family"], "Lefèvre");
    let first = r4.get(&format!("{name}/_history/1")).await.is(200);
    assert_eq!(first.json()["name"][0]["family"], "Morel");
    assert_eq!(first.json()["meta"]["versionId"], "1");
    r4.get(&format!("{name}/_history/3")).await.is(404);
    r4.get(&format!("{name}/_history/x")).await.is(404);
}

#[tokio::test]
async fn the_id_of_an_update_is_that_of_its_address() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let other = sample::with(sample::patient("1", "Morel", "Jeanne"), "/id", "other");
    r4.put(&name, &other).await.is(400);
    r4.put(&name, &sample::patient("1", "Morel", "Jeanne")).await.is(400);
    r4.put(&name, &sample::with(json!({ "resourceType": "Device" }), "/id", "x")).await.is(400);
    assert_eq!(r4.get(&name).await.header("etag"), "W/\"1\"");
}

#[tokio::test]
async fn what_was_deleted_is_gone_and_its_history_is_not() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    assert!([200, 204].contains(&r4.delete(&name).await.status));
    r4.get(&name).await.is(410);
    r4.get(&format!("{name}/_history/1")).await.is(200);
    r4.get(&format!("{name}/_history/2")).await.is(410);
    assert!(r4.get("Patient?family=Morel").await.is(200).matches().is_empty());
    assert!([200, 204].contains(&r4.delete(&name).await.status), "deleting again changes nothing");
}

#[tokio::test]
async fn what_was_deleted_can_be_brought_back_by_an_update() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let resource = r4.get(&name).await.json();
    r4.delete(&name).await;
    let back = r4.put(&name, &resource).await;
    assert!([200, 201].contains(&back.status), "{}", back.text());
    assert_eq!(back.header("etag"), "W/\"3\"");
    r4.get(&name).await.is(200);
}

#[tokio::test]
async fn what_was_never_there_is_unknown() {
    let server = Server::start().await;
    let r4 = server.r4();
    r4.get("Patient/nobody").await.is(404);
    r4.get("Patient/nobody/_history").await.is(404);
    r4.get("Unicorn/1").await.is(404);
    r4.get("Unicorn").await.is(404);
    r4.post("Unicorn", &json!({ "resourceType": "Unicorn" })).await.is(404);
    server.site().get("fhir/r5/Patient/1").await.is(404);
}

#[tokio::test]
async fn a_read_tells_whether_anything_changed() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let read = r4.get(&name).await;
    let unchanged = r4.request("GET", &name).header("if-none-match", "W/\"1\"").send().await.is(304);
    assert!(unchanged.body.is_empty());
    assert_eq!(unchanged.header("etag"), "W/\"1\"");
    r4.request("GET", &name).header("if-none-match", "W/\"2\"").send().await.is(200);
    r4.request("GET", &name).header("if-modified-since", read.header("last-modified")).send().await.is(304);
    r4.request("GET", &name).header("if-modified-since", "Tue, 01 Jan 2019 00:00:00 GMT").send().await.is(200);
}

#[tokio::test]
async fn an_update_of_another_version_than_the_current_one_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let resource = r4.get(&name).await.json();
    r4.request("PUT", &name).header("if-match", "W/\"2\"").json(&resource).send().await.is(412);
    r4.request("PUT", &name)
        .header("if-match", "W/\"1\"")
        .json(&sample::with(resource.clone(), "/gender", "male"))
        .send()
        .await
        .is(200);
    r4.request("PUT", &name).header("if-match", "W/\"1\"").json(&resource).send().await.is(412);
    r4.request("DELETE", &name).header("if-match", "W/\"1\"").send().await.is(412);
    r4.request("DELETE", &name).header("if-match", "W/\"2\"").send().await;
    r4.get(&name).await.is(410);
}

#[tokio::test]
async fn methods_that_an_address_does_not_have_are_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let answer = r4.request("PUT", "metadata").json(&json!({})).send().await.is(405);
    assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
    r4.request("POST", "Patient/1").json(&json!({})).send().await.is(405);
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let head = r4.request("HEAD", &name).send().await.is(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), "W/\"1\"");
}

#[tokio::test]
async fn allow_names_what_an_address_takes_and_nothing_else() {
    let server = Server::start().await;
    let r4 = server.r4();
    for (method, address) in
        [("OPTIONS", "Patient/1"), ("TRACE", "Binary/1"), ("POST", "Patient/1"), ("POST", "Binary/1")]
    {
        let answer = r4.request(method, address).send().await.is(405);
        let mut allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PATCH", "PUT"], "{}", answer.asked);
    }
    r4.request("POST", "Patient/$unknown").send().await.is(404);
}
