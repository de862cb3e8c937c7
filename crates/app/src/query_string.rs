//! Query strings and form bodies: names and values in their order.

use std::borrow::Cow;

use liaison_fhir::{outcome::IssueKind, text};

use crate::error::AppError;

/// Reads `a=b&c=d`: order and repetition kept, `+` a blank, `%xx` decoded once; `|` and other
/// characters that should have been escaped are taken as they are.
///
/// # Errors
/// When an escape is cut or not hexadecimal, or the bytes it stands for are not UTF-8.
pub fn read(query: &[u8]) -> Result<Vec<(String, String)>, AppError> {
    query
        .split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = match pair.iter().position(|b| *b == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            Ok((decode(name, Blank::Plus)?, decode(value, Blank::Plus)?))
        })
        .collect()
}

/// Decodes the `%xx` of a path segment.
///
/// # Errors
/// As [`read`].
pub fn read_segment(segment: &str) -> Result<String, AppError> {
    decode(segment.as_bytes(), Blank::Itself)
}

/// Writes pairs as a query string that [`read`] reads back, escaping no more than is needed for a
/// reader to recognise what was asked.
#[must_use]
pub fn write(pairs: &[(String, String)]) -> String {
    let mut out = String::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len() + 8).sum());
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

#[derive(Clone, Copy)]
enum Blank {
    Plus,
    Itself,
}

fn decode(bytes: &[u8], blank: Blank) -> Result<String, AppError> {
    let is_other = |byte: &u8| *byte == b'%' || (*byte == b'+' && matches!(blank, Blank::Plus));
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    // What stands for itself goes in one piece.
    while let Some(at) = rest.iter().position(is_other) {
        let (plain, others) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match others {
            [b'+', after @ ..] => {
                out.push(b' ');
                after
            }
            [_, high, low, after @ ..] => {
                let (Some(high), Some(low)) = (hex(*high), hex(*low)) else { return Err(bad_escape(bytes)) };
                out.push(high << 4 | low);
                after
            }
            _ => return Err(bad_escape(bytes)),
        };
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).map_err(|_| bad_escape(bytes))
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn bad_escape(bytes: &[u8]) -> AppError {
    let shown: Cow<'_, str> = String::from_utf8_lossy(bytes);
    let shown: String = shown.chars().take(100).collect();
    AppError::not_understood(
        IssueKind::Value,
        "http",
        text!(
            en: "“{shown}” is not properly escaped: “%” must be followed by two hexadecimal digits, and the whole be UTF-8.",
            fr: "« {shown} » est mal encodé : « % » doit être suivi de deux chiffres hexadécimaux, et l'ensemble être de l'UTF-8.",
        ),
    )
}

fn encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text;
    loop {
        // What needs no escape goes in one piece.
        let (plain, others) = rest.split_at(rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len()));
        out.push_str(plain);
        let Some(next) = others.chars().next() else { break };
        let (escaped, after) = others.split_at(next.len_utf8());
        for byte in escaped.bytes() {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        rest = after;
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b',' | b'$' | b'*' | b'@' | b'!' | b'(' | b')')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn order_repetition_blanks_and_raw_bars_are_kept() {
        let read = read("a=1&b=x+y&a=http://s.fr|58%7C&c&=".as_bytes()).unwrap();
        assert_eq!(read, pairs(&[("a", "1"), ("b", "x y"), ("a", "http://s.fr|58|"), ("c", ""), ("", "")]));
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for broken in ["a=%", "a=%4", "a=%zz", "%c3=1", "a=%ff"] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_plus_in_a_path_is_a_plus() {
        assert_eq!(read_segment("a+b%20c").unwrap(), "a+b c");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(list in prop::collection::vec((".*", ".*"), 0..6)) {
            prop_assert_eq!(read(write(&list).as_bytes()).unwrap(), list);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
