//! `$validate`: the same findings as a write, and nothing stored.

use liaison_tests::{Server, sample};
use serde_json::json;

#[tokio::test]
async fn a_note_is_judged_as_it_would_be_when_written() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let good = sample::note(&circle.patient, &circle.practitioner, "x");
    let judged = r4.post("DocumentReference/$validate", &good).await.is(200);
    assert!(judged.findings().iter().all(|line| !line.starts_with("error")), "{:?}", judged.findings());
    let bad = sample::with(good, "/docStatus", "final");
    let judged = r4.post("DocumentReference/$validate", &bad).await.is(200);
    let written = r4.post("DocumentReference", &bad).await;
    assert_eq!(judged.findings(), written.findings());
    assert_eq!(r4.get("DocumentReference").await.json()["total"], 0);
}

#[tokio::test]
async fn every_type_can_be_validated_also_inside_parameters() {
    let server = Server::start().await;
    for base in [server.r4(), server.stu3()] {
        let patient = sample::patient("1", "Morel", "Jeanne");
        base.post("Patient/$validate", &patient).await.is(200);
        let parameters =
            json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource", "resource": patient }] });
        base.post("Patient/$validate", &parameters).await.is(200);
        let wrong =
            base.post("Patient/$validate", &json!({ "resourceType": "Patient", "gender": "purple" })).await.is(200);
        assert!(
            wrong.findings().iter().any(|line| line.starts_with("error") && line.contains("gender")),
            "{:?}",
            wrong.findings()
        );
    }
    assert_eq!(server.r4().get("Patient").await.json()["total"], 0);
}
