//! Values to and from PostgreSQL, in the types that its columns have.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::contract::StoreError;
use crate::dialect::{Value, damaged};

type Failure = Box<dyn Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(number) => match *kind {
                Type::INT2 => i16::try_from(*number)?.to_sql(kind, out)?,
                Type::INT4 => i32::try_from(*number)?.to_sql(kind, out)?,
                Type::INT8 => number.to_sql(kind, out)?,
                _ => return Err(mismatch(self, kind)),
            },
            Self::Real(number) if *kind == Type::FLOAT8 => number.to_sql(kind, out)?,
            Self::Text(text) if *kind == Type::TEXT => text.as_ref().to_sql(kind, out)?,
            Self::Bytes(bytes) if *kind == Type::BYTEA => bytes.as_ref().to_sql(kind, out)?,
            Self::Ints(numbers) if *kind == Type::INT8_ARRAY => numbers.as_ref().to_sql(kind, out)?,
            Self::Texts(texts) if *kind == Type::TEXT_ARRAY => texts.as_ref().to_sql(kind, out)?,
            _ => return Err(mismatch(self, kind)),
        };
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn mismatch(value: &Value<'_>, kind: &Type) -> Failure {
    let given = match value {
        Value::Int(_) => "whole number",
        Value::Real(_) => "number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Ints(_) => "whole numbers",
        Value::Texts(_) => "texts",
        Value::Null => "nothing",
    };
    format!("a {given} is given where {kind} is wanted").into()
}

/// One column of rows, as an array.
#[derive(Debug)]
pub(super) struct Column<'a> {
    pub(super) rows: &'a [Vec<Value<'static>>],
    pub(super) number: usize,
}

impl ToSql for Column<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        let Kind::Array(member) = kind.kind() else { return Err(format!("{kind} is no array").into()) };
        let values: Vec<&Value<'_>> = self.rows.iter().filter_map(|row| row.get(self.number)).collect();
        // The array of the members, each in the member's own type.
        let dimension = i32::try_from(values.len())?;
        let has_nulls = values.iter().any(|value| matches!(value, Value::Null));
        for word in [1, i32::from(has_nulls), member.oid().cast_signed(), dimension, 1] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        for value in values {
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            let length = match value.to_sql(member, out)? {
                IsNull::Yes => -1,
                IsNull::No => i32::try_from(out.len() - at - 4)?,
            };
            if let Some(place) = out.get_mut(at..at + 4) {
                place.copy_from_slice(&length.to_be_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What stands in one column of a row.
struct Cell<'r> {
    kind: Type,
    bytes: &'r [u8],
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, bytes: &'r [u8]) -> Result<Self, Failure> {
        Ok(Self { kind: kind.clone(), bytes })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row of a result. Columns are counted from 0.
pub(crate) struct Row<'r>(&'r tokio_postgres::Row);

impl<'r> Row<'r> {
    /// A row as it came.
    pub(crate) const fn of(row: &'r tokio_postgres::Row) -> Self {
        Self(row)
    }

    fn cell(&self, column: usize) -> Result<Option<Cell<'r>>, StoreError> {
        self.0.try_get(column).map_err(|error| damaged(error.to_string()))
    }

    fn there(&self, column: usize) -> Result<Cell<'r>, StoreError> {
        self.cell(column)?.ok_or_else(|| damaged("nothing stands where something should"))
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        let cell = self.there(column)?;
        read_int(&cell).ok_or_else(|| damaged(format!("{} is no whole number", cell.kind)))
    }

    /// Whole numbers in one column: an array of `int8` without nothing in it.
    pub(crate) fn ints(&self, column: usize) -> Result<Vec<i64>, StoreError> {
        let cell = self.there(column)?;
        read_ints(&cell).ok_or_else(|| damaged(format!("{} is no list of whole numbers", cell.kind)))
    }

    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        read_text(&self.there(column)?)
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        self.cell(column)?.map(|cell| read_text(&cell)).transpose()
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<&'r [u8], StoreError> {
        Ok(self.there(column)?.bytes)
    }

    pub(crate) fn value(&self, column: usize) -> Result<Value<'static>, StoreError> {
        let Some(cell) = self.cell(column)? else { return Ok(Value::Null) };
        if let Some(number) = read_int(&cell) {
            return Ok(Value::Int(number));
        }
        Ok(match cell.kind {
            Type::FLOAT8 => match cell.bytes.try_into() {
                Ok(bytes) => Value::Real(f64::from_be_bytes(bytes)),
                Err(_) => return Err(damaged("a number of another length")),
            },
            Type::BYTEA => Value::Bytes(cell.bytes.to_vec().into()),
            _ => Value::Text(read_text(&cell)?.to_owned().into()),
        })
    }
}

fn read_int(cell: &Cell<'_>) -> Option<i64> {
    Some(match cell.kind {
        Type::INT2 => i64::from(i16::from_be_bytes(cell.bytes.try_into().ok()?)),
        Type::INT4 => i64::from(i32::from_be_bytes(cell.bytes.try_into().ok()?)),
        Type::INT8 => i64::from_be_bytes(cell.bytes.try_into().ok()?),
        _ => return None,
    })
}

fn read_ints(cell: &Cell<'_>) -> Option<Vec<i64>> {
    if cell.kind != Type::INT8_ARRAY {
        return None;
    }
    // Dimensions, whether there are nulls, the type of the members; then length and beginning of each dimension.
    let (head, rest) = cell.bytes.split_first_chunk::<12>()?;
    if head.starts_with(&[0; 4]) {
        return Some(Vec::new());
    }
    let (_, mut rest) = rest.split_first_chunk::<8>()?;
    let mut numbers = Vec::with_capacity(rest.len() / 12);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (number, after) = after.split_first_chunk::<8>().filter(|_| i32::from_be_bytes(*length) == 8)?;
        numbers.push(i64::from_be_bytes(*number));
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}

fn read_text<'r>(cell: &Cell<'r>) -> Result<&'r str, StoreError> {
    std::str::from_utf8(cell.bytes).map_err(|error| damaged(error.to_string()))
}
