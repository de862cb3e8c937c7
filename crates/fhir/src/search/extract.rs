//! From a resource to the rows of its index.
//!
//! It runs on every write: the ways to all values of a type are laid out once as a tree of JSON
//! members ([`plan`]), and a resource is walked once along it.

mod plan;
mod references;
mod values;

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
};

use jiff::tz::TimeZone;

use crate::{
    path::evaluate::{Item, NodeContent},
    release::{Release, view},
    tree::{Object, Value},
};

use super::{
    index::{IndexRow, IndexValue, Target},
    parameters::{Parameter, reading::Reading},
};

/// What extraction needs to know beside the resource.
#[derive(Clone, Copy, Debug)]
pub struct ExtractContext<'a> {
    /// The zone of dates without one.
    pub zone: &'a TimeZone,
    /// The public FHIR bases of this server: an absolute reference under one of them is local.
    pub bases: &'a [String],
}

/// The rows that find a resource, given in its R4 view; each once, in the order of the resource.
/// Nothing for what is not a resource of a known type.
#[must_use]
pub fn extract(resource: &Object, context: &ExtractContext<'_>) -> Vec<IndexRow> {
    let Some(plan) = resource.resource_type().and_then(plan::of_type) else { return Vec::new() };
    let mut rows = Vec::new();
    plan.walk(resource, &mut |parameter, reading, value| {
        values::rows(parameter, reading, value, context, &mut rows);
    });
    for parameter in plan.computed() {
        compute(parameter, resource, context, &mut rows);
    }
    keep_each_once(&mut rows);
    rows
}

/// Every literal reference of a resource, in the release it is written in, with its place. Left
/// out: references to contained resources (`#x`), and what the entries of a Bundle hold.
#[must_use]
pub fn references(resource: &Object, release: &'static Release, context: &ExtractContext<'_>) -> Vec<(Target, String)> {
    references::all(resource, release, context.bases)
}

/// What the text of a reference points to; `None` for one to a contained resource, or none at all.
#[must_use]
pub fn target(reference: &str, bases: &[String]) -> Option<Target> {
    references::target(reference, bases)
}

fn compute(parameter: &'static Parameter, resource: &Object, context: &ExtractContext<'_>, rows: &mut Vec<IndexRow>) {
    for item in parameter.path.evaluate(resource, view()) {
        match item {
            Item::Truth(truth) => {
                values::rows(parameter, Reading::Code, values::Found::Value(&Value::Bool(truth)), context, rows);
            }
            Item::Node(node) => {
                let Some(reading) = Reading::of(parameter.kind, node.type_code) else { continue };
                match node.content {
                    NodeContent::Object(object) => {
                        values::rows(parameter, reading, values::Found::Object(object), context, rows);
                    }
                    NodeContent::Primitive { value: Some(value), .. } => {
                        values::rows(parameter, reading, values::Found::Value(value), context, rows);
                    }
                    NodeContent::Primitive { value: None, .. } => {}
                }
            }
            Item::Target(_) | Item::Literal(_) | Item::Integer(_) | Item::Text(_) => {}
        }
    }
}

/// A row that can be told from another; numbers are compared by their bits.
struct Identity<'a>(&'a IndexRow);

impl Hash for Identity<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.param.hash(state);
        match &self.0.value {
            IndexValue::String { exact, .. } => exact.hash(state),
            IndexValue::Token { system, code } => (system, code).hash(state),
            IndexValue::Reference(target) => target.hash(state),
            IndexValue::Date { low, high } => (low, high).hash(state),
            IndexValue::Number { low, high } => (low.to_bits(), high.to_bits()).hash(state),
            IndexValue::Quantity { low, high, system, code } => {
                (low.to_bits(), high.to_bits(), system, code).hash(state);
            }
            IndexValue::Uri(uri) => uri.hash(state),
            IndexValue::Position { latitude, longitude } => (latitude.to_bits(), longitude.to_bits()).hash(state),
        }
    }
}

impl PartialEq for Identity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Identity<'_> {}

fn keep_each_once(rows: &mut Vec<IndexRow>) {
    let kept: Vec<bool> = {
        let mut seen = HashSet::with_capacity(rows.len());
        rows.iter().map(|row| seen.insert(Identity(row))).collect()
    };
    let mut kept = kept.into_iter();
    rows.retain(|_| kept.next().unwrap_or(true));
}

#[cfg(test)]
mod tests;
