//! The rules of the CI-SIS: notes, persons and identifiers, profiles, nomenclatures.
//!
//! Everything here is pure: trees in, findings, keys and trees out. This crate must never know of
//! input and output, async, clocks, randomness, SQL or HTTP.

pub mod identifiers;
pub mod unique;
