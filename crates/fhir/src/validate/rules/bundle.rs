//! Rules on bundles.

use std::collections::HashSet;

use super::{Broken, Rule, has, items};
use crate::{text, tree::Object};

pub(super) fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "bdl-1" => total_of_a_list,
        "bdl-2" => |b| allowed_in(b, "search", &["searchset"]),
        "bdl-3" => |b| allowed_in(b, "request", REQUESTS).or_else(|| demanded_in(b, "request", REQUESTS)),
        "bdl-3-loose" => |b| allowed_in(b, "request", REQUESTS),
        "bdl-4" => |b| allowed_in(b, "response", RESPONSES).or_else(|| demanded_in(b, "response", RESPONSES)),
        "bdl-4-loose" => |b| allowed_in(b, "response", RESPONSES),
        "bdl-5" => entry_has_content,
        "bdl-7" => addresses_are_unique,
        "bdl-8" => address_has_no_version,
        "bdl-9" => document_has_an_identifier,
        "bdl-10" => document_has_a_date,
        "bdl-11" => |b| begins_with(b, "document", "Composition"),
        "bdl-12" => |b| begins_with(b, "message", "MessageHeader"),
        _ => return None,
    })
}

const REQUESTS: &[&str] = &["batch", "transaction", "history"];
const RESPONSES: &[&str] = &["batch-response", "transaction-response", "history"];

fn is_one_of(bundle: &Object, types: &[&str]) -> bool {
    bundle.str("type").is_some_and(|t| types.contains(&t))
}

fn total_of_a_list(bundle: &Object) -> Option<Broken> {
    (has(bundle, "total") && !is_one_of(bundle, &["searchset", "history"])).then(|| {
        Broken::at(
            "total",
            text!(
                en: "Only a searchset or a history has a total",
                fr: "Seuls un searchset ou un historique ont un total",
            ),
        )
    })
}

fn allowed_in(bundle: &Object, name: &str, types: &[&str]) -> Option<Broken> {
    if is_one_of(bundle, types) {
        return None;
    }
    let (index, _) = items(bundle, "entry").find(|(_, entry)| has(entry, name))?;
    let types = types.join(", ");
    Some(Broken::at(
        format!("entry[{index}].{name}"),
        text!(
            en: "\"{name}\" stands only in bundles of type {types}",
            fr: "« {name} » ne figure que dans les bundles de type {types}",
        ),
    ))
}

fn demanded_in(bundle: &Object, name: &str, types: &[&str]) -> Option<Broken> {
    if !is_one_of(bundle, types) {
        return None;
    }
    let (index, _) = items(bundle, "entry").find(|(_, entry)| !has(entry, name))?;
    let types = types.join(", ");
    Some(Broken::at(
        format!("entry[{index}]"),
        text!(
            en: "In bundles of type {types} every entry has a \"{name}\"",
            fr: "Dans les bundles de type {types}, chaque entrée a un « {name} »",
        ),
    ))
}

fn entry_has_content(entry: &Object) -> Option<Broken> {
    let any = ["resource", "request", "response"].iter().any(|name| has(entry, name));
    (!any).then(|| {
        Broken::here(text!(
            en: "An entry has a resource, a request or a response",
            fr: "Une entrée a une ressource, une requête ou une réponse",
        ))
    })
}

/// The same address twice is the same thing twice, unless as different versions.
fn addresses_are_unique(bundle: &Object) -> Option<Broken> {
    if is_one_of(bundle, &["history"]) {
        return None;
    }
    let mut seen = HashSet::new();
    let addressed = items(bundle, "entry").filter_map(|(index, entry)| {
        let version = entry.object("resource").and_then(|r| r.object("meta")).and_then(|m| m.str("versionId"));
        Some((index, (entry.str("fullUrl")?, version)))
    });
    for (index, address) in addressed {
        if !seen.insert(address) {
            return Some(Broken::at(
                format!("entry[{index}].fullUrl"),
                text!(
                    en: "Another entry of the bundle has the same fullUrl",
                    fr: "Une autre entrée du bundle a le même fullUrl",
                ),
            ));
        }
    }
    None
}

fn address_has_no_version(entry: &Object) -> Option<Broken> {
    entry.str("fullUrl").filter(|url| url.contains("/_history/")).map(|_| {
        Broken::at("fullUrl", text!(en: "A fullUrl names no version", fr: "Un fullUrl ne désigne pas une version"))
    })
}

fn document_has_an_identifier(bundle: &Object) -> Option<Broken> {
    let identifier = bundle.object("identifier");
    let whole = identifier.is_some_and(|i| has(i, "system") && has(i, "value"));
    (is_one_of(bundle, &["document"]) && !whole).then(|| {
        Broken::at(
            "identifier",
            text!(
                en: "A document has an identifier with a system and a value",
                fr: "Un document a un identifiant avec un système et une valeur",
            ),
        )
    })
}

fn document_has_a_date(bundle: &Object) -> Option<Broken> {
    (is_one_of(bundle, &["document"]) && !has(bundle, "timestamp"))
        .then(|| Broken::at("timestamp", text!(en: "A document has a timestamp", fr: "Un document a un horodatage")))
}

fn begins_with(bundle: &Object, kind: &str, wanted: &str) -> Option<Broken> {
    let first = items(bundle, "entry").next().and_then(|(_, entry)| entry.object("resource"));
    let right = first.and_then(Object::resource_type) == Some(wanted);
    (is_one_of(bundle, &[kind]) && !right).then(|| {
        Broken::at(
            "entry[0].resource",
            text!(
                en: "The first resource of a {kind} is a {wanted}",
                fr: "La première ressource d'un {kind} est un {wanted}",
            ),
        )
    })
}
