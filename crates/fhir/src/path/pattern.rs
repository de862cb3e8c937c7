//! A regular expression with its text: two are the same when their texts are.

use regex_lite::Regex;

/// A regular expression, compiled.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Reads a regular expression; none when it is not one that is understood.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Regex::new(text).ok().map(|regex| Self { regex })
    }

    /// Whether it is found anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// A text with every match replaced.
    pub(super) fn replace(&self, text: &str, with: &str) -> String {
        self.regex.replace_all(text, with).into_owned()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}
