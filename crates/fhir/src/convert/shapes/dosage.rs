//! `Dosage`: R4 gathers dose and rate, and may have several.

use crate::{array, convert::rules::Scene, tree::Object};

const CHOICES: &[&str] = &["doseRange", "doseQuantity", "rateRatio", "rateRange", "rateQuantity"];

pub(in crate::convert) fn dose_and_rate(part: &Object, _: &Scene<'_>) -> Object {
    let gathered = chosen(part);
    let mut result = Object::new();
    if !gathered.is_empty() {
        result.push("doseAndRate", array![gathered]);
    }
    result
}

pub(in crate::convert) fn flat(part: &Object, _: &Scene<'_>) -> Object {
    part.objects("doseAndRate").next().map(chosen).unwrap_or_default()
}

fn chosen(from: &Object) -> Object {
    CHOICES.iter().filter_map(|name| Some(((*name).into(), from.get(name)?.clone()))).collect()
}
