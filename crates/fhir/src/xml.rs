//! XML in and out, without loss.
//!
//! The tree has the shape of FHIR's JSON; the table of the release says which elements repeat,
//! which values are numbers or booleans, what XML writes as attributes, and in which order.
//! Document types, entities and anything outside the namespaces of FHIR and XHTML are refused.

mod extent;
mod narrative;
mod read;
mod write;

use crate::{
    json::Limits,
    outcome::{Issue, IssueKind, Severity, Text},
    release::Release,
    tree::Object,
};

/// The namespace of FHIR's elements.
const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of narratives.
pub(crate) const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// The namespace of `xsi:schemaLocation`, which a document may carry on its root.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads a resource.
///
/// # Errors
/// What is wrong with the document, with the place reached. Only what XML or the tables alone can
/// tell; the rest is for [`validate`](crate::validate).
pub fn read(bytes: &[u8], release: &'static Release, limits: &Limits) -> Result<Object, Vec<Issue>> {
    read::resource(bytes, release, limits).map_err(|issue| vec![*issue])
}

/// Writes a resource, elements in the order of the definition.
///
/// # Errors
/// When the tree holds what XML or the tables cannot say: an element the release does not know, a
/// character XML forbids, a narrative that is not well-formed.
pub fn write(object: &Object, release: &'static Release) -> Result<Vec<u8>, Issue> {
    write::resource(object, release, write::Layout::Compact).map_err(|issue| *issue)
}

/// As [`write`], for people to read: each element on a line of its own. Narratives stay as they are,
/// blanks matter there.
///
/// # Errors
/// As [`write`].
pub fn write_pretty(object: &Object, release: &'static Release) -> Result<Vec<u8>, Issue> {
    write::resource(object, release, write::Layout::Pretty).map_err(|issue| *issue)
}

/// Refuses what would be costly to parse: too deep, too many attributes, a DTD.
pub(crate) fn check_extent(text: &str, limits: &Limits) -> Judged<()> {
    extent::check(text, limits)
}

/// Issues travel in a box, so that the way without any stays cheap.
pub(crate) type Judged<T> = Result<T, Box<Issue>>;

fn refusal(place: impl Into<String>, text: Text) -> Box<Issue> {
    Box::new(Issue::error(IssueKind::Structure, place, text))
}

/// A refusal of the document as a whole: it could not be read.
fn unreadable(kind: IssueKind, text: Text) -> Box<Issue> {
    Box::new(Issue { severity: Severity::Fatal, kind, text, place: String::new() })
}

#[cfg(test)]
mod tests;
