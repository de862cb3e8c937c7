//! Who is outside a circle opens it in an emergency, for a time, and everybody in it reads why.

use liaison_tests::{Provider, sample};
use serde_json::{Value, json};

use super::world::{aide, daughter, operator, person_herself, serving, stranger, world};

const OPEN: &str = "Patient/$emergency-access";
const REASON: &str = "Chute à domicile, personne inconsciente";

fn asking(of: Value, reason: &str) -> Value {
    let mut first = of;
    first["name"] = json!(if first.get("valueReference").is_some() { "patient" } else { "identifier" });
    json!({ "resourceType": "Parameters", "parameter": [first, { "name": "reason", "valueString": reason }] })
}

fn jeanne() -> Value {
    json!({ "valueReference": { "reference": "Patient/jeanne" } })
}

#[tokio::test]
async fn a_health_professional_outside_the_circle_reads_for_a_time_and_the_person_is_told() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let by = |claims: &Value| server.r4().by(&provider.token(claims));
    let (doctor, jeanne_herself) = (by(&stranger()), by(&person_herself()));
    doctor.get("DocumentReference/open").await.is(404);

    let opened = doctor.post(OPEN, &asking(jeanne(), REASON)).await.is(201);
    let circle = opened.json();
    assert_eq!(circle["resourceType"], "CareTeam");
    assert_eq!(circle["reasonCode"][0]["text"], REASON);
    assert_eq!(circle["participant"][0]["member"]["identifier"]["value"], "10000000009");
    let instant = |name: &str| circle["period"][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(instant("end").as_second() - instant("start").as_second(), 4 * 3600);

    doctor.get("Patient/jeanne").await.is(200);
    doctor.get("DocumentReference/open").await.is(200);
    // What is hidden from health professionals stays so, and writing is for what one writes oneself.
    doctor.get("DocumentReference/no-health").await.is(404);
    doctor.delete("DocumentReference/open").await.is(403);
    let address = format!("CareTeam/{}", circle["id"].as_str().unwrap());
    let longer = sample::with(circle.clone(), "/period/end", "2099-01-01");
    doctor.put(&address, &longer).await.is(403);
    doctor.post(OPEN, &asking(jeanne(), REASON)).await.is(422);

    // The person and her daughter read it; somebody else does not.
    for member in [person_herself(), daughter()] {
        assert_eq!(by(&member).get(&address).await.is(200).json()["reasonCode"][0]["text"], REASON);
    }
    by(&json!({ "sub": "luc", "rpps": "10000000002", "profession": "60" })).get(&address).await.is(404);
    // And she closes it.
    let closed = sample::with(jeanne_herself.get(&address).await.is(200).json(), "/status", "inactive");
    jeanne_herself.put(&address, &closed).await.is(200);
    doctor.get("DocumentReference/open").await.is(404);
}

#[tokio::test]
async fn it_is_for_health_professionals_who_say_why_about_somebody_who_is_here() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let by = |claims: &Value| server.r4().by(&provider.token(claims));
    let social = json!({ "sub": "s", "rpps": "10000000008", "profession": "211" });
    for other in [social, daughter(), operator()] {
        // Nobody of these is told whether there is such a person.
        for of in ["Patient/paul", "Patient/nobody"] {
            let of = json!({ "valueReference": { "reference": of } });
            by(&other).post(OPEN, &asking(of, REASON)).await.is(403);
        }
    }
    let doctor = by(&stranger());
    for of in ["Patient/nobody", "Practitioner/awa", "https://elsewhere.example/Patient/1"] {
        doctor.post(OPEN, &asking(json!({ "valueReference": { "reference": of } }), REASON)).await.is(404);
    }
    let short = doctor.post(OPEN, &asking(jeanne(), "112")).await.is(400);
    assert!(short.text().contains("Parameters.parameter[1].value"), "{}", short.text());
    doctor.post(OPEN, &json!({ "resourceType": "Patient" })).await.is(400);
    doctor.get(OPEN).await.is(405);
    by(&aide()).get("Patient/jeanne").await.is(200);
}

#[tokio::test]
async fn a_person_is_named_by_a_national_identifier_on_either_base() {
    let provider = Provider::start().await;
    let mut world = world();
    let ins = json!([{ "system": "urn:oid:1.2.250.1.213.1.4.10", "value": "100029900000124" }]);
    world[0]["identifier"] = ins.clone();
    let server = serving(&provider, &world).await;
    let token = provider.token(&stranger());
    let asked = asking(json!({ "valueIdentifier": ins[0] }), REASON);
    let circle = server.stu3().by(&token).post(OPEN, &asked).await.is(201).json();
    assert_eq!(circle["subject"]["reference"], "Patient/jeanne", "{circle}");
    server.r4().by(&token).get("DocumentReference/open").await.is(200);
    let nobody = json!({ "valueIdentifier": { "system": "urn:oid:1.2.250.1.213.1.4.10", "value": "100029900000223" } });
    server.r4().by(&token).post(OPEN, &asking(nobody, REASON)).await.is(404);
}

#[tokio::test]
async fn the_statement_says_that_callers_are_known_and_what_they_may_ask() {
    let provider = Provider::start().await;
    let server = serving(&provider, &[]).await;
    let statement = server.r4().get("metadata").await.is(200).json();
    let rest = &statement["rest"][0];
    assert_eq!(rest["security"]["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let patient = rest["resource"].as_array().unwrap().iter().find(|one| one["type"] == "Patient").unwrap();
    let operation = patient["operation"].as_array().unwrap().iter().find(|one| one["name"] == "emergency-access");
    let definition = operation.unwrap()["definition"].as_str().unwrap().to_owned();
    let token = provider.token(&operator());
    let found = server.r4().by(&token).get(&format!("OperationDefinition?url={definition}")).await.is(200).json();
    assert_eq!(found["total"], 1, "{found}");
}
