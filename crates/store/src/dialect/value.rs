//! Values bound to statements.

use std::borrow::Cow;

/// A value bound to a statement. Values are never formatted into SQL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// A whole number, key, instant or truth value.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Whole numbers, in an order. PostgreSQL only.
    Ints(Cow<'a, [i64]>),
    /// Texts, in an order. PostgreSQL only.
    Texts(Cow<'a, [String]>),
    /// Nothing.
    Null,
}

impl Value<'_> {
    /// On its own.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Int(number) => Value::Int(number),
            Self::Real(number) => Value::Real(number),
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Self::Ints(numbers) => Value::Ints(numbers.into_owned().into()),
            Self::Texts(texts) => Value::Texts(texts.into_owned().into()),
            Self::Null => Value::Null,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u8> for Value<'_> {
    fn from(value: u8) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(value: Cow<'a, str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}
