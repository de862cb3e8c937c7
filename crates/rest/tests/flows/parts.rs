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
