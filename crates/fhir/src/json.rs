//! JSON in and out, without loss.
//!
//! The reader is strict where FHIR is: one value and nothing after it, valid UTF-8, every member
//! name once, no lone surrogates. It keeps what FHIR wants kept: the order of members and the
//! digits of numbers. Reading then writing compact JSON gives the same bytes back.

mod read;
mod write;

use crate::{
    outcome::Issue,
    tree::{Object, Value},
};

/// What a document may weigh before it is refused, in JSON and in XML alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep objects and arrays may lie in each other; never more than [`Limits::DEEPEST`].
    pub depth: usize,
    /// How many bytes there may be.
    pub bytes: usize,
    /// How many values (objects, arrays, strings, numbers…) there may be.
    pub nodes: usize,
}

impl Limits {
    /// The depth beyond which no setting goes, so that no reader and no later walk of the tree
    /// can exhaust the stack.
    pub const DEEPEST: usize = 256;

    /// For documents this server wrote itself: nothing it accepted once may become unreadable when
    /// an operator lowers the limits.
    pub const OWN: Self = Self { depth: Self::DEEPEST, bytes: usize::MAX, nodes: usize::MAX };
}

impl Default for Limits {
    /// 64 levels, 30 MB (the limit of a request's body), a million values.
    fn default() -> Self {
        Self { depth: 64, bytes: 30_000_000, nodes: 1_000_000 }
    }
}

/// Reads a document whose root is an object: a resource.
///
/// # Errors
/// What is wrong with the document, with the line, the column and the place reached.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Object, Vec<Issue>> {
    read::object(bytes, limits).map_err(|issue| vec![issue])
}

/// Reads a document whose root is any value: a JSON Patch.
///
/// # Errors
/// What is wrong with the document, with the line, the column and the place reached.
pub fn read_value(bytes: &[u8], limits: &Limits) -> Result<Value, Vec<Issue>> {
    read::value(bytes, limits).map_err(|issue| vec![issue])
}

/// Writes compact JSON: no blanks, strings escaped only where JSON asks for it.
#[must_use]
pub fn write(object: &Object) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write::object(object, &mut out);
    out
}

/// Writes JSON for people: one member a line, two blanks a level.
#[must_use]
pub fn write_pretty(object: &Object) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    write::pretty_object(object, 0, &mut out);
    out
}

/// Writes a value as compact JSON after what `out` holds.
pub fn write_value_into(value: &Value, out: &mut Vec<u8>) {
    write::value(value, out);
}

/// Writes a string as JSON, with its quotes, after what `out` holds.
pub fn write_string_into(text: &str, out: &mut Vec<u8>) {
    write::string(text, out);
}

#[cfg(test)]
mod tests;
