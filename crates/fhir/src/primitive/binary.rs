//! Base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::empty;
use crate::{outcome::Text, text};

/// How much is decoded at a time when only checking: whole groups of four.
const STRIDE: usize = 4096;

/// Checks without decoding.
pub(super) fn check(value: &str) -> Result<(), Text> {
    let length = symbols(value.as_bytes()).ok_or_else(|| {
        text!(
            en: "The value is not base64: groups of four letters, digits, \"+\" or \"/\", the last one filled up with \"=\".",
            fr: "La valeur n'est pas en base64 : groupes de quatre lettres, chiffres, « + » ou « / », le dernier complété par « = ».",
        )
    })?;
    if length > 0 { Ok(()) } else { Err(empty()) }
}

/// How many letters of base64 a text has, when it is base64: blanks anywhere, full groups, and
/// nothing in the bits that the last group leaves over.
fn symbols(value: &[u8]) -> Option<usize> {
    // Nearly all of nearly every value is letters without a blank: that is seen many at a time.
    let (groups, _) = value.as_chunks::<32>();
    let plain = groups.iter().take_while(|group| group.iter().fold(true, |all, byte| all & is_symbol(*byte))).count();
    let mut length = plain * 32;
    let (mut padding, mut last) = (0, 0);
    for byte in value.get(length..)? {
        match byte {
            b'=' => padding += 1,
            blank if is_blank(*blank) => {}
            symbol if is_symbol(*symbol) && padding == 0 => {
                length += 1;
                last = *symbol;
            }
            _ => return None,
        }
    }
    let left_over = match padding {
        0 => 0,
        1 => 0b11,
        2 => 0b1111,
        _ => return None,
    };
    ((length + padding).is_multiple_of(4) && (padding == 0 || sextet(last) & left_over == 0)).then_some(length)
}

const fn is_symbol(byte: u8) -> bool {
    // Without a branch, so that many are looked at at once.
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | (byte == b'+') | (byte == b'/')
}

/// What a letter of base64 stands for.
const fn sextet(symbol: u8) -> u8 {
    match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}

pub(super) fn decode(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len() / 4 * 3);
    decode_in_strides(value, |part| bytes.extend_from_slice(part))?;
    Some(bytes)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes, giving away parts of at most 3 kB, so that checking 20 MB needs no memory and blanks
/// (which FHIR allows between characters) are dropped on the way.
fn decode_in_strides(value: &str, mut take: impl FnMut(&[u8])) -> Option<()> {
    let mut rest = value.as_bytes();
    let mut gathered = [0_u8; STRIDE];
    let mut decoded = [0_u8; STRIDE];
    let mut padded = false;
    while !rest.is_empty() {
        let straight = rest.get(..STRIDE).filter(|part| !has_blank(part));
        let part = match straight {
            Some(part) => {
                rest = rest.get(STRIDE..).unwrap_or_default();
                part
            }
            None => {
                let mut length = 0;
                while let (Some(slot), Some((byte, after))) = (gathered.get_mut(length), rest.split_first()) {
                    rest = after;
                    if !is_blank(*byte) {
                        *slot = *byte;
                        length += 1;
                    }
                }
                gathered.get(..length)?
            }
        };
        if part.is_empty() {
            break;
        }
        if padded {
            return None;
        }
        padded = part.ends_with(b"=");
        let length = STANDARD.decode_slice(part, &mut decoded).ok()?;
        take(decoded.get(..length)?);
    }
    Some(())
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn has_blank(part: &[u8]) -> bool {
    part.iter().fold(false, |found, byte| found | is_blank(*byte))
}
