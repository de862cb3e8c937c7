//! What must hold for every byte string: one function per reader of what callers send.
//!
//! Each is a target of `cargo fuzz` (under `libfuzzer/`), and is driven by a generator of our own
//! in `tests/short.rs`, which needs no nightly compiler and runs in `./test`. A function returns when
//! all is well and panics when something does not hold.

mod search;
pub mod short;

pub use search::search;

use liaison_care::{cahier2017, note_bundle};
use liaison_fhir::{
    convert, json,
    outcome::Issue,
    patch,
    release::{Release, r4, stu3},
    search::extract::{ExtractContext, extract, references},
    tree::{Object, Value},
    validate, xml,
};

/// Small enough that a run is fast, large enough that every limit is met.
const LIMITS: json::Limits = json::Limits { depth: 40, bytes: 100_000, nodes: 10_000 };

/// Bytes as JSON: what is read is written and read again the same.
pub fn json(bytes: &[u8]) {
    match json::read(bytes, &LIMITS) {
        Ok(tree) => {
            assert_eq!(json::read(&json::write(&tree), &LIMITS).as_ref(), Ok(&tree), "compact");
            assert_eq!(json::read(&json::write_pretty(&tree), &LIMITS).as_ref(), Ok(&tree), "pretty");
        }
        Err(issues) => told(&issues),
    }
}

/// Bytes as XML, in both releases: what is read is written and read again the same.
pub fn xml(bytes: &[u8]) {
    for release in [r4(), stu3()] {
        match xml::read(bytes, release, &LIMITS) {
            Ok(tree) => same_through_xml(&tree, release),
            Err(issues) => told(&issues),
        }
    }
}

/// Bytes as a resource, valid or not: everything that looks at one comes to an end, and a valid one
/// goes through XML and through the other release without loss.
pub fn resource(bytes: &[u8]) {
    let Ok(tree) = json::read(bytes, &LIMITS) else { return };
    for release in [r4(), stu3()] {
        let issues = validate::validate(&tree, release);
        let _ = liaison_care::check::check(&tree, release);
        if issues.iter().any(Issue::refuses) {
            told(&issues);
            continue;
        }
        same_through_xml(&tree, release);
        let back = if std::ptr::eq(release, r4()) {
            convert::to_r4(&convert::to_stu3(&tree))
        } else {
            convert::to_stu3(&convert::to_r4(&tree))
        };
        assert_eq!(sorted(back), sorted(tree.clone()), "there and back");
    }
    let zone = jiff::tz::TimeZone::UTC;
    let bases = ["http://localhost/fhir/r4".to_owned()];
    let context = ExtractContext { zone: &zone, bases: &bases };
    let _ = extract(&tree, &context);
    let _ = references(&tree, r4(), &context);
    let _ = liaison_care::unique::keys(&tree);
}

/// Bytes as a JSON Patch of a note.
pub fn patch(bytes: &[u8]) {
    let Ok(patch) = json::read_value(bytes, &LIMITS) else { return };
    let Ok(note) = json::read(short::NOTE, &LIMITS) else { unreachable!("the sample is JSON") };
    let mut patched = note.clone();
    if let Err(issue) = patch::apply(&mut patched, &patch) {
        told(&[issue]);
    }
    // What a patch makes of a note can still be looked at.
    let _ = validate::validate(&patched, r4());
}

/// Bytes as what a client of 2017 sends: it is read, and what was put right is told.
pub fn cahier2017(bytes: &[u8]) {
    let Ok(tree) = json::read(bytes, &LIMITS) else { return };
    let (once, _) = cahier2017::read_resource(tree.clone());
    let _ = validate::validate(&once, stu3());
    let (bundle, issues) = cahier2017::read_bundle(tree);
    assert!(issues.iter().all(|issue| !issue.refuses()), "what is put right is information");
    let (again, _) = cahier2017::read_bundle(bundle.clone());
    assert_eq!(again, bundle, "what was put right needs no more");
    let _ = note_bundle::into_transaction(bundle);
}

/// A refusal says why, in both languages.
fn told(issues: &[Issue]) {
    assert!(!issues.is_empty(), "a refusal without a reason");
    for issue in issues {
        assert!(!issue.text.en.is_empty() && !issue.text.fr.is_empty(), "{issue:?}");
    }
}

fn same_through_xml(tree: &Object, release: &'static Release) {
    let Ok(written) = xml::write(tree, release) else { return };
    let wide = json::Limits { bytes: 10_000_000, ..LIMITS };
    let read = xml::read(&written, release, &wide);
    let read = read.unwrap_or_else(|issues| panic!("{issues:?}\n{}", String::from_utf8_lossy(&written)));
    assert_eq!(sorted(read), sorted(tree.clone()), "through XML");
}

/// Members by name: their order is free in JSON, and XML has one of its own.
fn sorted(mut tree: Object) -> Object {
    tree.sort_by_key(str::to_owned);
    tree.into_members().into_iter().map(|(name, value)| (name, sorted_value(value))).collect()
}

fn sorted_value(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(sorted(object)),
        Value::Array(items) => Value::Array(items.into_iter().map(sorted_value).collect()),
        other => other,
    }
}
