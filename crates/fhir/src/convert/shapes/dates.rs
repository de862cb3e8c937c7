//! `DocumentReference`: STU3 says when the note was written (`created`, to the day if need be) and
//! when it was indexed (`indexed`, always); R4 has one instant, `date`.

use jiff::{civil::Date, tz::TimeZone};

use super::carry;
use crate::{
    convert::{fill::fill_primitive, items::same, rules::Scene},
    primitive,
    release::Primitive,
    tree::Object,
};

/// `date`: when the note was written, else when it was indexed.
pub(in crate::convert) fn date(part: &Object, scene: &Scene<'_>) -> Object {
    let mut result = Object::new();
    let created = part.str("created").and_then(|created| completed(created, scene.zone));
    if let Some(created) = created {
        carry(part, "created", &mut result, "date");
        result.set("date", created);
        return result;
    }
    let mut indexed = Object::new();
    carry(part, "indexed", &mut indexed, "indexed");
    if !part.contains("indexed") || same(&indexed, &filled(scene)) {
        if !part.contains("created") {
            carry(part, "created", &mut result, "date");
        }
        return result;
    }
    carry(part, "indexed", &mut result, "date");
    result
}

/// `created` and `indexed`, which STU3 requires: the date, else when the server last saw the note.
pub(in crate::convert) fn created_and_indexed(part: &Object, scene: &Scene<'_>) -> Object {
    let mut result = Object::new();
    carry(part, "date", &mut result, "created");
    match part.get("date") {
        Some(date) => result.push("indexed", date.clone()),
        None => {
            for (name, value) in filled(scene).into_members() {
                result.push(name, value);
            }
        }
    }
    result
}

fn filled(scene: &Scene<'_>) -> Object {
    let mut indexed = Object::new();
    fill_primitive(&mut indexed, "indexed", scene.last_updated);
    indexed
}

/// A date as an instant: as it is when it is one, at its first midnight in the zone otherwise.
fn completed(date: &str, zone: &TimeZone) -> Option<String> {
    if primitive::check(Primitive::Instant, date).is_ok() {
        return Some(date.to_owned());
    }
    let day: Date = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.to_owned(),
    }
    .parse()
    .ok()?;
    let midnight = day.to_zoned(zone.clone()).ok()?;
    Some(midnight.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
