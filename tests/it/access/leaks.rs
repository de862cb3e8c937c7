//! Every answer is the one of a store in which what the caller may not see does not exist.

use liaison_tests::{Answer, Fhir, Provider};
use serde_json::{Value, json};

use super::world::{callers, name, serving, world};

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
    let answer = request.send().await;
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "last-modified", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    format!("{} {}\n{}", answer.status, headers.join("\n"), normal(&answer))
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

#[tokio::test]
async fn an_answer_tells_nothing_of_what_its_reader_may_not_see() {
    let provider = Provider::start().await;
    let whole = serving(&provider, &world()).await;
    for caller in callers() {
        let there: Vec<Value> =
            world().into_iter().filter(|resource| !caller.hidden.contains(&name(resource).as_str())).collect();
        let without = serving(&provider, &there).await;
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
        let there: Vec<Value> =
            world().into_iter().filter(|resource| !caller.hidden.contains(&name(resource).as_str())).collect();
        let without = serving(&provider, &there).await;
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
