//! Every answer is the one of a store in which what the caller may not see does not exist.

use liaison_tests::{Answer, Fhir, Provider, Server};
use serde_json::{Value, json};

use super::world::{Caller, callers, name, serving, world};

/// Requests by which something could be found out. `{id}` stands for each note in turn.
const QUESTIONS: [&str; 46] = [
    "DocumentReference",
    "DocumentReference?_summary=count",
    "DocumentReference?_total=accurate&_count=1",
    "DocumentReference?_count=2&_sort=description",
    "DocumentReference?_sort=-date&_elements=description",
    "DocumentReference?subject=Patient/jeanne",
    "DocumentReference?subject=Patient/paul",
    "DocumentReference?patient.family=Petit",
    "DocumentReference?subject:Patient.family=Morel&_include=DocumentReference:subject",
    "DocumentReference?author:PractitionerRole.practitioner.identifier=10000000002&_include=*",
    "DocumentReference?author:Practitioner.family=Blanc",
    "DocumentReference?security-label=MASQUE_PS",
    "DocumentReference?security-label:not=MASQUE_PS",
    "DocumentReference?identifier=no-health",
    "DocumentReference?identifier=of-paul",
    "DocumentReference?_id=open,no-health,no-social,no-third,no-patient,no-guardian,of-paul",
    "DocumentReference?_has:List:item:_id=1",
    "Patient",
    "Patient?family=Petit",
    "Patient?_summary=count",
    "Patient?_has:DocumentReference:subject:security-label=MASQUE_PS",
    "Patient?_has:DocumentReference:subject:identifier=no-third",
    "Patient?_has:CareTeam:subject:participant=PractitionerRole/luc",
    "Patient?_revinclude=DocumentReference:subject&_revinclude=CareTeam:subject",
    "Patient?_revinclude=RelatedPerson:patient&_revinclude:iterate=DocumentReference:author",
    "Practitioner?_has:PractitionerRole:practitioner:_has:DocumentReference:author:identifier=no-social",
    "PractitionerRole?_has:DocumentReference:author:subject=Patient/paul",
    "PractitionerRole?_revinclude=DocumentReference:author&_sort=_id",
    "PractitionerRole?_include=PractitionerRole:practitioner&_revinclude:iterate=DocumentReference:author&_include:iterate=DocumentReference:subject",
    "RelatedPerson",
    "RelatedPerson?patient.family=Petit",
    "CareTeam",
    "CareTeam?subject:Patient.family=Petit",
    "CareTeam?participant=RelatedPerson/tom",
    "CareTeam?_include:iterate=*",
    "?_type=Patient,DocumentReference,CareTeam,RelatedPerson&_summary=count",
    "?_type=Patient,DocumentReference&_sort=_id",
    "DocumentReference/{id}",
    "DocumentReference/{id}/_history",
    "DocumentReference/{id}/_history/1",
    "DocumentReference/{id}/_history/2",
    "DocumentReference/{id}/$validate?mode=delete",
    "Patient/paul",
    "Patient/paul/_history",
    "Patient/nobody",
    "CareTeam/c-paul",
];

const NOTES: [&str; 8] =
    ["open", "no-patient", "no-guardian", "no-health", "no-social", "no-third", "of-paul", "never-was"];

/// What is told of an answer: all of it but what differs between two servers by nature.
async fn told(r4: &Fhir, method: &str, address: &str, body: Option<&Value>) -> String {
    let request = r4.request(method, address);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    told_of(&request.send().await)
}

fn told_of(answer: &Answer) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "last-modified", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    format!("{} {}\n{}", answer.status, headers.join("\n"), normal(answer))
}

/// The body, without moments, names of requests and cursors.
fn normal(answer: &Answer) -> String {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return answer.text() };
    soften(&mut body);
    serde_json::to_string_pretty(&body).unwrap()
}

fn soften(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let is_bundle = members.get("resourceType") == Some(&json!("Bundle"));
            for (name, member) in members {
                match (name.as_str(), &member) {
                    ("lastUpdated" | "timestamp" | "lastModified", _) => *member = json!("T"),
                    ("id", _) if is_bundle => *member = json!("I"),
                    ("url", Value::String(link)) if link.contains("_cursor=") => {
                        *member = json!(link.split("_cursor=").next());
                    }
                    _ => soften(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(soften),
        _ => {}
    }
}

/// A server where what is hidden from a caller never was.
async fn without_hidden(provider: &Provider, caller: &Caller) -> Server {
    let there = |resource: &Value| !caller.hidden.contains(&name(resource).as_str());
    serving(provider, &world().into_iter().filter(there).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn an_answer_tells_nothing_of_what_its_reader_may_not_see() {
    let provider = Provider::start().await;
    let whole = serving(&provider, &world()).await;
    for caller in callers() {
        let without = without_hidden(&provider, &caller).await;
        let token = provider.token(&caller.claims);
        let (here, elsewhere) = (whole.r4().by(&token), without.r4().by(&token));
        for question in QUESTIONS {
            let ids: &[&str] = if question.contains("{id}") { &NOTES } else { &[""] };
            for id in ids {
                let address = question.replace("{id}", id);
                let (seen, expected) =
                    (told(&here, "GET", &address, None).await, told(&elsewhere, "GET", &address, None).await);
                assert_eq!(seen, expected, "{} asks for {address}", caller.who);
            }
        }
    }
}

#[tokio::test]
async fn what_one_tries_to_write_tells_nothing_either() {
    let provider = Provider::start().await;
    let whole = serving(&provider, &world()).await;
    for caller in callers() {
        let without = without_hidden(&provider, &caller).await;
        let token = provider.token(&caller.claims);
        let (here, elsewhere) = (whole.r4().by(&token), without.r4().by(&token));
        for hidden in &caller.hidden {
            let resource = world().into_iter().find(|resource| name(resource) == *hidden).unwrap();
            let patch = json!([{ "op": "replace", "path": "/id", "value": "x" }]);
            for (method, body) in [("PUT", Some(&resource)), ("DELETE", None), ("PATCH", Some(&patch))] {
                let (seen, expected) =
                    (told(&here, method, hidden, body).await, told(&elsewhere, method, hidden, body).await);
                assert_eq!(seen, expected, "{}: {method} {hidden}", caller.who);
            }
            // A note that refers to it, by the caller's own hand.
            let mut reply = super::world::note("reply", "jeanne", "awa", "");
            reply["relatesTo"] = json!([{ "code": "appends", "target": { "reference": hidden } }]);
            reply["subject"]["reference"] =
                json!(if hidden.starts_with("Patient/") { *hidden } else { "Patient/jeanne" });
            let (seen, expected) = (
                told(&here, "POST", "DocumentReference", Some(&reply)).await,
                told(&elsewhere, "POST", "DocumentReference", Some(&reply)).await,
            );
            assert_eq!(seen, expected, "{}: POST a note that refers to {hidden}", caller.who);
        }
    }
}

/// A method, an address, and headers.
type Way = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What is asked besides `GET` of an address; `{id}` as in [`QUESTIONS`].
const OTHERWISE: [Way; 12] = [
    ("HEAD", "DocumentReference/{id}", &[]),
    ("GET", "DocumentReference/{id}", &[("if-none-match", "W/\"1\"")]),
    ("GET", "DocumentReference/{id}", &[("if-modified-since", "Sat, 01 Jan 2050 00:00:00 GMT")]),
    ("GET", "DocumentReference/{id}", &[("accept", "application/fhir+xml")]),
    ("GET", "DocumentReference/{id}/$everything", &[]),
    ("GET", "Patient/paul/$everything", &[]),
    ("DELETE", "DocumentReference?identifier={id}", &[]),
    ("DELETE", "DocumentReference/{id}", &[("if-match", "W/\"7\"")]),
    ("GET", "$export?_type=DocumentReference", &[("prefer", "respond-async"), ("accept", "text/csv")]),
    ("GET", "_history", &[]),
    ("GET", "DocumentReference/_history", &[]),
    ("GET", "Patient/_history?_count=1", &[]),
];

#[tokio::test]
async fn nor_do_other_methods_conditions_and_formats() {
    let provider = Provider::start().await;
    let whole = serving(&provider, &world()).await;
    for caller in callers() {
        let without = without_hidden(&provider, &caller).await;
        let token = provider.token(&caller.claims);
        // Only what is hidden: the others would be deleted.
        let hidden: Vec<&str> =
            caller.hidden.iter().filter_map(|name| name.strip_prefix("DocumentReference/")).collect();
        for (method, question, headers) in OTHERWISE {
            let ids: &[&str] = if question.contains("{id}") { &hidden } else { &[""] };
            for id in ids {
                let address = question.replace("{id}", id);
                let ask = async |r4: Fhir| {
                    let request = r4.request(method, &address);
                    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
                    told_of(&request.send().await)
                };
                let (seen, expected) = (ask(whole.r4().by(&token)).await, ask(without.r4().by(&token)).await);
                assert_eq!(seen, expected, "{} asks {method} {address} {headers:?}", caller.who);
            }
        }
        for search in ["subject=Patient/jeanne", "_has:List:item:_id=1", "identifier=no-health,of-paul&_summary=count"]
        {
            let ask = async |r4: Fhir| {
                let request = r4.request("POST", "DocumentReference/_search");
                let request = request.body("application/x-www-form-urlencoded", search);
                told_of(&request.send().await)
            };
            let (seen, expected) = (ask(whole.r4().by(&token)).await, ask(without.r4().by(&token)).await);
            assert_eq!(seen, expected, "{} posts {search}", caller.who);
        }
        let entries: Vec<Value> = QUESTIONS
            .iter()
            .filter(|question| !question.starts_with('?'))
            .map(|question| json!({ "request": { "method": "GET", "url": question.replace("{id}", "no-health") } }))
            .collect();
        let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
        let (seen, expected) = (
            told(&whole.r4().by(&token), "POST", "", Some(&batch)).await,
            told(&without.r4().by(&token), "POST", "", Some(&batch)).await,
        );
        assert_eq!(seen, expected, "{} asks in a batch", caller.who);
    }
}

#[tokio::test]
async fn nor_do_pages_however_one_turns_them() {
    let provider = Provider::start().await;
    let whole = serving(&provider, &world()).await;
    for caller in callers() {
        let without = without_hidden(&provider, &caller).await;
        let token = provider.token(&caller.claims);
        for search in [
            "DocumentReference?_count=1",
            "DocumentReference?_count=2&_sort=description&_total=none",
            "DocumentReference?_count=2&_sort=-description&_include=DocumentReference:subject",
            "?_type=Patient,DocumentReference,CareTeam,RelatedPerson&_count=3&_sort=_id",
        ] {
            let pages = async |r4: Fhir| {
                let (mut pages, mut next) = (Vec::new(), Some(search.to_owned()));
                while let Some(address) = next {
                    let page = r4.get(&address).await.is(200).json();
                    let entries = page["entry"].as_array().cloned().unwrap_or_default();
                    pages.push(entries.iter().map(|entry| name(&entry["resource"])).collect::<Vec<_>>());
                    let link = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
                    next =
                        link.map(|link| link["url"].as_str().unwrap().rsplit_once("/fhir/r4/").unwrap().1.to_owned());
                }
                pages
            };
            let (seen, expected) = (pages(whole.r4().by(&token)).await, pages(without.r4().by(&token)).await);
            assert_eq!(seen, expected, "{} turns the pages of {search}", caller.who);
        }
    }
}

#[tokio::test]
async fn bytes_of_what_is_hidden_are_not_there_whole_or_in_part() {
    let provider = Provider::start().await;
    let mut with_photo = super::world::note("photo", "jeanne", "luc", "MASQUE_PS");
    with_photo["content"][0]["attachment"] = liaison_tests::sample::attachment("text/plain", &vec![b'x'; 100_000]);
    let all: Vec<Value> = world().into_iter().chain([with_photo]).collect();
    let server = serving(&provider, &all).await;
    let author = server.r4().by(&provider.token(&super::world::former_nurse()));
    let note = author.get("DocumentReference/photo").await.is(200).json();
    let url = note["content"][0]["attachment"]["url"].as_str().unwrap().to_owned();
    let binary = format!("Binary/{}", url.rsplit_once("/Binary/").unwrap().1);
    author.get(&binary).await.is(200);
    for claims in [super::world::nurse(), super::world::stranger(), super::world::operator()] {
        let other = server.r4().by(&provider.token(&claims));
        for address in [binary.as_str(), "Binary/0000000000000000"] {
            for (name, value) in [("range", "bytes=0-9"), ("accept", "text/plain"), ("if-none-match", "W/\"1\"")] {
                let answer = other.request("GET", address).header(name, value).send().await;
                assert_eq!(answer.status, 404, "{address} with {name}: {}", answer.text());
                assert!(answer.header("content-range").is_empty() && answer.header("etag").is_empty());
            }
        }
        assert_eq!(other.get("Binary?_summary=count").await.status, other.get("Binary?_id=0").await.status);
    }
}

#[tokio::test]
async fn who_runs_the_server_exports_who_is_who_and_nothing_that_is_noted() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let desk = server.r4().by(&provider.token(&super::world::operator()));
    let begun = desk.request("GET", "$export").header("prefer", "respond-async").send().await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let status = begun.header("content-location").rsplit_once("/fhir/r4/").unwrap().1.to_owned();
    let manifest = loop {
        let answer = desk.get(&status).await;
        match answer.status {
            202 => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            _ => break answer.is(200).json(),
        }
    };
    assert_eq!(manifest["requiresAccessToken"], true, "{manifest}");
    let types: Vec<&str> =
        manifest["output"].as_array().unwrap().iter().map(|file| file["type"].as_str().unwrap()).collect();
    assert!(types.contains(&"Patient") && types.contains(&"CareTeam"), "{types:?}");
    assert!(!types.contains(&"DocumentReference"), "{types:?}");
    let of_notes =
        manifest["output"][0]["url"].as_str().unwrap().replace("CareTeam.ndjson", "DocumentReference.ndjson");
    let of_notes = of_notes.rsplit_once("/fhir/r4/").unwrap().1.to_owned();
    assert_eq!(desk.get(&of_notes).await.text(), "", "{of_notes}");
    for file in manifest["output"].as_array().unwrap() {
        let address = file["url"].as_str().unwrap().rsplit_once("/fhir/r4/").unwrap().1.to_owned();
        server.r4().get(&address).await.is(401);
        server.r4().by(&provider.token(&super::world::nurse())).get(&address).await.is(403);
        assert!(!desk.get(&address).await.is(200).text().is_empty(), "{file}");
    }
}
