//! What differs from one database to another: opening, values in and rows out, error classes, how
//! rows are written, and the few expressions that have no common spelling.
//!
//! All other SQL of this crate is common text with `?1`-like places.

mod db;
mod known;
pub(crate) mod postgres;
mod row;
mod spelling;
pub(crate) mod sqlite;
pub(crate) mod table;
mod value;
mod written;

use crate::contract::StoreError;

pub(crate) use self::db::Db;
pub(crate) use self::row::{Keyed, Row};
pub(crate) use self::spelling::Dialect;
pub(crate) use self::value::Value;

/// An error of ours that means the store cannot serve.
pub(crate) fn unavailable(text: impl Into<String>) -> StoreError {
    StoreError::Unavailable(text.into().into())
}

/// An error of ours that means that what is there is not what was written.
pub(crate) fn damaged(text: impl Into<String>) -> StoreError {
    StoreError::Damaged(text.into().into())
}
