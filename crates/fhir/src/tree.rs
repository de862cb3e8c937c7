//! A resource in memory: the JSON form of FHIR, without loss.
//!
//! Members keep their order, numbers keep their digits (`1.50` stays `1.50`), and primitive
//! siblings (`_birthDate`) stay where they were. XML is read into, and written from, this same
//! form. Names and most values fit in 24 bytes and need no allocation of their own.

use compact_str::CompactString;

/// One JSON value, exactly as FHIR's JSON form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`: only inside the arrays of a repeating primitive and its `_` sibling.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its digits were written.
    Number(CompactString),
    /// A string, unescaped.
    String(CompactString),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// The members of an object, in their order. Names are unique (the readers see to it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(CompactString, Value)>,
}

impl Object {
    /// An object without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// An object with room for `n` members.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { members: Vec::with_capacity(n) }
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The member of that name, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.members.iter_mut().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Whether there is a member of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The member of that name, when it is a string.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The member of that name, when it is an object.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.get(name).and_then(Value::as_object)
    }

    /// The items of the member of that name when it is an array, nothing otherwise.
    #[must_use]
    pub fn items(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).unwrap_or_default()
    }

    /// The objects among the items of the array of that name.
    pub fn objects<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.items(name).iter().filter_map(Value::as_object)
    }

    /// Puts a member in place: replaces the one of that name where it stands, or adds it last.
    /// Gives back what was there.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> Option<Value> {
        let value = value.into();
        match self.get_mut(name) {
            Some(there) => Some(std::mem::replace(there, value)),
            None => {
                self.members.push((name.into(), value));
                None
            }
        }
    }

    /// Adds a member last without looking for one of that name: for readers that already checked.
    pub fn push(&mut self, name: impl Into<CompactString>, value: impl Into<Value>) {
        self.members.push((name.into(), value.into()));
    }

    /// Puts a member at a position (clamped to the end), shifting those after it.
    pub fn insert_at(&mut self, index: usize, name: &str, value: impl Into<Value>) {
        let index = index.min(self.members.len());
        self.members.insert(index, (name.into(), value.into()));
    }

    /// Takes the member of that name out, keeping the order of the others.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.members.iter().position(|(n, _)| n == name)?;
        Some(self.members.remove(at).1)
    }

    /// Gives a member another name, in its place. False when there is none of the old name.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        match self.members.iter_mut().find(|(n, _)| n == from) {
            Some((n, _)) => {
                *n = to.into();
                true
            }
            None => false,
        }
    }

    /// Keeps only the members for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.members.retain(|(n, v)| keep(n, v));
    }

    /// The members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.members.iter().map(|(n, v)| (n.as_str(), v))
    }

    /// The members in order, values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.members.iter_mut().map(|(n, v)| (n.as_str(), v))
    }

    /// The `resourceType`, when this is a resource.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        self.str("resourceType")
    }

    /// The members, given away.
    #[must_use]
    pub fn into_members(self) -> Vec<(CompactString, Value)> {
        self.members
    }

    /// Sorts the members by a key, keeping the order of equals (XML order, canonical order).
    pub fn sort_by_key<K: Ord>(&mut self, mut key: impl FnMut(&str) -> K) {
        self.members.sort_by_key(|(n, _)| key(n));
    }
}

impl FromIterator<(CompactString, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (CompactString, Value)>>(iter: I) -> Self {
        Self { members: iter.into_iter().collect() }
    }
}

impl Value {
    /// The text, when this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The digits, when this is a number.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        match self {
            Self::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The text of a primitive as FHIR's XML writes it: string, number or truth value.
    #[must_use]
    pub fn primitive_text(&self) -> Option<&str> {
        match self {
            Self::String(s) | Self::Number(s) => Some(s),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The items, when this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The items, to change, when this is an array.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, when this is one.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(o) => Some(o),
            _ => None,
        }
    }

    /// The object, to change, when this is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(o) => Some(o),
            _ => None,
        }
    }

    /// The items of an array, or the value itself as the only item: FHIR's "one or many".
    #[must_use]
    pub fn each(&self) -> &[Value] {
        match self {
            Self::Array(items) => items,
            one => std::slice::from_ref(one),
        }
    }
}

impl From<Object> for Value {
    fn from(o: Object) -> Self {
        Self::Object(o)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::String(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::String(s.into())
    }
}

impl From<CompactString> for Value {
    fn from(s: CompactString) -> Self {
        Self::String(s)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Number(compact_str::format_compact!("{n}"))
    }
}

/// Builds an [`Object`] from literal members: `object! { "code" => "OBS", "rank" => 1_u64 }`.
#[macro_export]
macro_rules! object {
    ($($name:expr => $value:expr),* $(,)?) => {
        <$crate::tree::Object as ::std::iter::FromIterator<_>>::from_iter([
            $(($name.into(), $crate::tree::Value::from($value))),*
        ])
    };
}

/// Builds a [`Value`] array from items: `array![object! { "code" => "OBS" }]`.
#[macro_export]
macro_rules! array {
    ($($item:expr),* $(,)?) => {
        $crate::tree::Value::Array(vec![$($crate::tree::Value::from($item)),*])
    };
}
