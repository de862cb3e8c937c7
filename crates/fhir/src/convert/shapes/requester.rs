//! `CommunicationRequest.requester`: STU3 says who asked and on whose behalf, R4 who asked.

use crate::{convert::rules::Scene, object, tree::Object};

pub(in crate::convert) fn reference(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(agent) = part.object("requester").and_then(|r| r.get("agent")) {
        result.push("requester", agent.clone());
    }
    result
}

pub(in crate::convert) fn agent(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if let Some(requester) = part.get("requester") {
        result.push("requester", object! { "agent" => requester.clone() });
    }
    result
}
