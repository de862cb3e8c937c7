//! Pages, their links, and what they keep.

use serde_json::{Value, json};

use crate::house::House;

fn link<'b>(bundle: &'b Value, relation: &str) -> Option<&'b str> {
    let links = bundle["link"].as_array().unwrap();
    links.iter().find(|l| l["relation"] == relation).and_then(|l| l["url"].as_str())
}

#[tokio::test]
async fn pages_follow_each_other_while_others_write() {
    let house = House::open().await;
    let patient = |n: u32| json!({ "resourceType": "Patient", "name": [{ "family": format!("Page{n:02}") }] });
    for n in 0..5 {
        house.put_json("POST /fhir/r4/Patient", &patient(n)).await.expect(201);
    }
    let mut url = "http://notes.example.org/fhir/r4/Patient?family=page&_sort=family&_count=2&_pretty=false".to_owned();
    let mut seen = Vec::new();
    for page in 0.. {
        let bundle = house.get(url.strip_prefix("http://notes.example.org").unwrap()).await.expect(200).json();
        assert_eq!(link(&bundle, "self"), Some(url.as_str()), "a page names itself");
        for entry in bundle["entry"].as_array().unwrap() {
            seen.push(entry["resource"]["name"][0]["family"].as_str().unwrap().to_owned());
        }
        house.put_json("POST /fhir/r4/Patient", &patient(10 + page)).await.expect(201);
        let Some(next) = link(&bundle, "next") else { break };
        assert!(next.contains("_pretty=false"), "{next}");
        url = next.to_owned();
    }
    assert_eq!(seen, ["Page00", "Page01", "Page02", "Page03", "Page04"]);
}

#[tokio::test]
async fn a_link_that_was_tampered_with_is_refused() {
    let house = House::open().await;
    house.get("/fhir/r4/Patient?_cursor=abcdef").await.expect(400);
    house.get("/fhir/r4/Patient/_history?_cursor=abcdef").await.expect(400);
}
