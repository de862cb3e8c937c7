//! `_elements`: parts of resources, by read and by search.

use serde_json::{Value, json};

use crate::house::House;

const SYSTEMS: &str = "/fhir/r4/CodeSystem";

async fn house_with_a_code_system() -> House {
    let house = House::open().await;
    let system = json!({
        "resourceType": "CodeSystem", "id": "a", "title": "Types", "status": "draft", "content": "complete",
    });
    house.put_json(&format!("PUT {SYSTEMS}/a"), &system).await.expect(201);
    house
}

fn names(resource: &Value) -> Vec<&str> {
    resource.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn what_must_be_there_is_shown_with_what_is_asked_for() {
    let house = house_with_a_code_system().await;
    for (elements, expected) in [
        ("resourceType", ["content", "id", "meta", "resourceType", "status"].as_slice()),
        ("title", &["content", "id", "meta", "resourceType", "status", "title"]),
        ("CodeSystem.title,resourceType", &["content", "id", "meta", "resourceType", "status", "title"]),
    ] {
        let read = house.get(&format!("{SYSTEMS}/a?_elements={elements}")).await.expect(200).json();
        let found = house.get(&format!("{SYSTEMS}?_id=a&_elements={elements}")).await.expect(200).json();
        for shown in [&read, &found["entry"][0]["resource"]] {
            let mut names = names(shown);
            names.sort_unstable();
            assert_eq!(names, expected, "{elements}");
            assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED", "{elements}");
        }
    }
}

#[tokio::test]
async fn an_element_that_the_type_has_not_is_refused() {
    let house = house_with_a_code_system().await;
    for elements in ["colour", "title,colour", "", "Patient.name", "concept.code"] {
        for path in [format!("{SYSTEMS}/a?_elements={elements}"), format!("{SYSTEMS}?_id=a&_elements={elements}")] {
            let refused = house.get(&path).await.expect(400);
            assert!(refused.text().contains("_elements"), "{path}: {}", refused.text());
        }
    }
}

#[tokio::test]
async fn a_part_does_not_replace_the_whole() {
    let house = house_with_a_code_system().await;
    let whole = house.get(&format!("{SYSTEMS}/a")).await.expect(200).json();
    for base in ["/fhir/r4", "/fhir/stu3"] {
        let part = house.get(&format!("{base}/CodeSystem/a?_elements=status")).await.expect(200).json();
        let refused = house.put_json(&format!("PUT {base}/CodeSystem/a"), &part).await.expect(422).json();
        assert_eq!(refused["issue"][0]["expression"][0], "CodeSystem.meta.tag", "{refused:#}");
        let request = json!({ "method": "PUT", "url": "CodeSystem/a" });
        let entries = json!([{ "resource": part, "request": request }]);
        let transaction = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        house.put_json(&format!("POST {base}"), &transaction).await.expect(422);
    }
    assert_eq!(house.get(&format!("{SYSTEMS}/a")).await.json(), whole);
    let mut changed = whole.clone();
    changed["title"] = json!("Autres types");
    house.put_json(&format!("PUT {SYSTEMS}/a"), &changed).await.expect(200);
}

#[tokio::test]
async fn a_binary_that_a_search_shows_without_its_bytes_is_a_part() {
    let house = House::open().await;
    let binary = json!({ "resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "dGVzdA==" });
    house.put_json("PUT /fhir/r4/Binary/b", &binary).await.expect(201);
    for (base, system, data) in [
        ("/fhir/r4", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "data"),
        ("/fhir/stu3", "http://hl7.org/fhir/v3/ObservationValue", "content"),
    ] {
        for query in ["", "&_summary=true"] {
            let found = house.get(&format!("{base}/Binary?_id=b{query}")).await.expect(200).json();
            let shown = &found["entry"][0]["resource"];
            assert!(shown.get(data).is_none());
            assert_eq!(shown["meta"]["tag"], json!([{ "system": system, "code": "SUBSETTED" }]), "{base}{query}");
            house.put_json(&format!("PUT {base}/Binary/b"), shown).await.expect(422);
        }
        let read = house.send(&format!("GET {base}/Binary/b"), &[("accept", "application/fhir+json")], "").await;
        let read = read.expect(200).json();
        assert_eq!((&read[data], read["meta"].get("tag")), (&json!("dGVzdA=="), None));
    }
}
