//! The rows of a file, and a loop that inserts them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, types::Value};

use super::Sink;
use crate::error::BenchError;

/// Resources in a transaction of the loop: six groups of a hundred lines, as many as an import commits together.
const COMMITTED_TOGETHER: usize = 600;

/// Every row of a store, whatever its tables are.
pub struct Rows {
    page: u32,
    schema: Vec<String>,
    tables: Vec<Table>,
}

struct Table {
    insert: String,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    /// Of the store in this file.
    pub fn of(store: &Path) -> Result<Self, BenchError> {
        let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let page = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let mut schema = connection.prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'",
        )?;
        let schema = schema.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let names = tables(&connection)?;
        let tables = names.iter().map(|name| Table::of(&connection, name)).collect::<Result<_, _>>()?;
        Ok(Self { page, schema, tables })
    }

    /// Inserts all of them into a new file, each table and each index as there; says how long it took until all
    /// was on the disk. What belongs to a resource is inserted in its transaction.
    pub fn insert(&self, path: &Path, resources: usize) -> Result<Duration, BenchError> {
        let started = Instant::now();
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "page_size", self.page)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        self.schema.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        let transactions = resources.div_ceil(COMMITTED_TOGETHER).max(1);
        for number in 0..transactions {
            let transaction = connection.unchecked_transaction()?;
            for table in &self.tables {
                let mut insert = transaction.prepare_cached(&table.insert)?;
                let part = |number: usize| table.rows.len() * number / transactions;
                for row in table.rows.get(part(number)..part(number + 1)).unwrap_or_default() {
                    insert.execute(rusqlite::params_from_iter(row))?;
                }
            }
            transaction.commit()?;
        }
        // Which writes back what is in the log.
        connection.close().map_err(|(_, error)| error)?;
        Ok(started.elapsed())
    }
}

impl Table {
    fn of(connection: &Connection, name: &str) -> Result<Self, BenchError> {
        let columns = columns(connection, name)?;
        // In the order in which they were written, as far as the table tells.
        let order = if columns.iter().any(|column| column == "resource") { "ORDER BY resource" } else { "" };
        let mut select = connection.prepare(&format!("SELECT * FROM \"{name}\" {order}"))?;
        let rows = select
            .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())?
            .collect::<Result<_, _>>()?;
        let places = vec!["?"; columns.len()].join(",");
        Ok(Self { insert: format!("INSERT INTO \"{name}\" VALUES ({places})"), rows })
    }
}

/// Reads every row that has a body or the bytes of an attachment, from end to end.
pub fn read(store: &Path, mut sink: Sink) -> Result<Duration, BenchError> {
    let started = Instant::now();
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    let mut bytes = 0;
    for name in tables(&connection)? {
        let columns = columns(&connection, &name)?;
        let column = columns.iter().position(|column| super::holds_what_is_exported(column));
        let Some(column) = column else { continue };
        let mut select = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let body = row.get_ref(column)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
            bytes += body.len();
            sink.take(body)?;
        }
    }
    sink.end()?;
    if bytes == 0 {
        return Err(BenchError::Stopped("reading the rows of the store"));
    }
    Ok(started.elapsed())
}

fn tables(connection: &Connection) -> Result<Vec<String>, BenchError> {
    let mut names =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    Ok(names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, BenchError> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    Ok(names.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
