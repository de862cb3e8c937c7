//! The cahier de liaison of 2017, every request as printed, and the two faces of one notebook.

use serde_json::{Value, json};

use crate::house::House;

const AS_PRINTED: &str = include_str!("../../../care/data/examples/2017-create-as-printed.json");
const CONFORMANT: &str = include_str!("../../../care/data/examples/2017-create-conformant.json");
const UPDATE: &str = include_str!("../../../care/data/examples/2017-update.json");
const FHIR_JSON: [(&str, &str); 1] = [("content-type", "application/fhir+json")];
const KEY: &str = "/fhir/stu3/DocumentReference?masterIdentifier=http://EtablissementSource.fr|58619";

#[tokio::test]
async fn every_request_of_the_document_works_as_printed() {
    for create in [AS_PRINTED, CONFORMANT] {
        let house = House::open().await;
        let created = house.send("POST /fhir/stu3/Bundle", &FHIR_JSON, create).await.expect(201);
        assert!(created.header("location").contains("/fhir/stu3/DocumentReference/"), "{}", created.header("location"));
        let note = created.json();
        assert_eq!(note["masterIdentifier"]["value"], "58619");
        house.send("POST /fhir/stu3/Bundle", &FHIR_JSON, create).await.expect(200);

        for search in [
            "_include=DocumentReference.subject&author:Practitioner.name.family=Dupont&author:Practitioner.name.given=Marie",
            "subject:Patient.identifier=urn:oid:1.2.250.1.213.1.4.1|1234567890112345678901",
            "author:Practitioner.identifier=80123456789",
            "created=ge2017-06-01&type=OBS&securityLabel=N",
            "_include=DocumentReference:subject&author:Practitioner.family=Dupont&author:Practitioner.given=Marie",
            "identifier=http://EtablissementSource.fr|58619",
            "created=ge2017-06-01&type=urn:oid:1.2.250.1.213.1.1.4.334|OBS&securitylabel=N",
        ] {
            let found = house.get(&format!("/fhir/stu3/DocumentReference?{search}")).await.expect(200).json();
            assert_eq!(found["total"], 1, "{search}: {found:#}");
        }
        for search in [
            "author:Patient.name.family=Langdon&author:Patient.name.given=Robert",
            "author:RelatedPerson.name.family=Martin",
            "author:Organization.identifier=urn:oid:1.2.250.1.71.4.2.2|1750803447",
        ] {
            let found = house.get(&format!("/fhir/stu3/DocumentReference?{search}")).await.expect(200).json();
            assert_eq!(found["total"], 0, "{search}");
        }

        let updated = house.send(&format!("PUT {KEY}"), &FHIR_JSON, UPDATE).await.expect(200).json();
        assert_eq!(updated["subject"], note["subject"], "the update does not concern the person");
        assert_eq!(updated["description"], "Compte rendu de consultation infirmière (rectifié)");
        let found = house.get("/fhir/r4/DocumentReference?type=https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote|OBS").await;
        let found = found.expect(200).json();
        assert_eq!(found["total"], 1, "the note is in the other face too");
        assert!(found["entry"][0]["resource"].get("indexed").is_none(), "{found:#}");
        let id = updated["id"].as_str().unwrap();
        house.get(&format!("/fhir/r4/DocumentReference/{id}")).await.expect(200);

        house.send(&format!("DELETE {KEY}"), &FHIR_JSON, "").await.expect(200);
        house.send(&format!("DELETE {KEY}"), &FHIR_JSON, "").await.expect(404);
        house.send(&format!("PUT {KEY}"), &FHIR_JSON, UPDATE).await.expect(404);
        assert_eq!(house.get("/fhir/stu3/Patient").await.json()["total"], 1, "the person stays");
    }
}

#[tokio::test]
async fn a_note_of_today_is_read_in_the_form_of_2017() {
    let house = House::open().await;
    let bundle = include_str!("../../../care/data/examples/r4-transaction-as-published.json");
    house.send("POST /fhir/r4", &FHIR_JSON, bundle).await.expect(200);
    let found = house.get("/fhir/stu3/DocumentReference?_include=DocumentReference:author").await.expect(200).json();
    assert_eq!(found["total"], 1);
    let note = &found["entry"][0]["resource"];
    assert!(note["indexed"].is_string(), "{note:#}");
    let history = house
        .get(&format!("/fhir/stu3/DocumentReference/{}/_history", note["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert!(history["entry"][0].get("response").is_none());
}

#[tokio::test]
async fn a_collection_without_a_note_is_refused_not_kept() {
    let house = House::open().await;
    let bundle: Value = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": "http://s.fr/Patient/1", "resource": { "resourceType": "Patient", "id": "1" } },
    ] });
    house.put_json("POST /fhir/stu3/Bundle", &bundle).await.expect(422);
    assert_eq!(house.get("/fhir/stu3/Patient").await.json()["total"], 0);
}

#[tokio::test]
async fn a_note_sent_again_through_the_other_face_is_the_same_note() {
    let house = House::open().await;
    // Without the confidentiality of 2017, which R4 takes from no new note.
    let mut collection: Value = serde_json::from_str(CONFORMANT).unwrap();
    collection["entry"][0]["resource"].as_object_mut().unwrap().remove("securityLabel");
    house.put_json("POST /fhir/stu3/Bundle", &collection).await.expect(201);
    let bundle = include_str!("../../../care/data/examples/r4-transaction-as-published.json");
    let mut bundle: Value = serde_json::from_str(bundle).unwrap();
    bundle["entry"][0]["resource"]["masterIdentifier"] = json!({ "system": "http://source.example.org", "value": "1" });
    house.put_json("POST /fhir/r4", &bundle).await.expect(200);
    for (value, other) in [("58619", "r4"), ("1", "stu3")] {
        let found = house.get(&format!("/fhir/{other}/DocumentReference?identifier={value}")).await.expect(200).json();
        let note = &found["entry"][0]["resource"];
        let again = house.put_json(&format!("POST /fhir/{other}/DocumentReference"), note).await.expect(200);
        assert_eq!(again.json()["id"], note["id"]);
        let mut another = note.clone();
        another["description"] = json!("autre chose");
        house.put_json(&format!("POST /fhir/{other}/DocumentReference"), &another).await.expect(409);
    }
}

#[tokio::test]
async fn a_bundle_of_2017_sent_again_in_todays_form_is_the_same_note() {
    let house = House::open().await;
    let collection: Value = serde_json::from_str(CONFORMANT).unwrap();
    house.put_json("POST /fhir/stu3/Bundle", &collection).await.expect(201);
    let mut shown: Vec<Value> = Vec::new();
    for kind in ["DocumentReference", "Patient", "Practitioner"] {
        let page = house.get(&format!("/fhir/r4/{kind}")).await.expect(200).json();
        shown.extend(page["entry"].as_array().unwrap().clone());
    }
    let note = shown[0]["resource"].clone();
    assert_eq!(note["securityLabel"][0]["coding"][0]["code"], "N", "a code that today's form does not have");
    let bundle = |kind: &str| {
        let entry = |shown: &Value| {
            let mut entry = json!({ "fullUrl": shown["fullUrl"], "resource": shown["resource"] });
            if kind == "transaction" {
                entry["request"] = json!({ "method": "POST", "url": shown["resource"]["resourceType"] });
            }
            entry
        };
        json!({ "resourceType": "Bundle", "type": kind, "entry": shown.iter().map(entry).collect::<Vec<_>>() })
    };
    for _ in 0..2 {
        let again = house.put_json("POST /fhir/r4/Bundle", &bundle("collection")).await.expect(200).json();
        assert_eq!((&again["id"], &again["meta"]["versionId"]), (&note["id"], &json!("1")));
        for path in ["/fhir/r4", "/fhir/r4/Bundle"] {
            let answer = house.put_json(&format!("POST {path}"), &bundle("transaction")).await.expect(200).json();
            assert_eq!(answer["entry"][0]["response"]["status"], "200 OK", "{answer:#}");
        }
    }
    for entry in &shown {
        let kind = entry["resource"]["resourceType"].as_str().unwrap();
        assert_eq!(house.get(&format!("/fhir/r4/{kind}")).await.json()["total"], 1, "{kind}");
    }
    // A note that is not there yet must be what notes of today are.
    let mut other = bundle("collection");
    other["entry"][0]["resource"]["masterIdentifier"]["value"] = json!("58620");
    house.put_json("POST /fhir/r4/Bundle", &other).await.expect(422);
}
