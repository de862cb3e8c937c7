//! Primitive values, national identifiers, canonicals, query strings.

use liaison_app::query_string;
use liaison_care::identifiers;
use liaison_fhir::{
    object,
    primitive::{self, date_range, decode_base64, encode_base64, fold, format_instant, parse_instant},
    release::Primitive,
    terminology::{definitions::canonical_parts, language, systems},
};

use crate::bounds::bounded;

const KINDS: [Primitive; 20] = [
    Primitive::Boolean,
    Primitive::Integer,
    Primitive::UnsignedInt,
    Primitive::PositiveInt,
    Primitive::Decimal,
    Primitive::String,
    Primitive::Markdown,
    Primitive::Code,
    Primitive::Id,
    Primitive::Uri,
    Primitive::Url,
    Primitive::Canonical,
    Primitive::Oid,
    Primitive::Uuid,
    Primitive::Base64Binary,
    Primitive::Instant,
    Primitive::Date,
    Primitive::DateTime,
    Primitive::Time,
    Primitive::Xhtml,
];

/// The systems of national identifiers, and the types that tell those of one system apart.
const SYSTEMS: [&str; 14] = [
    identifiers::INS_NIR,
    identifiers::INS_NIA,
    identifiers::INS_NIR_TEST,
    identifiers::INS_NIR_DEMO,
    identifiers::INS_C,
    identifiers::INS_A,
    identifiers::RPPS,
    identifiers::IDNPS,
    identifiers::FINESS,
    identifiers::SIRENE,
    identifiers::ADELI_RANK,
    identifiers::RPPS_RANK,
    identifiers::IDNST,
    "",
];

/// Bytes as any primitive value, as any national identifier and as a query string.
pub fn primitive(bytes: &[u8]) {
    if let Ok(pairs) = query_string::read(bytes) {
        assert_eq!(query_string::read(query_string::write(&pairs).as_bytes()).ok(), Some(pairs), "written otherwise");
    }
    assert_eq!(decode_base64(&encode_base64(bytes)).as_deref(), Some(bytes), "base64");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in KINDS {
        if let Err(reason) = bounded(bytes.len(), 100, || primitive::check(kind, text)) {
            assert!(!reason.en.is_empty() && !reason.fr.is_empty(), "{kind:?}");
        }
    }
    dates(text);
    let folded = fold(text);
    assert_eq!(fold(&folded), folded, "folding twice");
    if primitive::check(Primitive::Base64Binary, text).is_ok() {
        let decoded = decode_base64(text).expect("checked");
        let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        assert_eq!(encode_base64(&decoded), plain, "more than one text for the same bytes");
    }
    let (url, version) = canonical_parts(text);
    assert!(url.len() + version.map_or(0, str::len) <= text.len());
    let canonical = systems::canonical_system(text, None);
    assert_eq!(systems::canonical_system(&canonical, None), canonical, "a canonical system has none of its own");
    let _ = (systems::oid(text), language::answers(text, "fr-FR"), language::answers("fr-FR", text));
    for system in SYSTEMS {
        identifier(system, text);
    }
}

fn dates(text: &str) {
    let is = |kind| primitive::check(kind, text).is_ok();
    for zone in [jiff::tz::TimeZone::UTC, jiff::tz::TimeZone::fixed(jiff::tz::offset(14))] {
        let range = date_range(text, &zone);
        assert!(
            range.is_some() || !(is(Primitive::Date) || is(Primitive::DateTime) || is(Primitive::Instant)),
            "no range"
        );
        if let Some((low, high)) = range {
            assert!(low < high, "an empty range");
        }
    }
    assert!(!is(Primitive::Date) || is(Primitive::DateTime), "a date is a dateTime");
    assert!(!is(Primitive::Instant) || is(Primitive::DateTime), "an instant is a dateTime");
    if let Some(instant) = parse_instant(text) {
        // The offset may carry the first and last hours out of the years that are written.
        let written = format_instant(instant);
        let again = parse_instant(&written).expect("written by us");
        let clamped = written.starts_with("0001-01-01T00:00:00") || written.starts_with("9999-12-31T23:59:59");
        assert!(again == instant || clamped, "{written}");
        assert_eq!(format_instant(again), written);
    } else {
        assert!(!is(Primitive::Instant), "an instant that is none");
    }
}

fn identifier(system: &str, value: &str) {
    let mut identifier = object! { "value" => value };
    if !system.is_empty() {
        identifier.push("system", system);
    }
    let Some(national) = identifiers::recognise(&identifier) else { return };
    let (kind, comparable) = national.comparable();
    if let Some(fault) = national.fault() {
        let text = fault.text(national.kind);
        assert!(!text.en.is_empty() && !text.fr.is_empty(), "{fault:?}");
    }
    let again = object! { "system" => system, "value" => comparable.as_str() };
    if !system.is_empty()
        && kind == national.kind
        && let Some(again) = identifiers::recognise(&again)
    {
        assert_eq!(again.comparable(), (kind, comparable), "comparable twice");
    }
}
