//! Rules of FHIR that the tables do not tell.

use super::Drawing;
use crate::{
    release::{ReleaseId, Structure},
    tree::Object,
};

impl Drawing {
    /// Makes what was drawn keep the rules of its type, mostly by leaving out.
    pub(super) fn mend(&mut self, structure: &Structure, object: &mut Object) {
        match structure.path {
            "Attachment" if object.contains("data") && !object.contains("contentType") => {
                object.push("contentType", "text/plain");
            }
            "ContactPoint" if !object.contains("system") => drop_all(object, &["value"]),
            "Period" if object.contains("start") => drop_all(object, &["end"]),
            "Range" if object.contains("low") => drop_all(object, &["high"]),
            "Ratio" => {
                for name in ["numerator", "denominator"] {
                    let quantity = crate::object! { "value" => crate::tree::Value::Number("1.0".into()) };
                    object.set(name, quantity);
                }
            }
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" if !object.contains("system") => {
                drop_all(object, &["code"]);
            }
            "Money" if self.release.id == ReleaseId::Stu3 && object.contains("code") => {
                object.set("system", "urn:iso:std:iso:4217");
            }
            "Parameters.parameter" => {
                // One of a value, a resource and parts.
                let value = object.iter().map(|(n, _)| n).find(|n| n.starts_with("value")).map(str::to_owned);
                if value.is_some() {
                    drop_all(object, &["resource", "part"]);
                } else if object.contains("resource") {
                    drop_all(object, &["part"]);
                } else if !object.contains("part") {
                    object.push("valueString", self.phrase());
                }
            }
            "SampledData" if self.release.id == ReleaseId::Stu3 => {
                object.set("data", "1 2 3");
            }
            _ => {}
        }
    }
}

/// Leaves members out, with what stands beside them.
fn drop_all(object: &mut Object, names: &[&str]) {
    for name in names {
        object.remove(name);
        object.remove(&format!("_{name}"));
    }
}
