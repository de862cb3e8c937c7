//! Bundles: what their entries have.

use super::{Drawing, drop_all, has};
use crate::{
    object,
    tree::{Object, Value},
};

impl Drawing {
    /// What the entries of a bundle have depends on what the bundle is.
    pub(super) fn bundle(&mut self, bundle: &mut Object) {
        if matches!(bundle.str("type"), Some("document" | "message" | "history")) {
            // The releases do not agree on what the entries of a history have.
            bundle.set("type", "collection");
        }
        let kind = bundle.str("type").unwrap_or_default().to_owned();
        if !matches!(kind.as_str(), "searchset" | "history") {
            drop_all(bundle, &["total"]);
        }
        let Some(Value::Array(entries)) = bundle.get_mut("entry") else { return };
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            if kind != "searchset" {
                drop_all(entry, &["search"]);
            }
            drop_all(entry, &["request", "response"]);
            if !has(entry, "resource") {
                entry.push("resource", object! { "resourceType" => "Basic", "code" => object! { "text" => "vide" } });
            }
            if matches!(kind.as_str(), "batch" | "transaction") {
                let name = entry.object("resource").and_then(Object::resource_type).unwrap_or("Basic");
                entry.push("request", object! { "method" => "POST", "url" => name.to_owned() });
            }
            if matches!(kind.as_str(), "batch-response" | "transaction-response") {
                entry.push("response", object! { "status" => "201 Created" });
            }
            entry.set("fullUrl", format!("urn:uuid:{}", self.uuid()));
            drop_all(entry, &["_fullUrl"]);
        }
    }
}
