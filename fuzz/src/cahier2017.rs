//! What a client of 2017 sends.

use liaison_care::{cahier2017, note_bundle};
use liaison_fhir::{json, outcome::Issue, release::stu3, tree::Object, validate};

use crate::{
    bounds::bounded,
    judge::{LIMITS, sorted, told},
};

/// Bytes as what a client of 2017 sends: it is read once and for all, what was put right is told
/// (and what was not is as it was), and nothing that was valid is refused for it.
pub fn cahier2017(bytes: &[u8]) {
    let Ok(tree) = json::read(bytes, &LIMITS) else { return };
    let (once, issues) = bounded(bytes.len(), 1_000, || cahier2017::read_resource(tree.clone()));
    read_as_meant(&tree, &once, &issues);
    assert_eq!(cahier2017::read_resource(once.clone()).0, once, "what was put right needs no more");
    let (bundle, issues) = bounded(bytes.len(), 1_000, || cahier2017::read_bundle(tree.clone()));
    read_as_meant(&tree, &bundle, &issues);
    assert_eq!(cahier2017::read_bundle(bundle.clone()).0, bundle, "what was put right needs no more");
    let (_, issues) = note_bundle::into_transaction(bundle);
    if !issues.is_empty() {
        told(&issues);
    }
}

fn read_as_meant(given: &Object, read: &Object, issues: &[Issue]) {
    assert!(issues.iter().all(|issue| !issue.refuses()), "what is put right is information");
    if !issues.is_empty() {
        told(issues);
    }
    if issues.is_empty() {
        assert_eq!(sorted(read.clone()), sorted(given.clone()), "changed without a word");
    }
    let refused = |tree: &Object| validate::validate(tree, stu3()).iter().any(Issue::refuses);
    if refused(read) {
        assert!(refused(given), "valid before it was put right: {issues:?}");
    }
}
