//! The wire form of 2017, read as it was meant.
//!
//! The founding document of the cahier de liaison prints a form of STU3 that its own examples do
//! not keep: a list where STU3 has one value, one value where it has a list, `"true"` for `true`,
//! blanks in addresses, a colon missing from an OID. What is read as intended is listed, each with
//! its place, as information; what is conformant STU3 passes as it is and without a word.
//!
//! - [`read_resource`]: any resource sent in that form, such as the body of an update;
//! - [`read_bundle`]: the bundle that creates a note, whose persons need more care;
//! - [`read_query`]: the names of that form in a query string.
//!
//! What cannot be read in one way only (two `masterIdentifier`s, a date that is none) is left as it
//! is, for the validation to refuse. See `docs/decisions/0016-the-form-of-2017.md`.

mod bundle;
mod form;
mod note;
mod query;
mod text;
mod vocabulary;

pub use bundle::read_bundle;
pub use query::read_query;

use liaison_fhir::{outcome::Issue, release, tree::Object};

/// A resource in the form of 2017 as STU3, and what was read otherwise than it was written.
#[must_use]
pub fn read_resource(resource: Object) -> (Object, Vec<Issue>) {
    let mut reader = form::Reader::new(release::stu3());
    let resource = reader.root(resource);
    (resource, reader.issues)
}

#[cfg(test)]
mod tests;
