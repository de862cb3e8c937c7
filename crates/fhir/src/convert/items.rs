//! The items of an element, whether JSON writes it as one value or as an array, each with its
//! primitive sibling (`_name`).

use crate::tree::{Object, Value};

/// One occurrence of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// Its value; a primitive may have none.
    pub value: Option<Value>,
    /// What stands beside a primitive value: its `id` and `extension`.
    pub sibling: Option<Value>,
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self { value: Some(value), sibling: None }
    }
}

/// How JSON writes an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    One,
    Many,
}

/// The name of the member beside a primitive.
pub(super) fn sibling_name(name: &str) -> String {
    format!("_{name}")
}

/// The occurrences of an element among the members. None when they are not in the form given.
pub(super) fn read(members: &Object, name: &str, form: Form) -> Option<Vec<Item>> {
    let value = members.get(name);
    let sibling = members.get(&sibling_name(name));
    match form {
        Form::One => {
            if [value, sibling].into_iter().flatten().any(|v| matches!(v, Value::Array(_) | Value::Null)) {
                return None;
            }
            let item = Item { value: value.cloned(), sibling: sibling.cloned() };
            Some(if item == Item::default() { Vec::new() } else { vec![item] })
        }
        Form::Many => {
            let values = array_or_nothing(value)?;
            let siblings = array_or_nothing(sibling)?;
            let at = |items: &[Value], i: usize| items.get(i).filter(|v| !matches!(v, Value::Null)).cloned();
            let count = values.len().max(siblings.len());
            Some((0..count).map(|i| Item { value: at(values, i), sibling: at(siblings, i) }).collect())
        }
    }
}

fn array_or_nothing(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None => Some(&[]),
        Some(value) => value.as_array(),
    }
}

/// Writes occurrences as members. `One` takes the first.
pub(super) fn write(members: &mut Object, name: &str, items: Vec<Item>, form: Form) {
    match form {
        Form::One => {
            if let Some(item) = items.into_iter().next() {
                if let Some(value) = item.value {
                    members.push(name, value);
                }
                if let Some(sibling) = item.sibling {
                    members.push(sibling_name(name), sibling);
                }
            }
        }
        Form::Many => {
            let has_values = items.iter().any(|i| i.value.is_some());
            let has_siblings = items.iter().any(|i| i.sibling.is_some());
            let (values, siblings): (Vec<_>, Vec<_>) =
                items.into_iter().map(|i| (i.value.unwrap_or(Value::Null), i.sibling.unwrap_or(Value::Null))).unzip();
            if has_values {
                members.push(name, values);
            }
            if has_siblings {
                members.push(sibling_name(name), siblings);
            }
        }
    }
}

/// Whether two objects say the same, whatever the order of their members.
pub(super) fn same(a: &Object, b: &Object) -> bool {
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same_value(value, other)))
}

pub(super) fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => same(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (a, b) => a == b,
    }
}
