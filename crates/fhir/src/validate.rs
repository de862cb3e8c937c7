//! What a release says of a tree: is it right, and where is it wrong.
//!
//! One walk, guided by the tables: structure and cardinality, primitive values, codes of required
//! bindings, references, narratives, contained resources, and the invariants named in `rules.tsv`.
//! The way without findings allocates next to nothing: places are put together only for a finding.

mod bindings;
mod contained;
mod narrative;
mod primitives;
mod references;
mod rules;
mod structure;

use crate::{
    outcome::{Issue, IssueKind, Text},
    place::Place,
    release::Release,
    text,
    tree::Object,
};
use contained::Container;

/// Findings beyond this many are counted, not told: nobody reads them, and a request made of
/// mistakes must not cost more than it brought.
pub const MAX_FINDINGS: usize = 100;

/// All findings of the base release about a resource. It is stored only if none of them
/// [refuses](crate::outcome::refused).
#[must_use]
pub fn validate(resource: &Object, release: &'static Release) -> Vec<Issue> {
    let mut walk = Walk::new(release);
    let name = resource.resource_type().unwrap_or_default();
    walk.resource(resource, Place::root(name), structure::Role::Outermost);
    walk.finish()
}

/// The walk through one resource and those inside it.
struct Walk<'a> {
    release: &'static Release,
    issues: Vec<Issue>,
    left_out: usize,
    /// How many more objects may lie in each other.
    depth_left: usize,
    /// The resources around the element that is looked at, innermost last.
    containers: Vec<Container<'a>>,
    /// Whether references may still be queries.
    transaction: Transaction,
}

/// Whether the walk is inside a bundle whose references are resolved when it is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    Inside,
    Outside,
}

/// How deep objects may lie in each other: what the readers let in at most.
const DEEPEST: usize = crate::json::Limits::DEEPEST;

impl Walk<'_> {
    const fn new(release: &'static Release) -> Self {
        Self {
            release,
            issues: Vec::new(),
            left_out: 0,
            depth_left: DEEPEST,
            containers: Vec::new(),
            transaction: Transaction::Outside,
        }
    }

    fn error(&mut self, kind: IssueKind, place: impl Into<String>, text: Text) {
        self.add(|| Issue::error(kind, place, text));
    }

    fn warning(&mut self, kind: IssueKind, place: impl Into<String>, text: Text) {
        self.add(|| Issue::warning(kind, place, text));
    }

    fn add(&mut self, issue: impl FnOnce() -> Issue) {
        if self.issues.len() < MAX_FINDINGS {
            self.issues.push(issue());
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> Vec<Issue> {
        if self.left_out > 0 {
            let count = self.left_out;
            self.issues.push(Issue::error(
                IssueKind::TooCostly,
                "",
                text!(
                    en: "There are {count} more findings; mend the first ones and try again.",
                    fr: "Il y a {count} autres anomalies ; corriger les premières et recommencer.",
                ),
            ));
        }
        self.issues
    }
}

#[cfg(test)]
mod tests;
