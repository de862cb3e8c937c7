//! Statements: prepared once, sent together with what was gathered before them.

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use tokio_postgres::{Client, Statement};

use super::transaction::Transaction;
use super::{Connection, Row, staging, statement};
use crate::contract::StoreError;
use crate::dialect::{Value, damaged};

/// Statements kept prepared on each connection.
const PREPARED: usize = 256;

impl Connection {
    /// Runs statements without values or rows.
    pub(crate) fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(sql))
    }

    /// A prepared statement.
    pub(super) fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let text = statement::translated(sql);
        let statement = self.wait(self.client.prepare(&text))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= PREPARED {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// What must be sent before a statement: the beginning of a transaction, and what was gathered.
    async fn ahead(&self, gathered: &[staging::Bulk]) -> Result<Vec<u64>, tokio_postgres::Error> {
        let begin = async {
            match self.transaction.get() {
                Transaction::Wanted(how) => self.client.batch_execute(how).await,
                _ => Ok(()),
            }
        };
        let writes = try_join_all(gathered.iter().map(|bulk| bulk.send(&self.client)));
        // Polled in order, so sent in order.
        let ((), changed) = futures_util::future::try_join(begin, writes).await?;
        Ok(changed)
    }

    /// Sends what was gathered, with what `then` asks after it in the same message.
    pub(super) fn with_gathered<T>(
        &self,
        then: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let gathered = self.gathered()?;
        let wanted = self.transaction.get() != Transaction::None;
        let asked = async {
            let ahead = self.ahead(&gathered);
            futures_util::future::try_join(ahead, then(&self.client)).await
        };
        let answer = self.wait(asked);
        if wanted && !self.broken.get() {
            self.transaction.set(Transaction::Open);
        }
        let (changed, answer) = answer?;
        let as_many = gathered.iter().zip(changed).all(|(bulk, changed)| bulk.rows.len() as u64 == changed);
        if as_many { Ok(answer) } else { Err(damaged("a row that should be there is not")) }
    }

    /// What was gathered, as statements that were prepared.
    fn gathered(&self) -> Result<Vec<staging::Bulk>, StoreError> {
        if self.staging.borrow().is_empty() {
            return Ok(Vec::new());
        }
        let written = self.staging.borrow_mut().take();
        written
            .into_iter()
            .map(|(sql, columns, rows)| Ok(staging::Bulk { statement: self.prepared(&sql)?, columns, rows }))
            .collect()
    }

    /// Sends what was gathered.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        if self.staging.borrow().is_empty() {
            return Ok(());
        }
        self.with_gathered(async |_| Ok(()))
    }

    /// Runs a statement that changes; gives the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let statement = self.prepared(sql)?;
        let changed = self.with_gathered(async |client| client.execute_raw(&statement, values).await)?;
        if self.transaction.get() != Transaction::None {
            self.staging.borrow_mut().sent();
        }
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Hands every row of a statement to `each`.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&crate::dialect::Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let rows = self.rows(sql, values)?;
        rows.iter().try_for_each(|row| each(&crate::dialect::Row::Postgres(Row::of(row))))
    }

    /// Hands every row of a statement to `each` as it comes: for what may be all of the store. Nothing
    /// else may be asked meanwhile: its answer would wait behind rows that nobody takes.
    pub(crate) fn stream(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&crate::dialect::Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.prepared(sql)?;
        let rows = self.with_gathered(async |client| client.query_raw(&statement, values).await)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = self.wait(rows.try_next())? {
            each(&crate::dialect::Row::Postgres(Row::of(&row)))?;
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(crate) fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        if let Some(foreseen) = self.foreseen(sql, values) {
            return Ok(foreseen);
        }
        if self.has_more_to_ask() {
            return Ok(self.ask_with_supposed(&[(sql, values)])?.pop().unwrap_or_default());
        }
        let statement = self.prepared(sql)?;
        self.with_gathered(async |client| client.query_raw(&statement, values).await?.try_collect().await)
    }

    /// The rows of a statement that sees nothing of what was gathered, nor needs to.
    pub(crate) fn rows_before(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let statement = self.prepared(sql)?;
        let asked = async {
            let (_, rows) = futures_util::future::try_join(self.ahead(&[]), async {
                self.client.query_raw(&statement, values).await?.try_collect().await
            })
            .await?;
            Ok(rows)
        };
        let rows = self.wait(asked);
        if matches!(self.transaction.get(), Transaction::Wanted(_)) && !self.broken.get() {
            self.transaction.set(Transaction::Open);
        }
        rows
    }
}
