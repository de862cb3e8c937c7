//! The FHIR engine: releases as data, trees, JSON and XML, validation, search, conversion.
//!
//! Everything here is pure: bytes or trees in, trees, rows or findings out. This crate must never
//! know of input and output, async, clocks, randomness, SQL, HTTP, or the rules of the CI-SIS.
//!
//! Where to start reading: [`tree`] (what a resource is in memory), [`release`] (what STU3 and R4
//! say of it), then [`json`] and [`xml`] (how it comes in and goes out), [`validate`] (what is
//! wrong with it), [`search`] (how it is found) and [`convert`] (how it changes release).

pub mod convert;
pub mod json;
pub mod outcome;
pub mod patch;
pub mod path;
pub mod place;
pub mod primitive;
pub mod release;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
pub mod search;
pub mod spelling;
pub mod terminology;
pub mod tree;
pub mod validate;
pub mod xml;

#[cfg(test)]
mod arbitrary;
