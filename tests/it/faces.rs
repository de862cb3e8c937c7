//! One notebook, two faces: what is written through one base is found and read through the other.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn a_note_of_2017_is_read_in_todays_form() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let printed = include_str!("../data/cdl-2017-create-as-printed.json");
    stu3.request("POST", "Bundle").body("application/fhir+json", printed).send().await.is(201);
    let found = r4.get("DocumentReference?patient.identifier=1234567890112345678901&type=OBS&_include=*").await.is(200);
    let note = &found.matches()[0];
    assert!(note["date"].as_str().is_some_and(|date| date.starts_with("2017-06-1")), "{note}");
    assert!(note.get("created").is_none() && note.get("indexed").is_none(), "{note}");
    assert_eq!(note["description"], "Compte rendu de consultation infirmière");
    assert!(!found.included().is_empty());
    assert_eq!(r4.get("DocumentReference?author:Practitioner.family=Dupont&date=2017-06-14").await.matches().len(), 1);
}

#[tokio::test]
async fn a_note_of_today_is_read_in_the_form_of_2017() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "bonjour"), "n-1");
    let urgent = sample::with(note, "/extension", json!([{ "url": sample::EMERGENCY, "valueBoolean": true }]));
    let name = sample::create(&r4, &urgent).await;
    let seen = stu3.get(&name).await.is(200).json();
    assert!(seen["created"].as_str().is_some_and(|date| date.starts_with("2026-03-04T08:30:00")), "{seen}");
    assert!(seen["indexed"].is_string(), "{seen}");
    assert!(seen.get("date").is_none());
    assert_eq!(seen["content"], urgent["content"]);
    for query in ["masterIdentifier=n-1", "created=2026-03-04", "author:Practitioner.name.family=Dubreuil", "type=OBS"]
    {
        assert_eq!(stu3.get(&format!("DocumentReference?{query}")).await.is(200).matches().len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_note_that_goes_there_and_back_loses_nothing() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    let mut note = sample::named(sample::note(&circle.patient, &circle.role, "bonjour"), "n-1");
    note["category"] = json!([{ "text": "une" }, { "text": "autre" }]);
    note["extension"] = json!([{ "url": "https://logiciel.example/humeur", "valueDecimal": 1.5 }]);
    note["context"] = json!({ "period": { "start": "2026-03-04" }, "related": [{ "display": "dossier" }] });
    let name = sample::create(&r4, &note).await;
    let written = r4.get(&name).await.json();
    let through = stu3.get(&name).await.is(200).json();
    stu3.put(&name, &through).await.is(200);
    let mut back = r4.get(&name).await.is(200).json();
    assert_eq!(back["meta"]["versionId"], "2");
    back["meta"] = written["meta"].clone();
    assert_eq!(back, written);
}

#[tokio::test]
async fn both_faces_check_the_same_keys() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    r4.post("DocumentReference", &sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), "n-1"))
        .await
        .is(201);
    let mut other = sample::named(sample::note(&circle.patient, &circle.practitioner, "y"), "n-1");
    other.as_object_mut().unwrap().remove("date");
    other["indexed"] = json!("2026-03-04T08:30:00Z");
    stu3.post("DocumentReference", &other).await.is(409);
}
