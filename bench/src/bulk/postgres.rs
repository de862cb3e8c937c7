//! A database for a round, and `COPY` of the rows in it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::Client;

use super::Sink;
use crate::{error::BenchError, limits::postgres::connect};

/// Bytes that are sent at once.
const PIECE: usize = 256 * 1024;

/// A database that nothing else is in.
pub struct Database {
    server: Client,
    name: String,
    url: String,
}

impl Database {
    /// A new one on the server with this address.
    pub async fn make(address: &str, round: u32) -> Result<Self, BenchError> {
        let server = connect(address).await?;
        let name = format!("liaison_bench_{}_{round}", std::process::id());
        server.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let url = at_database(address, &name);
        Ok(Self { server, name, url })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Copies every row into tables like those it is in, with all their indexes: how long the rows took on their
    /// way in, until they were committed.
    pub async fn copy(&self) -> Result<Duration, BenchError> {
        let client = connect(&self.url).await?;
        let mut tables = Vec::new();
        client.batch_execute("CREATE SCHEMA bare").await?;
        for table in tables_of(&client).await? {
            client.batch_execute(&format!("CREATE TABLE bare.{table} (LIKE {table} INCLUDING ALL)")).await?;
            let rows = client.copy_out(&format!("COPY {table} TO STDOUT (FORMAT binary)")).await?;
            let rows: Vec<Bytes> = rows.try_collect().await?;
            tables.push((table, Bytes::from(rows.concat())));
        }
        let started = Instant::now();
        client.batch_execute("BEGIN").await?;
        for (table, mut rows) in tables {
            let into = client.copy_in(&format!("COPY bare.{table} FROM STDIN (FORMAT binary)")).await?;
            let mut into = std::pin::pin!(into);
            while !rows.is_empty() {
                into.send(rows.split_to(rows.len().min(PIECE))).await?;
            }
            into.finish().await?;
        }
        client.batch_execute("COMMIT").await?;
        let took = started.elapsed();
        client.batch_execute("DROP SCHEMA bare CASCADE").await?;
        Ok(took)
    }

    /// Reads every row that has a body or the bytes of an attachment, from end to end.
    pub async fn read(&self, mut sink: Sink) -> Result<Duration, BenchError> {
        let client = connect(&self.url).await?;
        let started = Instant::now();
        let mut bytes = 0;
        for table in tables_of(&client).await? {
            let about = client.prepare(&format!("SELECT * FROM {table}")).await?;
            let column = about.columns().iter().position(|column| super::holds_what_is_exported(column.name()));
            let Some(column) = column else { continue };
            let none: [i64; 0] = [];
            let mut rows = std::pin::pin!(client.query_raw(&about, none).await?);
            while let Some(row) = rows.try_next().await? {
                let body = row.get::<_, Option<&[u8]>>(column).unwrap_or_default();
                bytes += body.len();
                sink.take(body)?;
            }
        }
        sink.end()?;
        if bytes == 0 {
            return Err(BenchError::Stopped("reading the rows of the database"));
        }
        Ok(started.elapsed())
    }

    /// Drops it.
    pub async fn remove(self) -> Result<(), BenchError> {
        Ok(self.server.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?)
    }
}

async fn tables_of(client: &Client) -> Result<Vec<String>, BenchError> {
    let sql = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    Ok(client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// The same address with another database.
fn at_database(address: &str, name: &str) -> String {
    let (rest, asked) = address.split_once('?').map_or((address, None), |(rest, asked)| (rest, Some(asked)));
    let (scheme, rest) = rest.split_once("://").unwrap_or(("postgres", rest));
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let asked = asked.map(|asked| format!("?{asked}")).unwrap_or_default();
    format!("{scheme}://{host}/{name}{asked}")
}

#[cfg(test)]
mod tests {
    use super::at_database;

    #[test]
    fn an_address_keeps_everything_but_its_database() {
        assert_eq!(at_database("postgres://u:p@h:5/a?x=y/z", "b"), "postgres://u:p@h:5/b?x=y/z");
        assert_eq!(at_database("postgres://h", "b"), "postgres://h/b");
    }
}
