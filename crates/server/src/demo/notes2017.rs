//! Notes that an older program wrote, in the form of 2017: each a bundle for the STU3 base, with the
//! person and the author inside.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{ToSpan as _, Zoned};
use liaison_fhir::{array, object, tree::Object};

use super::circle::Member::{Lucien, Nurse, Yvonne};

/// The system by which the older program names its notes.
pub const SYSTEM: &str = "http://logiciel-de-soins-2017.example";

/// A note of 2017.
pub struct OldNote {
    /// Its name in the older program.
    pub value: &'static str,
    days_before: i64,
    subject: fn() -> Object,
    title: &'static str,
    text: &'static str,
    code: &'static str,
}

/// All of them, oldest first.
pub const ALL: [OldNote; 3] = [
    OldNote {
        value: "58619",
        days_before: 45,
        subject: lucien,
        title: "Compte rendu de passage",
        text: "Pilulier préparé pour la semaine. Épouse fatiguée, relais à prévoir.",
        code: "INTERV",
    },
    OldNote {
        value: "58634",
        days_before: 38,
        subject: lucien,
        title: "Observation infirmière",
        text: "Désorienté dans le temps, reconnaît ses proches. Tension 142/80.",
        code: "OBS",
    },
    OldNote {
        value: "58702",
        days_before: 33,
        subject: yvonne,
        title: "Observation infirmière",
        text: "Œdème des chevilles en fin de journée, bas de contention remis.",
        code: "OBS",
    },
];

/// The bundle that creates the note.
pub fn creation(note: &OldNote, begins: &Zoned) -> Object {
    let person = (note.subject)();
    let url = |kind: &str, id: &str| format!("{SYSTEM}/{kind}/{id}");
    object! {
        "resourceType" => "Bundle",
        "type" => "collection",
        "entry" => array![
            object! { "fullUrl" => url("DocumentReference", note.value), "resource" => resource(note, begins) },
            object! { "fullUrl" => url("Patient", "pat1"), "resource" => person },
            object! { "fullUrl" => url("Practitioner", "prac1"), "resource" => nurse() },
        ],
    }
}

fn resource(note: &OldNote, begins: &Zoned) -> Object {
    let day = begins.saturating_sub(note.days_before.days()).date();
    let coding = object! { "system" => "urn:oid:1.2.250.1.213.1.1.4.334", "code" => note.code };
    let attachment = object! {
        "contentType" => "text/plain; charset=utf-8",
        "language" => "fr",
        "data" => BASE64_STANDARD.encode(note.text),
        "title" => note.title,
    };
    object! {
        "resourceType" => "DocumentReference",
        "masterIdentifier" => object! { "system" => SYSTEM, "value" => note.value },
        "status" => "current",
        "type" => object! { "coding" => array![coding] },
        "subject" => object! { "reference" => "Patient/pat1" },
        "created" => day.to_string(),
        "indexed" => format!("{day}T12:00:00Z"),
        "author" => array![object! { "reference" => "Practitioner/prac1" }],
        "description" => note.title,
        "content" => array![object! { "attachment" => attachment }],
    }
}

fn lucien() -> Object {
    person(Lucien.identifier(), "Arnaud", "Lucien")
}

fn yvonne() -> Object {
    person(Yvonne.identifier(), "Castel", "Yvonne")
}

fn person((system, value): (&str, &str), family: &str, given: &str) -> Object {
    object! {
        "resourceType" => "Patient",
        "id" => "pat1",
        "identifier" => array![object! { "use" => "official", "system" => system, "value" => value }],
        "name" => array![object! { "use" => "usual", "family" => family, "given" => array![given] }],
    }
}

fn nurse() -> Object {
    let (system, value) = Nurse.identifier();
    object! {
        "resourceType" => "Practitioner",
        "id" => "prac1",
        "identifier" => array![object! { "use" => "official", "system" => system, "value" => value }],
        "name" => array![object! { "use" => "official", "family" => "Dubreuil", "given" => array!["Claire"] }],
    }
}
