//! URIs and their kin.

use super::{empty, shown, words::is_noncharacter};
use crate::{outcome::Text, text};

/// A URI (or URL, or canonical): anything without blanks or control characters.
pub(super) fn check_uri(value: &str) -> Result<(), Text> {
    if value.is_empty() {
        return Err(empty());
    }
    if value.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    if value.chars().any(|c| c.is_whitespace() || c.is_control() || is_noncharacter(c)) {
        let value = shown(value);
        return Err(text!(
            en: "\"{value}\" is not a URI: it holds a blank or a control character.",
            fr: "« {value} » n'est pas un URI : il contient un blanc ou un caractère de contrôle.",
        ));
    }
    Ok(())
}

/// An OID as a URN: `urn:oid:1.2.250.1.213`.
pub(super) fn check_oid(value: &str) -> Result<(), Text> {
    let is_oid = value.strip_prefix("urn:oid:").is_some_and(|oid| {
        let mut arcs = oid.split('.');
        matches!(arcs.next(), Some("0" | "1" | "2"))
            && oid.contains('.')
            && arcs.all(|arc| {
                !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
            })
    });
    if is_oid {
        return Ok(());
    }
    let value = shown(value);
    Err(text!(
        en: "\"{value}\" is not an OID such as \"urn:oid:1.2.250.1\".",
        fr: "« {value} » n'est pas un OID tel que « urn:oid:1.2.250.1 ».",
    ))
}

/// A UUID as a URN, in lower case.
pub(super) fn check_uuid(value: &str) -> Result<(), Text> {
    let is_uuid = value.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
            })
    });
    if is_uuid {
        return Ok(());
    }
    let value = shown(value);
    Err(text!(
        en: "\"{value}\" is not a UUID such as \"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\".",
        fr: "« {value} » n'est pas un UUID tel que « urn:uuid:c757873d-ec9a-4326-a141-556f43239520 ».",
    ))
}
