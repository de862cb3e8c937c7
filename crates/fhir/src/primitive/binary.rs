//! Base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::empty;
use crate::{outcome::Text, text};

/// How much is decoded at a time when only checking: whole groups of four.
const STRIDE: usize = 4096;

/// Checks without keeping what is decoded.
pub(super) fn check(value: &str) -> Result<(), Text> {
    let mut any = false;
    decode_in_strides(value, |_| any = true).ok_or_else(|| {
        text!(
            en: "The value is not base64: groups of four letters, digits, \"+\" or \"/\", the last one filled up with \"=\".",
            fr: "La valeur n'est pas en base64 : groupes de quatre lettres, chiffres, « + » ou « / », le dernier complété par « = ».",
        )
    })?;
    if any { Ok(()) } else { Err(empty()) }
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
