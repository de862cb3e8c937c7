//! A Rust file as words: its code, its strings and its comments kept apart, tests told from the rest.
//!
//! This is a lexer of exactly what the rules need, not a parser: comments nest, strings may be raw,
//! a `#[cfg(test)]` item ends where its braces or its semicolon do.

/// The parts of a Rust file, as texts of the same lines: what is of another kind is blanked.
pub struct RustText {
    /// The code, without comments and without the content of strings; tests blanked.
    pub code: String,
    /// The content of string literals; tests blanked.
    pub strings: String,
    /// The code of the whole file, tests too.
    pub code_with_tests: String,
}

impl RustText {
    /// Takes a file apart. A file of tests has no code and no strings of its own.
    pub fn read(path: &str, text: &str) -> Self {
        let (mut code, mut strings) = split(text);
        let code_with_tests = code.clone();
        if is_test_file(path) {
            code = blank(&code, 0, code.len());
            strings = blank(&strings, 0, strings.len());
        }
        while let Some((start, end)) = test_item(&code) {
            code = blank(&code, start, end);
            strings = blank(&strings, start, end);
        }
        Self { code, strings, code_with_tests }
    }
}

/// The lines (from 1) at which a word stands, not as a part of a longer name.
pub fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let starts_name = word.starts_with(is_name);
    let ends_name = word.ends_with(is_name);
    let found = text.match_indices(word).filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let longer = (starts_name && before.is_some_and(is_name)) || (ends_name && after.is_some_and(is_name));
        !longer
    });
    found.map(|(at, _)| 1 + text[..at].matches('\n').count()).collect()
}

fn is_test_file(path: &str) -> bool {
    let in_tests = path.split('/').any(|part| part == "tests" || part == "it");
    in_tests || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

/// Code and strings, each with the other's characters and all comments as blanks.
fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let mut code = vec![b' '; bytes.len()];
    let mut strings = vec![b' '; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (kind, length) = next_part(rest, at.checked_sub(1).map(|before| bytes[before]));
        match kind {
            Part::Code => code[at..at + length].copy_from_slice(&rest[..length]),
            Part::Text => strings[at..at + length].copy_from_slice(&rest[..length]),
            Part::Comment => {}
        }
        at += length;
    }
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        code[at] = *byte;
        strings[at] = *byte;
    }
    let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
    (text(code), text(strings))
}

enum Part {
    Code,
    Text,
    Comment,
}

/// The kind and the length of what begins here.
fn next_part(rest: &[u8], before: Option<u8>) -> (Part, usize) {
    let in_name = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == b'_');
    match rest {
        [b'/', b'/', ..] => (Part::Comment, rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => (Part::Comment, block_comment(rest)),
        [b'"', ..] => (Part::Text, plain_string(rest)),
        [b'r', b'"' | b'#', ..] if !in_name => match raw_string(rest) {
            Some(length) => (Part::Text, length),
            None => (Part::Code, 1),
        },
        [b'\'', b'\\', ..] => (Part::Text, 3 + rest[3..].iter().position(|c| *c == b'\'').unwrap_or(0)),
        [b'\'', _, b'\'', ..] => (Part::Text, 3),
        [first, ..] if first.is_ascii() => (Part::Code, 1),
        // The bytes of a character outside ASCII belong together.
        _ => (Part::Text, rest[1..].iter().position(|c| (c & 0xC0) != 0x80).unwrap_or(rest.len() - 1) + 1),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn plain_string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None; // A raw identifier.
    }
    let content = 2 + hashes;
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let found = rest[content..].windows(end.len()).position(|window| window == end);
    Some(found.map_or(rest.len(), |at| content + at + end.len()))
}

/// The first item marked `#[cfg(test)]`, from its mark to its end.
fn test_item(code: &str) -> Option<(usize, usize)> {
    let start = code.find("#[cfg(test)]")?;
    let mut depth = 0_u32;
    for (at, c) in code[start..].char_indices().skip("#[cfg(test)]".len()) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some((start, start + at + 1)),
            '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return Some((start, start + at + 1)),
            _ => {}
        }
    }
    Some((start, code.len()))
}

fn blank(text: &str, start: usize, end: usize) -> String {
    let blanked: String = text[start..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
    format!("{}{blanked}{}", &text[..start], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::{RustText, lines_with};

    fn read(text: &str) -> RustText {
        RustText::read("crates/x/src/lib.rs", text)
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = read(
            "// std::env\n/* a /* b */ std::env */ let a = \"std::env \\\" x\"; let b = r#\"std::env\"#;\nstd::env::args()",
        );
        assert_eq!(lines_with(&text.code, "std::env"), [3]);
        assert_eq!(lines_with(&text.strings, "std::env"), [2, 2]);
    }

    #[test]
    fn lifetimes_and_characters_are_told_apart() {
        let text = read("fn f<'a>(x: &'a str) -> char { '\"' }\nfn g() -> char { '\\'' } // \"\nlet s = \"Patient\";");
        assert_eq!(lines_with(&text.code, "g"), [2]);
        assert_eq!(lines_with(&text.strings, "Patient"), [3]);
        assert_eq!(lines_with(&text.code, "let"), [3]);
    }

    #[test]
    fn tests_are_left_out_and_what_follows_them_is_not() {
        let text = read(
            "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { y() } } }\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}",
        );
        assert_eq!(lines_with(&text.code, "y"), [0_usize; 0]);
        assert_eq!(lines_with(&text.code_with_tests, "y"), [3]);
        assert_eq!(lines_with(&text.code, "c"), [4]);
        assert_eq!(lines_with(&text.code, "d"), [7]);
    }

    #[test]
    fn a_file_of_tests_has_no_code_of_its_own() {
        let text = RustText::read("crates/x/src/search/tests.rs", "fn a() {}");
        assert_eq!(text.code.trim(), "");
        assert_eq!(lines_with(&text.code_with_tests, "a"), [1]);
    }

    #[test]
    fn a_word_is_not_a_part_of_a_name() {
        assert_eq!(lines_with("Patients\nmyPatient\na Patient b\n", "Patient"), [3]);
        assert_eq!(lines_with("x.await;\n", ".await"), [1]);
    }
}
