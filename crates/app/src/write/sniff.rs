//! Whether bytes are what they are declared to be.

use liaison_fhir::{outcome::IssueKind, place::Place, text};

use crate::error::AppError;

/// Formats that begin in a way of their own: media type, where, what.
const SIGNATURES: [(&str, usize, &[u8]); 13] = [
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/gif", 0, b"GIF8"),
    ("image/webp", 8, b"WEBP"),
    ("image/bmp", 0, b"BM"),
    ("image/tiff", 0, b"II*\0"),
    ("image/tiff", 0, b"MM\0*"),
    ("application/pdf", 0, b"%PDF-"),
    ("application/zip", 0, b"PK"),
    ("application/gzip", 0, b"\x1f\x8b"),
    ("application/dicom", 128, b"DICM"),
    ("application/x-executable", 0, b"\x7fELF"),
    ("application/x-msdownload", 0, b"MZ"),
];

/// Checks a declared type against the bytes.
///
/// A format with a signature must bear it; text must not bear the signature of something else. What
/// has no signature (plain text in whatever character set, among others) is taken at its word.
///
/// # Errors
/// 422, when the bytes are something else.
pub(crate) fn check(declared: Option<&str>, bytes: &[u8], place: &Place<'_>) -> Result<(), AppError> {
    let Some(declared) = declared else { return Ok(()) };
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let essence = match essence.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "application/x-pdf" => "application/pdf",
        other => other,
    };
    if bytes.is_empty() {
        return Ok(());
    }
    let bears =
        |(_, at, signature): &(&str, usize, &[u8])| bytes.get(*at..).is_some_and(|rest| rest.starts_with(signature));
    let mut of_declared = SIGNATURES.iter().filter(|(media_type, ..)| *media_type == essence).peekable();
    if of_declared.peek().is_some() {
        return if of_declared.any(bears) { Ok(()) } else { Err(belied(declared, place)) };
    }
    let is_xml = matches!(essence, "text/xml" | "application/xml") || essence.ends_with("+xml");
    if is_xml {
        return if looks_like_xml(bytes) { Ok(()) } else { Err(belied(declared, place)) };
    }
    // Short signatures (`BM`, `PK`, `MZ`) are also how a text may begin.
    let is_text = essence.starts_with("text/") || essence.ends_with("json");
    if is_text && SIGNATURES.iter().filter(|(_, _, signature)| signature.len() > 2).any(bears) {
        return Err(belied(declared, place));
    }
    Ok(())
}

fn looks_like_xml(bytes: &[u8]) -> bool {
    // UTF-8 or Latin-1, with or without byte order mark; UTF-16 by its mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}

fn belied(declared: &str, place: &Place<'_>) -> AppError {
    let declared: String = declared.chars().take(100).collect();
    AppError::against_a_rule(
        IssueKind::Value,
        place,
        text!(
            en: "The bytes are not of the declared type “{declared}”: declare what they are.",
            fr: "Les octets ne sont pas du type déclaré « {declared} » : déclarez ce qu'ils sont.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use liaison_fhir::place::Place;

    use super::check;

    #[test]
    fn bytes_must_be_what_they_are_declared_to_be() {
        let png = b"\x89PNG\r\n\x1a\n....";
        for (declared, bytes, fine) in [
            ("image/png", &png[..], true),
            ("image/jpeg", png, false),
            ("IMAGE/PNG; x=y", png, true),
            ("image/jpg", b"\xff\xd8\xff\xe0", true),
            ("text/plain", b"Maman est fatigu\xe9e", true),
            ("text/plain", b"BM et PK", true),
            ("text/plain", png, false),
            ("text/html", b"%PDF-1.7", false),
            ("application/pdf", b"%PDF-1.7", true),
            ("application/pdf", b"hello", false),
            ("application/hl7-cda+xml", b"\xef\xbb\xbf <?xml?>", true),
            ("text/xml", b"{}", false),
            ("application/octet-stream", png, true),
            ("image/webp", b"RIFF....WEBP", true),
        ] {
            assert_eq!(check(Some(declared), bytes, &Place::root("x")).is_ok(), fine, "{declared}");
        }
        assert!(check(None, png, &Place::root("x")).is_ok());
    }
}
