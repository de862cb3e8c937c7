//! Who writes what.

use liaison_tests::{Fhir, Launch, Provider, Server, on_postgres, sample};
use serde_json::{Value, json};

use super::world::{
    ROLE_CLASS, aide, daughter, former_nurse, note, nurse, operator, person_herself, serving, stranger, world,
};

/// A note about Jeanne by somebody, without an id.
fn new_note(by: &str, id: &str) -> Value {
    let mut new = note(id, "jeanne", "awa", "");
    new["author"] = json!([{ "reference": by }]);
    new.as_object_mut().unwrap().remove("id");
    new
}

async fn start() -> (Provider, Server) {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    (provider, server)
}

fn by(server: &Server, provider: &Provider, claims: &Value) -> Fhir {
    server.r4().by(&provider.token(claims))
}

#[tokio::test]
async fn a_note_is_written_by_the_circle_in_ones_own_name() {
    let (provider, server) = start().await;
    let nurse = by(&server, &provider, &nurse());
    nurse.post("DocumentReference", &new_note("PractitionerRole/awa", "1")).await.is(201);
    nurse.post("DocumentReference", &new_note("Practitioner/awa", "2")).await.is(201);
    let other = nurse.post("DocumentReference", &new_note("PractitionerRole/ines", "3")).await.is(403);
    assert!(other.text().contains("in your own name"), "{}", other.text());
    by(&server, &provider, &daughter()).post("DocumentReference", &new_note("RelatedPerson/lea", "4")).await.is(201);
    by(&server, &provider, &person_herself()).post("DocumentReference", &new_note("Patient/jeanne", "5")).await.is(201);
    // For a stranger the person is not there.
    let stranger = by(&server, &provider, &stranger());
    let refused = stranger.post("DocumentReference", &new_note("Practitioner/awa", "6")).await.is(422);
    assert!(refused.text().contains("Patient/jeanne does not exist here"), "{}", refused.text());
    by(&server, &provider, &operator()).post("DocumentReference", &new_note("Practitioner/awa", "7")).await.is(403);
}

#[tokio::test]
async fn only_its_author_changes_and_deletes_a_note_in_the_circle_or_out_of_it() {
    let (provider, server) = start().await;
    let author = by(&server, &provider, &former_nurse());
    for other in [nurse(), aide(), person_herself()] {
        let other = by(&server, &provider, &other);
        let read = other.get("DocumentReference/open").await.is(200).json();
        other.put("DocumentReference/open", &sample::with(read, "/description", "autre")).await.is(403);
        other.delete("DocumentReference/open").await.is(403);
    }
    let read = author.get("DocumentReference/no-health").await.is(200).json();
    author.put("DocumentReference/no-health", &sample::with(read.clone(), "/description", "revu")).await.is(200);
    // Nor does an author give the note to somebody else.
    let given = sample::with(read.clone(), "/author/0/reference", "PractitionerRole/awa");
    author.put("DocumentReference/no-health", &given).await.is(422);
    author.delete("DocumentReference/no-health").await.is(200);
    author.get("DocumentReference/no-health").await.is(410);
    by(&server, &provider, &nurse()).get("DocumentReference/no-health").await.is(404);
    by(&server, &provider, &aide()).get("DocumentReference/no-health").await.is(410);
}

#[tokio::test]
async fn who_leaves_the_circle_is_out_at_once_and_who_enters_is_in() {
    let (provider, server) = start().await;
    let (nurse, person) = (by(&server, &provider, &nurse()), by(&server, &provider, &person_herself()));
    nurse.get("DocumentReference/open").await.is(200);
    let mut circle = person.get("CareTeam/c-jeanne").await.is(200).json();
    circle["participant"][0]["period"]["end"] = json!("2024-01-01");
    circle["participant"].as_array_mut().unwrap().push(json!({ "member": { "reference": "Practitioner/luc" } }));
    nurse.put("CareTeam/c-jeanne", &circle).await.is(403);
    person.put("CareTeam/c-jeanne", &circle).await.is(200);
    nurse.get("DocumentReference/open").await.is(404);
    nurse.get("Patient/jeanne").await.is(404);
    by(&server, &provider, &former_nurse()).get("DocumentReference/no-social").await.is(200);
}

#[tokio::test]
async fn who_leaves_by_one_node_is_out_on_the_others_at_once() {
    if !on_postgres() {
        // One program serves a file.
        return;
    }
    let (provider, server) = start().await;
    let other = Server::launch(Launch::on(server.store()).for_callers_of(&provider)).await;
    let (nurse, person) = (by(&other, &provider, &nurse()), by(&server, &provider, &person_herself()));
    let out = |of: &mut Value| of["participant"][0]["period"]["end"] = json!("2024-01-01");
    let back = |of: &mut Value| drop(of["participant"][0]["period"].as_object_mut().unwrap().remove("end"));
    for _ in 0..5 {
        // Asked more than once, so that what may be seen is kept.
        for _ in 0..3 {
            nurse.get("DocumentReference/open").await.is(200);
            nurse.get("DocumentReference?identifier=open").await.is(200).json();
        }
        for (status, total, change) in [(404, 0, &out as &dyn Fn(&mut Value)), (200, 1, &back)] {
            let mut circle = person.get("CareTeam/c-jeanne").await.is(200).json();
            change(&mut circle);
            person.put("CareTeam/c-jeanne", &circle).await.is(200);
            assert_eq!(nurse.get("DocumentReference?identifier=open").await.is(200).json()["total"], total);
            nurse.get("DocumentReference/open").await.is(status);
        }
    }
}

#[tokio::test]
async fn a_person_comes_with_a_circle_and_a_note_in_one_transaction() {
    let (provider, server) = start().await;
    let nurse = by(&server, &provider, &nurse());
    let entry = |full: &str, resource: Value| {
        json!({ "fullUrl": full, "resource": resource,
                "request": { "method": "POST", "url": resource["resourceType"] } })
    };
    let mut person = sample::patient("new", "Roux", "Anne");
    person.as_object_mut().unwrap().remove("id");
    let urn = "urn:uuid:6f9b8c0e-2f50-4a7b-9c0e-3b5a4f1d2e01";
    let circle = json!({
        "resourceType": "CareTeam", "status": "active", "name": "Cercle", "subject": { "reference": urn },
        "identifier": [{ "system": sample::LOCAL, "value": "c-new" }], "period": { "start": "2020-01-01" },
        "participant": [{ "member": { "reference": "PractitionerRole/awa" }, "period": { "start": "2020-01-01" } }]
    });
    let mut first = sample::note(urn, "PractitionerRole/awa", "première");
    first["masterIdentifier"] = json!({ "system": sample::LOCAL, "value": "first" });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        entry(urn, person),
        entry("urn:uuid:6f9b8c0e-2f50-4a7b-9c0e-3b5a4f1d2e02", circle),
        entry("urn:uuid:6f9b8c0e-2f50-4a7b-9c0e-3b5a4f1d2e03", first),
    ] });
    nurse.post("", &bundle).await.is(200);
    let found = nurse.get("DocumentReference?identifier=first&_include=DocumentReference:subject").await.is(200).json();
    assert_eq!(found["entry"].as_array().map(Vec::len), Some(2), "{found}");
    let hidden = by(&server, &provider, &aide()).get("DocumentReference?identifier=first").await.is(200).json();
    assert_eq!(hidden["total"], 0);
}

#[tokio::test]
async fn what_is_unique_and_hidden_is_refused_without_being_named() {
    let (provider, server) = start().await;
    let nurse = by(&server, &provider, &nurse());
    // The note "of-paul" has this masterIdentifier.
    let refused = nurse.post("DocumentReference", &new_note("PractitionerRole/awa", "of-paul")).await.is(409);
    assert!(!refused.text().contains("DocumentReference/of-paul"), "{}", refused.text());
    assert!(refused.headers.get("location").is_none());
    let seen = nurse.post("DocumentReference", &new_note("PractitionerRole/awa", "open")).await.is(409);
    assert!(seen.text().contains("DocumentReference/open"), "{}", seen.text());
}

#[tokio::test]
async fn attachments_are_there_for_who_sees_the_note() {
    let (provider, server) = start().await;
    let nurse = by(&server, &provider, &nurse());
    let mut with_photo = new_note("PractitionerRole/awa", "photo");
    with_photo["content"][0]["attachment"] = sample::attachment("text/plain", &vec![b'x'; 100_000]);
    with_photo["securityLabel"] = note("x", "jeanne", "awa", "MASQUE_PT")["securityLabel"].clone();
    let created = nurse.post("DocumentReference", &with_photo).await.is(201).json();
    let address =
        created["content"][0]["attachment"]["url"].as_str().unwrap().rsplit_once("/Binary/").unwrap().1.to_owned();
    let binary = format!("Binary/{address}");
    nurse.get(&binary).await.is(200);
    by(&server, &provider, &aide()).get(&binary).await.is(200);
    for other in [daughter(), stranger(), operator()] {
        by(&server, &provider, &other).get(&binary).await.is(404);
    }
}

#[tokio::test]
async fn nobody_writes_a_profession_for_themselves() {
    let (provider, server) = start().await;
    let aide = by(&server, &provider, &aide());
    let own = aide.get("Practitioner/ines").await.is(200).json();
    aide.put("Practitioner/ines", &own).await.is(403);
    by(&server, &provider, &operator()).put("Practitioner/ines", &sample::with(own, "/active", true)).await.is(200);
}

#[tokio::test]
async fn who_acts_for_the_person_by_law_is_said_by_who_keeps_the_circle() {
    let (provider, server) = start().await;
    let (daughter, nurse) = (by(&server, &provider, &daughter()), by(&server, &provider, &nurse()));
    let person = by(&server, &provider, &person_herself());
    let own = daughter.get("RelatedPerson/lea").await.is(200).json();
    daughter.put("RelatedPerson/lea", &sample::with(own.clone(), "/name/0/given/0", "Léa")).await.is(200);
    let guardian = json!({ "coding": [{ "system": ROLE_CLASS, "code": "GUARD" }] });
    let guardian = sample::with(own.clone(), "/relationship/0", guardian);
    let refused = daughter.put("RelatedPerson/lea", &guardian).await.is(403);
    assert!(refused.text().contains("by who acts for the person"), "{}", refused.text());
    let add = json!([{ "op": "add", "path": "/relationship/-", "value": guardian["relationship"][0] }]);
    let patch = daughter.request("PATCH", "RelatedPerson/lea").body("application/json-patch+json", add.to_string());
    patch.send().await.is(403);
    nurse.put("RelatedPerson/lea", &guardian).await.is(403);
    daughter.get("DocumentReference/no-third").await.is(404);
    person.put("RelatedPerson/lea", &guardian).await.is(200);
    daughter.get("DocumentReference/no-third").await.is(200);
    // What is said already may be said again, and taken back.
    nurse.put("RelatedPerson/lea", &sample::with(guardian, "/name/0/given/0", "Lise")).await.is(200);
    daughter.put("RelatedPerson/lea", &own).await.is(200);
    daughter.get("DocumentReference/no-third").await.is(404);
}

#[tokio::test]
async fn nobody_becomes_somebody_else_by_writing_their_own_number_there() {
    let (provider, server) = start().await;
    let nurse = by(&server, &provider, &nurse());
    let number = |value: &str| json!({ "system": "https://rpps.esante.gouv.fr", "value": value });
    for name in ["Patient/jeanne", "RelatedPerson/marc"] {
        let before = nurse.get(name).await.is(200).json();
        let carrying = |value: &str| {
            let mut after = before.clone();
            let mut numbers = after["identifier"].as_array().cloned().unwrap_or_default();
            numbers.push(number(value));
            after["identifier"] = json!(numbers);
            after
        };
        let mut national = carrying("x");
        *national["identifier"].as_array_mut().unwrap().last_mut().unwrap() =
            json!({ "system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000000001" });
        for own in [carrying("10000000001"), national] {
            nurse.put(name, &own).await.is(403);
        }
        let other = json!({ "system": sample::LOCAL, "value": "dossier-7" });
        let mut file = carrying("x");
        *file["identifier"].as_array_mut().unwrap().last_mut().unwrap() = other;
        nurse.put(name, &file).await.is(200);
        by(&server, &provider, &operator()).put(name, &carrying("10000000001")).await.is(200);
        // It is there already, whoever put it there.
        nurse.put(name, &carrying("10000000001")).await.is(200);
    }
}
