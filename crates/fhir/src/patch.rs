//! JSON Patch (RFC 6902) on trees.
//!
//! Works on the lossless tree, so that what a patch does not touch keeps its digits and its order.
//! Either every operation applies or the target stays as it was.

mod pointer;
#[cfg(test)]
mod tests;

use crate::{
    json::Limits,
    outcome::{Issue, IssueKind, Text},
    text,
    tree::{Object, Value},
};
use pointer::Pointer;

/// The most operations a patch may have.
pub const MAX_OPERATIONS: usize = 1_000;

/// The most values a patched resource may hold, counting all that were ever put into it: `copy`
/// could otherwise double it at each step, and each step may walk or shift all of them.
pub const MAX_VALUES: usize = 100_000;

/// The most bytes of text a patched resource may hold, counted likewise: one value can be an
/// attachment of many megabytes. Room for a body at its limit to be replaced by another.
pub const MAX_BYTES: usize = 60_000_000;

/// How deep a patched resource may be: `copy` into itself could otherwise double the depth at each
/// step, and every later walk of the tree recurses.
pub const MAX_DEPTH: usize = Limits::DEEPEST;

/// Applies a patch: an array of operations, in order, all or none.
///
/// # Errors
/// The first operation that is malformed, points nowhere, or whose `test` does not hold; the place
/// is `patch[i]`. A `test` that fails is a [`IssueKind::Conflict`], everything else tells that the
/// patch was not understood ([`IssueKind::Structure`], [`IssueKind::Value`]) or does not fit the
/// resource ([`IssueKind::NotFound`]).
pub fn apply(target: &mut Object, patch: &Value) -> Result<(), Issue> {
    let operations = patch.as_array().ok_or_else(|| {
        let text = text!(
            en: "a JSON Patch is an array of operations",
            fr: "un JSON Patch est un tableau d'opérations"
        );
        Issue::error(IssueKind::Structure, "patch", text)
    })?;
    if operations.len() > MAX_OPERATIONS {
        let text = text!(
            en: "more than {MAX_OPERATIONS} operations: split the patch",
            fr: "plus de {MAX_OPERATIONS} opérations : divisez le patch"
        );
        return Err(Issue::error(IssueKind::TooCostly, "patch", text));
    }
    let mut root = Value::Object(target.clone());
    let mut budget = Budget { values: MAX_VALUES, bytes: MAX_BYTES };
    budget.spend(&root).map_err(|fault| Issue::error(fault.kind, "patch", fault.text))?;
    for (index, operation) in operations.iter().enumerate() {
        Operation::read(operation)
            .and_then(|operation| operation.apply(&mut root, &mut budget))
            .map_err(|fault| Issue::error(fault.kind, format!("patch[{index}]"), fault.text))?;
    }
    match root {
        Value::Object(patched) => {
            *target = patched;
            Ok(())
        }
        _ => {
            let text = text!(
                en: "the patch replaces the resource by something that is no object",
                fr: "le patch remplace la ressource par autre chose qu'un objet"
            );
            Err(Issue::error(IssueKind::Structure, "patch", text))
        }
    }
}

/// Why an operation does not apply.
struct Fault {
    kind: IssueKind,
    text: Text,
}

impl Fault {
    const fn new(kind: IssueKind, text: Text) -> Self {
        Self { kind, text }
    }
}

enum Operation<'a> {
    Add(Pointer, &'a Value),
    Remove(Pointer),
    Replace(Pointer, &'a Value),
    Move { from: Pointer, to: Pointer },
    Copy { from: Pointer, to: Pointer },
    Test(Pointer, &'a Value),
}

impl<'a> Operation<'a> {
    fn read(operation: &'a Value) -> Result<Self, Fault> {
        let operation = operation.as_object().ok_or_else(|| {
            let text = text!(en: "an operation is an object", fr: "une opération est un objet");
            Fault::new(IssueKind::Structure, text)
        })?;
        let path = || pointer_member(operation, "path");
        let value = || operation.get("value").ok_or_else(|| missing("value"));
        match operation.str("op") {
            Some("add") => Ok(Self::Add(path()?, value()?)),
            Some("remove") => Ok(Self::Remove(path()?)),
            Some("replace") => Ok(Self::Replace(path()?, value()?)),
            Some("move") => Ok(Self::Move { from: pointer_member(operation, "from")?, to: path()? }),
            Some("copy") => Ok(Self::Copy { from: pointer_member(operation, "from")?, to: path()? }),
            Some("test") => Ok(Self::Test(path()?, value()?)),
            Some(other) => {
                let text = text!(
                    en: "unknown operation '{other}': use add, remove, replace, move, copy or test",
                    fr: "opération inconnue « {other} » : utilisez add, remove, replace, move, copy ou test"
                );
                Err(Fault::new(IssueKind::Value, text))
            }
            None => Err(missing("op")),
        }
    }

    fn apply(self, root: &mut Value, budget: &mut Budget) -> Result<(), Fault> {
        match self {
            Self::Add(path, value) => {
                budget.spend(value)?;
                add(root, &path, value.clone())
            }
            Self::Remove(path) => remove(root, &path).map(drop),
            Self::Replace(path, value) => {
                budget.spend(value)?;
                bound_depth(&path, value)?;
                let place = path.resolve_mut(root).ok_or_else(|| nowhere(&path))?;
                *place = value.clone();
                Ok(())
            }
            Self::Move { from, to } => {
                if from.is_proper_prefix_of(&to) {
                    let text = text!(
                        en: "'{from}' cannot be moved into itself ('{to}')",
                        fr: "« {from} » ne peut être déplacé en lui-même (« {to} »)"
                    );
                    return Err(Fault::new(IssueKind::Value, text));
                }
                let value = remove(root, &from)?;
                add(root, &to, value)
            }
            Self::Copy { from, to } => {
                let value = from.resolve(root).ok_or_else(|| nowhere(&from))?.clone();
                budget.spend(&value)?;
                add(root, &to, value)
            }
            Self::Test(path, value) => {
                let found = path.resolve(root).ok_or_else(|| nowhere(&path))?;
                if same(found, value) {
                    return Ok(());
                }
                let text = text!(
                    en: "the value at '{path}' is not the one tested: read the resource again",
                    fr: "la valeur à « {path} » n'est pas celle attendue : relisez la ressource"
                );
                Err(Fault::new(IssueKind::Conflict, text))
            }
        }
    }
}

fn pointer_member(operation: &Object, name: &'static str) -> Result<Pointer, Fault> {
    let text = operation.str(name).ok_or_else(|| missing(name))?;
    Pointer::read(text).ok_or_else(|| {
        let text = text!(
            en: "'{text}' is not a JSON Pointer: it begins with '/' and escapes '~' as '~0', '/' as '~1'",
            fr: "« {text} » n'est pas un pointeur JSON : il commence par « / » et note « ~ » « ~0 », « / » « ~1 »"
        );
        Fault::new(IssueKind::Value, text)
    })
}

fn missing(name: &str) -> Fault {
    let text = text!(
        en: "the operation needs a member '{name}' of the right type",
        fr: "il manque à l'opération un membre « {name} » du bon type"
    );
    Fault::new(IssueKind::Required, text)
}

fn nowhere(path: &Pointer) -> Fault {
    let text = text!(
        en: "there is nothing at '{path}' in the resource",
        fr: "il n'y a rien à « {path} » dans la ressource"
    );
    Fault::new(IssueKind::NotFound, text)
}

/// What may still be put into the resource.
struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    fn spend(&mut self, value: &Value) -> Result<(), Fault> {
        let too_large = || {
            let text = text!(
                en: "the patch makes the resource too large (over {MAX_VALUES} values or {MAX_BYTES} bytes)",
                fr: "le patch rend la ressource trop grande (plus de {MAX_VALUES} valeurs ou de {MAX_BYTES} octets)"
            );
            Fault::new(IssueKind::TooCostly, text)
        };
        let (values, bytes) = weigh(value);
        self.values = self.values.checked_sub(values).ok_or_else(too_large)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }
}

/// How many values there are, and how many bytes of text in them.
fn weigh(value: &Value) -> (usize, usize) {
    let sum = |(values, bytes), (v, b)| (values + v, bytes + b);
    match value {
        Value::Null | Value::Bool(_) => (1, 0),
        Value::Number(text) | Value::String(text) => (1, text.len()),
        Value::Array(items) => items.iter().map(weigh).fold((1, 0), sum),
        Value::Object(object) => object.iter().map(|(name, v)| sum((0, name.len()), weigh(v))).fold((1, 0), sum),
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => object.iter().map(|(_, v)| depth(v)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Refuses a value that would lie too deep at its place.
fn bound_depth(path: &Pointer, value: &Value) -> Result<(), Fault> {
    if path.len() + depth(value) > MAX_DEPTH {
        let text = text!(
            en: "the patch nests the resource deeper than {MAX_DEPTH} levels",
            fr: "le patch imbrique la ressource sur plus de {MAX_DEPTH} niveaux"
        );
        return Err(Fault::new(IssueKind::TooCostly, text));
    }
    Ok(())
}

fn add(root: &mut Value, path: &Pointer, value: Value) -> Result<(), Fault> {
    bound_depth(path, &value)?;
    let Some((parent, last)) = path.split_last() else {
        *root = value;
        return Ok(());
    };
    match pointer::walk_mut(root, parent).ok_or_else(|| nowhere(path))? {
        Value::Object(object) => {
            object.set(last, value);
            Ok(())
        }
        Value::Array(items) => {
            let index = if last == "-" { Some(items.len()) } else { pointer::index(last) };
            let index = index.filter(|i| *i <= items.len()).ok_or_else(|| nowhere(path))?;
            items.insert(index, value);
            Ok(())
        }
        _ => Err(nowhere(path)),
    }
}

fn remove(root: &mut Value, path: &Pointer) -> Result<Value, Fault> {
    let Some((parent, last)) = path.split_last() else {
        let text = text!(
            en: "the whole resource cannot be removed by a patch: use DELETE",
            fr: "la ressource entière ne peut être retirée par un patch : utilisez DELETE"
        );
        return Err(Fault::new(IssueKind::Value, text));
    };
    match pointer::walk_mut(root, parent) {
        Some(Value::Object(object)) => object.remove(last),
        Some(Value::Array(items)) => pointer::index(last).filter(|i| *i < items.len()).map(|i| items.remove(i)),
        _ => None,
    }
    .ok_or_else(|| nowhere(path))
}

/// Equality as RFC 6902 (section 4.6) has it: members in any order, numbers by their value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            // Sorted, so that two huge objects do not cost the square of their members.
            let (a, b) = (by_name(a), by_name(b));
            a.iter().zip(b).all(|((name, a), (other, b))| *name == other && same(a, b))
        }
        (a, b) => a == b,
    }
}

fn by_name(object: &Object) -> Vec<(&str, &Value)> {
    let mut members = object.iter().collect::<Vec<_>>();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// Compares digits and exponent exactly: no detour by binary floating point.
fn same_number(a: &str, b: &str) -> bool {
    matches!((normal_number(a), normal_number(b)), (Some(a), Some(b)) if a == b)
}

/// Sign, significant digits without zeros at either end, and the power of ten of the last one.
fn normal_number(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let trimmed = digits.trim_end_matches('0');
    let power = power.checked_add(i64::try_from(digits.len() - trimmed.len()).ok()?)?;
    let significant = trimmed.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, significant.to_owned(), power))
}
