//! How the few expressions without a common spelling are spelled.

use std::borrow::Cow;

use super::postgres;

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
