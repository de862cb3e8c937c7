//! `Prefer`: what is answered to a write, and how strictly a search is read.

use liaison_tests::{Server, sample};

#[tokio::test]
async fn a_write_answers_what_is_preferred() {
    let server = Server::start().await;
    let r4 = server.r4();
    let patient = sample::patient("1", "Morel", "Jeanne");
    let create = |preference: &str| r4.request("POST", "Patient").header("prefer", preference).json(&patient).send();
    let minimal = create("return=minimal").await.is(201);
    assert!(minimal.body.is_empty(), "{}", minimal.text());
    assert!(!minimal.header("location").is_empty());
    assert_eq!(create("return=representation").await.is(201).json()["resourceType"], "Patient");
    assert_eq!(create("return=OperationOutcome").await.is(201).json()["resourceType"], "OperationOutcome");
}

#[tokio::test]
async fn warnings_are_told_when_asked_for_and_never_block() {
    let server = Server::start().await;
    let r4 = server.r4();
    let mut patient = sample::patient("1", "Morel", "Jeanne");
    // The key of this number is wrong: 12 would be right.
    patient["identifier"][0] = serde_json::json!({
        "system": "urn:oid:1.2.250.1.213.1.4.8", "value": "123456789012244",
        "type": { "coding": [{ "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR" }] }
    });
    let told =
        r4.request("POST", "Patient").header("prefer", "return=OperationOutcome").json(&patient).send().await.is(201);
    let findings = told.findings();
    assert!(findings.iter().any(|line| line.starts_with("warning") && line.contains("identifier")), "{findings:?}");
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_unless_leniency_is_preferred() {
    let server = Server::start().await;
    let r4 = server.r4();
    sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let refused = r4.get("Patient?family=Morel&colour=blue").await.is(400);
    assert!(refused.findings()[0].contains("colour"), "{:?}", refused.findings());
    let lenient =
        r4.request("GET", "Patient?family=Morel&colour=blue").header("prefer", "handling=lenient").send().await.is(200);
    assert_eq!(lenient.matches().len(), 1);
    let used = lenient.link("self").expect("the self link says what was used");
    assert!(used.contains("family=Morel") && !used.contains("colour"), "{used}");
    let bundle = lenient.json();
    let told = bundle["entry"].as_array().unwrap().iter().find(|entry| entry["search"]["mode"] == "outcome");
    let told = told.unwrap_or_else(|| panic!("{bundle}"));
    assert!(told["resource"].to_string().contains("colour"), "{told}");
    // Every entry of a searchset has an address, also what is not stored.
    assert!(told["fullUrl"].as_str().is_some_and(|url| url.starts_with("urn:uuid:")), "{told}");
}
