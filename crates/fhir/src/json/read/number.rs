//! Numbers: their grammar is checked, their digits kept.

use compact_str::CompactString;

use super::{Read, Reader};
use crate::text;

/// The longest number read. FHIR asks for 18 significant digits; this leaves room for any honest
/// value and none for a number made to be expensive.
const LONGEST: usize = 64;

/// The largest exponent read, either way: beyond what FHIR's regular expression writes in practice,
/// within what every consumer can hold.
const LARGEST_EXPONENT: u32 = 300;

impl Reader<'_> {
    /// A number, the reader standing at its first character.
    pub(super) fn number(&mut self) -> Read<CompactString> {
        let start = self.at;
        self.take(b'-');
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => {
                self.digits();
            }
            _ => return Err(self.unexpected(text!(en: "a digit", fr: "un chiffre"))),
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.unexpected(text!(en: "a digit after the point", fr: "un chiffre après le point")));
        }
        if self.take(b'e') || self.take(b'E') {
            self.exponent()?;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if digits.len() > LONGEST {
            self.at = start;
            return Err(self.mistake(text!(
                en: "The number is longer than {LONGEST} characters.",
                fr: "Le nombre fait plus de {LONGEST} caractères.",
            )));
        }
        Ok(CompactString::new(digits))
    }

    fn exponent(&mut self) -> Read<()> {
        if !self.take(b'+') {
            self.take(b'-');
        }
        let start = self.at;
        if self.digits() == 0 {
            return Err(self.unexpected(text!(en: "the digits of the exponent", fr: "les chiffres de l'exposant")));
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        match digits.parse::<u32>() {
            Ok(exponent) if exponent <= LARGEST_EXPONENT => Ok(()),
            _ => {
                self.at = start;
                Err(self.mistake(text!(
                    en: "The exponent of the number is beyond {LARGEST_EXPONENT}.",
                    fr: "L'exposant du nombre dépasse {LARGEST_EXPONENT}.",
                )))
            }
        }
    }

    /// Goes past digits and says how many there were.
    fn digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }
}
