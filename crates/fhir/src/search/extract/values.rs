//! From a value to the rows that find it, by type of value.

use compact_str::{CompactString, format_compact};
use jiff::tz::TimeZone;

use crate::{
    primitive::{date_range, fold},
    search::{
        index::{IndexRow, IndexValue, Param},
        numbers,
        parameters::{Parameter, reading::Reading},
    },
    terminology::systems::canonical_system,
    tree::{Object, Value},
};

use super::{ExtractContext, references};

/// A value that was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'t> {
    Object(&'t Object),
    Value(&'t Value),
}

pub(super) fn rows(
    parameter: &'static Parameter,
    reading: Reading,
    found: Found<'_>,
    context: &ExtractContext<'_>,
    rows: &mut Vec<IndexRow>,
) {
    let mut out = Rows { parameter, context, rows };
    match found {
        Found::Value(value) => {
            if let Some(text) = value.primitive_text() {
                out.primitive(reading, text);
            }
        }
        Found::Object(object) => out.object(reading, object),
    }
}

struct Rows<'a> {
    parameter: &'static Parameter,
    context: &'a ExtractContext<'a>,
    rows: &'a mut Vec<IndexRow>,
}

impl Rows<'_> {
    fn push(&mut self, value: IndexValue) {
        self.rows.push(IndexRow { param: self.parameter.param, value });
    }

    fn primitive(&mut self, reading: Reading, text: &str) {
        match reading {
            Reading::Text => self.string(text),
            Reading::Code => self.token(None, text),
            Reading::Canonical => {
                let text = text.trim();
                if let Some((url, _version)) = text.split_once('|') {
                    self.reference(url);
                }
                self.reference(text);
            }
            Reading::Moment => {
                if let Some((low, high)) = date_range(text, self.context.zone) {
                    self.push(IndexValue::Date { low, high });
                }
            }
            Reading::Integer => {
                if let Some(number) = numbers::exact(text) {
                    self.push(IndexValue::Number { low: number, high: number });
                }
            }
            Reading::Decimal => {
                if let Some((low, high)) = numbers::range(text) {
                    self.push(IndexValue::Number { low, high });
                }
            }
            Reading::Uri => {
                let text = text.trim();
                if let Some((url, _version)) = text.split_once('|') {
                    self.push(IndexValue::Uri(url.into()));
                }
                if !text.is_empty() {
                    self.push(IndexValue::Uri(text.into()));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, reading: Reading, object: &Object) {
        match reading {
            Reading::HumanName => self.strings(object, &["family", "given", "prefix", "suffix", "text"]),
            Reading::Address => {
                self.strings(object, &["line", "city", "district", "state", "postalCode", "country", "text"]);
            }
            Reading::Coding => self.coding(object),
            Reading::CodeableConcept => object.objects("coding").for_each(|coding| self.coding(coding)),
            Reading::Identifier => self.identifier(object),
            Reading::ContactPoint => {
                if let Some(value) = object.str("value") {
                    self.token(None, value);
                }
            }
            Reading::Reference => {
                if let Some(text) = object.str("reference") {
                    self.reference(text);
                }
                if let (Some(param), Some(identifier)) = (self.parameter.identifier, object.object("identifier")) {
                    let token = identifier_token(identifier);
                    self.rows.extend(token.map(|value| IndexRow { param, value }));
                }
            }
            Reading::Period => {
                if let Some((low, high)) = period(object, self.context.zone) {
                    self.push(IndexValue::Date { low, high });
                }
            }
            Reading::Timing => {
                if let Some((low, high)) = timing(object, self.context.zone) {
                    self.push(IndexValue::Date { low, high });
                }
            }
            Reading::Quantity => {
                if let Some(value) = quantity(object) {
                    self.push(value);
                }
            }
            Reading::Range => {
                if let Some(value) = range(object) {
                    self.push(value);
                }
            }
            Reading::Money => {
                if let Some((low, high)) = number(object, "value") {
                    let code = object.str("currency").map(CompactString::from);
                    self.push(IndexValue::Quantity { low, high, system: None, code });
                }
            }
            Reading::Position => {
                let degrees = |name| object.get(name).and_then(Value::as_number).and_then(numbers::exact);
                if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
                    self.push(IndexValue::Position { latitude, longitude });
                }
            }
            _ => {}
        }
    }

    fn strings(&mut self, object: &Object, members: &[&str]) {
        for (name, value) in object.iter() {
            if members.contains(&name) {
                value.each().iter().filter_map(Value::as_str).for_each(|text| self.string(text));
            }
        }
    }

    fn string(&mut self, text: &str) {
        let folded = fold(text);
        if !folded.is_empty() {
            self.push(IndexValue::String { exact: text.trim().into(), folded });
        }
    }

    fn token(&mut self, system: Option<&str>, code: &str) {
        self.rows.extend(token(system, code).map(|value| IndexRow { param: self.parameter.param, value }));
    }

    fn coding(&mut self, coding: &Object) {
        if let Some(code) = coding.str("code") {
            self.token(coding.str("system"), code);
        }
    }

    fn identifier(&mut self, identifier: &Object) {
        let Some(token) = identifier_token(identifier) else { return };
        if let (Some(param), IndexValue::Token { code, .. }) = (self.parameter.of_type, &token) {
            self.rows.extend(of_type_tokens(param, identifier, code));
        }
        self.push(token);
    }

    fn reference(&mut self, text: &str) {
        if let Some(target) = references::target(text, self.context.bases) {
            self.push(IndexValue::Reference(target));
        }
    }
}

/// A period; an end that is missing is open.
fn period(period: &Object, zone: &TimeZone) -> Option<(i64, i64)> {
    let moment = |name| period.str(name).map(|text| date_range(text, zone));
    match (moment("start"), moment("end")) {
        (None, None) => None,
        (Some(None), _) | (_, Some(None)) => None,
        (start, end) => {
            let low = start.flatten().map_or(i64::MIN, |(low, _)| low);
            let high = end.flatten().map_or(i64::MAX, |(_, high)| high);
            // A period that ends before it begins has no moment at all.
            (low < high).then_some((low, high))
        }
    }
}

/// The outer limits of a schedule: those of its bounds, or else of its events.
fn timing(timing: &Object, zone: &TimeZone) -> Option<(i64, i64)> {
    if let Some(bounds) = timing.object("repeat").and_then(|repeat| repeat.object("boundsPeriod")) {
        return period(bounds, zone);
    }
    let events = timing.items("event").iter().filter_map(Value::as_str);
    events
        .filter_map(|event| date_range(event, zone))
        .reduce(|(low, high), (next_low, next_high)| (low.min(next_low), high.max(next_high)))
}

/// A code with its system, both trimmed, the system under its canonical name.
fn token(system: Option<&str>, code: &str) -> Option<IndexValue> {
    let code = code.trim();
    if code.is_empty() {
        return None;
    }
    let system = system.map(str::trim).filter(|system| !system.is_empty());
    let system = system.map(|system| CompactString::from(canonical_system(system, Some(code))));
    Some(IndexValue::Token { system, code: code.into() })
}

fn identifier_token(identifier: &Object) -> Option<IndexValue> {
    token(identifier.str("system"), identifier.str("value")?)
}

/// `identifier:of-type=system|code|value`: the system and code of each type, with the value.
fn of_type_tokens<'a>(
    param: Param,
    identifier: &'a Object,
    value: &'a str,
) -> impl Iterator<Item = IndexRow> + use<'a> {
    let codings = identifier.object("type").into_iter().flat_map(|concept| concept.objects("coding"));
    codings.filter_map(move |coding| match token(coding.str("system"), coding.str("code")?)? {
        IndexValue::Token { system, code } => {
            let code = format_compact!("{code}|{value}");
            Some(IndexRow { param, value: IndexValue::Token { system, code } })
        }
        _ => None,
    })
}

fn number(object: &Object, name: &str) -> Option<(f64, f64)> {
    object.get(name).and_then(Value::as_number).and_then(numbers::range)
}

fn quantity(quantity: &Object) -> Option<IndexValue> {
    let (low, high) = number(quantity, "value")?;
    let (low, high) = match quantity.str("comparator") {
        Some("<" | "<=") => (f64::MIN, high),
        Some(">" | ">=") => (low, f64::MAX),
        _ => (low, high),
    };
    let (system, code) = unit(quantity);
    Some(IndexValue::Quantity { low, high, system, code })
}

/// From one quantity to another; an end that is missing is open.
fn range(range: &Object) -> Option<IndexValue> {
    let end = |name: &str| range.object(name).and_then(|end| number(end, "value"));
    let (low, high) = match (end("low"), end("high")) {
        (None, None) => return None,
        (low, high) => (low.map_or(f64::MIN, |(low, _)| low), high.map_or(f64::MAX, |(_, high)| high)),
    };
    // A range that ends before it begins holds nothing.
    if low > high {
        return None;
    }
    let (system, code) = range.object("low").or_else(|| range.object("high")).map(unit).unwrap_or_default();
    Some(IndexValue::Quantity { low, high, system, code })
}

fn unit(quantity: &Object) -> (Option<CompactString>, Option<CompactString>) {
    let text = |name| quantity.str(name).map(str::trim).filter(|text| !text.is_empty()).map(CompactString::from);
    (text("system"), text("code").or_else(|| text("unit")))
}

#[cfg(test)]
mod tests {
    use crate::{array, object};

    use super::*;

    #[test]
    fn a_schedule_lasts_from_its_first_event_to_its_last() {
        let range = |schedule: &Object| timing(schedule, &TimeZone::UTC);
        let day = |text| date_range(text, &TimeZone::UTC).unwrap();
        let events = object! { "event" => array!["2024-03-05", "2024-03-01", "2024-03-03"] };
        assert_eq!(range(&events), Some((day("2024-03-01").0, day("2024-03-05").1)));
        let bounds = object! { "boundsPeriod" => object! { "start" => "2024-02" } };
        let bounded = object! { "event" => array!["2024-03-05"], "repeat" => bounds };
        assert_eq!(range(&bounded), Some((day("2024-02").0, i64::MAX)));
        assert_eq!(range(&object! { "event" => array!["demain"] }), None);
    }
}
