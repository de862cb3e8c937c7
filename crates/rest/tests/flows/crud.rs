//! The life of one resource.

use serde_json::json;

use crate::house::House;

fn patient() -> serde_json::Value {
    json!({
        "resourceType": "Patient",
        "name": [{ "family": "Léonard", "given": ["Zoé"] }],
        "birthDate": "1950-02-03",
        "extension": [{ "url": "http://example.org/weight", "valueDecimal": 1.50 }],
    })
}

#[tokio::test]
async fn a_resource_is_created_read_found_updated_and_deleted() {
    let house = House::open().await;
    let created = house.put_json("POST /fhir/r4/Patient", &patient()).await.expect(201);
    let id = created.id();
    assert_eq!(created.header("location"), format!("http://notes.example.org/fhir/r4/Patient/{id}/_history/1"));
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert!(!created.header("last-modified").is_empty());

    let read = house.get(&format!("/fhir/r4/Patient/{id}")).await.expect(200);
    assert_eq!(read.body, created.body, "the answer to a read is the bytes stored");
    assert!(read.text().contains("\"valueDecimal\":1.5"), "{}", read.text());

    let found = house.get("/fhir/r4/Patient?family=leo&_elements=name").await.expect(200).json();
    assert_eq!(found["total"], 1);
    assert_eq!(found["entry"][0]["fullUrl"], format!("http://notes.example.org/fhir/r4/Patient/{id}"));
    assert_eq!(found["entry"][0]["resource"]["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(found["entry"][0]["resource"].get("birthDate").is_none());

    let mut changed = patient();
    changed["id"] = json!(id);
    changed["birthDate"] = json!("1950-02-04");
    house
        .send(
            &format!("PUT /fhir/r4/Patient/{id}"),
            &[("content-type", "application/fhir+json"), ("if-match", "W/\"7\"")],
            changed.to_string(),
        )
        .await
        .expect(412);
    let updated = house.put_json(&format!("PUT /fhir/r4/Patient/{id}"), &changed).await.expect(200);
    assert_eq!(updated.header("etag"), "W/\"2\"");

    let patch = json!([{ "op": "replace", "path": "/birthDate", "value": "1950-02-05" }]);
    let patched = house
        .send(
            &format!("PATCH /fhir/r4/Patient/{id}"),
            &[("content-type", "application/json-patch+json")],
            patch.to_string(),
        )
        .await
        .expect(200);
    assert_eq!(patched.json()["birthDate"], "1950-02-05");

    house.send(&format!("DELETE /fhir/r4/Patient/{id}"), &[], "").await.expect(200);
    house.get(&format!("/fhir/r4/Patient/{id}")).await.expect(410);
    assert_eq!(house.get("/fhir/r4/Patient").await.expect(200).json()["total"], 0);
    let history = house.get(&format!("/fhir/r4/Patient/{id}/_history")).await.expect(200).json();
    assert_eq!(history["total"], 4);
    assert_eq!(history["entry"][0]["request"]["method"], "DELETE");
    house.get(&format!("/fhir/r4/Patient/{id}/_history/2")).await.expect(200);
}

#[tokio::test]
async fn an_update_under_a_new_id_creates() {
    let house = House::open().await;
    let mut body = patient();
    body["id"] = json!("zoe");
    house.put_json("PUT /fhir/r4/Patient/zoe", &body).await.expect(201);
    house.put_json("PUT /fhir/r4/Patient/leon", &body).await.expect(400);
    house.put_json("PUT /fhir/r4/Patient/zoe", &patient()).await.expect(400);
}

#[tokio::test]
async fn what_others_refer_to_stays_and_what_is_referred_to_exists() {
    let house = House::open().await;
    let relative =
        |id: &str| json!({ "resourceType": "RelatedPerson", "patient": { "reference": format!("Patient/{id}") } });
    let refused = house.put_json("POST /fhir/r4/RelatedPerson", &relative("nobody")).await.expect(422).json();
    assert_eq!(refused["issue"][0]["expression"][0], "RelatedPerson.patient");
    let id = house.put_json("POST /fhir/r4/Patient", &patient()).await.expect(201).id();
    let of = house.put_json("POST /fhir/r4/RelatedPerson", &relative(&id)).await.expect(201).id();
    let refused = house.send(&format!("DELETE /fhir/r4/Patient/{id}"), &[], "").await.expect(409);
    assert!(refused.text().contains(&of));
}
