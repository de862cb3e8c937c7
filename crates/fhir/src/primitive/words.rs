//! Strings, codes and ids.

use std::borrow::Cow;

use super::{empty, shown};
use crate::{outcome::Text, text};

/// FHIR: strings shall not exceed 1024 × 1024 characters.
const LONGEST_STRING: usize = 1024 * 1024;

/// A string or markdown: a text of a bounded length.
pub(super) fn check_string(value: &str) -> Result<(), Text> {
    check_text(value)?;
    if value.len() > LONGEST_STRING && value.chars().count() > LONGEST_STRING {
        return Err(text!(
            en: "The text is longer than {LONGEST_STRING} characters.",
            fr: "Le texte fait plus de {LONGEST_STRING} caractères.",
        ));
    }
    Ok(())
}

/// A text that says something, in characters that both JSON and XML can carry.
pub(super) fn check_text(value: &str) -> Result<(), Text> {
    if value.is_empty() {
        return Err(empty());
    }
    if let Some(character) = forbidden_character(value) {
        let code = u32::from(character);
        return Err(text!(
            en: "The text holds the character U+{code:04X}, which FHIR does not allow in texts.",
            fr: "Le texte contient le caractère U+{code:04X}, que FHIR n'admet pas dans les textes.",
        ));
    }
    if value.chars().all(char::is_whitespace) {
        return Err(text!(
            en: "The text holds nothing but blanks; leave the element out instead.",
            fr: "Le texte ne contient que des blancs ; omettre l'élément à la place.",
        ));
    }
    Ok(())
}

/// A text as [`check_text`] lets it pass, and not longer than so many characters: what it quotes of a
/// request may be neither. What cannot be written is shown as U+FFFD.
pub(super) fn presentable(value: &str, longest: usize) -> Cow<'_, str> {
    let end = value.char_indices().nth(longest).map(|(end, _)| end);
    let kept = end.and_then(|end| value.get(..end)).unwrap_or(value);
    if end.is_none() && forbidden_character(kept).is_none() {
        return Cow::Borrowed(value);
    }
    let replaced = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r') || is_noncharacter(c);
    let mut shown: String = kept.chars().map(|c| if replaced(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if end.is_some() {
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// The first control character but tab and line ends, or the first of the two characters that XML
/// cannot carry. Looks at bytes, so that long texts cost little.
fn forbidden_character(value: &str) -> Option<char> {
    let bytes = value.as_bytes();
    let control = bytes.iter().find(|b| **b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    control.map(|b| char::from(*b)).or_else(|| {
        // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
        let last = memchr::memmem::find_iter(bytes, b"\xEF\xBF").filter_map(|at| bytes.get(at + 2));
        last.copied().find(|b| *b >= 0xBE).and_then(|b| char::from_u32(0xFF40 + u32::from(b)))
    })
}

/// Whether XML 1.0 could not carry it either way.
pub(super) const fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// A code: no blank at its edges, single blanks inside. Blanks are those of XML: published codes hold
/// no-break spaces.
pub(super) fn check_code(value: &str) -> Result<(), Text> {
    if value.is_empty() {
        return Err(empty());
    }
    if value.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let mut after_blank = true;
    for c in value.chars() {
        let blank = c.is_ascii_whitespace();
        if blank && (after_blank || c != ' ') || c.is_control() || is_noncharacter(c) {
            return Err(wrong_code(value));
        }
        after_blank = blank;
    }
    if after_blank { Err(wrong_code(value)) } else { Ok(()) }
}

fn wrong_code(value: &str) -> Text {
    let value = shown(value);
    text!(
        en: "\"{value}\" is not a code: no blank may stand at its edges, nor two in a row inside.",
        fr: "« {value} » n'est pas un code : pas de blanc au bord, ni deux de suite à l'intérieur.",
    )
}

pub(super) fn check_id(value: &str) -> Result<(), Text> {
    if is_id(value) {
        return Ok(());
    }
    let value = shown(value);
    Err(text!(
        en: "\"{value}\" is not an id: 1 to 64 letters without accent, digits, \"-\" and \".\".",
        fr: "« {value} » n'est pas un identifiant logique : 1 à 64 lettres sans accent, chiffres, « - » et « . ».",
    ))
}

pub(super) fn is_id(value: &str) -> bool {
    (1..=64).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}
