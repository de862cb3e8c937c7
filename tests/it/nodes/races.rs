//! What races for one key through three nodes leaves one resource, and answers that make sense.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use liaison_tests::{Answer, Nodes, Request, sample};
use serde_json::{Value, json};

use super::{feed_has_no_gap, total};

const RACERS: usize = 64;

/// All of them at once, each through the next node.
async fn race(nodes: &Nodes, request: impl Fn(&liaison_tests::Fhir, usize) -> Request) -> Vec<Answer> {
    join_all((0..RACERS).map(|at| request(&nodes.r4(at), at).send())).await
}

/// How many answers have each status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

fn one_won(answers: &[Answer], first: u16, others: u16) {
    let odd = answers.iter().find(|answer| ![first, others].contains(&answer.status));
    assert_eq!(
        statuses(answers),
        BTreeMap::from([(first, 1), (others, RACERS - 1)]),
        "{:?}",
        odd.map(|answer| answer.text())
    );
}

fn same_id(answers: &[Answer]) {
    assert!(answers.iter().all(|answer| answer.id() == answers[0].id()), "one resource is meant by all");
}

async fn there_is_one(nodes: &Nodes, query: &str) {
    for number in 0..nodes.many() {
        assert_eq!(total(&nodes.r4(number), query).await, 1, "{query} at node {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_note_is_made_of_one_master_identifier() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), "n-1");
    let answers = race(&nodes, |r4, _| r4.request("POST", "DocumentReference").json(&note)).await;
    one_won(&answers, 201, 200);
    same_id(&answers);
    there_is_one(&nodes, "DocumentReference?_total=accurate").await;
    feed_has_no_gap(&nodes.server(0).store());
}

/// Persons are in different shards by their id: the identifier is what holds them together.
#[tokio::test(flavor = "multi_thread")]
async fn one_note_is_made_however_different_its_persons() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let persons =
        join_all((0..8).map(async |at| {
            sample::create(&nodes.r4(at), &sample::patient(&format!("p-{at}"), "Morel", "Jeanne")).await
        }))
        .await;
    let note = |at: usize| sample::named(sample::note(&persons[at % 8], &circle.practitioner, "x"), "n-1");
    let answers = race(&nodes, |r4, at| r4.request("POST", "DocumentReference").json(&note(at))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1, "{:?}", statuses(&answers));
    assert!(answers.iter().all(|answer| [201, 200, 409, 412].contains(&answer.status)), "{:?}", statuses(&answers));
    there_is_one(&nodes, "DocumentReference?_total=accurate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_made_where_none_was() {
    let nodes = Nodes::three().await;
    let person = sample::patient("1", "Morel", "Jeanne");
    let query = format!("identifier={}|1", sample::LOCAL);
    let answers =
        race(&nodes, |r4, _| r4.request("POST", "Patient").header("if-none-exist", &query).json(&person)).await;
    one_won(&answers, 201, 200);
    same_id(&answers);
    there_is_one(&nodes, "Patient?_total=accurate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_of_idempotency_creates_once() {
    let nodes = Nodes::three().await;
    let device = json!({ "resourceType": "Device", "status": "active" });
    let answers =
        race(&nodes, |r4, _| r4.request("POST", "Device").header("idempotency-key", "one").json(&device)).await;
    assert!(answers.iter().all(|answer| [200, 201].contains(&answer.status)), "{:?}", statuses(&answers));
    same_id(&answers);
    there_is_one(&nodes, "Device?_total=accurate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_is_made_once_and_changed_by_the_others() {
    let nodes = Nodes::three().await;
    let person = |at: usize| {
        sample::with(
            sample::patient("1", &format!("Morel-{at}"), "Jeanne"),
            "/id",
            "11111111-aaaa-4000-8000-000000000001",
        )
    };
    let name = "Patient/11111111-aaaa-4000-8000-000000000001";
    let answers = race(&nodes, |r4, at| r4.request("PUT", name).json(&person(at))).await;
    one_won(&answers, 201, 200);
    let mut etags: Vec<String> = answers.iter().map(|answer| answer.header("etag").to_owned()).collect();
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), RACERS, "each made a version of its own");
    assert_eq!(total(&nodes.r4(1), &format!("{name}/_history")).await, RACERS as u64);
    there_is_one(&nodes, "Patient?_total=accurate").await;
    feed_has_no_gap(&nodes.server(0).store());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_a_national_identifier() {
    let nodes = Nodes::three().await;
    let ins = json!([{
        "use": "official", "system": "urn:oid:1.2.250.1.213.1.4.8", "value": "279035121518989",
        "type": { "coding": [{
            "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"
        }] }
    }]);
    let person = |at: usize| {
        let person = sample::with(sample::patient("x", "Morel", "Jeanne"), "/identifier", ins.clone());
        sample::with(person, "/name/0/given/0", format!("Jeanne-{}", at % 4))
    };
    let answers = race(&nodes, |r4, at| r4.request("POST", "Patient").json(&person(at))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1, "{:?} {}", statuses(&answers), answers[0].text());
    assert!(answers.iter().all(|answer| [200, 201, 409, 412].contains(&answer.status)), "{:?}", statuses(&answers));
    there_is_one(&nodes, "Patient?_total=accurate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_update_of_a_version_wins() {
    let nodes = Nodes::three().await;
    let name = sample::create(&nodes.r4(0), &sample::patient("1", "Morel", "Jeanne")).await;
    let resource = nodes.r4(1).get(&name).await.json();
    for version in 1..4 {
        let etag = format!("W/\"{version}\"");
        let answers = race(&nodes, |r4, at| {
            let changed = sample::with(resource.clone(), "/name/0/family", format!("Morel-{version}-{at}"));
            r4.request("PUT", &name).header("if-match", &etag).json(&changed)
        })
        .await;
        one_won(&answers, 200, 412);
    }
    assert_eq!(total(&nodes.r4(2), &format!("{name}/_history")).await, 4);
}

/// An entry that updates a person.
fn updating(name: &str, person: &Value) -> Value {
    json!({ "fullUrl": format!("urn:x:{name}"), "resource": person, "request": { "method": "PUT", "url": name } })
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_over_the_same_persons_in_any_order_all_succeed() {
    let nodes = Nodes::three().await;
    let mut persons = Vec::new();
    for at in 0..6 {
        let name = sample::create(&nodes.r4(at), &sample::patient(&format!("p-{at}"), "Morel", "Jeanne")).await;
        let person = nodes.r4(at).get(&name).await.json();
        persons.push((name, person));
    }
    let answers = race(&nodes, |r4, at| {
        // Each begins with another person, half of them backwards.
        let mut order: Vec<usize> = (0..6).map(|step| (at + step) % 6).collect();
        if at % 2 == 0 {
            order.reverse();
        }
        let entries = order.iter().map(|person| {
            let (name, person) = &persons[*person];
            updating(name, &sample::with(person.clone(), "/name/0/family", format!("Morel-{at}")))
        });
        let entries = entries
            .map(|mut entry| {
                entry.as_object_mut().expect("an entry").remove("fullUrl");
                entry
            })
            .collect();
        r4.request("POST", "").json(&sample::bundle("transaction", entries))
    })
    .await;
    let odd = answers.iter().find(|answer| answer.status != 200);
    assert_eq!(statuses(&answers), BTreeMap::from([(200, RACERS)]), "{:?}", odd.map(|answer| answer.text()));
    let mut families = Vec::new();
    for (name, _) in &persons {
        assert_eq!(total(&nodes.r4(0), &format!("{name}/_history")).await, RACERS as u64 + 1);
        families.push(nodes.r4(1).get(name).await.json()["name"][0]["family"].clone());
    }
    families.dedup();
    assert_eq!(families.len(), 1, "the last one has written all of them: {families:?}");
    feed_has_no_gap(&nodes.server(0).store());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_while_somebody_writes_about_them_is_there_or_refused() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    for round in 0..8 {
        let person = sample::create(&nodes.r4(0), &sample::patient(&format!("d-{round}"), "Morel", "Jeanne")).await;
        let note = sample::note(&person, &circle.practitioner, "x");
        let answers = join_all((0..12).map(async |at: usize| match at {
            5 | 6 => nodes.r4(at).delete(&person).await,
            _ => nodes.r4(at).post("DocumentReference", &note).await,
        }))
        .await;
        let notes = answers.iter().filter(|answer| answer.status == 201).count();
        let deleted = answers.iter().any(|answer| answer.status == 200);
        let there = total(&nodes.r4(1), &format!("DocumentReference?subject={person}&_total=accurate")).await;
        assert_eq!(there as usize, notes, "every note that was acknowledged");
        assert!(!(deleted && notes > 0), "a note about somebody who was deleted: {:?}", statuses(&answers));
    }
}
