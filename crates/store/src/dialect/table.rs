//! Tables that rows are put into and taken from, one by one or many at once.

use std::sync::OnceLock;

/// A table, with the columns that this program writes.
#[derive(Debug)]
pub(crate) struct Table {
    name: &'static str,
    /// Names and PostgreSQL's types, those that make a row what it is first.
    columns: &'static [(&'static str, &'static str)],
    /// So many of them make a row what it is.
    key: usize,
    texts: OnceLock<Texts>,
}

/// The statements of a table.
#[derive(Debug)]
pub(crate) struct Texts {
    /// Puts one row in.
    pub(crate) insert: String,
    /// Takes one row away.
    pub(crate) delete: String,
    /// Puts rows in, given column by column, the shard last.
    pub(crate) insert_many: String,
    /// Takes rows away, given by the columns of the key, the shard last.
    pub(crate) delete_many: String,
}

impl Table {
    const fn new(name: &'static str, columns: &'static [(&'static str, &'static str)], key: usize) -> Self {
        Self { name, columns, key, texts: OnceLock::new() }
    }

    /// How it is called.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// How many columns make a row what it is.
    pub(crate) const fn key(&self) -> usize {
        self.key
    }

    /// Its statements.
    pub(crate) fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| Texts {
            insert: self.insert(),
            delete: self.delete(),
            insert_many: self.insert_many(),
            delete_many: self.delete_many(),
        })
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn insert(&self) -> String {
        let places: Vec<_> = (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.names(), places.join(", "))
    }

    fn delete(&self) -> String {
        let same: Vec<_> = (1..)
            .zip(self.columns.iter().take(self.key))
            .map(|(place, (name, _))| format!("{name} = ?{place}"))
            .collect();
        format!("DELETE FROM {} WHERE {}", self.name, same.join(" AND "))
    }

    fn insert_many(&self) -> String {
        let arrays = arrays(self.columns.iter());
        format!("INSERT INTO {} ({}, shard) SELECT * FROM unnest({arrays})", self.name, self.names())
    }

    fn delete_many(&self) -> String {
        let key = self.columns.iter().take(self.key);
        let names: Vec<_> = key.clone().map(|(name, _)| *name).collect();
        let same: Vec<_> = names.iter().map(|name| format!("t.{name} = u.{name}")).collect();
        format!(
            "DELETE FROM {} t USING unnest({}) AS u ({}, shard) WHERE {} AND t.shard = u.shard",
            self.name,
            arrays(key),
            names.join(", "),
            same.join(" AND ")
        )
    }
}

/// The places of columns given as arrays, and of the shards.
fn arrays<'a>(columns: impl Iterator<Item = &'a (&'static str, &'static str)>) -> String {
    let kinds = columns.map(|(_, kind)| *kind).chain(["int4"]);
    let places: Vec<_> = (1..).zip(kinds).map(|(place, kind)| format!("?{place}::{kind}[]")).collect();
    places.join(", ")
}

/// The last versions.
pub(crate) static RESOURCE: Table = Table::new(
    "resource",
    &[
        ("key", "int8"),
        ("type", "int4"),
        ("id", "text"),
        ("version", "int4"),
        ("live", "int2"),
        ("sequence", "int8"),
        ("updated", "int8"),
        ("instant", "int8"),
        ("span", "int8"),
        ("change", "int2"),
        ("form", "int2"),
        ("seal", "int8"),
        ("facets", "text"),
        ("entry", "bytea"),
        ("holes", "bytea"),
        ("body", "bytea"),
    ],
    1,
);
/// The change feed.
pub(crate) static CHANGE: Table = Table::new(
    "change",
    &[
        ("sequence", "int8"),
        ("type", "int4"),
        ("resource", "int8"),
        ("version", "int4"),
        ("at", "int8"),
        ("change", "int2"),
        ("caller", "text"),
    ],
    1,
);
/// Index rows of codes.
pub(crate) static TOKEN: Table = Table::new(
    "token",
    &[
        ("param", "int4"),
        ("code", "text"),
        ("instant", "int8"),
        ("resource", "int8"),
        ("system", "int4"),
        ("span", "int8"),
    ],
    5,
);
/// Index rows of references.
pub(crate) static REFERENCE: Table = Table::new(
    "reference",
    &[
        ("target", "int8"),
        ("param", "int4"),
        ("instant", "int8"),
        ("resource", "int8"),
        ("span", "int8"),
        ("link", "int2"),
    ],
    4,
);
/// Index rows of URIs.
pub(crate) static URI: Table = Table::new(
    "uri",
    &[("param", "int4"), ("value", "text"), ("instant", "int8"), ("resource", "int8"), ("span", "int8")],
    4,
);
/// Index rows of strings.
pub(crate) static STRING: Table =
    Table::new("string", &[("param", "int4"), ("folded", "text"), ("resource", "int8"), ("exact", "text")], 4);
/// Index rows of dates.
pub(crate) static DATE: Table =
    Table::new("date", &[("param", "int4"), ("low", "int8"), ("high", "int8"), ("resource", "int8")], 4);
/// Index rows of numbers.
pub(crate) static NUMBER: Table =
    Table::new("number", &[("param", "int4"), ("low", "float8"), ("high", "float8"), ("resource", "int8")], 4);
/// Index rows of quantities.
pub(crate) static QUANTITY: Table = Table::new(
    "quantity",
    &[
        ("param", "int4"),
        ("low", "float8"),
        ("high", "float8"),
        ("resource", "int8"),
        ("system", "int4"),
        ("code", "text"),
    ],
    6,
);
/// Index rows of places.
pub(crate) static POSITION: Table = Table::new(
    "position",
    &[("param", "int4"), ("z", "float8"), ("resource", "int8"), ("x", "float8"), ("y", "float8")],
    5,
);
/// Unique keys.
pub(crate) static UNIQUE_KEY: Table =
    Table::new("unique_key", &[("scope", "int4"), ("key", "text"), ("resource", "int8")], 3);
/// Which versions need which attachments.
pub(crate) static VERSION_BLOB: Table =
    Table::new("version_blob", &[("blob", "int8"), ("resource", "int8"), ("version", "int4")], 3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_one_by_one_or_many_at_once() {
        let texts = DATE.texts();
        assert_eq!(texts.insert, "INSERT INTO date (param, low, high, resource) VALUES (?1, ?2, ?3, ?4)");
        assert_eq!(texts.delete, "DELETE FROM date WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4");
        assert_eq!(
            texts.insert_many,
            "INSERT INTO date (param, low, high, resource, shard) \
             SELECT * FROM unnest(?1::int4[], ?2::int8[], ?3::int8[], ?4::int8[], ?5::int4[])"
        );
        assert_eq!(
            CHANGE.texts().delete_many,
            "DELETE FROM change t USING unnest(?1::int8[], ?2::int4[]) AS u (sequence, shard) \
             WHERE t.sequence = u.sequence AND t.shard = u.shard"
        );
    }
}
