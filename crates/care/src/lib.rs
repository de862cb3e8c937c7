//! The rules of the CI-SIS: notes, persons and identifiers, profiles, nomenclatures.
//!
//! Everything here is pure: trees in, findings, keys and trees out. This crate must never know of
//! input and output, async, clocks, randomness, SQL or HTTP.
//!
//! Where to start reading: [`check`] (what is said about a resource), then [`note`] (what a note
//! is), [`identifiers`] and [`unique`] (who is who), [`profiles`] and [`terminology`] (the tables).

pub mod access;
pub mod cahier2017;
pub mod check;
pub mod conformance;
pub mod identifiers;
pub mod matching;
pub mod note;
pub mod note_bundle;
pub mod profiles;
pub mod terminology;
pub mod unique;

// The one name that other crates were promised at the root: `care::check(resource, release)`.
pub use check::check;
