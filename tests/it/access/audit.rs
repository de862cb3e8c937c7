//! Who did what is told of once, whatever came of it; who may see that, and that what is missing shows.

use std::{process::Command, time::Duration};

use liaison_tests::{Answer, Fhir, Provider, Server, binary, on_postgres};
use serde_json::{Value, json};

use super::world::{daughter, nurse, operator, person_herself, serving, stranger, world};

/// What is done in which way, and what comes of it for a nurse of the circle.
const CALLS: [(&str, &str, u16); 30] = [
    ("GET", "DocumentReference/open", 200),
    ("HEAD", "DocumentReference/open", 200),
    ("GET", "DocumentReference/no-health", 404),
    ("GET", "DocumentReference/none", 404),
    ("GET", "DocumentReference/open/_history/1", 200),
    ("GET", "DocumentReference/open/_history", 200),
    ("GET", "DocumentReference/_history", 403),
    ("GET", "DocumentReference?patient=jeanne", 200),
    ("GET", "DocumentReference?patient=jeanne&_summary=count", 200),
    ("GET", "DocumentReference?no-such-parameter=1", 400),
    ("POST", "DocumentReference/_search", 200),
    ("GET", "?_type=Patient", 200),
    ("GET", "_history", 403),
    ("GET", "NoSuchType/1", 404),
    ("GET", "no/such/address/at/all", 404),
    ("GET", "Patient/$emergency-access", 405),
    ("POST", "Patient/$emergency-access", 422),
    ("POST", "DocumentReference", 201),
    ("POST", "DocumentReference", 400),
    ("POST", "Patient", 201),
    ("PUT", "DocumentReference/open", 422),
    ("PATCH", "DocumentReference/open", 403),
    ("DELETE", "DocumentReference/open", 403),
    ("DELETE", "DocumentReference", 400),
    ("POST", "", 200),
    ("POST", "DocumentReference/$validate", 200),
    ("GET", "$export", 403),
    ("GET", "metadata", 200),
    ("GET", "AuditEvent", 200),
    ("POST", "AuditEvent", 405),
];

fn body(method: &str, address: &str, status: u16) -> Option<Value> {
    let mut note = super::world::note("another", "jeanne", "awa", "");
    note.as_object_mut().unwrap().remove("id");
    Some(match (method, address, status) {
        ("POST", "DocumentReference", 400) => json!({ "resourceType": "Patient" }),
        ("POST", "DocumentReference" | "DocumentReference/$validate", _) => note,
        ("POST", "Patient", _) => json!({ "resourceType": "Patient" }),
        ("POST", "AuditEvent", _) => json!({ "resourceType": "AuditEvent" }),
        ("PUT", ..) => {
            note["id"] = json!("open");
            note
        }
        ("PATCH", ..) => json!([{ "op": "replace", "path": "/description", "value": "autre" }]),
        ("POST", "", _) => json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
            { "request": { "method": "GET", "url": "DocumentReference/open" } }
        ] }),
        ("POST", "Patient/$emergency-access", _) => json!({ "resourceType": "Parameters", "parameter": [
            { "name": "patient", "valueReference": { "reference": "Patient/jeanne" } },
            { "name": "reason", "valueString": "Chute à domicile, inconsciente" }
        ] }),
        _ => return None,
    })
}

async fn call(by: &Fhir, (method, address, status): (&str, &str, u16)) -> Answer {
    let request = by.request(method, address);
    let request = match (method, body(method, address, status)) {
        ("PATCH", Some(body)) => request.body("application/json-patch+json", body.to_string()),
        (_, Some(body)) => request.json(&body),
        _ if address.ends_with("_search") => request.body("application/x-www-form-urlencoded", "patient=jeanne"),
        _ if address == "$export" => request.header("prefer", "respond-async"),
        _ => request,
    };
    request.send().await
}

/// Every event there is for whoever asks, the latest first.
async fn trail(by: &Fhir, query: &str) -> Vec<Value> {
    let (mut events, mut next) = (Vec::new(), Some(format!("AuditEvent?_count=50{query}")));
    while let Some(address) = next {
        let page = by.get(&address).await.is(200);
        events.extend(page.matches());
        next = next_page(&page);
    }
    events
}

fn next_page(page: &Answer) -> Option<String> {
    page.link("next")?.split_once("/fhir/r4/").map(|(_, address)| address.to_owned())
}

/// Waits until what was done so far is told.
async fn told(by: &Fhir, last: &Answer) -> Vec<Value> {
    let wanted = last.header("x-request-id").to_owned();
    for _ in 0..200 {
        let events = trail(by, "").await;
        if events.iter().any(|event| request_of(event) == Some(&wanted)) {
            return events;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("request {wanted} was never told of");
}

fn request_of(event: &Value) -> Option<&str> {
    let mut entities = event["entity"].as_array()?.iter();
    entities.find(|one| one["type"]["code"] == "XrequestId")?["what"]["identifier"]["value"].as_str()
}

fn whats(event: &Value) -> Vec<&str> {
    let entities = event["entity"].as_array().map(Vec::as_slice).unwrap_or_default();
    entities.iter().filter_map(|entity| entity["what"]["reference"].as_str()).collect()
}

#[tokio::test]
async fn every_call_leaves_exactly_one_event_whatever_came_of_it() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let operator = server.r4().by(&provider.token(&operator()));
    let mut little = nurse();
    little["scope"] = json!("user/Organization.rs");
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut last = None;
    for (which, base) in [("r4", server.r4()), ("stu3", server.stu3())] {
        let callers = [
            ("the nurse", base.by(&provider.token(&nurse()))),
            ("a stranger", base.by(&provider.token(&stranger()))),
            ("a nurse with little leave", base.by(&provider.token(&little))),
            ("nobody", base.clone()),
            ("a forger", base.by("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhd2EifQ.")),
        ];
        for (who, by) in callers {
            for of in CALLS {
                let answer = call(&by, of).await;
                let what = format!("{which}: {who}, {} {} → {}", of.0, of.1, answer.status);
                if who == "the nurse" && which == "r4" {
                    assert_eq!(answer.status, of.2, "{what}: {}", answer.text());
                }
                // What is no address, or takes no such method, is so for everybody.
                let open =
                    of.1 == "metadata" || of.1.starts_with("no/") || of == ("GET", "Patient/$emergency-access", 405);
                if ["nobody", "a forger"].contains(&who) && !open {
                    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
                }
                if who == "a nurse with little leave" && of.1.starts_with("DocumentReference/open") {
                    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
                }
                asked.push((answer.header("x-request-id").to_owned(), what));
                last = Some(answer);
            }
        }
    }
    let events = told(&operator, &last.unwrap()).await;
    for (request, what) in &asked {
        let of: Vec<&Value> = events.iter().filter(|event| request_of(event) == Some(request)).collect();
        assert_eq!(of.len(), 1, "{what}: {of:#?}");
        let refused = what.rsplit(' ').next().is_some_and(|status| status.starts_with('4'));
        assert_eq!(of[0]["outcome"] != "0", refused, "{what}: {}", of[0]);
    }
    // No more than that, and no content.
    let others = events.iter().filter(|event| request_of(event).is_none()).count();
    assert_eq!(others, 0, "told without a request");
    let all = Value::from(events).to_string();
    assert!(!all.contains("note open") && !all.contains("Chute") && !all.contains("patient=jeanne"), "content");
}

#[tokio::test]
async fn each_entry_of_a_batch_is_told_of_and_a_transaction_is_one() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let (operator, nurse) = (by(&server, &provider, &operator()), by(&server, &provider, &nurse()));
    let mut bundle = body("POST", "", 200).unwrap();
    let second = json!({ "request": { "method": "GET", "url": "DocumentReference/no-health" } });
    bundle["entry"].as_array_mut().unwrap().push(second);
    bundle["type"] = json!("batch");
    let batch = nurse.post("", &bundle).await.is(200);
    let events = told(&operator, &batch).await;
    let of: Vec<_> = events.iter().filter(|event| request_of(event) == Some(batch.header("x-request-id"))).collect();
    let mut does: Vec<_> =
        of.iter().map(|e| (&e["subtype"][0]["code"], &e["outcome"])).map(|(a, b)| format!("{a}{b}")).collect();
    does.sort();
    assert_eq!(does, [r#""batch""0""#, r#""read""0""#, r#""read""4""#]);
    let mut transaction = body("POST", "", 200).unwrap();
    let mut note = body("POST", "DocumentReference", 201).unwrap();
    note["masterIdentifier"]["value"] = json!("by transaction");
    let new = json!({ "resource": note, "request": { "method": "POST", "url": "DocumentReference" } });
    transaction["entry"].as_array_mut().unwrap().push(new);
    let done = nurse.post("", &transaction).await.is(200);
    let events = told(&operator, &done).await;
    let of: Vec<_> = events.iter().filter(|event| request_of(event) == Some(done.header("x-request-id"))).collect();
    assert_eq!(of.len(), 1);
    let made = done.json()["entry"][1]["response"]["location"].as_str().unwrap().to_owned();
    let whats = whats(of[0]);
    assert!(whats.contains(&"DocumentReference/open/_history/1"), "{whats:?}");
    assert!(whats.iter().any(|what| made.ends_with(what)), "{whats:?} {made}");
}

fn by(server: &Server, provider: &Provider, claims: &Value) -> Fhir {
    server.r4().by(&provider.token(claims))
}

#[tokio::test]
async fn a_person_finds_who_saw_the_notebook_as_far_as_they_may_see_it_themselves() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let nurse_token = provider.token(&json!({
        "sub": "awa", "SubjectNameID": "810000000001", "given_name": "Awa", "family_name": "Diallo",
        "SubjectRefPro": { "exercices": [{ "codeProfession": "60" }] }
    }));
    let nurse = server.r4().by(&nurse_token);
    let person = by(&server, &provider, &person_herself());
    nurse.get("DocumentReference/open").await.is(200);
    // Hidden from the person: that it was read tells that it is there.
    nurse.get("DocumentReference/no-patient").await.is(200);
    nurse.get("DocumentReference?patient=jeanne").await.is(200);
    by(&server, &provider, &stranger()).get("DocumentReference/open").await.is(404);
    by(&server, &provider, &super::world::former_nurse()).get("DocumentReference/of-paul").await.is(200);
    let last = nurse.get("Patient/jeanne").await.is(200);
    told(&by(&server, &provider, &operator()), &last).await;

    let seen = trail(&person, "").await;
    let all = Value::from(seen.clone()).to_string();
    assert!(!all.contains("no-patient") && !all.contains("paul"), "{all}");
    assert!(!all.contains("127.0.0.1") && !all.contains("awa\""), "where from and which account is not for people");
    let reads: Vec<_> = seen.iter().filter(|event| event["subtype"][0]["code"] == "read").map(whats).collect();
    assert!(reads.contains(&vec!["Patient/jeanne", "DocumentReference/open/_history/1"]), "{reads:?}");
    assert_eq!(seen[0]["agent"][0]["name"], "Awa Diallo", "{}", seen[0]);
    let search = seen.iter().find(|event| event["subtype"][0]["code"] == "search").unwrap();
    assert!(!whats(search).contains(&"DocumentReference/no-health/_history/1"), "the nurse did not see it");
    assert!(whats(search).contains(&"DocumentReference/no-third/_history/1"), "{search}");

    // One by one, and no more than that.
    let id = seen[0]["id"].as_str().unwrap();
    assert_eq!(person.get(&format!("AuditEvent/{id}")).await.is(200).json(), seen[0]);
    for other in [daughter(), stranger(), super::world::nurse()] {
        let other = by(&server, &provider, &other);
        other.get(&format!("AuditEvent/{id}")).await.is(404);
        assert_eq!(trail(&other, "").await, Vec::<Value>::new());
    }
    let guardian = by(&server, &provider, &json!({ "sub": "marc", "fhirUser": "RelatedPerson/marc" }));
    let of_guardian = Value::from(trail(&guardian, "").await).to_string();
    assert!(of_guardian.contains("no-patient") && !of_guardian.contains("no-guardian"), "{of_guardian}");
    assert_eq!(trail(&person, "&patient=paul").await, Vec::<Value>::new());

    // The same in the form of 2017.
    let stu3 = server.stu3().by(&provider.token(&person_herself()));
    let event = stu3.get(&format!("AuditEvent/{id}")).await.is(200).json();
    assert_eq!(event["entity"][0]["reference"]["reference"], "Patient/jeanne", "{event}");
}

#[tokio::test]
async fn the_trail_is_searched_like_anything_else_by_who_runs_the_server() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let (operator, nurse) = (by(&server, &provider, &operator()), by(&server, &provider, &nurse()));
    for address in ["DocumentReference/open", "Patient/jeanne", "DocumentReference/none", "CareTeam/c-jeanne"] {
        nurse.get(address).await;
    }
    let opened = by(&server, &provider, &stranger());
    let last = call(&opened, ("POST", "Patient/$emergency-access", 201)).await.is(201);
    // What changes something is told at once; what does not, a moment later.
    let events = told(&operator, &nurse.get("Patient/jeanne").await).await;
    let emergency = events.iter().find(|event| request_of(event) == Some(last.header("x-request-id"))).unwrap();
    assert_eq!(emergency["purposeOfEvent"][0]["coding"][0]["code"], "ETREAT");
    assert_eq!(whats(emergency)[0], "Patient/jeanne");

    let at = emergency["recorded"].as_str().unwrap();
    for (query, least, every) in [
        ("&patient=jeanne", 3, "Patient/jeanne"),
        ("&patient=Patient/jeanne&action=R", 3, "\"action\":\"R\""),
        ("&entity=Patient/jeanne&action=E", 1, "ETREAT"),
        ("&outcome=4", 1, "\"outcome\":\"4\""),
        ("&subtype=read", 4, "\"read\""),
        ("&action:not=R&outcome=0&patient=jeanne", 1, "ETREAT"),
        ("&_sort=-date&patient=jeanne", 4, "Patient/jeanne"),
    ] {
        let found = trail(&operator, query).await;
        assert!(found.len() >= least, "{query}: {}", found.len());
        assert!(found.iter().all(|event| event.to_string().contains(every)), "{query}: {found:#?}");
    }
    let of_that_moment = trail(&operator, &format!("&date={}&patient=jeanne", at.replace('+', "%2B"))).await;
    assert!(of_that_moment.contains(emergency), "{of_that_moment:#?}");
    assert_eq!(trail(&operator, "&date=lt2020-01-01").await, Vec::<Value>::new());
    assert_eq!(trail(&operator, "&patient=nobody").await, Vec::<Value>::new());
    // Pages give each event once.
    let (mut paged, mut next) = (Vec::new(), Some("AuditEvent?_count=2&patient=jeanne".to_owned()));
    while let Some(address) = next {
        let page = operator.get(&address).await.is(200);
        assert!(page.matches().len() <= 2);
        paged.extend(page.matches());
        next = next_page(&page);
    }
    assert_eq!(paged, trail(&operator, "&patient=jeanne").await);

    for refused in ["_sort=date", "_include=AuditEvent:agent", "patient.name=x", "_has:List:item:code=x", "nothing=1"] {
        operator.get(&format!("AuditEvent?{refused}")).await.is(400);
    }
    operator.get("AuditEvent?_cursor=0000000000000001-0000000000000001").await.is(400);
    let id = emergency["id"].as_str().unwrap();
    for (method, address) in [
        ("PUT", format!("AuditEvent/{id}")),
        ("DELETE", format!("AuditEvent/{id}")),
        ("GET", format!("AuditEvent/{id}/_history")),
        ("GET", format!("AuditEvent/{id}/_history/1")),
    ] {
        let request = operator.request(method, &address);
        let request = if method == "PUT" { request.json(emergency) } else { request };
        request.send().await.is(405);
    }
    let statement = operator.get("metadata").await.is(200).json();
    let all = statement["rest"][0]["resource"].as_array().unwrap();
    let said = all.iter().find(|one| one["type"] == "AuditEvent").unwrap();
    assert_eq!(said["interaction"], json!([{ "code": "read" }, { "code": "search-type" }]));
}

/// Runs `liaison audit …` on a store.
fn audit(store: &str, arguments: &[&str]) -> (bool, String) {
    let out = Command::new(binary()).arg("audit").args(arguments).args(["--store", store]).output().unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn what_is_missing_or_was_altered_shows() {
    let provider = Provider::start().await;
    let mut server = serving(&provider, &world()).await;
    let nurse = by(&server, &provider, &nurse());
    let new = body("POST", "DocumentReference", 201).unwrap();
    let made = nurse.post("DocumentReference", &new).await.is(201);
    // Told in the transaction: it is there though the program is killed at once.
    server.kill().await;
    let store = server.store();
    let (whole, said) = audit(store.url(), &["verify"]);
    assert!(whole, "{said}");
    let end = said.lines().find_map(|line| line.strip_prefix("end ")).unwrap().to_owned();
    let (_, lines) = audit(store.url(), &["export"]);
    let told = lines.lines().filter(|line| line.contains("\"made\"") && line.contains(&made.id())).count();
    assert_eq!(told, 1, "{lines}");
    let (whole, said) = audit(store.url(), &["verify", "--expect", &end]);
    assert!(whole, "{said}");
    let (whole, said) = audit(store.url(), &["verify", "--expect", "nonsense"]);
    assert!(!whole && said.contains("nonsense"), "{said}");

    // One that was noted down and is not there: its last digit is another.
    let other = if end.ends_with('0') { '1' } else { '0' };
    let gone = format!("{}{other}", &end[..end.len() - 1]);
    let (whole, said) = audit(store.url(), &["verify", "--expect", &gone]);
    assert!(!whole && said.contains("noted down elsewhere"), "{said}");
    if on_postgres() {
        store.database().sql("UPDATE audit SET body = body || 'x'::bytea WHERE number = 1");
        let (whole, said) = audit(store.url(), &["verify"]);
        assert!(!whole && said.contains("altered"), "{said}");
    }
}
