//! Errors: an OperationOutcome in the language of the reader, naming the place and the way out.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn errors_speak_the_language_that_is_accepted() {
    let server = Server::start().await;
    let r4 = server.r4();
    let ask = |language: &'static str| r4.request("GET", "Patient/nobody").header("accept-language", language).send();
    let (french, english) = (ask("fr").await.is(404), ask("en").await.is(404));
    assert_ne!(french.findings(), english.findings());
    assert!(french.text().contains("n'y a pas") || french.text().contains("n’y a pas"), "{}", french.text());
    assert!(english.text().contains("no Patient/nobody"), "{}", english.text());
    assert_eq!(ask("de, en;q=0.5").await.findings(), english.findings());
}

#[tokio::test]
async fn what_json_and_fhir_forbid_is_refused_with_its_place() {
    let server = Server::start().await;
    let r4 = server.r4();
    for (body, place) in [
        (r#"{"resourceType":"Patient","gender":"male","gender":"female"}"#, "gender"),
        (r#"{"resourceType":"Patient","name":[{}]}"#, "name"),
        (r#"{"resourceType":"Patient","active":null}"#, "active"),
        (r#"{"resourceType":"Patient","active":"yes"}"#, "active"),
        (r#"{"resourceType":"Patient","birthDate":"1950-13-45"}"#, "birthDate"),
        (r#"{"resourceType":"Patient","colour":"blue"}"#, "colour"),
        (r#"{"resourceType":"Patient","name":{"family":"x"}}"#, "name"),
        (r#"{"resourceType":"Patient","gender":["male"]}"#, "gender"),
        (r#"{"resourceType":"Patient","gender":"purple"}"#, "gender"),
        (r#"{"resourceType":"Patient","name":[]}"#, "name"),
        (r#"{"resourceType":"Patient","name":[{"family":""}]}"#, "family"),
        (r#"{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"#, "deceased"),
        (r#"{"resourceType":"Patient","managingOrganization":{"reference":"Device/1"}}"#, "managingOrganization"),
        (r#"{"resourceType":"Patient","photo":[{"data":"not base64!"}]}"#, "data"),
        (
            r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}"#,
            "text",
        ),
        (r#"{"resourceType":"Device","id":"a b"}"#, "id"),
    ] {
        let kind = if body.contains("Device\",\"id") { "Device" } else { "Patient" };
        let refused = r4.request("POST", kind).body("application/fhir+json", body).send().await;
        assert!([400, 422].contains(&refused.status), "{body}: {} {}", refused.status, refused.text());
        assert!(refused.findings().iter().any(|line| line.contains(place)), "{body}: {:?}", refused.findings());
    }
    assert_eq!(r4.get("Patient").await.json()["total"], 0);
}

#[tokio::test]
async fn what_is_no_resource_at_all_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let deep = format!("{{\"resourceType\":\"Patient\",\"extension\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for body in
        ["", "{", "[]", "null", "{\"resourceType\":\"Patient\"} x", "\u{feff}", "<Patient/>", "{\"a\":1e999}", &deep]
    {
        let refused = r4.request("POST", "Patient").body("application/fhir+json", body.to_owned()).send().await;
        assert_eq!(refused.status, 400, "{body:.40}: {}", refused.text());
    }
    let invalid_utf8 = b"{\"resourceType\":\"Patient\",\"language\":\"\xff\"}".to_vec();
    r4.request("POST", "Patient").body("application/fhir+json", invalid_utf8).send().await.is(400);
    r4.post("Patient", &json!({ "resourceType": "Device" })).await.is(400);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::start_with(&[("LIAISON_MAX_BODY", "64KB")]).await;
    let r4 = server.r4();
    let large = sample::with(sample::patient("1", "Morel", "Jeanne"), "/language", "x".repeat(100_000));
    r4.post("Patient", &large).await.is(413);
}

#[tokio::test]
async fn errors_come_in_the_format_that_is_accepted() {
    let server = Server::start().await;
    let r4 = server.r4();
    let xml = r4.request("GET", "Patient/nobody").header("accept", "application/fhir+xml").send().await.is(404);
    assert!(xml.header("content-type").starts_with("application/fhir+xml"));
    assert!(xml.text().contains("<OperationOutcome"), "{}", xml.text());
}
