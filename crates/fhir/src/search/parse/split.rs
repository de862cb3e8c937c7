//! Separators and their escapes: `\,`, `\|`, `\$` and `\\` stand for the character itself.

/// A text cut at the separators that are not escaped, escapes still in place.
pub(super) fn at(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (position, letter) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == separator {
            parts.push(text.get(start..position).unwrap_or_default());
            start = position + separator.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// A text with its escapes undone. A backslash before anything else is a backslash: FHIR gives it
/// no other meaning.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some(next @ ('\\' | ',' | '|' | '$'))) => {
                plain.push(*next);
                letters.next();
            }
            (other, _) => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escaped_separators_do_not_cut() {
        assert_eq!(at(r"a,b\,c,d", ','), ["a", r"b\,c", "d"]);
        assert_eq!(at(r"a\\,b", ','), [r"a\\", "b"]);
        assert_eq!(at("", ','), [""]);
        assert_eq!(at(r"fin\", ','), [r"fin\"]);
        assert_eq!(unescape(r"b\,c\|d\$e\\f"), r"b,c|d$e\f");
        assert_eq!(unescape(r"C:\temp\"), r"C:\temp\");
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in r"[a-zé,|$\\]{0,20}") {
            let mut escaped = String::new();
            for letter in text.chars() {
                if matches!(letter, ',' | '|' | '$' | '\\') {
                    escaped.push('\\');
                }
                escaped.push(letter);
            }
            prop_assert_eq!(at(&escaped, ','), [escaped.as_str()]);
            prop_assert_eq!(at(&escaped, '|'), [escaped.as_str()]);
            prop_assert_eq!(unescape(&escaped), text);
        }
    }
}
