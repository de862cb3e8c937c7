//! JSON Pointer (RFC 6901): the place of an operation in a tree.

use std::fmt;

use crate::tree::Value;

/// A pointer: the unescaped steps from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    steps: Vec<String>,
}

impl Pointer {
    /// Reads a pointer; `None` when it does not begin with `/` (or is not empty) or when a `~` is
    /// not followed by `0` or `1`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self { steps: Vec::new() });
        }
        let steps = text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<_>>()?;
        Some(Self { steps })
    }

    /// How many steps lead there.
    pub(super) const fn len(&self) -> usize {
        self.steps.len()
    }

    /// The steps to the parent, and the last one; `None` for the root.
    pub(super) fn split_last(&self) -> Option<(&[String], &str)> {
        self.steps.split_last().map(|(last, parent)| (parent, last.as_str()))
    }

    /// Whether the other pointer leads below this one.
    pub(super) fn is_proper_prefix_of(&self, other: &Self) -> bool {
        self.steps.len() < other.steps.len() && other.steps.starts_with(&self.steps)
    }

    /// The value there.
    pub(super) fn resolve<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(root, |value, step| match value {
            Value::Object(object) => object.get(step),
            Value::Array(items) => items.get(index(step)?),
            _ => None,
        })
    }

    /// The value there, to change.
    pub(super) fn resolve_mut<'a>(&self, root: &'a mut Value) -> Option<&'a mut Value> {
        walk_mut(root, &self.steps)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

/// Follows steps from a value.
pub(super) fn walk_mut<'a>(root: &'a mut Value, steps: &[String]) -> Option<&'a mut Value> {
    steps.iter().try_fold(root, |value, step| match value {
        Value::Object(object) => object.get_mut(step),
        Value::Array(items) => items.get_mut(index(step)?),
        _ => None,
    })
}

/// An index of an array: digits without a leading zero.
pub(super) fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|b| b.is_ascii_digit()));
    if plain { step.parse().ok() } else { None }
}

fn unescape(step: &str) -> Option<String> {
    let mut out = String::with_capacity(step.len());
    let mut letters = step.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '~' => match letters.next()? {
                '0' => out.push('~'),
                '1' => out.push('/'),
                _ => return None,
            },
            other => out.push(other),
        }
    }
    Some(out)
}
