//! `Communication`: in STU3 a message that was not sent has `notDone`, in R4 the status `not-done`.

use super::carry;
use crate::{
    convert::{codes, rules::Scene},
    release::{Release, r4, stu3},
    tree::{Object, Value},
};

const EVENT_STATUS: &str = "http://hl7.org/fhir/ValueSet/event-status";

pub(in crate::convert) fn status(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    carry(part, "status", &mut result, "status");
    if part.get("notDone").and_then(Value::as_bool) == Some(true) {
        result.set("status", "not-done");
    } else {
        nearest_status(&mut result, r4());
    }
    carry(part, "notDoneReason", &mut result, "statusReason");
    result
}

pub(in crate::convert) fn not_done(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    carry(part, "status", &mut result, "status");
    let not_done = part.str("status") == Some("not-done");
    if not_done {
        result.push("notDone", true);
    }
    nearest_status(&mut result, stu3());
    if not_done {
        // Only what was not done has a reason in STU3 (com-1).
        carry(part, "statusReason", &mut result, "notDoneReason");
    }
    result
}

fn nearest_status(result: &mut Object, to: &'static Release) {
    let Some(list) = to.code_list(EVENT_STATUS) else { return };
    if let Some(code) = result.str("status").filter(|code| list.get(code).is_none()) {
        match codes::nearest(code, EVENT_STATUS, list, to.id) {
            Some(nearest) => result.set("status", nearest),
            None => result.remove("status"),
        };
    }
}
