//! Primitive values: what each type allows, and what dates and strings mean in a search.
//!
//! The rules are those of FHIR's data types page; where STU3 and R4 differ the wider one holds,
//! except that years go from 0001 to 9999 in both.

mod binary;
mod date;
mod fold;
mod number;
mod range;
mod uri;
mod words;

use std::borrow::Cow;

use compact_str::CompactString;
use jiff::tz::TimeZone;

use crate::{outcome::Text, release::Primitive, text};

/// Whether a text (a JSON string, or the digits of a number, or `true`) is a value of that type.
///
/// # Errors
/// What is wrong with it and how to mend it.
pub fn check(primitive: Primitive, value: &str) -> Result<(), Text> {
    match primitive {
        Primitive::Boolean => number::check_boolean(value),
        Primitive::Integer => number::check_integer(value, i32::MIN),
        Primitive::UnsignedInt => number::check_integer(value, 0),
        Primitive::PositiveInt => number::check_integer(value, 1),
        Primitive::Decimal => number::check_decimal(value),
        Primitive::String | Primitive::Markdown => words::check_string(value),
        Primitive::Xhtml => words::check_text(value),
        Primitive::Code => words::check_code(value),
        Primitive::Id => words::check_id(value),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => uri::check_uri(value),
        Primitive::Oid => uri::check_oid(value),
        Primitive::Uuid => uri::check_uuid(value),
        Primitive::Base64Binary => binary::check(value),
        Primitive::Instant => date::check_instant(value),
        Primitive::Date => date::check_date(value),
        Primitive::DateTime => date::check_date_time(value),
        Primitive::Time => date::check_time(value),
    }
}

/// Whether a text is an id: 1 to 64 letters, digits, `-` and `.`.
#[must_use]
pub fn is_id(value: &str) -> bool {
    words::is_id(value)
}

/// A text as searches compare it: without case, accents or ligatures (`œ` is `oe`), blanks
/// collapsed to one, typographic apostrophes made plain. Folding twice changes nothing more.
#[must_use]
pub fn fold(value: &str) -> CompactString {
    fold::fold(value)
}

/// The instants a date, dateTime or instant covers: from the first, included, to the second, left
/// out, in microseconds since 1970 UTC. `2024-03` covers a month; a day without zone is the day of
/// `zone`, 23 or 25 hours long where the clocks change. Also reads what only searches may write:
/// no seconds, or a time without zone. `None` when it is not a date.
#[must_use]
pub fn date_range(value: &str, zone: &TimeZone) -> Option<(i64, i64)> {
    range::date_range(value, zone)
}

/// The instant in microseconds since 1970 UTC. What is finer than a microsecond is cut off.
/// `None` when it is not an instant.
#[must_use]
pub fn parse_instant(value: &str) -> Option<i64> {
    range::parse_instant(value)
}

/// Writes microseconds since 1970 as a UTC instant, always with six decimals, so that the order of
/// the texts is the order of the instants: `2024-05-01T10:00:00.123456Z`. Clamped to the years
/// 0001 to 9999.
#[must_use]
pub fn format_instant(microseconds: i64) -> String {
    range::format_instant(microseconds)
}

/// The bytes of a base64 text, blanks ignored. `None` when it is not base64.
#[must_use]
pub fn decode_base64(value: &str) -> Option<Vec<u8>> {
    binary::decode(value)
}

/// Bytes as base64, with padding and without blanks.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    binary::encode(bytes)
}

/// A text as an answer may hold it, whatever it quotes of a request: in characters that FHIR allows
/// in texts, and not longer than so many.
pub(crate) fn presentable(value: &str, longest: usize) -> Cow<'_, str> {
    words::presentable(value, longest)
}

/// The beginning of a value, for a sentence.
fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    match value.char_indices().nth(LONGEST) {
        None => value.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default().escape_debug()),
    }
}

fn empty() -> Text {
    text!(
        en: "The value is empty; leave the element out instead.",
        fr: "La valeur est vide ; omettre l'élément à la place.",
    )
}

#[cfg(test)]
mod tests;
