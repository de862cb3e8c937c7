//! Small resources to test with: invented people, valid in R4 unless a name says otherwise.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::Fhir;

/// The system of the types of notes.
pub const NOTE_TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
/// The extension that makes a note urgent.
pub const EMERGENCY: &str = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
/// A system of identifiers that nobody else uses.
pub const LOCAL: &str = "https://logiciel.example/identifiants";

/// A person taken care of, known by a local identifier.
pub fn patient(value: &str, family: &str, given: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{ "system": LOCAL, "value": value }],
        "name": [{ "use": "official", "family": family, "given": [given] }],
        "gender": "female",
        "birthDate": "1941-03-12"
    })
}

/// A professional, known by a local identifier.
pub fn practitioner(value: &str, family: &str, given: &str) -> Value {
    json!({
        "resourceType": "Practitioner",
        "identifier": [{ "system": LOCAL, "value": value }],
        "name": [{ "family": family, "given": [given] }]
    })
}

/// The exercise of a professional.
pub fn practitioner_role(practitioner: &str) -> Value {
    json!({ "resourceType": "PractitionerRole", "active": true, "practitioner": { "reference": practitioner } })
}

/// A note of type OBS about somebody, by somebody.
pub fn note(subject: &str, author: &str, text: &str) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "type": { "coding": [{ "system": NOTE_TYPES, "code": "OBS" }] },
        "subject": { "reference": subject },
        "date": "2026-03-04T08:30:00+01:00",
        "author": [{ "reference": author }],
        "description": "Observation",
        "content": [{ "attachment": attachment("text/plain; charset=utf-8", text.as_bytes()) }]
    })
}

/// The same note, named by its author's system.
pub fn named(mut note: Value, value: &str) -> Value {
    note["masterIdentifier"] = json!({ "system": LOCAL, "value": value });
    note
}

/// The same note, with something else at a place (`/type/coding/0/code`, `/date`).
#[track_caller]
pub fn with(mut note: Value, place: &str, value: impl Into<Value>) -> Value {
    match note.pointer_mut(place) {
        Some(there) => *there = value.into(),
        None => {
            let (parent, name) = place.rsplit_once('/').expect("a place begins with /");
            let parent = note.pointer_mut(parent).unwrap_or_else(|| panic!("{place}: no such place"));
            parent[name] = value.into();
        }
    }
    note
}

/// An attachment with its bytes inside.
pub fn attachment(content_type: &str, bytes: &[u8]) -> Value {
    json!({ "contentType": content_type, "language": "fr", "data": BASE64_STANDARD.encode(bytes) })
}

/// A bundle of these entries.
pub fn bundle(kind: &str, entries: Vec<Value>) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

/// An entry that creates a resource.
pub fn creating(full_url: &str, resource: Value) -> Value {
    let kind = resource["resourceType"].clone();
    json!({ "fullUrl": full_url, "resource": resource, "request": { "method": "POST", "url": kind } })
}

/// A person, a professional and their exercise, on the server.
pub struct Circle {
    /// `Patient/…`
    pub patient: String,
    /// `Practitioner/…`
    pub practitioner: String,
    /// `PractitionerRole/…`
    pub role: String,
}

/// Writes a circle: Jeanne Morel, and the nurse Claire Dubreuil.
pub async fn circle(fhir: &Fhir) -> Circle {
    let patient = create(fhir, &patient("p-1", "Morel", "Jeanne")).await;
    let practitioner = create(fhir, &practitioner("n-1", "Dubreuil", "Claire")).await;
    let role = create(fhir, &practitioner_role(&practitioner)).await;
    Circle { patient, practitioner, role }
}

/// A circle of other people, whom this word tells from others.
pub async fn circle_of(fhir: &Fhir, word: &str) -> Circle {
    let patient = create(fhir, &patient(&format!("{word}-p"), "Morel", "Jeanne")).await;
    let practitioner = create(fhir, &practitioner(&format!("{word}-n"), "Dubreuil", "Claire")).await;
    let role = create(fhir, &practitioner_role(&practitioner)).await;
    Circle { patient, practitioner, role }
}

/// Creates a resource and gives its name, `Type/id`.
pub async fn create(fhir: &Fhir, resource: &Value) -> String {
    let kind = resource["resourceType"].as_str().expect("a resource has a type");
    let id = fhir.post(kind, resource).await.is(201).id();
    format!("{kind}/{id}")
}
