//! Numbers, quantities and distances.

use compact_str::CompactString;

use crate::{
    outcome::Issue,
    search::{
        numbers,
        parse::{level::Leaf, refusal, split},
        query::{Comparison, NumberTest, Test},
    },
};

use super::{PREFIXES, Prefix, prefix};

/// The distance searched around a place when none is said, in metres.
const AROUND: f64 = 10_000.0;

pub(super) fn number(leaf: &Leaf<'_>, value: &str) -> Result<NumberTest, Issue> {
    let Ok((prefix, text)) = prefix(value) else {
        return Err(refusal::bad_value(leaf.whole, value, PREFIXES));
    };
    let (Some((low, high)), Some(exact)) = (numbers::range(text), numbers::exact(text)) else {
        return Err(refusal::bad_value(leaf.whole, value, ("it must be a number", "attendu : un nombre")));
    };
    Ok(match prefix {
        None => NumberTest { comparison: Comparison::Within, low, high },
        Some(Prefix::Approximately) => {
            let margin = exact.abs() / 10.0;
            NumberTest {
                comparison: Comparison::Overlaps,
                low: low.min(exact - margin),
                high: high.max(exact + margin),
            }
        }
        // More or less than a number is more or less than exactly that number.
        Some(Prefix::Compares(
            comparison @ (Comparison::Greater
            | Comparison::Less
            | Comparison::GreaterOrWithin
            | Comparison::LessOrWithin),
        )) => NumberTest { comparison, low: exact, high: exact },
        Some(Prefix::Compares(comparison)) => NumberTest { comparison, low, high },
    })
}

/// `5.4|http://unitsofmeasure.org|mg`, `5.4||mg`, `5.4`.
pub(super) fn quantity(leaf: &Leaf<'_>, value: &str) -> Result<Test, Issue> {
    let wanted = (
        "a quantity is written number, number||unit or number|system|unit",
        "une quantité s'écrit nombre, nombre||unité ou nombre|système|unité",
    );
    let parts = split::at(value, '|');
    let (text, system, code) = match parts[..] {
        [number] => (number, "", ""),
        [number, system, code] => (number, system, code),
        _ => return Err(refusal::bad_value(leaf.whole, value, wanted)),
    };
    let part = |text: &str| Some(CompactString::from(split::unescape(text).trim())).filter(|text| !text.is_empty());
    Ok(Test::Quantity { number: number(leaf, text)?, system: part(system), code: part(code) })
}

/// `48.85|2.35|5|km`: latitude, longitude, distance, unit.
pub(super) fn near(leaf: &Leaf<'_>, value: &str) -> Result<Test, Issue> {
    let refused = || {
        let wanted = (
            "a place is written latitude|longitude|distance|unit, in degrees and in km or m",
            "un lieu s'écrit latitude|longitude|distance|unité, en degrés et en km ou m",
        );
        refusal::bad_value(leaf.whole, value, wanted)
    };
    let parts = split::at(value, '|');
    let (latitude, longitude, distance, unit) = match parts[..] {
        [latitude, longitude] => (latitude, longitude, None, "km"),
        [latitude, longitude, distance] => (latitude, longitude, Some(distance), "km"),
        [latitude, longitude, distance, unit] => (latitude, longitude, Some(distance), unit.trim()),
        _ => return Err(refused()),
    };
    let within = |text: &str, most: f64| numbers::exact(text.trim()).filter(|degrees| degrees.abs() <= most);
    let metres = match unit {
        "" | "km" => 1_000.0,
        "m" => 1.0,
        "[mi_i]" | "[mi_us]" => 1_609.344,
        _ => return Err(refused()),
    };
    let metres = match distance {
        None => AROUND,
        Some(text) => numbers::exact(text.trim()).filter(|distance| *distance >= 0.0).ok_or_else(refused)? * metres,
    };
    match (within(latitude, 90.0), within(longitude, 180.0)) {
        (Some(latitude), Some(longitude)) => Ok(Test::Near { latitude, longitude, metres }),
        _ => Err(refused()),
    }
}
