//! Codes that the form of 2017 puts under the system of another nomenclature.
//!
//! The coding that was meant is put first, and the coding received stays beside it, marked as what
//! the sender chose: whoever sent it finds it again, everybody else understands it.

use liaison_fhir::{
    object,
    outcome::Text,
    terminology::systems::oid,
    text,
    tree::{Object, Value},
};

use crate::terminology::tables::{self, Kind};

/// What an OID was taken for: the OID received, the OID of the nomenclature meant.
const MISTAKEN: &[(&str, &str)] = &[
    // The document types, for the note types.
    ("1.2.250.1.213.1.1.4.12", "1.2.250.1.213.1.1.4.334"),
    // Of unknown meaning, for the health professions.
    ("1.2.250.1.71.4.2.7", "1.2.250.1.71.1.2.7"),
];

/// Adds the coding that was meant to a concept, and gives back its system. Only for codes that the
/// nomenclature has, and once.
pub(super) fn add_meant_coding(concept: &mut Object) -> Option<String> {
    let codings = concept.get_mut("coding")?.as_array_mut()?;
    let (at, meant) = codings.iter().enumerate().find_map(|(at, c)| Some((at, meant_coding(c.as_object()?)?)))?;
    let system = meant.str("system").unwrap_or_default().to_owned();
    if codings.iter().any(|c| c.as_object().is_some_and(|c| names(c, &system))) {
        return None;
    }
    if let Some(received) = codings.get_mut(at).and_then(Value::as_object_mut) {
        received.set("userSelected", true);
    }
    codings.insert(at, meant.into());
    Some(system)
}

fn meant_coding(received: &Object) -> Option<Object> {
    let received_oid = oid(received.str("system")?)?;
    let code = received.str("code")?;
    let (_, meant) = MISTAKEN.iter().find(|(mistaken, _)| *mistaken == received_oid)?;
    let system = format!("urn:oid:{meant}");
    let (_, row) = tables::find(Kind::CodeSystem, &system)?.row(Some(&system), code)?;
    Some(object! { "system" => system, "code" => code, "display" => row.display })
}

fn names(coding: &Object, system: &str) -> bool {
    coding.str("system").is_some_and(|s| oid(s).is_some() && oid(s) == oid(system))
}

pub(super) fn meant(system: &str) -> Text {
    text!(
        en: "This code belongs to {system}: the coding was added, the one received was kept beside it.",
        fr: "Ce code appartient à {system} : le codage a été ajouté, celui reçu est gardé à côté."
    )
}
