//! Bundles that bring a note with its persons, made into transactions as FHIR has them.
//!
//! Two kinds come in otherwise: the `collection` of 2017, which means "process this", and the
//! transaction of today's guide, whose example posts to the address of an instance and refers to
//! its own entries by relative addresses although they are named `urn:uuid:…`.

use std::collections::{HashMap, HashSet};

use liaison_fhir::{
    object,
    outcome::{Issue, IssueKind},
    place::Place,
    text,
    tree::{Object, Value},
};

/// Whether a bundle of either release is the `collection` by which the form of 2017 creates a note:
/// one that holds a `DocumentReference`.
#[must_use]
pub fn is_note_collection(bundle: &Object) -> bool {
    bundle.resource_type() == Some("Bundle")
        && bundle.str("type") == Some("collection")
        && bundle.objects("entry").any(|e| resource_type(e) == Some("DocumentReference"))
}

/// A bundle of either release as a transaction whose references to its own entries are exactly the
/// `fullUrl` of those entries, and what was found on the way. The order of the entries stays.
///
/// - A collection becomes a transaction that posts each of its entries. It must hold one note: more
///   is an error.
/// - An entry posted to the address of an instance is posted to its type; the id is for the server
///   to give.
/// - An entry without `fullUrl` gets one.
/// - A reference is resolved against the `fullUrl` of the entry it stands in; where that gives no
///   entry, the one entry of that type and id is meant, if there is exactly one.
///
/// Every other reference stays as it is.
#[must_use]
pub fn into_transaction(mut bundle: Object) -> (Object, Vec<Issue>) {
    let mut issues = Vec::new();
    let is_collection = bundle.str("type") == Some("collection");
    if is_collection {
        bundle.set("type", "transaction");
        let notes = bundle.objects("entry").filter(|e| resource_type(e) == Some("DocumentReference")).count();
        if notes > 1 {
            issues.push(Issue::error(
                IssueKind::BusinessRule,
                "Bundle.entry",
                text!(
                    en: "A collection that creates a note holds one DocumentReference, not {notes}: send one bundle for each note.",
                    fr: "Une collection qui crée une note contient un seul DocumentReference, et non {notes} : envoyer un Bundle par note."
                ),
            ));
        }
    }
    let Some(entries) = bundle.get_mut("entry").and_then(Value::as_array_mut) else { return (bundle, issues) };
    for (at, entry) in entries.iter_mut().enumerate() {
        let Some(entry) = entry.as_object_mut() else { continue };
        if is_collection {
            request_creation(entry);
        }
        post_to_type(entry, at, &mut issues);
        name_entry(entry, at);
    }
    let names = Names::of(entries);
    for (at, entry) in entries.iter_mut().enumerate() {
        let Some(entry) = entry.as_object_mut() else { continue };
        let base = entry.str("fullUrl").and_then(base_of).map(str::to_owned);
        let Some(resource) = entry.get_mut("resource").and_then(Value::as_object_mut) else { continue };
        let mut walk = Walk { names: &names, base: base.as_deref(), issues: &mut issues };
        let entries = Place::root("Bundle");
        let entry = entries.child("entry").item(at);
        walk.resolve_inside(resource, &entry.child("resource"));
    }
    (bundle, issues)
}

fn resource_type(entry: &Object) -> Option<&str> {
    entry.object("resource").and_then(Object::resource_type)
}

fn request_creation(entry: &mut Object) {
    let Some(name) = resource_type(entry).map(str::to_owned) else { return };
    if !entry.contains("request") {
        entry.push("request", object! { "method" => "POST", "url" => name });
    }
}

fn post_to_type(entry: &mut Object, at: usize, issues: &mut Vec<Issue>) {
    let Some(name) = resource_type(entry).map(str::to_owned) else { return };
    let Some(request) = entry.get_mut("request").and_then(Value::as_object_mut) else { return };
    let Some(url) = request.str("url").filter(|_| request.str("method") == Some("POST")) else { return };
    let is_instance = url.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/')).is_some_and(is_id);
    if is_instance {
        request.set("url", name.as_str());
        issues.push(Issue::information(
            format!("Bundle.entry[{at}].request.url"),
            text!(
                en: "A resource is created at {name}: the id in the address was left out, the server gives one.",
                fr: "Une ressource se crée à l'adresse {name} : l'id de l'adresse a été ignoré, le serveur en attribue un."
            ),
        ));
    }
}

fn is_id(text: &str) -> bool {
    liaison_fhir::primitive::is_id(text)
}

/// References need a name to resolve to.
fn name_entry(entry: &mut Object, at: usize) {
    if !entry.contains("fullUrl") && entry.contains("resource") {
        entry.insert_at(0, "fullUrl", format!("urn:uuid:00000000-0000-4000-8000-{at:012x}"));
    }
}

/// The address of the server on which an entry stands: `http://a.example/fhir/` for
/// `http://a.example/fhir/Patient/1`.
fn base_of(full_url: &str) -> Option<&str> {
    if full_url.starts_with("urn:") {
        return None;
    }
    let (rest, id) = full_url.rsplit_once('/')?;
    let (base, name) = rest.rsplit_once('/')?;
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphabetic());
    (is_type && is_id(id)).then(|| full_url.get(..=base.len()))?
}

/// The names of the entries of a bundle.
struct Names {
    full_urls: HashSet<String>,
    /// By `Type/id`: the `fullUrl`, or None where there are several.
    addresses: HashMap<String, Option<String>>,
}

impl Names {
    fn of(entries: &[Value]) -> Self {
        let mut names = Self { full_urls: HashSet::new(), addresses: HashMap::new() };
        for entry in entries.iter().filter_map(Value::as_object) {
            let (Some(url), Some(resource)) = (entry.str("fullUrl"), entry.object("resource")) else { continue };
            let Some(name) = resource.resource_type() else { continue };
            names.full_urls.insert(url.to_owned());
            let trailing = url.rsplit(['/', ':']).next().filter(|id| is_id(id));
            let own = resource.str("id").filter(|id| is_id(id));
            let mut ids: Vec<&str> = trailing.into_iter().chain(own).collect();
            ids.dedup();
            for id in ids {
                names
                    .addresses
                    .entry(format!("{name}/{id}"))
                    .and_modify(|there| {
                        if there.as_deref() != Some(url) {
                            *there = None;
                        }
                    })
                    .or_insert_with(|| Some(url.to_owned()));
            }
        }
        names
    }

    /// The entry that a reference means, and how that was found out.
    fn resolve(&self, reference: &str, base: Option<&str>) -> Option<(String, Found)> {
        if reference.starts_with('#') || self.full_urls.contains(reference) {
            return None;
        }
        if let Some(absolute) = base.map(|base| format!("{base}{reference}"))
            && self.full_urls.contains(&absolute)
        {
            return Some((absolute, Found::AsFhirSays));
        }
        // Exactly a type and an id: not what stands on another server, not one version, not a search.
        self.addresses.get(reference)?.clone().map(|url| (url, Found::ById))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    AsFhirSays,
    ById,
}

struct Walk<'a> {
    names: &'a Names,
    base: Option<&'a str>,
    issues: &'a mut Vec<Issue>,
}

impl Walk<'_> {
    fn resolve_inside(&mut self, object: &mut Object, place: &Place<'_>) {
        for (name, value) in object.iter_mut() {
            match value {
                Value::String(reference) if name == "reference" => {
                    let Some((url, found)) = self.names.resolve(reference, self.base) else { continue };
                    if found == Found::ById {
                        self.issues.push(Issue::information(
                            place.child("reference"),
                            text!(
                                en: "{reference} was read as the entry {url} of this bundle. Refer to entries by their fullUrl.",
                                fr: "{reference} a été lu comme l'entrée {url} de ce Bundle. Désigner les entrées par leur fullUrl."
                            ),
                        ));
                    }
                    *reference = url.into();
                }
                Value::Object(inside) => self.resolve_inside(inside, &place.child(name)),
                Value::Array(items) => {
                    for (at, item) in items.iter_mut().enumerate() {
                        if let Value::Object(inside) = item {
                            self.resolve_inside(inside, &place.child(name).item(at));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
