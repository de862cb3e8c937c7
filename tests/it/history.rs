//! History of an instance, of a type, of everything.

use liaison_tests::{Answer, Server, sample};

fn versions(history: &Answer) -> Vec<String> {
    let bundle = history.json();
    assert_eq!(bundle["type"], "history");
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let line = |entry: &serde_json::Value| {
        format!(
            "{} {}",
            entry["request"]["method"].as_str().unwrap(),
            entry["resource"]["meta"]["versionId"].as_str().unwrap_or("-")
        )
    };
    entries.iter().map(line).collect()
}

#[tokio::test]
async fn a_history_shows_each_version_newest_first() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let resource = r4.get(&name).await.json();
    r4.put(&name, &sample::with(resource, "/gender", "male")).await.is(200);
    r4.delete(&name).await;
    let history = r4.get(&format!("{name}/_history")).await.is(200);
    assert_eq!(versions(&history), ["DELETE -", "PUT 2", "POST 1"]);
    assert_eq!(history.json()["total"], 3);
    let page = r4.get(&format!("{name}/_history?_count=2")).await.is(200);
    assert_eq!(versions(&page), ["DELETE -", "PUT 2"]);
    let next = r4.get(&page.link("next").expect("a second page")).await.is(200);
    assert_eq!(versions(&next), ["POST 1"]);
    assert_eq!(next.link("next"), None);
}

#[tokio::test]
async fn a_history_can_begin_at_a_moment() {
    let server = Server::start().await;
    let r4 = server.r4();
    let name = sample::create(&r4, &sample::patient("1", "Morel", "Jeanne")).await;
    let updated = r4.get(&name).await.json()["meta"]["lastUpdated"].as_str().unwrap().to_owned();
    assert_eq!(versions(&r4.get(&format!("{name}/_history?_since={}", updated.replace('+', "%2B"))).await), ["POST 1"]);
    assert_eq!(versions(&r4.get("Patient/_history?_since=2200-01-01T00:00:00Z").await), [""; 0]);
    r4.get("Patient/_history?_since=yesterday").await.is(400);
}

#[tokio::test]
async fn types_and_the_whole_server_have_a_history() {
    let server = Server::start().await;
    let r4 = server.r4();
    sample::circle(&r4).await;
    assert_eq!(versions(&r4.get("Patient/_history").await.is(200)), ["POST 1"]);
    // The definitions that the server brings came before.
    let newest = r4.get("_history?_count=3").await.is(200).json();
    let types: Vec<&str> = newest["entry"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["resource"]["resourceType"].as_str())
        .collect();
    assert_eq!(types, ["PractitionerRole", "Practitioner", "Patient"]);
    // They are there like everything else, whichever way everything is asked for.
    let told = r4.get("_history?_count=0").await.is(200).json()["total"].as_u64().unwrap();
    let found =
        r4.get("?_lastUpdated=gt2000&_summary=count&_total=accurate").await.is(200).json()["total"].as_u64().unwrap();
    assert_eq!(told, found, "each has one version");
    assert!(r4.get("StructureDefinition/_history?_count=0").await.is(200).json()["total"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn each_version_is_shown_as_it_was_written() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    let mut note = sample::note(&circle.patient, &circle.practitioner, "un");
    note.as_object_mut().unwrap().remove("date");
    note["created"] = "2026-03-04".into();
    note["indexed"] = "2026-03-04T08:00:00Z".into();
    let name = sample::create(&stu3, &note).await;
    let mut as_r4 = r4.get(&name).await.is(200).json();
    as_r4["description"] = "deux".into();
    r4.put(&name, &as_r4).await.is(200);
    let first = stu3.get(&format!("{name}/_history/1")).await.is(200).json();
    assert_eq!(first["created"], "2026-03-04");
    assert_eq!(stu3.get(&name).await.is(200).json()["created"], "2026-03-04", "what R4 cannot hold came back");
    assert_eq!(r4.get(&format!("{name}/_history/2")).await.is(200).json()["description"], "deux");
}
