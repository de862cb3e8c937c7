//! Forms, languages, wrong addresses.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn refusals_come_in_the_form_and_language_asked_for() {
    let house = House::open().await;
    let refused = house
        .send("GET /fhir/r4/Patient/nobody", &[("accept", "application/fhir+xml"), ("accept-language", "en")], "")
        .await
        .expect(404);
    assert_eq!(refused.header("content-type"), "application/fhir+xml; charset=utf-8");
    assert!(refused.text().contains("There is no Patient/nobody here."), "{}", refused.text());
    let refused = house.get("/fhir/r4/Patient/nobody").await.expect(404);
    assert_eq!(refused.json()["issue"][0]["diagnostics"], "Il n'y a pas de Patient/nobody ici.");
    house.send("GET /fhir/r4/Patient", &[("accept", "image/png")], "").await.expect(406);
    house.send("POST /fhir/r4/Patient", &[("content-type", "text/plain")], "hello").await.expect(415);
    house.send("POST /fhir/r4/Patient", &[("content-type", "application/fhir+json")], "{").await.expect(400);
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_told() {
    let house = House::open().await;
    for path in ["/fhir/r4/Patients", "/fhir/r4/patient/1", "/fhir/r4/Patient/1/2/3/4", "/fhir/r4/Patient/a%ffb"] {
        let refused = house.get(path).await;
        assert!(matches!(refused.status.as_u16(), 400 | 404), "{path}: {}", refused.status);
        assert_eq!(refused.json()["resourceType"], "OperationOutcome", "{path}");
    }
    let refused = house.send("PUT /fhir/r4/_history", &[], "").await.expect(405);
    assert_eq!(refused.json()["resourceType"], "OperationOutcome");
    assert!(refused.header("allow").contains("GET"), "{:?}", refused.headers);
    house.get("/fhir/r4/Patient?nonsense=1").await.expect(400);
    let lenient =
        house.send("GET /fhir/r4/Patient?nonsense=1", &[("prefer", "handling=lenient")], "").await.expect(200);
    assert_eq!(lenient.json()["entry"][0]["search"]["mode"], "outcome");
    assert_eq!(lenient.json()["link"][0]["url"], "http://notes.example.org/fhir/r4/Patient");
}

#[tokio::test]
async fn a_body_that_says_no_type_is_told_so() {
    let house = House::open().await;
    let patient = r#"{"resourceType":"Patient","id":"a"}"#;
    for (line, headers, wanted) in [
        ("PUT /fhir/r4/Patient/a", &[][..], "application/fhir+json"),
        ("POST /fhir/r4/Patient", &[("content-type", " ")], "application/fhir+json"),
        ("PATCH /fhir/r4/Patient/a", &[], "application/json-patch+json"),
        ("POST /fhir/r4/Patient/_search", &[], "application/x-www-form-urlencoded"),
    ] {
        let refused = house.send(line, headers, patient).await.expect(415);
        let said = refused.json()["issue"][0]["diagnostics"].as_str().unwrap().to_owned();
        assert!(said.starts_with("La requête ne dit pas ce qu'est son corps"), "{line}: {said}");
        assert!(said.contains(wanted), "{line}: {said}");
    }
    let refused = house.send("PUT /fhir/r4/Patient/a", &[("content-type", "text/plain")], patient).await.expect(415);
    assert!(refused.text().contains("« text/plain »"), "{}", refused.text());
}

#[tokio::test]
async fn pretty_answers_are_laid_out_in_both_forms() {
    let house = House::open().await;
    let patient = json!({ "resourceType": "Patient", "id": "a", "name": [{ "family": "Morel" }] });
    house.put_json("PUT /fhir/r4/Patient/a", &patient).await.expect(201);
    for (form, name) in [("json", "\n  \"name\""), ("xml", "\n  <name>\n    <family value=\"Morel\"/>\n  </name>\n")] {
        let pretty = house.get(&format!("/fhir/r4/Patient/a?_pretty=true&_format={form}")).await.expect(200).text();
        assert!(pretty.contains(name), "{pretty}");
        let compact = house.get(&format!("/fhir/r4/Patient/a?_pretty=false&_format={form}")).await.expect(200).text();
        assert!(!compact.contains('\n'), "{compact}");
    }
}
