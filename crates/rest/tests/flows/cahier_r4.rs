//! The cahier de liaison of today, by transaction and one resource at a time.

use serde_json::{Value, json};

use crate::house::House;

const AS_PUBLISHED: &str = include_str!("../../../care/data/examples/r4-transaction-as-published.json");

#[tokio::test]
async fn the_guides_own_example_works_as_published_at_both_addresses() {
    for address in ["/fhir/r4", "/fhir/r4/", "/fhir/r4/Bundle"] {
        let house = House::open().await;
        let answer = house
            .send(&format!("POST {address}"), &[("content-type", "application/fhir+json")], AS_PUBLISHED)
            .await
            .expect(200)
            .json();
        assert_eq!(answer["type"], "transaction-response");
        let statuses: Vec<&str> =
            answer["entry"].as_array().unwrap().iter().map(|e| e["response"]["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["201 Created"; 4], "{address}");

        let found = house
            .get("/fhir/r4/DocumentReference?_include=*&subject:Patient.identifier=123456789012244&author:Practitioner.family=brooks")
            .await
            .expect(200)
            .json();
        assert_eq!(found["total"], 1, "{found:#}");
        let note = &found["entry"][0]["resource"];
        let patient = note["subject"]["reference"].as_str().unwrap();
        assert!(patient.starts_with("Patient/") && patient != "Patient/0d920958-b596-4b91-af67-9bafc707820b");
        house.get(&format!("/fhir/r4/{patient}")).await.expect(200);
        let included: Vec<&str> = found["entry"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["search"]["mode"] == "include")
            .map(|e| e["resource"]["resourceType"].as_str().unwrap())
            .collect();
        assert_eq!(included.len(), 3, "{included:?}");

        // Who is known by a national identifier is not doubled by another note.
        let again = house
            .send("POST /fhir/r4", &[("content-type", "application/fhir+json")], AS_PUBLISHED)
            .await
            .expect(200)
            .json();
        assert_eq!(again["entry"][3]["response"]["status"], "200 OK");
        assert_eq!(house.get("/fhir/r4/Patient").await.json()["total"], 1);
    }
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing() {
    let house = House::open().await;
    let mut bundle: Value = serde_json::from_str(AS_PUBLISHED).unwrap();
    bundle["entry"][3]["resource"]["birthDate"] = json!("1975-13-45");
    let refused = house.put_json("POST /fhir/r4", &bundle).await;
    assert!(matches!(refused.status.as_u16(), 400 | 422), "{}", refused.text());
    assert_eq!(refused.json()["issue"][0]["expression"][0], "Bundle.entry[3].resource.birthDate");
    for kind in ["Patient", "Practitioner", "PractitionerRole", "DocumentReference"] {
        assert_eq!(house.get(&format!("/fhir/r4/{kind}")).await.json()["total"], 0, "{kind}");
    }
}

async fn people(house: &House) -> (String, String) {
    let patient = json!({ "resourceType": "Patient", "name": [{ "family": "Lebrun", "given": ["Paul"] }] });
    let author = json!({ "resourceType": "Practitioner", "name": [{ "family": "Brooks", "given": ["Sophie"] }] });
    let patient = house.put_json("POST /fhir/r4/Patient", &patient).await.expect(201).id();
    let author = house.put_json("POST /fhir/r4/Practitioner", &author).await.expect(201).id();
    (patient, author)
}

fn note(patient: &str, author: &str) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "type": { "coding": [{
            "system": "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "code": "OBS",
        }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "author": [{ "reference": format!("Practitioner/{author}") }],
        "content": [{ "attachment": { "contentType": "text/plain", "data": "dGVzdA==" } }],
    })
}

#[tokio::test]
async fn replies_are_read_with_their_thread_in_one_request() {
    let house = House::open().await;
    let (patient, author) = people(&house).await;
    let mother = house.put_json("POST /fhir/r4/DocumentReference", &note(&patient, &author)).await.expect(201).id();
    let mut last = mother.clone();
    for _ in 0..2 {
        let mut reply = note(&patient, &author);
        reply["relatesTo"] =
            json!([{ "code": "appends", "target": { "reference": format!("DocumentReference/{last}") } }]);
        last = house.put_json("POST /fhir/r4/DocumentReference", &reply).await.expect(201).id();
    }
    let thread = house
        .get(&format!("/fhir/r4/DocumentReference?_id={mother}&_revinclude:iterate=DocumentReference:relatesto"))
        .await
        .expect(200)
        .json();
    assert_eq!(thread["entry"].as_array().unwrap().len(), 3, "{thread:#}");
    house.send(&format!("DELETE /fhir/r4/Patient/{patient}"), &[], "").await.expect(409);
    house.send(&format!("DELETE /fhir/r4/DocumentReference/{last}"), &[], "").await.expect(200);
}

#[tokio::test]
async fn an_author_nobody_knows_is_refused() {
    let house = House::open().await;
    let (patient, _) = people(&house).await;
    let nameless = json!({ "resourceType": "Practitioner", "active": true });
    let nameless = house.put_json("POST /fhir/r4/Practitioner", &nameless).await.expect(201).id();
    let refused = house.put_json("POST /fhir/r4/DocumentReference", &note(&patient, &nameless)).await.expect(422);
    assert_eq!(refused.json()["issue"][0]["expression"][0], "DocumentReference.author[0]");
}

#[tokio::test]
async fn a_note_sent_twice_is_one_note() {
    let house = House::open().await;
    let (patient, author) = people(&house).await;
    let mut sent = note(&patient, &author);
    sent["masterIdentifier"] = json!({ "system": "http://source.example.org", "value": "1" });
    let first = house.put_json("POST /fhir/r4/DocumentReference", &sent).await.expect(201);
    let second = house.put_json("POST /fhir/r4/DocumentReference", &sent).await.expect(200);
    assert_eq!(first.json()["id"], second.json()["id"]);
    sent["description"] = json!("Another");
    let refused = house.put_json("POST /fhir/r4/DocumentReference", &sent).await.expect(409);
    assert!(refused.header("location").ends_with(&first.id()), "{:?}", refused.headers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_leave_one() {
    let house = std::sync::Arc::new(House::open().await);
    let (patient, author) = people(&house).await;
    let mut by_master = note(&patient, &author);
    by_master["masterIdentifier"] = json!({ "system": "http://source.example.org", "value": "64" });
    let by_master = by_master.to_string();
    let patient_named = |family: &str| json!({ "resourceType": "Patient", "name": [{ "family": family }] }).to_string();
    struct Way<'w>(&'w str, &'w str, Vec<(&'w str, &'w str)>, String);
    let ways = [
        Way(
            "/fhir/r4/DocumentReference",
            "/fhir/r4/DocumentReference?identifier=http://source.example.org|64",
            vec![],
            by_master,
        ),
        Way("/fhir/r4", "/fhir/r4/Patient?identifier=123456789012244", vec![], AS_PUBLISHED.to_owned()),
        Way(
            "/fhir/r4/Patient",
            "/fhir/r4/Patient?family=seul",
            vec![("if-none-exist", "family=seul")],
            patient_named("Seul"),
        ),
        Way(
            "/fhir/r4/Patient",
            "/fhir/r4/Patient?family=unique",
            vec![("idempotency-key", "k1")],
            patient_named("Unique"),
        ),
    ];
    for Way(address, count, headers, body) in ways {
        let all = (0..64).map(|_| {
            let (house, body, headers) = (house.clone(), body.clone(), headers.clone());
            let mut headers: Vec<(String, String)> =
                headers.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
            headers.push(("content-type".to_owned(), "application/fhir+json".to_owned()));
            let line = format!("POST {address}");
            tokio::spawn(async move {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                house.send(&line, &headers, body).await.status.as_u16()
            })
        });
        let all: Vec<_> = all.collect();
        let mut statuses = Vec::new();
        for one in all {
            statuses.push(one.await.unwrap());
        }
        assert!(statuses.iter().all(|s| matches!(s, 200 | 201)), "{count}: {statuses:?}");
        assert_eq!(house.get(count).await.expect(200).json()["total"], 1, "{count}");
    }
    let id = house.get("/fhir/r4/Patient?family=seul").await.json()["entry"][0]["resource"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let all: Vec<_> = (0..64)
        .map(|n| {
            let (house, id) = (house.clone(), id.clone());
            tokio::spawn(async move {
                let body = json!({ "resourceType": "Patient", "id": id, "name": [{ "family": "Seul", "given": [n.to_string()] }] });
                let headers = [("content-type", "application/fhir+json"), ("if-match", "W/\"1\"")];
                house.send(&format!("PUT /fhir/r4/Patient/{id}"), &headers, body.to_string()).await.status.as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in all {
        statuses.push(one.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|s| **s == 412).count(), 63);
}
