//! How the few expressions without a common spelling are spelled.

use std::borrow::Cow;

use super::sqlite::IS_AMONG;
use super::{Value, postgres};

/// How the few expressions without a common spelling are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// As much of a string as PostgreSQL indexes: see the table `string`.
const BEGINNING: &str = "200";

impl Dialect {
    /// A text that values are found by, as it is kept: PostgreSQL's indexes take none that is very long,
    /// so one that is is kept by its beginning and its digest.
    pub(crate) fn key_text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Postgres if text.len() > postgres::LONGEST_KEY => postgres::stand_in(text).into(),
            Self::Sqlite | Self::Postgres => Cow::Borrowed(text),
        }
    }

    /// Keys in ascending order, to be bound where others are looked for among them.
    pub(crate) fn set(self, keys: &[i64]) -> Value<'static> {
        match self {
            Self::Sqlite => Value::Bytes(keys.iter().flat_map(|key| key.to_be_bytes()).collect()),
            Self::Postgres => Value::Ints(keys.to_vec().into()),
        }
    }

    /// Whether a key is among those that are bound.
    pub(crate) fn is_among(self, key: &str, set: &str) -> String {
        match self {
            Self::Sqlite => format!("{IS_AMONG}({set}, {key})"),
            Self::Postgres => format!("{key} = ANY({set}::int8[])"),
        }
    }

    /// Keys, to be bound where each of them is looked for.
    pub(crate) fn list(self, keys: &[i64]) -> Value<'static> {
        match self {
            Self::Sqlite => {
                let numbers: Vec<_> = keys.iter().map(i64::to_string).collect();
                Value::Text(format!("[{}]", numbers.join(",")).into())
            }
            Self::Postgres => Value::Ints(keys.to_vec().into()),
        }
    }

    /// The keys that are bound as a list, a row each, in a column `resource`.
    pub(crate) fn rows_of_list(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT value AS resource FROM json_each({list})"),
            Self::Postgres => format!("SELECT unnest({list}::int8[]) AS resource"),
        }
    }

    /// Where a text stands in another, counted from 1; 0 when it does not.
    pub(crate) fn position_of(self, part: &str, whole: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({whole}, {part})"),
            Self::Postgres => format!("strpos({whole}, {part})"),
        }
    }

    /// The greater of two numbers.
    pub(crate) const fn greater(self) -> &'static str {
        match self {
            Self::Sqlite => "max",
            Self::Postgres => "greatest",
        }
    }

    /// Whether a folded string lies from one text on, and before another if there is one.
    pub(crate) fn folded_between(self, from: &str, end: Option<&str>) -> String {
        let end = end.map(|end| match self {
            Self::Sqlite => format!(" AND folded < {end}"),
            Self::Postgres => format!(" AND left(folded, {BEGINNING}) <= left({end}, {BEGINNING}) AND folded < {end}"),
        });
        let end = end.unwrap_or_default();
        match self {
            Self::Sqlite => format!("folded >= {from}{end}"),
            Self::Postgres => {
                format!("left(folded, {BEGINNING}) >= left({from}, {BEGINNING}) AND folded >= {from}{end}")
            }
        }
    }

    /// Whether a folded string is a text.
    pub(crate) fn folded_is(self, text: &str) -> String {
        match self {
            Self::Sqlite => format!("folded = {text}"),
            Self::Postgres => format!("left(folded, {BEGINNING}) = left({text}, {BEGINNING}) AND folded = {text}"),
        }
    }

    /// Whether the row of a resource was there when the last changes of the shards were these.
    pub(crate) fn not_after(self, row: &str, last: &str) -> String {
        match self {
            Self::Sqlite => format!("{row}.sequence <= {last}"),
            Self::Postgres => format!("{row}.sequence <= ({last}::int8[])[{row}.shard + 1]"),
        }
    }

    /// The resources that changed since the last changes of the shards were these, and were there before.
    pub(crate) fn changed_after(self, last: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT DISTINCT resource FROM change WHERE sequence > {last} AND version > 1"),
            Self::Postgres => format!(
                "SELECT DISTINCT h.resource FROM unnest({last}::int8[]) WITH ORDINALITY AS u (last, place) \
                 CROSS JOIN change h ON h.shard = u.place - 1 AND h.sequence > u.last WHERE h.version > 1"
            ),
        }
    }
}
