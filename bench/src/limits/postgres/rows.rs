//! The rows that one write of a server makes, learnt from its tables, to be written again without it.
//!
//! A write is one transaction, so PostgreSQL itself says which rows are its own. What no other write has in a
//! column is new in each: a number is written higher each time, a text with other last characters. All else is
//! written as it was.

use std::collections::HashSet;
use std::fmt::Write as _;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use crate::error::BenchError;

/// Between the numbers of two writes: more than between those of any two that were learnt.
const STRIDE: i64 = 1 << 22;
/// Before the first write: more than between those that were learnt and those that the tables have.
const FIRST: i64 = 1 << 24;
/// So many characters of a text of its own are other ones.
const TAIL: usize = 10;

/// What was learnt from some writes of a kind.
#[derive(Debug, Default)]
pub struct Learnt {
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<(String, Type)>,
    /// The rows of each write.
    writes: Vec<Vec<Vec<Cell>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Plain {
    Int(i64),
    /// By its bits.
    Real(u64),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Cell {
    plain: Plain,
    /// Whether another one could stand there.
    can_be_own: bool,
    /// Whether each write has one of its own.
    own: bool,
}

/// One write: which of those that were learnt, and the number that makes it a new one.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// Which.
    pub like: usize,
    /// From 0; no two are the same.
    pub number: i64,
}

/// Prepared to write what was learnt.
pub struct Prepared<'l> {
    statements: Vec<(&'l Table, Statement)>,
}

/// The tables of a server.
pub async fn tables(client: &Client) -> Result<Vec<String>, BenchError> {
    let sql = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    Ok(client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

async fn count(client: &Client, table: &str) -> Result<i64, BenchError> {
    Ok(client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await?.get(0))
}

/// Watches over the tables of a server while it makes some writes, one after the other.
pub struct Watch {
    client: Client,
    tables: Vec<(String, i64)>,
    /// Numbers of transactions between which the writes lie.
    moments: Vec<i64>,
}

impl Watch {
    /// From now on.
    pub async fn begin(client: Client) -> Result<Self, BenchError> {
        let mut counted = Vec::new();
        for name in tables(&client).await? {
            let rows = count(&client, &name).await?;
            counted.push((name, rows));
        }
        Ok(Self { client, tables: counted, moments: Vec::new() })
    }

    /// Between two writes, before the first and after the last.
    pub async fn between(&mut self) -> Result<(), BenchError> {
        let now = self.client.query_one("SELECT pg_current_xact_id()::xid::text::int8", &[]).await?;
        self.moments.push(now.get(0));
        Ok(())
    }

    /// What was written.
    pub async fn learn(self) -> Result<Learnt, BenchError> {
        let Self { client, tables, moments } = self;
        let mut learnt = Learnt::default();
        for (name, before) in tables {
            let sql = format!("SELECT * FROM {name} WHERE xmin::text::int8 > $1 AND xmin::text::int8 < $2");
            let statement = client.prepare(&sql).await?;
            let columns = statement.columns().iter();
            let columns: Vec<_> = columns.map(|column| (column.name().to_owned(), column.type_().clone())).collect();
            let mut writes = Vec::new();
            for two in moments.windows(2) {
                let rows = client.query(&statement, &[&two[0], &two[1]]).await?;
                writes.push(rows.iter().map(|row| read(row, &columns)).collect::<Result<Vec<_>, _>>()?);
            }
            // A row that was there already and was changed is none that a write adds.
            if count(&client, &name).await? == before || writes.iter().all(Vec::is_empty) {
                continue;
            }
            mark_own(&mut writes);
            for unique in unique_columns(&client, &name).await? {
                let at = |column: &String| columns.iter().position(|(name, _)| name == column);
                mark_unique(&mut writes, &unique.iter().filter_map(at).collect::<Vec<_>>());
            }
            learnt.tables.push(Table { name, columns, writes });
        }
        Ok(learnt)
    }
}

fn read(row: &Row, columns: &[(String, Type)]) -> Result<Vec<Cell>, BenchError> {
    let cells = columns.iter().enumerate().map(|(at, (_, kind))| {
        let plain = match *kind {
            Type::INT2 => Plain::Int(row.try_get::<_, i16>(at)?.into()),
            Type::INT4 => Plain::Int(row.try_get::<_, i32>(at)?.into()),
            Type::INT8 => Plain::Int(row.try_get(at)?),
            Type::FLOAT8 => Plain::Real(row.try_get::<_, f64>(at)?.to_bits()),
            Type::BYTEA => Plain::Bytes(row.try_get(at)?),
            _ => Plain::Text(row.try_get(at)?),
        };
        let can = *kind == Type::INT8 || *kind == Type::TEXT;
        Ok(Cell { plain, can_be_own: can, own: can })
    });
    cells.collect()
}

/// Only what no other write has in the same column is a write's own.
fn mark_own(writes: &mut [Vec<Vec<Cell>>]) {
    let all: Vec<HashSet<(usize, Plain)>> = writes
        .iter()
        .map(|rows| {
            let cells = rows.iter().flat_map(|row| row.iter().enumerate());
            cells.filter(|(_, cell)| cell.own).map(|(column, cell)| (column, cell.plain.clone())).collect()
        })
        .collect();
    for (write, rows) in writes.iter_mut().enumerate() {
        for (column, cell) in rows.iter_mut().flat_map(|row| row.iter_mut().enumerate()) {
            let met = (column, cell.plain.clone());
            cell.own &= !all.iter().enumerate().any(|(other, cells)| other != write && cells.contains(&met));
        }
    }
}

/// The columns of each unique index of a table.
async fn unique_columns(client: &Client, table: &str) -> Result<Vec<Vec<String>>, BenchError> {
    let sql = "SELECT ARRAY(SELECT attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid
                 AND a.attnum = ANY(i.indkey) ORDER BY attnum)
               FROM pg_index i WHERE i.indisunique AND i.indrelid = $1::text::regclass";
    Ok(client.query(sql, &[&table]).await?.iter().map(|row| row.get(0)).collect())
}

/// What must be unique together is a write's own somewhere, even when others happen to have the same: the number
/// of a change in another shard.
fn mark_unique(writes: &mut [Vec<Vec<Cell>>], columns: &[usize]) {
    for row in writes.iter_mut().flatten() {
        if columns.iter().any(|at| row.get(*at).is_some_and(|cell| cell.own)) {
            continue;
        }
        let last = columns.iter().rev().find(|at| row.get(**at).is_some_and(|cell| cell.can_be_own));
        if let Some(cell) = last.and_then(|at| row.get_mut(*at)) {
            cell.own = true;
        }
    }
}

impl Learnt {
    /// How many writes it was learnt from.
    pub fn writes(&self) -> usize {
        self.tables.first().map_or(0, |table| table.writes.len())
    }

    /// Prepared to be written into the schema `bare`.
    pub async fn prepared(&self, client: &Client) -> Result<Prepared<'_>, BenchError> {
        let mut statements = Vec::new();
        for table in &self.tables {
            statements.push((table, client.prepare(&table.insert()).await?));
        }
        Ok(Prepared { statements })
    }

    /// A script for pgbench that makes one write a transaction, with its values written out.
    pub fn script(&self) -> String {
        let mut text = String::from("\\set own random(1, 1000000000000)\nBEGIN;\n");
        for table in &self.tables {
            let Some(rows) = table.writes.last().filter(|rows| !rows.is_empty()) else { continue };
            let rows: Vec<_> = rows
                .iter()
                .map(|row| format!("({})", row.iter().map(Cell::spelled).collect::<Vec<_>>().join(", ")))
                .collect();
            let (name, columns) = (&table.name, table.column_names());
            // Writing to a text does not fail.
            let _ = writeln!(
                text,
                "INSERT INTO bare.{name} ({columns}) OVERRIDING SYSTEM VALUE VALUES {};",
                rows.join(", ")
            );
        }
        text.push_str("COMMIT;\n");
        text
    }
}

impl Table {
    fn column_names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn insert(&self) -> String {
        let arrays: Vec<_> =
            (1..).zip(&self.columns).map(|(place, (_, kind))| format!("${place}::{}[]", kind.name())).collect();
        format!(
            "INSERT INTO bare.{} ({}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
            self.name,
            self.column_names(),
            arrays.join(", ")
        )
    }

    /// One column of all rows of these writes.
    fn column<'t>(&'t self, at: usize, kind: &Type, writes: &[Write]) -> Box<dyn ToSql + Sync + Send + 't> {
        let cells = writes.iter().flat_map(|write| {
            let rows = self.writes.get(write.like).map(Vec::as_slice).unwrap_or_default();
            rows.iter().filter_map(move |row| row.get(at)).map(|cell| (cell, write.number))
        });
        let int = |(cell, number): (&Cell, i64)| cell.int(number);
        match *kind {
            Type::INT2 => Box::new(cells.map(|cell| i16::try_from(int(cell)).unwrap_or_default()).collect::<Vec<_>>()),
            Type::INT4 => Box::new(cells.map(|cell| i32::try_from(int(cell)).unwrap_or_default()).collect::<Vec<_>>()),
            Type::INT8 => Box::new(cells.map(int).collect::<Vec<_>>()),
            Type::FLOAT8 => Box::new(cells.map(|(cell, _)| cell.real()).collect::<Vec<_>>()),
            Type::BYTEA => Box::new(cells.map(|(cell, _)| cell.bytes()).collect::<Vec<&[u8]>>()),
            _ => Box::new(cells.map(|(cell, number)| cell.text(number)).collect::<Vec<String>>()),
        }
    }
}

impl Cell {
    fn int(&self, number: i64) -> i64 {
        match self.plain {
            Plain::Int(value) if self.own => value + (FIRST + number) * STRIDE,
            Plain::Int(value) => value,
            _ => 0,
        }
    }

    fn real(&self) -> f64 {
        if let Plain::Real(bits) = self.plain { f64::from_bits(bits) } else { 0.0 }
    }

    fn text(&self, number: i64) -> String {
        let Plain::Text(text) = &self.plain else { return String::new() };
        if self.own { format!("{}{number:0TAIL$}", beginning(text)) } else { text.clone() }
    }

    fn bytes(&self) -> &[u8] {
        if let Plain::Bytes(bytes) = &self.plain { bytes } else { &[] }
    }

    /// As SQL, with the variable `own` where each write has a value of its own.
    fn spelled(&self) -> String {
        match &self.plain {
            Plain::Int(value) if self.own => format!("{value} + :own"),
            Plain::Int(value) => value.to_string(),
            Plain::Real(bits) => format!("{:e}", f64::from_bits(*bits)),
            Plain::Text(text) if self.own => format!("{} || :own", quoted(beginning(text))),
            Plain::Text(text) => quoted(text),
            Plain::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("'\\x{digits}'")
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text without its last characters.
fn beginning(text: &str) -> &str {
    text.char_indices().rev().nth(TAIL - 1).map_or("", |(at, _)| &text[..at])
}

impl Prepared<'_> {
    /// Makes writes in one transaction; everything is sent before the first answer.
    pub async fn commit(&self, client: &Client, writes: &[Write]) -> Result<(), BenchError> {
        let columns: Vec<Vec<_>> = self
            .statements
            .iter()
            .map(|(table, _)| {
                table.columns.iter().enumerate().map(|(at, (_, kind))| table.column(at, kind, writes)).collect()
            })
            .collect();
        let inserts = futures_util::future::try_join_all(self.statements.iter().zip(&columns).map(
            async |((_, statement), columns)| {
                client.execute_raw(statement, columns.iter().map(|column| &**column as &(dyn ToSql + Sync))).await
            },
        ));
        let (begin, commit) = (client.batch_execute("BEGIN"), client.batch_execute("COMMIT"));
        futures_util::future::try_join3(begin, inserts, commit).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64, text: &str) -> Vec<Cell> {
        let cell = |plain| Cell { plain, can_be_own: true, own: true };
        vec![cell(Plain::Int(number)), cell(Plain::Text(text.to_owned()))]
    }

    #[test]
    fn what_no_other_write_has_is_new_in_each() {
        let mut writes = vec![vec![row(1, "same"), row(7, "urn:a:0123456789")], vec![row(2, "same"), row(7, "other")]];
        mark_own(&mut writes);
        let of_first: Vec<_> = writes[0].iter().map(|row| (row[0].int(3), row[1].text(3))).collect();
        assert_eq!(
            of_first,
            [(1 + (FIRST + 3) * STRIDE, "same".to_owned()), (7, "urn:a:0000000003".to_owned())],
            "a number is higher, a text ends otherwise, and what others have stays"
        );
        assert_eq!(writes[0][0][0].spelled(), "1 + :own");
        assert_eq!(writes[0][1][1].spelled(), "'urn:a:' || :own");
        assert_eq!(quoted("l'un"), "'l''un'");
        let mut same = vec![vec![row(1, "same")], vec![row(1, "same")]];
        mark_own(&mut same);
        mark_unique(&mut same, &[0]);
        assert!(same.iter().all(|write| write[0][0].own && !write[0][1].own), "what must be unique is new too");
    }
}
