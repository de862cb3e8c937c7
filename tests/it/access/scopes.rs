//! What a token was granted limits what its bearer sees and does, and never widens it.

use liaison_tests::{Fhir, Provider, Server, sample};
use serde_json::{Value, json};

use super::world::{VISIBILITY, former_nurse, note, nurse, serving, world};

async fn start() -> (Provider, Server) {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    (provider, server)
}

fn granted(server: &Server, provider: &Provider, claims: Value, scope: &str) -> Fhir {
    let mut claims = claims;
    claims["scope"] = json!(scope);
    server.r4().by(&provider.token(&claims))
}

async fn total(r4: &Fhir, search: &str) -> u64 {
    r4.get(search).await.is(200).json()["total"].as_u64().unwrap()
}

/// A note by the nurse, without an id.
fn new_note(master: &str) -> Value {
    let mut new = note(master, "jeanne", "awa", "");
    new.as_object_mut().unwrap().remove("id");
    new
}

fn transaction(entries: &[(&str, &str, Option<Value>)]) -> Value {
    let entry = |(method, url, resource): &(&str, &str, Option<Value>)| {
        let mut entry = json!({ "request": { "method": method, "url": url } });
        if let Some(resource) = resource {
            entry["resource"] = resource.clone();
        }
        entry
    };
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries.iter().map(entry).collect::<Vec<_>>() })
}

#[tokio::test]
async fn who_was_granted_to_read_writes_nothing_by_any_way() {
    let (provider, server) = start().await;
    for scope in ["user/DocumentReference.rs", "user/*.read", "system/*.rs openid"] {
        let reader = granted(&server, &provider, nurse(), scope);
        reader.get("DocumentReference/open").await.is(200);
        reader.post("DocumentReference", &new_note("by-itself")).await.is(403);
        reader.post("", &transaction(&[("POST", "DocumentReference", Some(new_note("in-a-bundle")))])).await.is(403);
        let batch =
            sample::with(transaction(&[("POST", "DocumentReference", Some(new_note("in-a-batch")))]), "/type", "batch");
        let told = reader.post("", &batch).await.is(200).json();
        assert!(told["entry"][0]["response"]["status"].as_str().unwrap().starts_with("403"), "{told}");
    }
    let all = server.r4().by(&provider.token(&nurse()));
    assert_eq!(total(&all, "DocumentReference?identifier=by-itself,in-a-bundle,in-a-batch").await, 0);
    // Who may create may not change.
    let writer = granted(&server, &provider, nurse(), "user/DocumentReference.crs");
    let own = writer.post("DocumentReference", &new_note("own")).await.is(201).json();
    let address = format!("DocumentReference/{}", own["id"].as_str().unwrap());
    writer.put(&address, &own).await.is(403);
    writer.post("", &transaction(&[("PUT", &address, Some(own.clone()))])).await.is(403);
    writer.post("", &transaction(&[("DELETE", &address, None)])).await.is(403);
    writer.delete(&address).await.is(403);
}

#[tokio::test]
async fn types_that_were_not_granted_are_neither_included_nor_led_through() {
    let (provider, server) = start().await;
    let notes = granted(&server, &provider, nurse(), "user/DocumentReference.rs");
    let found =
        notes.get("DocumentReference?_include=DocumentReference:subject&_include=DocumentReference:author").await;
    let found = found.is(200).json();
    assert_eq!(found["total"], found["entry"].as_array().unwrap().len(), "{found}");
    assert_eq!(total(&notes, "DocumentReference?subject=Patient/jeanne").await, 5);
    assert_eq!(total(&notes, "DocumentReference?subject:Patient.family=Morel").await, 0);
    notes.get("Patient/jeanne").await.is(403);
    notes.get("Patient").await.is(403);
    notes.get("?_type=DocumentReference,Patient").await.is(403);
    let persons = granted(&server, &provider, nurse(), "user/DocumentReference.rs user/Patient.r");
    persons.get("Patient/jeanne").await.is(200);
    assert_eq!(total(&persons, "DocumentReference?subject:Patient.family=Morel").await, 5);
}

#[tokio::test]
async fn scopes_of_one_person_open_no_other_notebook_not_even_to_an_author() {
    let (provider, server) = start().await;
    // Luc wrote in both notebooks.
    let both = server.r4().by(&provider.token(&former_nurse()));
    both.get("DocumentReference/of-paul").await.is(200);
    both.get("DocumentReference/open").await.is(200);
    for scope in ["patient/*.rs", "patient/DocumentReference.rs user/Patient.rs launch/patient"] {
        let mut claims = former_nurse();
        claims["patient"] = json!("jeanne");
        let one = granted(&server, &provider, claims, scope);
        one.get("DocumentReference/open").await.is(200);
        one.get("DocumentReference/of-paul").await.is(404);
        assert_eq!(total(&one, "DocumentReference?subject=Patient/paul").await, 0);
        assert_eq!(total(&one, "DocumentReference").await, 6);
        // A scope of a person, with nobody named, is of nobody.
        let nobody = granted(&server, &provider, former_nurse(), scope);
        nobody.get("DocumentReference/open").await.is(404);
        assert_eq!(total(&nobody, "DocumentReference").await, 0);
    }
    let mut claims = former_nurse();
    claims["patient"] = json!("jeanne");
    let writer = granted(&server, &provider, claims, "patient/DocumentReference.cruds");
    let of_paul = json!({ "reference": "Patient/paul" });
    let mut elsewhere = note("elsewhere", "paul", "luc", "");
    elsewhere.as_object_mut().unwrap().remove("id");
    writer.post("DocumentReference", &elsewhere).await.is(403);
    let own = writer.get("DocumentReference/open").await.is(200).json();
    let moved = writer.put("DocumentReference/open", &sample::with(own.clone(), "/subject", of_paul)).await;
    assert!([403, 422].contains(&moved.status), "{}", moved.text());
    writer.put("DocumentReference/open", &sample::with(own, "/description", "revu")).await.is(200);
}

#[tokio::test]
async fn a_restriction_holds_of_what_is_read_found_and_written() {
    let (provider, server) = start().await;
    let masked = format!("user/DocumentReference.cruds?security-label={VISIBILITY}|MASQUE_PT");
    let some = granted(&server, &provider, nurse(), &masked);
    some.get("DocumentReference/no-third").await.is(200);
    some.get("DocumentReference/open").await.is(404);
    assert_eq!(total(&some, "DocumentReference").await, 1);
    some.post("DocumentReference", &new_note("unlabelled")).await.is(403);
    let mut labelled = new_note("labelled");
    labelled["securityLabel"] = note("x", "jeanne", "awa", "MASQUE_PT")["securityLabel"].clone();
    let made = some.post("DocumentReference", &labelled).await.is(201).json();
    let address = format!("DocumentReference/{}", made["id"].as_str().unwrap());
    // Nor does it leave the restriction by a change.
    let mut bare = made.clone();
    bare.as_object_mut().unwrap().remove("securityLabel");
    some.put(&address, &bare).await.is(403);
    // With another scope beside it, either will do.
    let either = granted(&server, &provider, nurse(), &format!("{masked} user/DocumentReference.r"));
    either.get("DocumentReference/open").await.is(200);
    // What is not understood gives nothing, rather than everything.
    for nonsense in ["colour=blue", "subject:Patient.family=Morel", "_count=3", "date=yesterday"] {
        let none = granted(&server, &provider, nurse(), &format!("user/DocumentReference.rs?{nonsense}"));
        none.get("DocumentReference/open").await.is(404);
        assert_eq!(total(&none, "DocumentReference").await, 0, "{nonsense}");
    }
}
