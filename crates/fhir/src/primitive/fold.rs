//! Texts as searches compare them.

use compact_str::CompactString;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

pub(super) fn fold(value: &str) -> CompactString {
    let mut folded = Folded { text: CompactString::with_capacity(value.len()), blank: Blank::AtStart };
    if value.is_ascii() {
        value.chars().for_each(|c| folded.push(plain(c)));
    } else {
        // Apostrophes first: compatibility forms turn some of them into a blank and an accent.
        let letters = value.chars().map(plain).nfkd().filter(|c| !is_combining_mark(*c));
        for c in letters.flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c)) {
            match ligature(c) {
                Some(letters) => letters.chars().for_each(|c| folded.push(c)),
                None => folded.push(plain(c)),
            }
        }
    }
    folded.text
}

/// The text so far, blanks collapsed and none at its edges.
struct Folded {
    text: CompactString,
    blank: Blank,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Blank {
    AtStart,
    Pending,
    None,
}

impl Folded {
    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            if self.blank == Blank::None {
                self.blank = Blank::Pending;
            }
            return;
        }
        if self.blank == Blank::Pending {
            self.text.push(' ');
        }
        self.blank = Blank::None;
        self.text.push(c.to_ascii_lowercase());
    }
}

/// The apostrophe people type for those that word processors put in its place.
const fn plain(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{02BC}' | '\u{02B9}' | '\u{2032}' | '\u{FF07}' | '`' | '\u{B4}' => {
            '\''
        }
        other => other,
    }
}

/// Letters that no decomposition takes apart.
const fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'æ' => "ae",
        'ß' => "ss",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}
