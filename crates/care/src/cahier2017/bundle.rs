//! The bundle that creates a note: the note, the person it is about, its author.

use liaison_fhir::{
    object,
    outcome::{Issue, Text},
    primitive, text,
    tree::{Object, Value},
};

use super::{note, read_resource};

/// A bundle in the form of 2017 as an STU3 `collection`, and what was read otherwise than it was
/// written. Beyond [`read_resource`], in a collection:
///
/// - a `PractitionerRole` contained in a `Practitioner` that does not refer to it says the author's
///   profession, and gets an entry of its own that refers to the `Practitioner`;
/// - a note without `masterIdentifier` gets one from the id that its sender gave it;
/// - a note without `status` is current.
#[must_use]
pub fn read_bundle(bundle: Object) -> (Object, Vec<Issue>) {
    let (mut bundle, mut issues) = read_resource(bundle);
    if bundle.resource_type() != Some("Bundle") || bundle.str("type") != Some("collection") {
        return (bundle, issues);
    }
    let Some(Value::Array(entries)) = bundle.remove("entry") else { return (bundle, issues) };
    let mut read = Vec::with_capacity(entries.len() + 1);
    let mut professions = Vec::new();
    for (at, mut entry) in entries.into_iter().enumerate() {
        if let Some(object) = entry.as_object_mut() {
            read_entry(object, at, &mut professions, &mut issues);
        }
        read.push(entry);
    }
    // After those that were there, so that the places of the findings stay true.
    read.extend(professions.into_iter().map(Value::from));
    bundle.push("entry", read);
    (bundle, issues)
}

fn read_entry(entry: &mut Object, at: usize, professions: &mut Vec<Object>, issues: &mut Vec<Issue>) {
    let full_url = entry.str("fullUrl").map(str::to_owned);
    let Some(resource) = entry.get_mut("resource").and_then(Value::as_object_mut) else { return };
    let mut say = |element: &str, text: Text| {
        issues.push(Issue::information(format!("Bundle.entry[{at}].resource.{element}"), text));
    };
    match resource.resource_type() {
        Some("DocumentReference") => {
            if note::identify(resource, full_url.as_deref()) {
                say("masterIdentifier", note::identified());
            }
            if note::give_status(resource) {
                say("status", note::status_given());
            }
        }
        Some("Practitioner") => {
            let lifted = lift_professions(resource, full_url.as_deref());
            if !lifted.is_empty() {
                say(
                    "contained",
                    text!(
                        en: "A contained PractitionerRole to which nothing refers says the profession of the Practitioner: it was read as an entry of its own.",
                        fr: "Un PractitionerRole contenu auquel rien ne se réfère dit la profession du Practitioner : il a été lu comme une entrée à part."
                    ),
                );
            }
            professions.extend(lifted);
        }
        _ => {}
    }
}

/// Takes the professions out of a practitioner, as entries. A practitioner that nothing can refer to
/// keeps them.
fn lift_professions(practitioner: &mut Object, full_url: Option<&str>) -> Vec<Object> {
    let own_address = practitioner.str("id").map(|id| format!("Practitioner/{id}"));
    let (reference, base) = match (full_url, own_address) {
        (Some(url), Some(address)) => match url.strip_suffix(&address) {
            Some(base) => (address, Some(base.to_owned())),
            None => (url.to_owned(), Some(format!("{url}:"))),
        },
        (Some(url), None) => (url.to_owned(), Some(format!("{url}:"))),
        (None, Some(address)) => (address, None),
        (None, None) => return Vec::new(),
    };
    let Some(Value::Array(contained)) = practitioner.remove("contained") else { return Vec::new() };
    let mut professions = Vec::new();
    let mut others = Vec::new();
    for inside in contained {
        match inside {
            Value::Object(role) if is_profession(&role, practitioner) => {
                professions.push(entry(role, &reference, base.as_deref()));
            }
            other => others.push(other),
        }
    }
    if !others.is_empty() {
        practitioner.insert_at(2, "contained", others);
    }
    professions
}

fn is_profession(inside: &Object, practitioner: &Object) -> bool {
    inside.resource_type() == Some("PractitionerRole")
        && !inside.contains("practitioner")
        && !inside.str("id").is_some_and(|id| refers(practitioner, &format!("#{id}")))
}

fn entry(mut role: Object, practitioner: &str, base: Option<&str>) -> Object {
    role.insert_at(2, "practitioner", object! { "reference" => practitioner });
    let mut entry = Object::new();
    if let Some(base) = base {
        // What can stand in an address does; anything else says no more than that it is a role.
        let id = role
            .str("id")
            .filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()))
            .unwrap_or("role");
        entry.push("fullUrl", format!("{base}PractitionerRole/{id}"));
    }
    // The printed `prac_role1` names a place inside the practitioner; FHIR has no underscore in ids.
    if role.str("id").is_some_and(|id| !primitive::is_id(id)) {
        role.remove("id");
    }
    entry.push("resource", role);
    entry
}

/// Whether a reference inside points to that address.
fn refers(object: &Object, address: &str) -> bool {
    object.iter().any(|(name, value)| match value {
        Value::String(text) => name == "reference" && text == address,
        Value::Object(inside) => refers(inside, address),
        Value::Array(items) => items.iter().filter_map(Value::as_object).any(|inside| refers(inside, address)),
        _ => false,
    })
}
