//! The form of 2017: every request of the founding document, as it is printed there.

use liaison_tests::{Server, sample};
use serde_json::{Value, json};

const AS_PRINTED: &str = include_str!("../data/cdl-2017-create-as-printed.json");
const CONFORMANT: &str = include_str!("../data/cdl-2017-create-conformant.json");
const UPDATE: &str = include_str!("../data/cdl-2017-update.json");
const JSON: &str = "application/fhir+json";
const NOTE: &str = "DocumentReference?masterIdentifier=http://EtablissementSource.fr|58619";

#[tokio::test]
async fn the_life_of_the_printed_note() {
    for example in [AS_PRINTED, CONFORMANT] {
        let server = Server::start().await;
        let stu3 = server.stu3();
        let created = stu3.request("POST", "Bundle").body(JSON, example).send().await.is(201);
        assert!(created.header("location").contains("/DocumentReference/"), "{:?}", created.headers);
        let search = "DocumentReference?_include=DocumentReference.subject&author:Practitioner.name.family=Dupont\
                      &author:Practitioner.name.given=Marie";
        let found = stu3.get(search).await.is(200);
        assert!(found.header("content-type").starts_with(JSON));
        assert_eq!((found.matches().len(), found.included().len()), (1, 1));
        let note = &found.matches()[0];
        assert_eq!(note["masterIdentifier"], json!({ "system": "http://EtablissementSource.fr", "value": "58619" }));
        assert_eq!(note["created"], "2017-06-14");
        assert_eq!(note["type"]["coding"][0]["code"], "OBS");
        assert!(note["indexed"].is_string());
        assert_eq!(found.included()[0]["name"][0]["family"], "Langdon");
        let updated = stu3.request("PUT", NOTE).body(JSON, UPDATE).send().await.is(200);
        assert!(updated.body.is_empty() || updated.json()["resourceType"].is_string());
        let now = stu3.get("DocumentReference?identifier=http://EtablissementSource.fr|58619").await.matches();
        assert_eq!(now[0]["description"], "Compte rendu de consultation infirmière (rectifié)");
        assert_eq!(now[0]["meta"]["versionId"], "2");
        assert_eq!(now[0]["subject"], note["subject"], "the update is not about the person");
        stu3.request("DELETE", NOTE).header("content-type", JSON).send().await.is(200);
        assert!(stu3.get(search).await.is(200).matches().is_empty());
        assert_eq!(stu3.get("Patient?name=Langdon").await.is(200).matches().len(), 1, "only the note goes");
    }
}

#[tokio::test]
async fn every_printed_criterion_finds_the_note() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    stu3.request("POST", "Bundle").body(JSON, AS_PRINTED).send().await.is(201);
    for (query, expected) in [
        ("subject:Patient.identifier=urn:oid:1.2.250.1.213.1.4.1|1234567890112345678901", 1),
        ("subject:Patient.identifier=1234567890112345678901", 1),
        ("author:Practitioner.identifier=80123456789", 1),
        ("author:Practitioner.identifier=80123456780", 0),
        ("author:Patient.name.family=Langdon&author:Patient.name.given=Robert", 0),
        ("author:RelatedPerson.name.family=Martin", 0),
        ("author:Organization.identifier=urn:oid:1.2.250.1.71.4.2.2|1750803447", 0),
        ("created=ge2017-06-01&type=OBS&securityLabel=N", 1),
        ("created=lt2017-06-01", 0),
        ("_include=DocumentReference:subject&author:Practitioner.family=Dupont&author:Practitioner.given=Marie", 1),
        ("identifier=http://EtablissementSource.fr|58619", 1),
        ("masterIdentifier=http://EtablissementSource.fr%7C58619", 1),
        ("masterIdentifier=http%3A%2F%2FEtablissementSource.fr%7C58619", 1),
        ("masterIdentifier=58619", 1),
        ("created=ge2017-06-01&type=urn:oid:1.2.250.1.213.1.1.4.334|OBS&securitylabel=N", 1),
        ("type=urn:oid:1.2.250.1.213.1.1.4.12|OBS", 1),
    ] {
        assert_eq!(stu3.get(&format!("DocumentReference?{query}")).await.is(200).matches().len(), expected, "{query}");
    }
}

#[tokio::test]
async fn what_was_repaired_is_told_as_information() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    let told = stu3
        .request("POST", "Bundle")
        .header("prefer", "return=OperationOutcome")
        .body(JSON, AS_PRINTED)
        .send()
        .await
        .is(201);
    let findings = told.findings();
    assert!(findings.iter().all(|line| !line.starts_with("error")), "{findings:?}");
    assert!(findings.iter().filter(|line| line.starts_with("information")).count() >= 5, "{findings:?}");
}

#[tokio::test]
async fn the_key_of_a_note_is_one_notes() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    let create = |body: String| stu3.request("POST", "Bundle").body(JSON, body).send();
    create(CONFORMANT.into()).await.is(201);
    let again = create(CONFORMANT.into()).await.status;
    assert!([200, 201].contains(&again), "the same note again is the same note: {again}");
    create(CONFORMANT.replace("Compte rendu", "Autre compte rendu")).await.is(409);
    assert_eq!(stu3.get("DocumentReference").await.json()["total"], 1);
    for kind in ["Patient", "Practitioner"] {
        assert_eq!(stu3.get(kind).await.json()["total"], 1, "{kind}: matched, not written again");
    }
}

#[tokio::test]
async fn an_update_or_a_deletion_of_no_note_is_told() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    stu3.request("PUT", NOTE).body(JSON, UPDATE).send().await.is(404);
    stu3.delete(NOTE).await.is(404);
    assert_eq!(stu3.get("DocumentReference").await.json()["total"], 0);
}

#[tokio::test]
async fn an_update_by_the_key_of_2017_is_the_same_alone_in_a_batch_and_in_a_transaction() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    let entry = |kind: &str, text: &str| {
        let mut update: Value = serde_json::from_str(UPDATE).unwrap();
        update["description"] = json!(text);
        // Somebody else, as a client that knows nobody's id writes: none of the update's business.
        update["subject"] = json!({ "reference": "Patient/nobody" });
        update["author"] = json!([{ "reference": "Practitioner/nobody" }]);
        sample::bundle(kind, vec![json!({ "resource": update, "request": { "method": "PUT", "url": NOTE } })])
    };
    let refused = stu3.post("", &entry("transaction", "none yet")).await.is(404);
    assert!(refused.findings()[0].contains("Bundle.entry[0]"), "{:?}", refused.findings());
    assert_eq!(stu3.get("DocumentReference").await.json()["total"], 0, "an update creates no note");

    stu3.request("POST", "Bundle").body(JSON, CONFORMANT).send().await.is(201);
    let before = stu3.get(NOTE).await.matches().remove(0);
    for (kind, version) in [("batch", "2"), ("transaction", "3")] {
        let answer = stu3.post("", &entry(kind, kind)).await.is(200).json();
        assert!(answer["entry"][0]["response"]["status"].as_str().unwrap().starts_with("200"), "{kind}: {answer}");
        let now = stu3.get(NOTE).await.matches().remove(0);
        assert_eq!((&now["description"], &now["meta"]["versionId"]), (&json!(kind), &json!(version)));
        assert_eq!((&now["subject"], &now["author"]), (&before["subject"], &before["author"]), "{kind}");
    }
}

#[tokio::test]
async fn a_note_of_2017_sent_again_in_todays_form_is_found() {
    let server = Server::start().await;
    let (stu3, r4) = (server.stu3(), server.r4());
    stu3.request("POST", "Bundle").body(JSON, CONFORMANT).send().await.is(201);
    let note = r4.get("DocumentReference").await.is(200).matches().remove(0);
    assert_eq!(note["securityLabel"][0]["coding"][0]["code"], "N", "a code that today's form does not have");
    let id = note["id"].clone();
    let again = r4.post("DocumentReference", &note).await.is(200);
    assert_eq!(again.id(), id);
    let keyed = || r4.request("POST", "DocumentReference").header("idempotency-key", "k").json(&note).send();
    for _ in 0..2 {
        assert_eq!(keyed().await.is(200).id(), id);
    }
    let batch =
        sample::bundle("batch", vec![sample::creating("urn:uuid:7b5dc0f8-1e6d-4a53-9dc9-6f0a24a4a0a1", note.clone())]);
    let answer = r4.post("", &batch).await.is(200).json();
    assert!(answer["entry"][0]["response"]["status"].as_str().unwrap().starts_with("200"), "{answer}");
    assert_eq!(r4.get("DocumentReference").await.json()["total"], 1);
    // Another one must be what notes of today are.
    let other = sample::with(note, "/masterIdentifier/value", "58620");
    r4.post("DocumentReference", &other).await.is(422);
}

#[tokio::test]
async fn the_slips_of_the_printed_update_are_read_as_meant() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    stu3.request("POST", "Bundle").body(JSON, CONFORMANT).send().await.is(201);
    let mut update: Value = serde_json::from_str(UPDATE).unwrap();
    update["resourceType"] = json!(" DocumentReference");
    update["masterIdentifier"] = json!([update["masterIdentifier"]]);
    update["extension"] = json!([{ "url": "http://EtablissementSource.fr/priority", "valueBoolean": "true" }]);
    stu3.put(NOTE, &update).await.is(200);
}

#[tokio::test]
async fn curly_quotes_are_no_json() {
    let server = Server::start().await;
    let curly = AS_PRINTED.replacen("\"Bundle\"", "“Bundle”", 1);
    server.stu3().request("POST", "Bundle").body(JSON, curly).send().await.is(400);
}

#[tokio::test]
async fn a_conformant_client_of_stu3_lives_too() {
    let server = Server::start().await;
    let stu3 = server.stu3();
    let patient = sample::create(&stu3, &sample::patient("1", "Morel", "Jeanne")).await;
    let nurse = sample::create(&stu3, &sample::practitioner("2", "Dupont", "Marie")).await;
    let mut note = sample::note(&patient, &nurse, "x");
    note.as_object_mut().unwrap().remove("date");
    note["created"] = json!("2026-03-04T08:30:00+01:00");
    note["indexed"] = json!("2026-03-04T08:30:00+01:00");
    let name = sample::create(&stu3, &note).await;
    assert_eq!(stu3.get(&name).await.is(200).json()["created"], "2026-03-04T08:30:00+01:00");
    assert_eq!(stu3.get("metadata").await.is(200).json()["fhirVersion"], "3.0.2");
    assert_eq!(stu3.get("DocumentReference?created=2026-03-04&_sort=-created").await.is(200).matches().len(), 1);
}
