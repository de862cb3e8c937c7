//! What a release says of a tree: is it right, and where is it wrong.
//!
//! One walk, guided by the tables: structure and cardinality, primitive values, codes of required
//! bindings, references, narratives, contained resources, and the constraints of `constraints.tsv`.
//! The way without findings allocates next to nothing: places are put together only for a finding.

mod bindings;
mod constraints;
mod contained;
mod narrative;
mod primitives;
mod references;
mod structure;

use crate::{
    outcome::{Issue, IssueKind, Text},
    path::evaluate::Steps,
    place::Place,
    release::Release,
    text,
    tree::Object,
};
pub(crate) use bindings::is_media_type;
use contained::Container;

/// After this many errors the walk stops: nobody reads more, and a request made of mistakes must
/// not cost more than it brought. As many warnings are told, and more refuse nothing.
pub const MAX_FINDINGS: usize = 100;

/// All findings of the base release about a resource. It is stored only if none of them
/// [refuses](crate::outcome::refused).
#[must_use]
pub fn validate(resource: &Object, release: &'static Release) -> Vec<Issue> {
    let mut walk = Walk::new(resource, release);
    let name = resource.resource_type().unwrap_or_default();
    walk.resource(resource, Place::root(name), structure::Role::Outermost);
    walk.finish()
}

/// The walk through one resource and those inside it.
struct Walk<'a> {
    release: &'static Release,
    issues: Vec<Issue>,
    errors: usize,
    warnings: usize,
    /// How many more objects may lie in each other.
    depth_left: usize,
    /// The resources around the element that is looked at, innermost last.
    containers: Vec<Container<'a>>,
    /// The resource that is looked at, and the one that contains it.
    around: Around<'a>,
    /// How much the evaluation of constraints may still cost.
    steps: Steps,
    /// Whether references may still be queries.
    transaction: Transaction,
}

/// What expressions call `%resource` and `%rootResource`: different only for what is contained.
#[derive(Clone, Copy)]
struct Around<'a> {
    resource: &'a Object,
    container: &'a Object,
}

/// Whether the walk is inside a bundle whose references are resolved when it is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    Inside,
    Outside,
}

/// How deep objects may lie in each other: what the readers let in at most.
const DEEPEST: usize = crate::json::Limits::DEEPEST;

impl<'a> Walk<'a> {
    const fn new(resource: &'a Object, release: &'static Release) -> Self {
        Self {
            release,
            issues: Vec::new(),
            errors: 0,
            warnings: 0,
            depth_left: DEEPEST,
            containers: Vec::new(),
            around: Around { resource, container: resource },
            steps: Steps::enough(),
            transaction: Transaction::Outside,
        }
    }

    fn error(&mut self, kind: IssueKind, place: impl Into<String>, text: Text) {
        if !self.is_full() {
            self.errors += 1;
            self.issues.push(Issue::error(kind, place, text));
        }
    }

    fn warning(&mut self, kind: IssueKind, place: impl Into<String>, text: Text) {
        self.warnings += 1;
        if self.warnings <= MAX_FINDINGS {
            self.issues.push(Issue::warning(kind, place, text));
        }
    }

    /// Whether there are errors enough to stop.
    const fn is_full(&self) -> bool {
        self.errors >= MAX_FINDINGS
    }

    fn finish(mut self) -> Vec<Issue> {
        if self.is_full() {
            self.issues.push(Issue::error(
                IssueKind::TooCostly,
                "",
                text!(
                    en: "There may be more findings after the first {MAX_FINDINGS}; mend these and try again.",
                    fr: "Il peut y avoir d'autres anomalies après les {MAX_FINDINGS} premières ; les corriger et recommencer.",
                ),
            ));
        } else if self.warnings > MAX_FINDINGS {
            self.issues.push(Issue::warning(
                IssueKind::TooCostly,
                "",
                text!(
                    en: "There are more warnings than these {MAX_FINDINGS}.",
                    fr: "Il y a d'autres avertissements que ces {MAX_FINDINGS}-ci.",
                ),
            ));
        }
        self.issues
    }
}

#[cfg(test)]
mod tests;
