//! Rules of FHIR that the tables do not tell.

use super::Drawing;
use crate::{
    array, object,
    release::{ReleaseId, Structure},
    tree::{Object, Value},
};

impl Drawing {
    /// Makes what was drawn keep the rules of its type, mostly by leaving out.
    pub(super) fn mend(&mut self, structure: &Structure, object: &mut Object) {
        match structure.path {
            "Attachment" if has(object, "data") && !has(object, "contentType") => {
                object.push("contentType", "text/plain");
            }
            "ContactPoint" if !has(object, "system") => drop_all(object, &["value"]),
            "Period" if has(object, "start") => drop_all(object, &["end"]),
            "Range" if has(object, "low") => drop_all(object, &["high"]),
            "Ratio" => {
                for name in ["numerator", "denominator"] {
                    object.set(name, object! { "value" => Value::Number("1.0".into()) });
                }
            }
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" if !has(object, "system") => {
                drop_all(object, &["code"]);
            }
            "Money" if self.release.id == ReleaseId::Stu3 && has(object, "code") => {
                object.set("system", "urn:iso:std:iso:4217");
            }
            "SampledData" if self.release.id == ReleaseId::Stu3 => {
                object.set("data", "1 2 3");
            }
            "Timing.repeat" => timing(object),
            "Appointment" => appointment(object),
            "Appointment.participant" if !has(object, "type") && !has(object, "actor") => {
                object.push("type", array![object! { "text" => self.phrase() }]);
            }
            "AppointmentResponse" if !has(object, "participantType") && !has(object, "actor") => {
                object.push("participantType", array![object! { "text" => self.phrase() }]);
            }
            "AuditEvent.entity" if has(object, "name") => drop_all(object, &["query"]),
            "Bundle" => self.bundle(object),
            "CareTeam.participant" => drop_all(object, &["onBehalfOf"]),
            "Consent" if !has(object, "policy") && !has(object, "policyRule") => {
                object.push("policy", array![object! { "uri" => "http://example.org/policy" }]);
            }
            "Organization" => {
                if !has(object, "identifier") && !has(object, "name") {
                    object.push("name", self.phrase());
                }
                never_at_home(object);
            }
            "Parameters.parameter" => self.parameter(object),
            "Patient.contact" if !["name", "telecom", "address", "organization"].iter().any(|n| has(object, n)) => {
                object.push("name", object! { "text" => self.phrase() });
            }
            _ => {}
        }
    }

    /// A parameter is one of a value, a resource and parts.
    fn parameter(&mut self, parameter: &mut Object) {
        if parameter.iter().any(|(name, _)| name.trim_start_matches('_').starts_with("value")) {
            drop_all(parameter, &["resource", "part"]);
        } else if has(parameter, "resource") {
            drop_all(parameter, &["part"]);
        } else if !has(parameter, "part") {
            parameter.push("valueString", self.phrase());
        }
    }

    /// What the entries of a bundle have depends on what the bundle is.
    fn bundle(&mut self, bundle: &mut Object) {
        if matches!(bundle.str("type"), Some("document" | "message")) {
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
            if matches!(kind.as_str(), "batch" | "transaction" | "history") {
                let name = entry.object("resource").and_then(Object::resource_type).unwrap_or("Basic");
                entry.push("request", object! { "method" => "POST", "url" => name.to_owned() });
            }
            if matches!(kind.as_str(), "batch-response" | "transaction-response" | "history") {
                entry.push("response", object! { "status" => "201 Created" });
            }
            entry.set("fullUrl", format!("urn:uuid:{}", self.uuid()));
            drop_all(entry, &["_fullUrl"]);
        }
    }
}

fn timing(repeat: &mut Object) {
    for (name, unit) in [("duration", "durationUnit"), ("period", "periodUnit")] {
        if let Some(digits) = repeat.get(name).and_then(Value::as_number).map(|d| d.trim_start_matches('-').to_owned())
        {
            repeat.set(name, Value::Number(digits.into()));
        }
        if has(repeat, name) && !has(repeat, unit) {
            repeat.push(unit, "d");
        }
    }
    for (greatest, name) in [("durationMax", "duration"), ("periodMax", "period"), ("countMax", "count")] {
        if !has(repeat, name) {
            drop_all(repeat, &[greatest]);
        }
    }
    if has(repeat, "when") {
        drop_all(repeat, &["timeOfDay"]);
    }
    let of_meals = |code: &str| matches!(code, "C" | "CM" | "CD" | "CV");
    if !has(repeat, "when") || repeat.items("when").iter().filter_map(Value::as_str).any(of_meals) {
        drop_all(repeat, &["offset"]);
    }
}

fn appointment(appointment: &mut Object) {
    if !has(appointment, "start") || !has(appointment, "end") {
        drop_all(appointment, &["start", "end"]);
        if !matches!(appointment.str("status"), Some("proposed" | "cancelled")) {
            appointment.set("status", "proposed");
        }
    }
    if !matches!(appointment.str("status"), Some("cancelled" | "noshow")) {
        drop_all(appointment, &["cancelationReason"]);
    }
}

fn never_at_home(organization: &mut Object) {
    for name in ["address", "telecom"] {
        let Some(Value::Array(items)) = organization.get_mut(name) else { continue };
        for item in items.iter_mut().filter_map(Value::as_object_mut).filter(|i| i.str("use") == Some("home")) {
            item.set("use", "work");
        }
    }
}

/// Whether an element is there, with a value or with extensions alone.
fn has(object: &Object, name: &str) -> bool {
    object.contains(name) || object.contains(&format!("_{name}"))
}

/// Leaves members out, with what stands beside them.
fn drop_all(object: &mut Object, names: &[&str]) {
    for name in names {
        object.remove(name);
        object.remove(&format!("_{name}"));
    }
}
