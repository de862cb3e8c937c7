//! What the form of 2017 calls otherwise in a note, or leaves to be understood.

use liaison_fhir::{
    object,
    outcome::Text,
    text,
    tree::{Object, Value},
};

use crate::note::urgency::FORMER_EXTENSION;

/// The update of 2017 calls the urgency `priority`, once and nowhere else: gives it its name. The
/// position of the extension, if there was one.
pub(super) fn name_urgency(note: &mut Object) -> Option<usize> {
    let extensions = note.get_mut("extension")?.as_array_mut()?;
    let url = |e: &Value| e.as_object().and_then(|e| e.str("url")).map(str::to_owned);
    if extensions.iter().any(|e| url(e).as_deref() == Some(FORMER_EXTENSION)) {
        return None;
    }
    let at = extensions.iter().position(|e| {
        url(e).is_some_and(|url| url == "priority" || url.ends_with("/priority"))
            && e.as_object().is_some_and(|e| matches!(e.get("valueBoolean"), Some(Value::Bool(_))))
    })?;
    extensions.get_mut(at)?.as_object_mut()?.set("url", FORMER_EXTENSION);
    Some(at)
}

pub(super) fn urgency_named() -> Text {
    text!(
        en: "The extension priority was read as isUrgent.",
        fr: "L'extension priority a été lue comme isUrgent."
    )
}

/// The identifier that a client gave its note, told from where the note stands in its system, when
/// the note has none: without it the client could neither update nor delete the note.
pub(super) fn identify(note: &mut Object, full_url: Option<&str>) -> bool {
    if note.contains("masterIdentifier") {
        return false;
    }
    let Some(id) = note.str("id").map(str::to_owned) else { return false };
    let own_address = format!("/DocumentReference/{id}");
    let identifier = match full_url.and_then(|url| url.strip_suffix(&own_address)) {
        Some(base) => object! { "system" => base, "value" => id },
        None => object! { "value" => id },
    };
    note.push("masterIdentifier", identifier);
    true
}

pub(super) fn identified() -> Text {
    text!(
        en: "The note has no masterIdentifier: the id given by its sender was taken as one. Update and delete the note by it.",
        fr: "La note n'a pas de masterIdentifier : l'id donné par l'émetteur en tient lieu. Modifier et supprimer la note par lui."
    )
}

/// The elements of a note listed in 2017 do not include its status, which STU3 requires.
pub(super) fn give_status(note: &mut Object) -> bool {
    if note.contains("status") || note.contains("_status") {
        return false;
    }
    note.push("status", "current");
    true
}

pub(super) fn status_given() -> Text {
    text!(
        en: "The note has no status: it was read as current.",
        fr: "La note n'a pas de status : elle a été lue comme current (en vigueur)."
    )
}
