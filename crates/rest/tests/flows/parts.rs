//! `_elements`: parts of resources, by read and by search.

use serde_json::{Value, json};

use crate::house::House;

const OBSERVATIONS: &str = "/fhir/r4/Observation";

async fn house_with_an_observation() -> House {
    let house = House::open().await;
    let observation = json!({
        "resourceType": "Observation", "id": "a", "status": "final",
        "code": { "text": "Poids" }, "note": [{ "text": "à jeun" }],
    });
    house.put_json(&format!("PUT {OBSERVATIONS}/a"), &observation).await.expect(201);
    house
}

fn names(resource: &Value) -> Vec<&str> {
    resource.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn what_must_be_there_is_shown_with_what_is_asked_for() {
    let house = house_with_an_observation().await;
    for (elements, expected) in [
        ("resourceType", ["code", "id", "meta", "resourceType", "status"].as_slice()),
        ("note", &["code", "id", "meta", "note", "resourceType", "status"]),
        ("Observation.note,resourceType", &["code", "id", "meta", "note", "resourceType", "status"]),
    ] {
        let read = house.get(&format!("{OBSERVATIONS}/a?_elements={elements}")).await.expect(200).json();
        let found = house.get(&format!("{OBSERVATIONS}?_id=a&_elements={elements}")).await.expect(200).json();
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
    let house = house_with_an_observation().await;
    for elements in ["colour", "note,colour", "", "Patient.name", "note.text"] {
        for path in
            [format!("{OBSERVATIONS}/a?_elements={elements}"), format!("{OBSERVATIONS}?_id=a&_elements={elements}")]
        {
            let refused = house.get(&path).await.expect(400);
            assert!(refused.text().contains("_elements"), "{path}: {}", refused.text());
        }
    }
}
