//! Constraints of FHIR: how to keep them, mostly by leaving out.

mod bundles;
mod definitions;
mod terminology;

use super::Drawing;
use crate::{
    array, object,
    release::{ReleaseId, Structure},
    tree::{Object, Value},
};

impl Drawing {
    /// Makes what was drawn keep the constraints of its type.
    pub(super) fn mend(&mut self, structure: &Structure, object: &mut Object) {
        match structure.path {
            "Attachment" if has(object, "data") && !has(object, "contentType") => {
                object.push("contentType", "text/plain");
            }
            "ContactPoint" if !has(object, "system") => drop_all(object, &["value"]),
            "Period" if has(object, "start") => drop_all(object, &["end"]),
            "Range" => {
                if has(object, "low") {
                    drop_all(object, &["high"]);
                }
                simple(object);
            }
            "Dosage" | "Dosage.doseAndRate" => simple(object),
            "Ratio" => {
                for name in ["numerator", "denominator"] {
                    object.set(name, object! { "value" => Value::Number("1.0".into()) });
                }
            }
            "Quantity" if !has(object, "system") => drop_all(object, &["code"]),
            "Age" | "Distance" | "Duration" => measured(object, "h", "12.5"),
            "Count" => measured(object, "1", "12"),
            "Money" => self.money(object),
            "SampledData" => {
                simple(object);
                if self.release.id == ReleaseId::Stu3 {
                    object.set("data", "1 2 3");
                }
            }
            "Timing.repeat" => timing(object),
            "Expression" if !has(object, "reference") => {
                object.set("expression", "true");
            }
            "DataRequirement.codeFilter" | "DataRequirement.dateFilter" => {
                drop_all(object, &["searchParam", "valueSet"]);
                object.set("path", "code");
            }
            "TriggerDefinition" if self.release.id == ReleaseId::R4 => {
                drop_form(object, "timing");
                drop_all(object, &["data", "condition"]);
                object.set("type", "named-event");
                object.set("name", "relecture");
            }
            "Appointment" => appointment(object),
            "Appointment.participant" if !has(object, "type") && !has(object, "actor") => {
                object.push("type", array![object! { "text" => self.phrase() }]);
            }
            "AppointmentResponse" if !has(object, "participantType") && !has(object, "actor") => {
                object.push("participantType", array![object! { "text" => self.phrase() }]);
            }
            "AuditEvent.entity" if has(object, "name") => drop_all(object, &["query"]),
            "Bundle" => self.bundle(object),
            "CareTeam.participant" | "CommunicationRequest.requester" => drop_all(object, &["onBehalfOf"]),
            "Communication" if self.is_wide() => {
                if object.get("notDone").and_then(Value::as_bool) != Some(true) {
                    drop_all(object, &["notDoneReason"]);
                }
            }
            "Communication" if object.str("status") != Some("not-done") => {
                drop_all(object, &["notDoneReason", "statusReason"]);
            }
            "Consent" if !has(object, "policy") && !has(object, "policyRule") => {
                object.push("policy", array![object! { "uri" => "http://example.org/policy" }]);
            }
            "Group" if has(object, "member") => {
                drop_all(object, &["_actual"]);
                object.set("actual", true);
            }
            "List" if has(object, "entry") => self.list(object),
            "List.entry" => drop_all(object, if self.is_wide() { &["deleted"] } else { &["deleted", "date"] }),
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
            path => {
                self.mend_definition(path, object);
                self.mend_terminology(path, object);
            }
        }
    }

    fn money(&mut self, money: &mut Object) {
        if self.release.id == ReleaseId::Stu3 {
            drop_all(money, &["code", "system"]);
            money.push("system", "urn:iso:std:iso:4217");
            money.push("code", "EUR");
        } else if has(money, "value") && !has(money, "currency") && !self.is_wide() {
            money.push("currency", "EUR");
        }
    }

    /// In R4 only a working list tells when its entries came.
    fn list(&mut self, list: &mut Object) {
        drop_all(list, &["emptyReason"]);
        if self.release.id == ReleaseId::Stu3 || list.str("mode") == Some("working") {
            return;
        }
        let Some(Value::Array(entries)) = list.get_mut("entry") else { return };
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            drop_all(entry, &["date"]);
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
}

/// Simple quantities have no comparator.
fn simple(object: &mut Object) {
    let parts =
        ["low", "high", "origin", "doseQuantity", "rateQuantity", "maxDosePerAdministration", "maxDosePerLifetime"];
    for name in parts {
        if let Some(quantity) = object.get_mut(name).and_then(Value::as_object_mut) {
            drop_all(quantity, &["comparator"]);
            if !has(quantity, "value") {
                quantity.push("value", Value::Number("1.5".into()));
            }
        }
    }
}

/// A quantity of a unit of UCUM.
fn measured(quantity: &mut Object, code: &str, value: &str) {
    drop_all(quantity, &["value", "system", "code"]);
    quantity.push("value", Value::Number(value.into()));
    quantity.push("system", "http://unitsofmeasure.org");
    quantity.push("code", code);
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

/// Leaves a choice element out, in whatever form.
fn drop_form(object: &mut Object, name: &str) {
    object.retain(|member, _| {
        let form = member.strip_prefix('_').unwrap_or(member).strip_prefix(name);
        !form.is_some_and(|form| form.starts_with(|c: char| c.is_ascii_uppercase()))
    });
}

/// Leaves members out, with what stands beside them.
fn drop_all(object: &mut Object, names: &[&str]) {
    for name in names {
        object.remove(name);
        object.remove(&format!("_{name}"));
    }
}
