//! `Money`: a quantity whose code is a currency in STU3, a value with a currency in R4.

use super::carry;
use crate::{convert::rules::Scene, tree::Object};

pub(in crate::convert) const CURRENCIES: &str = "urn:iso:std:iso:4217";

pub(in crate::convert) fn currency(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    let is_currency = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    if part.str("system") == Some(CURRENCIES) && part.str("code").is_some_and(is_currency) {
        carry(part, "code", &mut result, "currency");
    }
    result
}

pub(in crate::convert) fn system_and_code(part: &Object, _: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if part.contains("currency") {
        result.push("system", CURRENCIES);
    }
    carry(part, "currency", &mut result, "code");
    result
}
