//! Each test reads as a rule: a document, and the findings it must bring, no more and no less.

mod contained;
mod narrative;
mod properties;
mod references;
mod rules;
mod structure;

use super::*;
use crate::{
    json::{self, Limits},
    outcome::Severity,
    release,
};

/// The findings as `place: English text`, warnings marked.
fn findings(json_text: &str, release: &'static Release) -> Vec<String> {
    let tree = json::read(json_text.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{json_text}: {e:?}"));
    let told = |issue: &Issue| {
        assert!(!issue.text.fr.is_empty() && issue.text.fr != issue.text.en);
        let mark = if issue.severity == Severity::Warning { "warning " } else { "" };
        format!("{mark}{}: {}", issue.place, issue.text.en)
    };
    validate(&tree, release).iter().map(told).collect()
}

/// One document, and the beginning of each finding in order.
#[track_caller]
fn expect(json_text: &str, release: &'static Release, expected: &[&str]) {
    let found = findings(json_text, release);
    let matches = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            let (place, words) = expected.split_once(": ").unwrap_or((expected, ""));
            found.strip_prefix(place).and_then(|f| f.strip_prefix(": ")).is_some_and(|text| text.contains(words))
        });
    assert!(matches, "{json_text}\nfound {found:#?}\nexpected {expected:#?}");
}

#[track_caller]
fn r4(json_text: &str, expected: &[&str]) {
    expect(json_text, release::r4(), expected);
}

#[track_caller]
fn stu3(json_text: &str, expected: &[&str]) {
    expect(json_text, release::stu3(), expected);
}

/// A patient with these members, in R4.
#[track_caller]
fn patient(members: &str, expected: &[&str]) {
    r4(&format!("{{\"resourceType\":\"Patient\",{members}}}"), expected);
}
