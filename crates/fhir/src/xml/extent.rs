//! How deep and how wide a document is, found before it is parsed.
//!
//! The parser's work grows with the square of the attributes of one element and with the
//! namespaces declared, and the walk of what it made recurses; this scan, which needs neither
//! memory nor recursion, refuses early what would be costly. It need not find every mistake:
//! whatever it lets pass, the parser judges.

use super::{Judged, unreadable};
use crate::{json::Limits, outcome::IssueKind, text};

/// More attributes than any element of FHIR or XHTML may carry.
const MOST_ATTRIBUTES: usize = 32;

/// More prefixes than any honest document declares.
const MOST_PREFIXES: usize = 64;

pub(super) fn check(text: &str, limits: &Limits) -> Judged<()> {
    let deepest = limits.depth.min(Limits::DEEPEST);
    let mut depth = 0_usize;
    let mut prefixes = 0_usize;
    let mut rest = text.as_bytes();
    check_encoding(text)?;
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = past(comment, b"-->");
        } else if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            rest = past(data, b"]]>");
        } else if let Some(instruction) = rest.strip_prefix(b"?") {
            rest = past(instruction, b"?>");
        } else if rest.starts_with(b"!") {
            return Err(unreadable(
                IssueKind::Security,
                text!(
                    en: "The document declares a document type (DTD) or entities, which FHIR forbids.",
                    fr: "Le document déclare un type de document (DTD) ou des entités, ce que FHIR interdit.",
                ),
            ));
        } else if rest.starts_with(b"/") {
            depth = depth.saturating_sub(1);
        } else {
            let tag = Tag::scan(rest);
            prefixes += tag.prefixes;
            if tag.attributes > MOST_ATTRIBUTES || prefixes > MOST_PREFIXES {
                return Err(unreadable(
                    IssueKind::TooCostly,
                    text!(
                        en: "The document has too many attributes on one element, or declares too many namespaces.",
                        fr: "Le document porte trop d'attributs sur un élément, ou déclare trop d'espaces de noms.",
                    ),
                ));
            }
            if depth >= deepest {
                return Err(unreadable(
                    IssueKind::TooCostly,
                    text!(
                        en: "Elements are nested deeper than {deepest} levels.",
                        fr: "Les éléments sont imbriqués sur plus de {deepest} niveaux.",
                    ),
                ));
            }
            depth += usize::from(!tag.closes_itself);
            rest = rest.get(tag.length..).unwrap_or_default();
        }
    }
    Ok(())
}

/// What follows the first `end`, or nothing.
fn past<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    memchr::memmem::find(text, end).and_then(|at| text.get(at + end.len()..)).unwrap_or_default()
}

/// Bytes are read as UTF-8, so a document that says otherwise would be misread.
fn check_encoding(text: &str) -> Judged<()> {
    let Some(declaration) = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) else {
        return Ok(());
    };
    let Some((_, encoding)) = declaration.0.split_once("encoding") else { return Ok(()) };
    let encoding = encoding.trim_start_matches([' ', '\t', '\r', '\n', '=']);
    let encoding = encoding.split(['"', '\'']).nth(1).unwrap_or_default();
    if encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("us-ascii") {
        return Ok(());
    }
    let encoding = encoding.escape_debug();
    Err(unreadable(
        IssueKind::NotSupported,
        text!(
            en: "The document declares the encoding \"{encoding}\"; FHIR is exchanged in UTF-8.",
            fr: "Le document déclare l'encodage « {encoding} » ; FHIR s'échange en UTF-8.",
        ),
    ))
}

/// What a start tag shows without being parsed.
struct Tag {
    /// Up to and including its `>`.
    length: usize,
    attributes: usize,
    prefixes: usize,
    closes_itself: bool,
}

impl Tag {
    /// Scans from after the `<`.
    fn scan(text: &[u8]) -> Self {
        let mut tag = Self { length: 0, attributes: 0, prefixes: 0, closes_itself: false };
        let mut before = 0;
        while let Some(byte) = text.get(tag.length) {
            tag.length += 1;
            match byte {
                b'>' => {
                    tag.closes_itself = before == b'/';
                    break;
                }
                b'"' | b'\'' => {
                    let value = text.get(tag.length..).unwrap_or_default();
                    tag.length += memchr::memchr(*byte, value).map_or(value.len(), |end| end + 1);
                    tag.attributes += 1;
                }
                b':' if text.get(..tag.length).is_some_and(|t| t.ends_with(b"xmlns:")) => tag.prefixes += 1,
                _ => {}
            }
            before = *byte;
        }
        tag
    }
}
