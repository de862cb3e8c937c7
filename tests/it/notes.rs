//! The rules of the notebook: what a note must be, replies, urgency, deactivation, what keeps it whole.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn a_note_against_a_rule_of_the_volet_is_refused_with_the_place() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    // Said to be a note, a document is one, whatever else it lacks.
    let profile = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference";
    let note = || {
        sample::with(sample::note(&circle.patient, &circle.practitioner, "x"), "/meta", json!({ "profile": [profile] }))
    };
    let without = |name: &str| {
        let mut note = note();
        note.as_object_mut().unwrap().remove(name);
        note
    };
    let masked = |code: &str| {
        json!({ "coding": [{
        "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
        "code": code
    }] })
    };
    for (note, place) in [
        (without("type"), "type"),
        (without("subject"), "subject"),
        (without("author"), "author"),
        (without("content"), "content"),
        (without("status"), "status"),
        (sample::with(note(), "/type/coding/0/code", "GOSSIP"), "type"),
        (sample::with(note(), "/docStatus", "final"), "docStatus"),
        (sample::with(note(), "/authenticator", json!({ "reference": circle.practitioner })), "authenticator"),
        (sample::with(note(), "/custodian", json!({ "display": "x" })), "custodian"),
        (sample::with(note(), "/securityLabel", json!([masked("MASQUE_PS"), masked("MASQUE_PT")])), "securityLabel"),
        (sample::with(note(), "/securityLabel", json!([masked("MASQUE_TOUS")])), "securityLabel"),
        (sample::with(note(), "/author", json!([{ "display": "quelqu’un" }])), "author"),
    ] {
        let refused = r4.post("DocumentReference", &note).await;
        assert!([400, 422].contains(&refused.status), "{place}: {} {}", refused.status, refused.text());
        let findings = refused.findings();
        assert!(findings.iter().any(|line| line.starts_with("error") && line.contains(place)), "{place}: {findings:?}");
    }
    assert_eq!(r4.get("DocumentReference").await.json()["total"], 0, "nothing of it was stored");
    r4.post("DocumentReference", &note()).await.is(201);
}

#[tokio::test]
async fn every_type_and_every_audience_is_taken() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = || sample::note(&circle.patient, &circle.practitioner, "x");
    for code in ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"] {
        r4.post("DocumentReference", &sample::with(note(), "/type/coding/0/code", code)).await.is(201);
        assert_eq!(r4.get(&format!("DocumentReference?type={code}")).await.matches().len(), 1, "{code}");
    }
    for code in ["INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS", "MASQUE_PSOCIAL", "MASQUE_PT"] {
        let system =
            "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";
        let label = json!([{ "coding": [{ "system": system, "code": code }] }]);
        r4.post("DocumentReference", &sample::with(note(), "/securityLabel", label)).await.is(201);
        assert_eq!(r4.get(&format!("DocumentReference?security-label={code}")).await.matches().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn the_date_of_a_note_that_has_none_is_the_servers() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let mut note = sample::note(&circle.patient, &circle.practitioner, "x");
    note.as_object_mut().unwrap().remove("date");
    let name = sample::create(&r4, &note).await;
    assert!(r4.get(&name).await.json()["date"].as_str().is_some_and(|date| date.len() >= 20));
}

#[tokio::test]
async fn a_note_and_its_answers_are_read_in_one_request() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let mother = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "question")).await;
    let answer = |to: &str| {
        let note = sample::note(&circle.patient, &circle.role, "réponse");
        sample::with(note, "/relatesTo", json!([{ "code": "appends", "target": { "reference": to } }]))
    };
    let first = sample::create(&r4, &answer(&mother)).await;
    let second = sample::create(&r4, &answer(&first)).await;
    let id = mother.rsplit('/').next().unwrap();
    let thread =
        r4.get(&format!("DocumentReference?_id={id}&_revinclude:iterate=DocumentReference:relatesto")).await.is(200);
    let found: Vec<String> =
        thread.included().iter().map(|note| format!("DocumentReference/{}", note["id"].as_str().unwrap())).collect();
    assert_eq!(thread.matches().len(), 1);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&first) && found.contains(&second));
    r4.post("DocumentReference", &answer("DocumentReference/nothing")).await.is(422);
    let to_a_person = answer(&circle.patient);
    let status = r4.post("DocumentReference", &to_a_person).await.status;
    assert!([400, 422].contains(&status), "{status}");
}

#[tokio::test]
async fn urgent_notes_are_found() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::note(&circle.patient, &circle.practitioner, "x");
    sample::create(&r4, &note).await;
    let urgent = sample::with(note, "/extension", json!([{ "url": sample::EMERGENCY, "valueBoolean": true }]));
    let name = sample::create(&r4, &urgent).await;
    let statement = r4.get("metadata").await.json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let notes = resources.iter().find(|resource| resource["type"] == "DocumentReference").unwrap();
    let parameters = notes["searchParam"].as_array().unwrap();
    let parameter = parameters
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .find(|name| name.contains("mergency") || name.contains("rgent"));
    let found = r4
        .get(&format!("DocumentReference?{}=true", parameter.expect("a parameter for urgency")))
        .await
        .is(200)
        .matches();
    assert_eq!(found.len(), 1);
    assert_eq!(format!("DocumentReference/{}", found[0]["id"].as_str().unwrap()), name);
}

#[tokio::test]
async fn a_note_is_deactivated_by_its_status() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let name = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "x")).await;
    let note = r4.get(&name).await.json();
    r4.put(&name, &sample::with(note, "/status", "entered-in-error")).await.is(200);
    assert!(r4.get("DocumentReference?status=current").await.matches().is_empty());
    assert_eq!(r4.get("DocumentReference?status=entered-in-error").await.matches().len(), 1);
}

#[tokio::test]
async fn who_is_written_about_or_wrote_is_not_deleted() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::create(&r4, &sample::note(&circle.patient, &circle.role, "x")).await;
    for name in [&circle.patient, &circle.role, &circle.practitioner] {
        let refused = r4.delete(name).await.is(409);
        assert!(refused.text().contains('/'), "it says who refers to it: {}", refused.text());
    }
    assert!([200, 204].contains(&r4.delete(&note).await.status));
    for name in [&circle.patient, &circle.role, &circle.practitioner] {
        assert!([200, 204].contains(&r4.delete(name).await.status), "{name}");
    }
}

#[tokio::test]
async fn a_reference_to_nothing_is_refused_with_its_place() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let refused =
        r4.post("DocumentReference", &sample::note("Patient/nobody", &circle.practitioner, "x")).await.is(422);
    assert!(refused.findings().iter().any(|line| line.contains("subject")), "{:?}", refused.findings());
    let elsewhere = sample::note(&circle.patient, "https://annuaire.example/fhir/Practitioner/1", "x");
    r4.post("DocumentReference", &elsewhere).await.is(201);
    let by_identifier = json!([{ "identifier": { "system": "https://rpps.esante.gouv.fr", "value": "10000000001" } }]);
    let note = sample::with(sample::note(&circle.patient, &circle.practitioner, "x"), "/author", by_identifier);
    r4.post("DocumentReference", &note).await.is(201);
}

#[tokio::test]
async fn a_note_sent_twice_is_there_once() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), "58619");
    let id = r4.post("DocumentReference", &note).await.is(201).id();
    assert_eq!(r4.post("DocumentReference", &note).await.is(200).id(), id);
    let other = sample::with(note, "/description", "autre contenu");
    r4.post("DocumentReference", &other).await.is(409);
    assert_eq!(r4.get("DocumentReference").await.json()["total"], 1);
}

#[tokio::test]
async fn a_national_identifier_is_held_by_one() {
    let server = Server::start().await;
    let r4 = server.r4();
    let mut patient = sample::patient("1", "Morel", "Jeanne");
    patient["identifier"] = json!([{
        "system": "urn:oid:1.2.250.1.213.1.4.8", "value": "279035121518989",
        "type": { "coding": [{ "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR" }] }
    }]);
    r4.post("Patient", &patient).await.is(201);
    r4.post("Patient", &sample::with(patient, "/gender", "male")).await.is(409);
    let professional = json!({
        "resourceType": "Practitioner", "name": [{ "family": "Dupont" }],
        "identifier": [{ "system": "https://rpps.esante.gouv.fr", "value": "01234567897" }]
    });
    r4.post("Practitioner", &professional).await.is(201);
    r4.post("Practitioner", &sample::with(professional, "/name/0/family", "Durand")).await.is(409);
}
