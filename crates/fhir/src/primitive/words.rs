//! Strings, codes and ids.

use super::{empty, shown};
use crate::{outcome::Text, text};

/// FHIR: strings shall not exceed 1024 × 1024 characters.
const LONGEST_STRING: usize = 1024 * 1024;

pub(super) fn check_string(value: &str) -> Result<(), Text> {
    if value.is_empty() {
        return Err(empty());
    }
    if let Some(control) = value.bytes().find(|b| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) {
        return Err(text!(
            en: "The text holds the control character U+{control:04X}.",
            fr: "Le texte contient le caractère de contrôle U+{control:04X}.",
        ));
    }
    if value.chars().all(char::is_whitespace) {
        return Err(text!(
            en: "The text holds nothing but blanks; leave the element out instead.",
            fr: "Le texte ne contient que des blancs ; omettre l'élément à la place.",
        ));
    }
    if value.len() > LONGEST_STRING && value.chars().count() > LONGEST_STRING {
        return Err(text!(
            en: "The text is longer than {LONGEST_STRING} characters.",
            fr: "Le texte fait plus de {LONGEST_STRING} caractères.",
        ));
    }
    Ok(())
}

/// A code: no blank at its edges, single blanks inside.
pub(super) fn check_code(value: &str) -> Result<(), Text> {
    if value.is_empty() {
        return Err(empty());
    }
    if value.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let mut after_blank = true;
    for c in value.chars() {
        let blank = c.is_whitespace();
        if blank && (after_blank || c != ' ') || c.is_control() {
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
