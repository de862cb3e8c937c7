//! What the targets say of trees.

use liaison_fhir::{
    json,
    outcome::Issue,
    release::Release,
    tree::{Object, Value},
    xml,
};

/// Small enough that a run is fast, large enough that every limit is met.
pub(crate) const LIMITS: json::Limits = json::Limits { depth: 40, bytes: 1_000_000, nodes: 10_000 };

/// A refusal says why, in both languages.
pub(crate) fn told(issues: &[Issue]) {
    assert!(!issues.is_empty(), "a refusal without a reason");
    for issue in issues {
        assert!(!issue.text.en.is_empty() && !issue.text.fr.is_empty(), "{issue:?}");
    }
}

/// What can be written as XML is well-formed and read again the same.
pub(crate) fn same_through_xml(tree: &Object, release: &'static Release) {
    let Ok(written) = xml::write(tree, release) else { return };
    let text = std::str::from_utf8(&written).expect("what is written is UTF-8");
    if let Err(error) = roxmltree::Document::parse(text) {
        panic!("not well-formed: {error}\n{text}");
    }
    let read = xml::read(&written, release, &json::Limits { bytes: 10_000_000, ..LIMITS });
    let read = read.unwrap_or_else(|issues| panic!("{issues:?}\n{text}"));
    assert_eq!(sorted(read), sorted(tree.clone()), "through XML");
}

/// Members by name: their order is free in JSON, and XML has one of its own.
pub(crate) fn sorted(mut tree: Object) -> Object {
    tree.sort_by_key(str::to_owned);
    tree.into_members().into_iter().map(|(name, value)| (name, sorted_value(value))).collect()
}

fn sorted_value(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(sorted(object)),
        Value::Array(items) => Value::Array(items.into_iter().map(sorted_value).collect()),
        other => other,
    }
}

/// A tree as another library has it, its numbers in floating point: to that library `1` and `1.0`
/// differ, while JSON Patch compares values.
pub(crate) fn as_serde(value: &Value) -> serde_json::Value {
    use serde_json::Value as Theirs;
    match value {
        Value::Null => Theirs::Null,
        Value::Bool(truth) => Theirs::Bool(*truth),
        Value::Number(digits) => digits.parse::<f64>().map(Theirs::from).expect("a number within bounds"),
        Value::String(text) => Theirs::String(text.to_string()),
        Value::Array(items) => items.iter().map(as_serde).collect(),
        Value::Object(object) => object.iter().map(|(name, value)| (name.to_owned(), as_serde(value))).collect(),
    }
}

/// Whether floating point may take numbers in it for the same that are not.
pub(crate) fn is_finer_than_floats(value: &Value) -> bool {
    match value {
        Value::Number(digits) => digits.len() > 15 || digits.contains(['e', 'E']),
        Value::Array(items) => items.iter().any(is_finer_than_floats),
        Value::Object(object) => object.iter().any(|(_, value)| is_finer_than_floats(value)),
        _ => false,
    }
}

/// Whether a tree says what another library read.
pub(crate) fn alike(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(a), Theirs::Bool(b)) => a == b,
        (Value::String(a), Theirs::String(b)) => a == b,
        (Value::Number(digits), Theirs::Number(number)) => {
            // That library reads numbers fast rather than to the last bit.
            let (Ok(ours), Some(theirs)) = (digits.parse::<f64>(), number.as_f64()) else { return false };
            (ours - theirs).abs() <= ours.abs() * 4.0 * f64::EPSILON
        }
        (Value::Array(a), Theirs::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Object(a), Theirs::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| alike(a, b)))
        }
        _ => false,
    }
}
