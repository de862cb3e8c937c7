//! Batches and transactions, and the guide's own example as it was published.

use liaison_tests::{Answer, Server, sample};
use serde_json::{Value, json};

const AS_PUBLISHED: &str = include_str!("../data/cdl-r4-transaction-as-published.json");
const AS_CORRECTED: &str = include_str!("../data/cdl-r4-transaction-create.json");

fn statuses(answer: &Answer) -> Vec<String> {
    let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap_or("-")[..3].to_owned()).collect()
}

fn locations(answer: &Answer) -> Vec<String> {
    let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
    let name = |entry: &Value| {
        let location = entry["response"]["location"].as_str().unwrap_or_default();
        let before = location.split("/_history").next().unwrap_or_default();
        let mut parts: Vec<&str> = before.rsplit('/').take(2).collect();
        parts.reverse();
        parts.join("/")
    };
    entries.iter().map(name).collect()
}

#[tokio::test]
async fn the_guides_example_works_as_published_and_as_corrected() {
    for (example, address, accepted) in
        [(AS_PUBLISHED, "", [200, 200]), (AS_CORRECTED, "", [200, 200]), (AS_PUBLISHED, "Bundle", [200, 201])]
    {
        let server = Server::start().await;
        let r4 = server.r4();
        let answer = r4.request("POST", address).body("application/fhir+json", example).send().await;
        assert!(accepted.contains(&answer.status), "{address}: {} {}", answer.status, answer.text());
        assert_eq!(answer.json()["type"], "transaction-response");
        assert_eq!(statuses(&answer), ["201"; 4]);
        let names = locations(&answer);
        let note = r4.get(&names[0]).await.is(200).json();
        assert_eq!(note["subject"]["reference"], names[3].as_str(), "{note}");
        assert_eq!(note["author"][0]["reference"], names[2].as_str());
        assert_eq!(note["author"][1]["reference"], names[1].as_str());
        assert_eq!(r4.get(&names[1]).await.json()["practitioner"]["reference"], names[2].as_str());
        let found = r4.get("DocumentReference?_include=*&patient.identifier=123456789012244").await.is(200);
        assert_eq!((found.matches().len(), found.included().len()), (1, 3));
    }
}

#[tokio::test]
async fn the_same_person_in_two_notes_is_one_person() {
    let server = Server::start().await;
    let r4 = server.r4();
    for _ in 0..2 {
        let answer = r4.request("POST", "").body("application/fhir+json", AS_PUBLISHED).send().await.is(200);
        assert_eq!(statuses(&answer).len(), 4);
    }
    assert_eq!(r4.get("Patient").await.json()["total"], 1, "the number of the person is one person's");
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all() {
    let server = Server::start().await;
    let r4 = server.r4();
    let good =
        sample::creating("urn:uuid:11111111-1111-4111-8111-111111111111", sample::patient("1", "Morel", "Jeanne"));
    let bad = sample::creating(
        "urn:uuid:22222222-2222-4222-8222-222222222222",
        sample::note("Patient/nobody", "Practitioner/nobody", "x"),
    );
    let refused = r4.post("", &sample::bundle("transaction", vec![good.clone(), bad])).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.findings().iter().any(|line| line.contains("entry[1]")), "{:?}", refused.findings());
    assert_eq!(r4.get("Patient").await.json()["total"], 0);
    r4.post("", &sample::bundle("transaction", vec![good])).await.is(200);
    assert_eq!(r4.get("Patient").await.json()["total"], 1);
}

#[tokio::test]
async fn a_batch_does_what_it_can() {
    let server = Server::start().await;
    let r4 = server.r4();
    let good =
        sample::creating("urn:uuid:11111111-1111-4111-8111-111111111111", sample::patient("1", "Morel", "Jeanne"));
    let bad = sample::creating(
        "urn:uuid:22222222-2222-4222-8222-222222222222",
        json!({ "resourceType": "Patient", "gender": "purple" }),
    );
    let read = json!({ "request": { "method": "GET", "url": "Patient?family=Morel" } });
    let answer = r4.post("", &sample::bundle("batch", vec![good, bad, read])).await.is(200);
    assert_eq!(answer.json()["type"], "batch-response");
    let statuses = statuses(&answer);
    assert_eq!(statuses[0], "201");
    assert!(["400", "422"].contains(&statuses[1].as_str()), "{statuses:?}");
    assert_eq!(answer.json()["entry"][1]["response"]["outcome"]["resourceType"], "OperationOutcome");
    assert_eq!(statuses[2], "200");
    assert_eq!(answer.json()["entry"][2]["resource"]["resourceType"], "Bundle");
}

#[tokio::test]
async fn a_transaction_updates_deletes_and_refers_across_its_entries() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let mut changed = r4.get(&circle.patient).await.json();
    let doctor = "urn:uuid:33333333-3333-4333-8333-333333333333";
    changed["generalPractitioner"] = json!([{ "reference": doctor }]);
    let entries = vec![
        json!({ "resource": changed, "request": { "method": "PUT", "url": circle.patient, "ifMatch": "W/\"1\"" } }),
        sample::creating(doctor, sample::practitioner("n-2", "Durand", "Anne")),
        json!({ "request": { "method": "DELETE", "url": circle.role } }),
    ];
    let answer = r4.post("", &sample::bundle("transaction", entries.clone())).await.is(200);
    let patient = r4.get(&circle.patient).await.json();
    let doctor = patient["generalPractitioner"][0]["reference"].as_str().unwrap();
    assert_eq!(r4.get(doctor).await.is(200).json()["name"][0]["family"], "Durand", "{}", answer.text());
    r4.get(&circle.role).await.is(410);
    assert_eq!(r4.post("", &sample::bundle("transaction", entries)).await.status, 412, "the version is another now");
}

#[tokio::test]
async fn conditional_entries_match_what_is_there() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let query = format!("identifier={}|p-1", sample::LOCAL);
    let person = "urn:uuid:44444444-4444-4444-8444-444444444444";
    let mut create = sample::creating(person, sample::patient("p-1", "Morel", "Jeanne"));
    create["request"]["ifNoneExist"] = json!(query);
    let note = sample::creating(
        "urn:uuid:55555555-5555-4555-8555-555555555555",
        sample::note(person, &circle.practitioner, "x"),
    );
    let answer = r4.post("", &sample::bundle("transaction", vec![create, note])).await.is(200);
    assert_eq!(statuses(&answer), ["200", "201"]);
    let note = r4.get(&locations(&answer)[1]).await.json();
    assert_eq!(note["subject"]["reference"], circle.patient.as_str());
    let upsert = json!({ "fullUrl": person, "resource": sample::patient("p-1", "Morel-Lefèvre", "Jeanne"),
        "request": { "method": "PUT", "url": format!("Patient?{query}") } });
    r4.post("", &sample::bundle("transaction", vec![upsert])).await.is(200);
    assert_eq!(r4.get(&circle.patient).await.json()["name"][0]["family"], "Morel-Lefèvre");
}

#[tokio::test]
async fn a_bundle_that_is_none_is_refused() {
    let server = Server::start_with(&[("LIAISON_MAX_BUNDLE_ENTRIES", "3")]).await;
    let r4 = server.r4();
    let entry = || sample::creating("urn:uuid:11111111-1111-4111-8111-111111111111", sample::patient("1", "M", "J"));
    let same = sample::bundle("transaction", vec![entry(), entry()]);
    assert!([400, 422].contains(&r4.post("", &same).await.status), "two entries of one name");
    r4.post("", &sample::bundle("transaction", vec![entry(); 4])).await.is(413);
    r4.post("", &sample::patient("1", "M", "J")).await.is(400);
    let status = r4.post("", &sample::bundle("searchset", vec![])).await.status;
    assert!([400, 422].contains(&status), "{status}");
    let without_request = sample::bundle("transaction", vec![json!({ "resource": sample::patient("1", "M", "J") })]);
    let status = r4.post("", &without_request).await.status;
    assert!([400, 422].contains(&status), "{status}");
    r4.post("", &json!({ "resourceType": "Bundle", "type": "transaction" })).await.is(200);
}

#[tokio::test]
async fn an_entry_changes_what_it_names_as_a_request_by_itself_does() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let nameless = sample::create(&r4, &json!({ "resourceType": "Practitioner" })).await;
    let note = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "une note")).await;
    let other = sample::with(sample::patient("p-2", "Roux", "Paul"), "/id", "somebody-else");
    let anonymous = sample::with(r4.get(&note).await.json(), "/author/0/reference", nameless.as_str());
    let operations = json!([{ "op": "replace", "path": "/author/0/reference", "value": nameless }]);
    let patch = json!({
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64::Engine::encode(&base64::prelude::BASE64_STANDARD, operations.to_string())
    });
    for (method, url, resource, sent_alone) in [
        ("PUT", circle.patient.as_str(), other.clone(), 400),
        ("PUT", &circle.patient, sample::patient("p-1", "Morel", "Jeanne"), 400),
        ("PUT", "Patient?identifier=p-1", other, 400),
        ("PUT", &note, anonymous, 422),
        ("PATCH", &note, patch, 422),
    ] {
        let alone = match method {
            "PATCH" => {
                let request = r4.request(method, url).body("application/json-patch+json", operations.to_string());
                request.send().await
            }
            _ => r4.request(method, url).json(&resource).send().await,
        };
        assert_eq!(alone.status, sent_alone, "{method} {url}: {}", alone.text());
        let entry = json!({ "resource": resource, "request": { "method": method, "url": url } });
        let answer = r4.post("", &sample::bundle("transaction", vec![entry])).await;
        assert_eq!(answer.status, sent_alone, "{method} {url} in a transaction: {}", answer.text());
    }
}
