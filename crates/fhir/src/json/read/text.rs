//! Strings: found in strides, copied once, unescaped only when there is an escape.

use compact_str::CompactString;

use super::{Read, Reader};
use crate::text;

impl Reader<'_> {
    /// A string, the reader standing after its opening quote.
    pub(super) fn string(&mut self) -> Read<CompactString> {
        let start = self.at;
        self.at += plain_length(self.rest());
        let plain = self.text.get(start..self.at).unwrap_or_default();
        if self.take(b'"') {
            return Ok(CompactString::new(plain));
        }
        let mut unescaped = String::with_capacity(plain.len() + 16);
        unescaped.push_str(plain);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(CompactString::from(unescaped));
                }
                Some(b'\\') => {
                    self.at += 1;
                    unescaped.push(self.escape()?);
                }
                Some(_) => {
                    return Err(self.mistake(text!(
                        en: "A control character stands in a string; write it as an escape.",
                        fr: "Un caractère de contrôle figure dans une chaîne ; l'écrire avec un échappement.",
                    )));
                }
                None => {
                    return Err(self.mistake(text!(
                        en: "The document ends inside a string.",
                        fr: "Le document s'arrête à l'intérieur d'une chaîne.",
                    )));
                }
            }
            let start = self.at;
            self.at += plain_length(self.rest());
            unescaped.push_str(self.text.get(start..self.at).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Read<char> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected(text!(en: "an escape", fr: "un échappement"))),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let start = self.at;
        let first = self.four_hex_digits()?;
        let code = if (0xD800..0xDC00).contains(&first) && self.rest().starts_with(b"\\u") {
            self.at += 2;
            let second = self.four_hex_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            } else {
                first
            }
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| {
            self.at = start;
            self.mistake(text!(
                en: "Half of a surrogate pair stands alone in a string.",
                fr: "Une moitié de paire de substitution est seule dans une chaîne.",
            ))
        })
    }

    fn four_hex_digits(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            return Err(self.mistake(text!(
                en: "Four hexadecimal digits must follow \"\\u\".",
                fr: "Quatre chiffres hexadécimaux doivent suivre « \\u ».",
            )));
        };
        self.at += 4;
        Ok(code)
    }
}

/// How many bytes stand before the first quote, backslash or control character.
pub(in crate::json) fn plain_length(bytes: &[u8]) -> usize {
    /// Below this, eight bytes at a time beat setting up a vector search.
    const SHORT: usize = 64;
    let head = bytes.get(..SHORT).unwrap_or(bytes);
    let found = plain_length_by_words(head);
    if found < head.len() || head.len() < SHORT {
        return found;
    }
    // Long: text and base64. Find the quote or backslash first, then look for controls before it.
    let tail = bytes.get(SHORT..).unwrap_or_default();
    let end = memchr::memchr2(b'"', b'\\', tail).unwrap_or(tail.len());
    let plain = tail.get(..end).unwrap_or(tail);
    if has_control(plain) { SHORT + plain.iter().position(|b| *b < 0x20).unwrap_or(end) } else { SHORT + end }
}

fn plain_length_by_words(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, tail) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = zero_bytes(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_bytes(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        // A false mark can only stand above a true one, so the lowest is right.
        let marks = quote | backslash | control;
        if marks != 0 {
            return i * 8 + (marks.trailing_zeros() / 8) as usize;
        }
    }
    let plain = tail.iter().take_while(|b| **b >= 0x20 && **b != b'"' && **b != b'\\').count();
    words.len() * 8 + plain
}

/// Whether there is a control character: without early exit, which lets it run on vectors.
fn has_control(bytes: &[u8]) -> bool {
    bytes.chunks(4096).any(|chunk| chunk.iter().fold(false, |found, b| found | (*b < 0x20)))
}
