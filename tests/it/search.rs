//! Search over HTTP. What each parameter means is tested beside the code; here: that it is reached.

use liaison_tests::{Answer, Fhir, Server, sample};
use serde_json::{Value, json};

/// Three persons and their notes, by two nurses in different ways.
async fn notebook(fhir: &Fhir) -> Vec<String> {
    let mut person = sample::patient("1", "Éléonore-Morel", "Jeanne");
    person["identifier"][0] = json!({ "system": "urn:oid:1.2.250.1.213.1.4.1", "value": "1234567890112345678901" });
    let jeanne = sample::create(fhir, &person).await;
    let lucien = sample::create(fhir, &sample::with(sample::patient("2", "Arnaud", "Lucien"), "/gender", "male")).await;
    let marie = sample::create(fhir, &sample::practitioner("80123456789", "Dupont", "Marie")).await;
    let jean = sample::create(fhir, &sample::practitioner("80123456790", "Dupont", "Jean")).await;
    let anne = sample::create(fhir, &sample::practitioner("80123456791", "Durand", "Marie")).await;
    let role = sample::create(fhir, &sample::practitioner_role(&marie)).await;
    let mut names = Vec::new();
    for (subject, author, date, code) in [
        (&jeanne, &marie, "2026-03-01T08:00:00+01:00", "OBS"),
        (&jeanne, &role, "2026-03-02T08:00:00+01:00", "GEN"),
        (&jeanne, &jean, "2026-03-03T08:00:00+01:00", "OBS"),
        (&lucien, &anne, "2026-03-04T08:00:00+01:00", "INST"),
    ] {
        let note = sample::note(subject, author, "x");
        let note = sample::with(sample::with(note, "/date", date), "/type/coding/0/code", code);
        names.push(sample::create(fhir, &note).await);
    }
    names
}

fn names(answer: &Answer) -> Vec<String> {
    let name = |resource: &Value| {
        format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
    };
    answer.matches().iter().map(name).collect()
}

async fn finds(fhir: &Fhir, query: &str, expected: &[&String]) {
    let answer = fhir.get(&format!("DocumentReference?{query}")).await.is(200);
    let (mut found, mut expected): (Vec<String>, Vec<String>) =
        (names(&answer), expected.iter().map(|name| (*name).clone()).collect());
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{query}");
    assert_eq!(answer.json()["total"], expected.len(), "{query}");
}

#[tokio::test]
async fn the_criteria_of_the_volet_find_what_they_should() {
    let server = Server::start().await;
    let r4 = server.r4();
    let notes = notebook(&r4).await;
    let [a, b, c, d] = &notes[..] else { panic!("four notes") };
    for query in ["subject:Patient.identifier", "patient.identifier", "subject.identifier"] {
        finds(&r4, &format!("{query}=1234567890112345678901"), &[a, b, c]).await;
        finds(&r4, &format!("{query}=urn:oid:1.2.250.1.213.1.4.1%7C1234567890112345678901"), &[a, b, c]).await;
    }
    finds(&r4, "author:Practitioner.identifier=80123456790", &[c]).await;
    finds(&r4, "author:Practitioner.identifier=80123456789", &[a, b]).await;
    finds(&r4, "author:Practitioner.family=Dupont", &[a, b, c]).await;
    finds(&r4, "author:Practitioner.family=dupont&author:Practitioner.given=MARIE", &[a, b]).await;
    finds(&r4, "author:Practitioner.name=Durand", &[d]).await;
    finds(&r4, "date=ge2026-03-03", &[c, d]).await;
    finds(&r4, "date=2026-03-02", &[b]).await;
    finds(&r4, "type=OBS", &[a, c]).await;
    finds(&r4, &format!("type={}%7COBS,INST", sample::NOTE_TYPES), &[a, c, d]).await;
    finds(&r4, "type=urn:oid:1.2.250.1.213.1.1.5.98|OBS", &[a, c]).await;
    finds(&r4, "type=urn:oid:1.2.250.1.213.1.1.4.334|OBS", &[a, c]).await;
    finds(&r4, "type:not=OBS", &[b, d]).await;
    finds(&r4, "security-label:missing=true&date=lt2026-03-02", &[a]).await;
}

#[tokio::test]
async fn two_criteria_on_an_author_mean_one_and_the_same_author() {
    let server = Server::start().await;
    let r4 = server.r4();
    let notes = notebook(&r4).await;
    // Somebody named Dupont and somebody called Marie both wrote; a note by each of two is not one by both.
    let circle = sample::circle(&r4).await;
    let jean = names(&r4.get("Practitioner?given=Jean").await)[0].clone();
    let anne = names(&r4.get("Practitioner?family=Durand").await)[0].clone();
    let note = sample::note(&circle.patient, &jean, "x");
    let note = sample::with(note, "/author", json!([{ "reference": jean }, { "reference": anne }]));
    let by_two = sample::create(&r4, &note).await;
    finds(&r4, "author:Practitioner.family=Dupont&author:Practitioner.given=Marie", &[&notes[0], &notes[1]]).await;
    finds(&r4, "author:Practitioner.family=Dupont&author:Practitioner.given=Jean", &[&notes[2], &by_two]).await;
}

#[tokio::test]
async fn strings_ignore_case_and_accents_and_have_modifiers() {
    let server = Server::start().await;
    let r4 = server.r4();
    notebook(&r4).await;
    let count = async |query: &str| r4.get(&format!("Patient?{query}")).await.is(200).matches().len();
    assert_eq!(count("family=eleonore").await, 1);
    assert_eq!(count("family=MOREL").await, 0, "a string begins with what is asked for");
    assert_eq!(count("family:contains=morel").await, 1);
    assert_eq!(count("family:exact=%C3%89l%C3%A9onore-Morel").await, 1);
    assert_eq!(count("family:exact=eleonore-morel").await, 0);
    assert_eq!(count("gender=male,female").await, 2);
    assert_eq!(count("birthdate=1941").await, 2);
    assert_eq!(count("birthdate=ap1941-03-12").await, 2);
    assert_eq!(count("_id=nobody").await, 0);
}

#[tokio::test]
async fn chains_and_reverse_chains_go_as_deep_as_they_are_written() {
    let server = Server::start().await;
    let r4 = server.r4();
    let notes = notebook(&r4).await;
    finds(&r4, "author:PractitionerRole.practitioner:Practitioner.family=Dupont", &[&notes[1]]).await;
    finds(&r4, "author:PractitionerRole.practitioner.given=Marie", &[&notes[1]]).await;
    let persons = r4.get("Patient?_has:DocumentReference:patient:type=INST").await.is(200);
    assert_eq!(persons.matches()[0]["name"][0]["family"], "Arnaud");
    let nurses =
        r4.get("Practitioner?_has:PractitionerRole:practitioner:_has:DocumentReference:author:type=GEN").await.is(200);
    assert_eq!(nurses.matches().len(), 1);
}

#[tokio::test]
async fn resources_are_brought_along() {
    let server = Server::start().await;
    let r4 = server.r4();
    notebook(&r4).await;
    let types = async |query: &str| {
        let answer = r4.get(&format!("DocumentReference?{query}")).await.is(200);
        let mut types: Vec<String> =
            answer.included().iter().map(|it| it["resourceType"].as_str().unwrap().to_owned()).collect();
        types.sort();
        types
    };
    assert_eq!(types("type=INST&_include=DocumentReference:subject").await, ["Patient"]);
    assert_eq!(types("type=INST&_include=DocumentReference:author").await, ["Practitioner"]);
    assert_eq!(types("type=GEN&_include=DocumentReference:author").await, ["PractitionerRole"]);
    assert_eq!(
        types("type=GEN&_include=DocumentReference:author&_include:iterate=PractitionerRole:practitioner").await,
        ["Practitioner", "PractitionerRole"]
    );
    assert_eq!(types("type=GEN&_include=*").await, ["Patient", "PractitionerRole"]);
    assert_eq!(types("type=OBS&_include=DocumentReference:subject").await, ["Patient"], "each once");
    let people = r4.get("Patient?family=Arnaud&_revinclude=DocumentReference:subject").await.is(200);
    assert_eq!(people.included().len(), 1);
}

#[tokio::test]
async fn results_are_sorted_counted_and_cut_to_size() {
    let server = Server::start().await;
    let r4 = server.r4();
    let notes = notebook(&r4).await;
    let newest_first = r4.get("DocumentReference?_sort=-date").await.is(200);
    assert_eq!(names(&newest_first), notes.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(names(&r4.get("DocumentReference?_sort=date&_count=2").await), notes[..2]);
    let counted = r4.get("DocumentReference?_summary=count").await.is(200);
    assert_eq!((counted.json()["total"].as_u64(), counted.matches().len()), (Some(4), 0));
    assert!(r4.get("DocumentReference?_total=none").await.is(200).json().get("total").is_none());
    let few = r4.get("DocumentReference?_elements=status,date").await.is(200).matches();
    assert!(few[0].get("date").is_some() && few[0].get("description").is_none(), "{}", few[0]);
    assert!(few[0]["meta"]["tag"].to_string().contains("SUBSETTED"), "{}", few[0]["meta"]);
}

#[tokio::test]
async fn a_search_can_be_posted() {
    let server = Server::start().await;
    let r4 = server.r4();
    let notes = notebook(&r4).await;
    let form = "application/x-www-form-urlencoded";
    let found =
        r4.request("POST", "DocumentReference/_search?type=OBS").body(form, "date=ge2026-03-02").send().await.is(200);
    assert_eq!(names(&found), [notes[2].clone()]);
}

#[tokio::test]
async fn a_search_that_is_not_understood_is_refused_naming_the_parameter() {
    let server = Server::start().await;
    let r4 = server.r4();
    for (query, named) in [
        ("colour=blue", "colour"),
        ("date=yesterday", "date"),
        ("date=zz2026", "date"),
        ("type:sounds-like=OBS", "type"),
        ("author:Unicorn.name=x", "author"),
        ("author:Practitioner.colour=x", "author"),
        ("_sort=colour", "_sort"),
        ("_count=many", "_count"),
        ("_include=DocumentReference:colour", "_include"),
        ("_has:DocumentReference=x", "_has"),
        ("_summary=perhaps", "_summary"),
    ] {
        let refused = r4.get(&format!("DocumentReference?{query}")).await.is(400);
        assert!(refused.findings().iter().any(|line| line.contains(named)), "{query}: {:?}", refused.findings());
    }
    let deep =
        "author:PractitionerRole.practitioner".to_owned() + &":Practitioner.general-practitioner".repeat(9) + "=x";
    r4.get(&format!("DocumentReference?{deep}")).await.is(400);
}
