//! `OperationDefinition`: `idempotent` in STU3 is the contrary of `affectsState` in R4.

use super::carry;
use crate::{
    convert::rules::Scene,
    tree::{Object, Value},
};

pub(in crate::convert) fn affects_state(part: &Object, _: &Scene<'_>) -> Object {
    contrary(part, "idempotent", "affectsState")
}

pub(in crate::convert) fn idempotent(part: &Object, _: &Scene<'_>) -> Object {
    contrary(part, "affectsState", "idempotent")
}

fn contrary(part: &Object, from: &str, to: &str) -> Object {
    let mut result = Object::new();
    carry(part, from, &mut result, to);
    if let Some(said) = part.get(from).and_then(Value::as_bool) {
        result.set(to, !said);
    }
    result
}
