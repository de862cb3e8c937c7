//! A generator of hostile bytes without a nightly compiler: samples, changed as trees and as bytes,
//! sprinkled with what readers stumble over; the same bytes in every run.

use liaison_fhir::{
    json,
    tree::{Object, Value},
};

use crate::samples;

/// What readers stumble over.
const TOKENS: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-0",
    "1e400",
    "1.50",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{2028}",
    "\0",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"_birthDate\":",
    "\"extension\":[{\"url\":\"x\"}]",
    "\"resourceType\":\"Patient\"",
    "\"contained\":[{\"resourceType\":\"Patient\"}]",
    "\"id\":\"\"",
    "9999-12-31T23:59:60Z",
    "0000",
    "2026-02-30",
    "24:00:00",
    "+14:00",
    "<",
    "/>",
    "</",
    "&#x0;",
    "&lt;",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE p [<!ENTITY a \"b\">]>",
    "xmlns=\"http://hl7.org/fhir\"",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "/-",
    "~1",
    "~2",
    "|",
    "\\,",
    "$",
    "&",
    "=",
    ".",
    ":iterate",
    ":not",
    ":missing=true",
    "&_has:DocumentReference:subject:",
    "&_include=*",
    "&_sort=-date",
    "Patient",
    "identifier",
    "ge",
    "ap",
    "⟦300⟧",
    "⟦/⟧",
    "{next}",
    "{location}",
    "{etag}",
    "\n===\n",
    "\n\n",
    "W/\"1\"",
    "bytes=0-",
    "prefer: return=OperationOutcome",
    "prefer: respond-async",
    "if-none-exist: ",
    "if-none-match: *",
    "content-encoding: gzip",
    "accept: application/fhir+xml",
    "PATCH /fhir/r4/",
    "DELETE /fhir/stu3/",
    "/_history/",
    "/_search",
    "$validate",
    "is-a",
    ".where(",
    ".ofType(",
    "resolve() is ",
    " | ",
    " and ",
    "'",
    "%2C",
];

/// Values that stand in the place of others in a tree.
const VALUES: &[&str] = &[
    "",
    " ",
    "true",
    "2026-02-30",
    "2026",
    "2026-03-04T08:30:00Z",
    "Patient/1",
    "#o",
    "http://x",
    "urn:oid:1.2",
    "é\u{301}",
    "AAAA",
    "9007199254740993",
];

/// What inputs are sprinkled with, here and in libFuzzer's dictionary.
pub fn words() -> impl Iterator<Item = &'static str> {
    TOKENS.iter().chain(VALUES).copied().filter(|word| !word.is_empty())
}

/// Inputs that follow from one another without end.
pub struct Inputs {
    samples: Vec<Vec<u8>>,
    state: u64,
}

impl Inputs {
    /// From samples; each seed gives a series of its own.
    #[must_use]
    pub const fn new(samples: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { samples, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// The next input: a sample with a few changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let at = self.below(self.samples.len());
        let sample = std::mem::take(&mut self.samples[at]);
        let input = self.changed(&sample);
        self.samples[at] = sample;
        input
    }

    fn changed(&mut self, sample: &[u8]) -> Vec<u8> {
        // Changed as a tree, most inputs stay JSON, and what lies behind the reader is reached too.
        match json::read_value(sample, &json::Limits::default()) {
            Ok(mut tree) if self.below(3) > 0 => {
                for _ in 0..=self.below(4) {
                    self.change_tree(&mut tree);
                }
                let mut bytes = Vec::new();
                json::write_value_into(&tree, &mut bytes);
                bytes
            }
            _ => self.changed_bytes(sample),
        }
    }

    /// A number below an end (xorshift64).
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % end.max(1) as u64).unwrap_or_default()
    }

    fn change_tree(&mut self, value: &mut Value) {
        let inside = match value {
            Value::Object(object) => object.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if inside > 0 && self.below(6) > 0 {
            let at = self.below(inside);
            let child = match value {
                Value::Object(object) => object.iter_mut().nth(at).map(|(_, child)| child),
                Value::Array(items) => items.get_mut(at),
                _ => None,
            };
            if let Some(child) = child {
                return self.change_tree(child);
            }
        }
        match (self.below(8), &mut *value) {
            (0, _) => *value = Value::from(VALUES[self.below(VALUES.len())]),
            (1, _) => *value = Value::from(TOKENS[self.below(TOKENS.len())]),
            (2, _) => *value = Value::Array(vec![value.clone()]),
            (3, Value::Array(items)) => items.truncate(1),
            (3, _) => {
                *value = [Value::Null, Value::from(true), Value::from(7_u64), Value::from(Object::new())][self.below(4)]
                    .clone()
            }
            (4, Value::Array(items)) => items.extend(items.first().cloned()),
            (5, Value::Object(object)) => {
                let at = self.below(object.len());
                let name = object.iter().nth(at).map(|(name, _)| name.to_owned()).unwrap_or_default();
                object.remove(&name);
            }
            (6, Value::Object(object)) => {
                let at = self.below(object.len());
                let name = object.iter().nth(at).map(|(name, _)| name.to_owned()).unwrap_or_default();
                let other =
                    if name.starts_with('_') { name.trim_start_matches('_').to_owned() } else { format!("_{name}") };
                if !object.contains(&other) {
                    object.rename(&name, &other);
                }
            }
            (_, Value::Object(object)) => {
                let note = json::read(samples::NOTE, &json::Limits::default()).unwrap_or_default();
                let at = self.below(note.len());
                if let Some((name, member)) = note.iter().nth(at) {
                    object.set(name, member.clone());
                }
            }
            (_, Value::String(text)) => {
                let changed = self.changed_bytes(text.as_bytes());
                *text = String::from_utf8_lossy(&changed).as_ref().into();
            }
            _ => {}
        }
    }

    fn changed_bytes(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut input = sample.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(input.len() + 1);
            match self.below(7) {
                0 if at < input.len() => input[at] = self.below(256) as u8,
                1 if at < input.len() => drop(input.remove(at)),
                2 => input.truncate(at),
                3 => drop(input.drain(at..(at + self.below(64)).min(input.len()))),
                4 => {
                    let from = self.below(sample.len());
                    let to = (from + self.below(200)).min(sample.len());
                    input.splice(at..at, sample[from..to].iter().copied());
                }
                _ => {
                    let token = TOKENS[self.below(TOKENS.len())];
                    input.splice(at..at, token.bytes());
                }
            }
        }
        input
    }
}
