//! Names that may stand in some places only.

use std::collections::BTreeMap;

use super::{File, Finding, Tree, rust_text::lines_with};

/// Where a rule holds, by the beginning of the path.
enum Where {
    /// In these places only may the words not stand.
    In(&'static [&'static str]),
    /// They may not stand under the first, but in the others.
    UnderBut(&'static str, &'static [&'static str]),
}

/// Words, where they may not stand, and what to do instead. Tests are free.
struct Rule {
    words: &'static [&'static str],
    holds: Where,
    instead: &'static str,
}

const PURE: &[&str] = &["crates/fhir/src/", "crates/care/src/"];

/// The tables and the converter; what the two faces differ in, which form the store keeps, and the
/// definitions brought for both; the addresses of the bases; the form of 2017, which is one of STU3.
const RELEASES_NAMED: &[&str] = &[
    "crates/fhir/src/release.rs",
    "crates/fhir/src/release/",
    "crates/fhir/src/convert.rs",
    "crates/fhir/src/convert/",
    "crates/fhir/src/sample.rs",
    "crates/fhir/src/sample/",
    "crates/app/src/conformance.rs",
    "crates/app/src/face.rs",
    "crates/app/src/stored.rs",
    "crates/rest/src/routes.rs",
    "crates/care/src/cahier2017.rs",
    "crates/care/src/cahier2017/",
];

const RULES: [Rule; 7] = [
    Rule {
        words: &["rusqlite", "tokio_postgres"],
        holds: Where::UnderBut("crates/", &["crates/pages/", "crates/store/"]),
        instead: "only the store names a driver",
    },
    Rule {
        words: &["axum", "hyper", "tower_http"],
        holds: Where::UnderBut("crates/", &["crates/inbound/", "crates/rest/", "crates/web/", "crates/server/"]),
        instead: "HTTP stays at the edge",
    },
    Rule {
        words: &["std::env", "env::var", "env::vars", "env::args"],
        holds: Where::UnderBut("crates/", &["crates/server/"]),
        instead: "only the program reads its environment: take a parameter",
    },
    Rule {
        words: &[
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
            "Uuid::new_v4",
            "Uuid::now_v7",
            "rand",
        ],
        holds: Where::In(PURE),
        instead: "time and chance are parameters here",
    },
    Rule {
        words: &["async", "tokio", "std::fs", "std::net", "std::thread", "File::open", "println!", "eprintln!"],
        holds: Where::In(PURE),
        instead: "the engine and the rules do no I/O",
    },
    Rule {
        words: &["todo!", "unimplemented!", "dbg!"],
        holds: Where::UnderBut("", &[]),
        instead: "finish it, or leave it out",
    },
    Rule {
        words: &["ReleaseId::Stu3", "ReleaseId::R4", "release::stu3", "release::r4", "stu3()", "r4()"],
        holds: Where::UnderBut("crates/", RELEASES_NAMED),
        instead: "hold a `&Release`, or `release::view()` for that of the index and the rules",
    },
];

/// Whether names stand only where they may.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.files().iter().filter(|file| file.rust.is_some());
    rust.flat_map(|file| [misplaced(file), ignored_tests(file), bare_allowances(file), types_in_store(file, tree)])
        .flatten()
        .collect()
}

fn misplaced(file: &File) -> Vec<Finding> {
    let Some(text) = &file.rust else { return Vec::new() };
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.holds.covers(&file.path)) {
        let found =
            rule.words.iter().flat_map(|word| lines_with(&text.code, word).into_iter().map(move |line| (line, word)));
        // One line that says the same in two words is one finding.
        let by_line: BTreeMap<usize, &str> = found.map(|(line, word)| (line, *word)).collect();
        findings.extend(by_line.iter().map(|(line, word)| file.finding(*line, format!("`{word}`: {}", rule.instead))));
    }
    findings
}

impl Where {
    fn covers(&self, path: &str) -> bool {
        let under = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
        match self {
            Self::In(places) => under(places),
            Self::UnderBut(place, exceptions) => path.starts_with(place) && !under(exceptions),
        }
    }
}

fn ignored_tests(file: &File) -> Vec<Finding> {
    let Some(text) = &file.rust else { return Vec::new() };
    let lines = lines_with(&text.code_with_tests, "#[ignore");
    lines.into_iter().map(|line| file.finding(line, "a test that never runs proves nothing")).collect()
}

fn bare_allowances(file: &File) -> Vec<Finding> {
    let Some(text) = &file.rust else { return Vec::new() };
    let marks = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
    let found = marks.iter().flat_map(|mark| text.code_with_tests.match_indices(mark));
    found
        .filter(|(at, _)| !text.code_with_tests[*at..].split(']').next().is_some_and(|mark| mark.contains("reason =")))
        .map(|(at, _)| 1 + text.code_with_tests[..at].matches('\n').count())
        .map(|line| file.finding(line, "an exception from a lint says its reason"))
        .collect()
}

/// The store knows no resource type: it stores names. Its strings would show one that slipped in.
fn types_in_store(file: &File, tree: &Tree) -> Vec<Finding> {
    let Some(text) = file.rust.as_ref().filter(|_| file.path.starts_with("crates/store/src/")) else {
        return Vec::new();
    };
    let list = tree.file("crates/fhir/data/r4/resource-types.txt").map_or("", |list| list.text.as_str());
    let types = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    types
        .flat_map(|name| lines_with(&text.strings, name).into_iter().map(move |line| (line, name)))
        .map(|(line, name)| file.finding(line, format!("`{name}`: the store knows no resource type")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::of([(path, text), ("crates/fhir/data/r4/resource-types.txt", "# types\nPatient\nSlot\n")]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn names_stand_only_where_they_may() {
        assert_eq!(lines("crates/app/src/lib.rs", "use rusqlite::Connection;"), [1]);
        assert_eq!(lines("crates/store/src/lib.rs", "use rusqlite::Connection;"), [0_usize; 0]);
        assert_eq!(lines("crates/app/src/lib.rs", "use axum::Router;"), [1]);
        assert_eq!(lines("crates/rest/src/lib.rs", "fn f() { std::env::var(\"X\"); }"), [1]);
        assert_eq!(lines("crates/server/src/lib.rs", "fn f() { std::env::vars(); }"), [0_usize; 0]);
        assert_eq!(lines("crates/care/src/lib.rs", "\nlet a = Timestamp::now();"), [2]);
        assert_eq!(lines("crates/fhir/src/x.rs", "async fn f() { g().await }"), [1]);
        assert_eq!(lines("bench/src/main.rs", "fn f() { todo!() }"), [1]);
        assert_eq!(lines("crates/care/src/lib.rs", "if id == ReleaseId::R4 {}"), [1]);
        assert_eq!(lines("crates/fhir/src/convert/note.rs", "if id == ReleaseId::R4 {}"), [0_usize; 0]);
    }

    #[test]
    fn tests_and_comments_are_free() {
        assert_eq!(
            lines("crates/care/src/lib.rs", "// async\n#[cfg(test)]\nmod tests { use tokio::x; }"),
            [0_usize; 0]
        );
    }

    #[test]
    fn no_test_is_ignored_and_no_lint_without_a_reason() {
        assert_eq!(lines("tests/it/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}"), [2]);
        assert_eq!(lines("crates/app/src/a.rs", "#[expect(dead_code)]\nfn a() {}"), [1]);
        assert_eq!(lines("crates/app/src/a.rs", "#[expect(dead_code, reason = \"x\")]\nfn a() {}"), [0_usize; 0]);
    }

    #[test]
    fn the_store_names_no_resource_type() {
        assert_eq!(lines("crates/store/src/a.rs", "let a = \"type = 'Patient'\"; struct Slot;"), [1]);
        assert_eq!(lines("crates/app/src/a.rs", "let a = \"Patient\";"), [0_usize; 0]);
    }
}
