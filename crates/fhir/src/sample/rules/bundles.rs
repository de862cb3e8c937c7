//! Bundles: what their entries have.

use super::{Drawing, drop_all, has};
use crate::{
    object,
    release::ReleaseId,
    tree::{Object, Value},
};

impl Drawing {
    /// What the entries of a bundle have depends on what the bundle is.
    pub(super) fn bundle(&mut self, bundle: &mut Object) {
        let is_r4 = self.release.id == ReleaseId::R4;
        let is_wide = self.is_wide();
        let is_left_out = match bundle.str("type") {
            // These begin with resources of types that are not drawn.
            Some("document" | "message") => is_r4 || !is_wide,
            Some("history") => !is_wide,
            _ => false,
        };
        if is_left_out {
            // The releases do not agree on what the entries of a history have.
            bundle.set("type", "collection");
        }
        if bundle.str("type") == Some("document") {
            bundle.set("identifier", object! { "system" => "http://example.org/d", "value" => self.id() });
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
            // STU3 does not ask for requests and answers.
            let is_said = is_r4 || !is_wide || self.chance(50);
            if is_said && matches!(kind.as_str(), "batch" | "transaction" | "history") {
                let name = entry.object("resource").and_then(Object::resource_type).unwrap_or("Basic");
                entry.push("request", object! { "method" => "POST", "url" => name.to_owned() });
            }
            let is_answered = match kind.as_str() {
                "batch-response" | "transaction-response" => is_said,
                "history" => is_r4,
                _ => false,
            };
            if is_answered {
                entry.push("response", object! { "status" => "201 Created" });
            }
            entry.set("fullUrl", format!("urn:uuid:{}", self.uuid()));
            drop_all(entry, &["_fullUrl"]);
        }
    }
}
