//! The constraints of the types we keep, corrected where `corrections.tsv` says so.

use crate::rows;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One row of `constraints.tsv`.
pub struct Constraint {
    pub path: String,
    pub key: String,
    pub severity: String,
    /// `path`, `walk` or `nobody`.
    pub by: String,
    pub expression: String,
}

/// The constraints on elements for which `known` holds.
///
/// Panics when a correction is of an expression that is not published (any more).
pub fn read(here: &Path, release: &str, known: impl Fn(&str) -> bool) -> Vec<Constraint> {
    let mut corrections: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    for row in rows(&here.join("corrections.tsv")) {
        let [of, key, published, by, expression, _why] = row.try_into().expect("six columns");
        if of == release {
            let old = corrections.insert((key.clone(), published), (by, expression));
            assert!(old.is_none(), "{release} {key} is corrected twice");
        }
    }
    let mut used = BTreeSet::new();
    let mut out = Vec::new();
    for row in rows(&here.join("input").join(release).join("constraints.tsv")) {
        let [path, key, severity, published] = row.try_into().expect("four columns");
        let of = (key.clone(), published.clone());
        let (by, expression) = match corrections.get(&of) {
            Some(correction) => correction.clone(),
            None => ("path".to_owned(), published),
        };
        used.insert(of);
        if known(&path) {
            out.push(Constraint {
                path,
                key,
                severity,
                by,
                expression,
            });
        }
    }
    for (key, published) in corrections.keys().filter(|of| !used.contains(*of)) {
        panic!("{release} {key} is corrected, but not published as {published}");
    }
    out
}
