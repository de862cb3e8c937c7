//! A bare PostgreSQL loop beside a server on the same database: the same rows through the same driver, one
//! writer that commits whatever waits, many rows a statement, flushed before anybody is answered.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, NoTls, Statement};

use super::store::{Rows, Texts, of_person, texts_of_each};
use crate::data::Shape;
use crate::error::BenchError;
use crate::load::{Effort, Figures};
use crate::random::Random;

/// Rows in a statement while filling.
const FILL_BATCH: usize = 2_000;
/// At most so many waiting writes are committed together.
const GROUP: usize = 256;
/// The parameter whose rows find a person's notes in order of date.
const OF_PERSON: i64 = 0;

const SCHEMA: &str = "
    DROP SCHEMA IF EXISTS bare CASCADE;
    CREATE SCHEMA bare;
    CREATE TABLE bare.body (id BIGINT PRIMARY KEY, body BYTEA NOT NULL) WITH (toast_tuple_target = 8160);
    CREATE TABLE bare.found_by (parameter BIGINT NOT NULL, value BYTEA NOT NULL, resource BIGINT NOT NULL,
        PRIMARY KEY (parameter, value, resource));
";
const ADD_BODIES: &str = "INSERT INTO bare.body (id, body) SELECT * FROM unnest($1::int8[], $2::bytea[])";
const ADD_ROWS: &str =
    "INSERT INTO bare.found_by (parameter, value, resource) SELECT * FROM unnest($1::int8[], $2::bytea[], $3::int8[])";
const READ_TWENTY: &str = "SELECT body.body FROM bare.found_by JOIN bare.body ON body.id = found_by.resource
    WHERE found_by.parameter = $1 AND found_by.value BETWEEN $2 AND $3 ORDER BY found_by.value DESC LIMIT 20";

/// A filled schema beside the tables of the server.
pub struct BarePostgres {
    address: String,
    shape: Shape,
    rows: Rows,
    texts: Arc<[Texts; 3]>,
}

/// Rows on their way, column by column.
#[derive(Default)]
struct Waiting {
    ids: Vec<i64>,
    bodies: Vec<Arc<[u8]>>,
    parameters: Vec<i64>,
    values: Vec<Vec<u8>>,
    resources: Vec<i64>,
}

struct Writer {
    client: Client,
    bodies: Statement,
    rows: Statement,
}

/// One write that waits for its commit.
struct Job {
    bodies: Vec<Arc<[u8]>>,
    rows: usize,
    committed: oneshot::Sender<()>,
}

impl BarePostgres {
    /// A schema with as many notes as the server has.
    pub async fn fill(address: &str, shape: Shape, rows: Rows) -> Result<Self, BenchError> {
        let store = Self { address: address.to_owned(), shape, rows, texts: Arc::new(texts_of_each()) };
        let client = store.connect().await?;
        client.batch_execute(SCHEMA).await?;
        let writer = Writer::of(client).await?;
        for first in (0..shape.notes).step_by(FILL_BATCH) {
            let mut waiting = Waiting::default();
            for note in first..(first + FILL_BATCH).min(shape.notes) {
                let key = of_person(shape.person_of(note), shape.moment_of(note));
                let [bodies, ..] = &*store.texts;
                let body = Random::new(note as u64).pick(bodies).cloned().into_iter().collect();
                waiting.add(note as i64 + 1, body, rows.of_a_note, Some(key));
            }
            writer.commit(&waiting).await?;
        }
        writer.client.batch_execute("VACUUM ANALYZE bare.body; ").await?;
        writer.client.batch_execute("VACUUM ANALYZE bare.found_by").await?;
        Ok(store)
    }

    async fn connect(&self) -> Result<Client, BenchError> {
        connect(&self.address).await
    }

    /// Reads bodies by key, one after the other on each of a few connections, as a server of this kind does.
    pub async fn read_one(&self, effort: Effort, round: u64) -> Result<Figures, BenchError> {
        let notes = self.shape.notes;
        self.read(effort, round, "SELECT body FROM bare.body WHERE id = $1", move |random| {
            vec![Value::Number(1 + random.below(notes) as i64)]
        })
        .await
    }

    /// Reads the last 20 bodies of persons.
    pub async fn read_twenty(&self, effort: Effort, round: u64, persons: Vec<usize>) -> Result<Figures, BenchError> {
        self.read(effort, round, READ_TWENTY, move |random| {
            let person = random.pick(&persons).copied().unwrap_or_default();
            vec![
                Value::Number(OF_PERSON),
                Value::Bytes(of_person(person, 0)),
                Value::Bytes(of_person(person, i64::MAX)),
            ]
        })
        .await
    }

    async fn read(
        &self,
        effort: Effort,
        round: u64,
        sql: &str,
        asked: impl Fn(&mut Random) -> Vec<Value> + Clone + Send + 'static,
    ) -> Result<Figures, BenchError> {
        let started = Instant::now();
        let mut readers = Vec::new();
        // More would only wait for processors.
        for number in 0..effort.clients.min(8) as u64 {
            let client = self.connect().await?;
            let statement = client.prepare(sql).await?;
            let asked = asked.clone();
            readers.push(tokio::spawn(async move {
                let (mut random, mut figures) = (Random::new(round << 8 | number), Figures::default());
                while started.elapsed() < effort.lasting {
                    let values = asked(&mut random);
                    let begun = Instant::now();
                    let rows = client.query_raw(&statement, values.iter().map(Value::bound)).await?;
                    let rows: Vec<_> = futures_util::TryStreamExt::try_collect(rows).await?;
                    match rows.iter().map(|row| row.get::<_, &[u8]>(0).len()).sum::<usize>() {
                        0 => figures.failed("no body".to_owned()),
                        _ => figures.answered(begun.elapsed()),
                    }
                }
                Ok::<_, BenchError>(figures)
            }));
        }
        let mut figures = Figures::default();
        for reader in readers {
            figures.add(reader.await.map_err(|_| BenchError::Stopped("a reader of the bare database"))??);
        }
        Ok(figures.lasted(started.elapsed()))
    }

    /// Writes one note (or a note and two actors) for each client at a time, each answered after the commit
    /// it was part of is on the disk.
    pub async fn write(&self, effort: Effort, bodies: usize) -> Result<Figures, BenchError> {
        let rows = if bodies == 1 { self.rows.of_a_note } else { self.rows.of_a_bundle };
        let writer = Writer::of(self.connect().await?).await?;
        let next: i64 = writer.client.query_one("SELECT coalesce(max(id), 0) FROM bare.body", &[]).await?.get(0);
        let (send, receive) = mpsc::channel(4 * GROUP);
        let writing = tokio::spawn(commit_what_waits(writer, receive, next));
        let started = Instant::now();
        let clients: Vec<_> = (0..effort.clients)
            .map(|client| {
                let (send, texts) = (send.clone(), Arc::clone(&self.texts));
                tokio::spawn(async move {
                    let (mut random, mut figures) = (Random::new(client as u64), Figures::default());
                    while started.elapsed() < effort.lasting {
                        let (committed, wait) = oneshot::channel();
                        let bodies: Vec<_> =
                            texts.iter().take(bodies).filter_map(|of| random.pick(of).cloned()).collect();
                        let asked = Instant::now();
                        let queued = send.send(Job { bodies, rows, committed }).await.is_ok();
                        match queued && wait.await.is_ok() {
                            true => figures.answered(asked.elapsed()),
                            false => figures.failed("not committed".to_owned()),
                        }
                    }
                    figures
                })
            })
            .collect();
        drop(send);
        let mut figures = Figures::default();
        for client in clients {
            figures.add(client.await.map_err(|_| BenchError::Stopped("a client of the bare database"))?);
        }
        let elapsed = started.elapsed();
        writing.await.map_err(|_| BenchError::Stopped("the writer of the bare database"))??;
        Ok(figures.lasted(elapsed))
    }
}

/// A value of a question.
enum Value {
    Number(i64),
    Bytes(Vec<u8>),
}

impl Value {
    fn bound(&self) -> &(dyn tokio_postgres::types::ToSql + Sync) {
        match self {
            Self::Number(number) => number,
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A connection to that database.
pub async fn connect(address: &str) -> Result<Client, BenchError> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Writer {
    async fn of(client: Client) -> Result<Self, BenchError> {
        let (bodies, rows) = (client.prepare(ADD_BODIES).await?, client.prepare(ADD_ROWS).await?);
        Ok(Self { client, bodies, rows })
    }

    /// One way to the server and back: everything is sent before the first answer.
    async fn commit(&self, waiting: &Waiting) -> Result<(), BenchError> {
        let Waiting { ids, bodies, parameters, values, resources } = waiting;
        let bodies: Vec<&[u8]> = bodies.iter().map(AsRef::as_ref).collect();
        let (begin, commit) = (self.client.batch_execute("BEGIN"), self.client.batch_execute("COMMIT"));
        let first: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [ids, &bodies];
        let second: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [parameters, values, resources];
        let (bodies, rows) = (self.client.execute(&self.bodies, &first), self.client.execute(&self.rows, &second));
        futures_util::future::try_join4(begin, bodies, rows, commit).await?;
        Ok(())
    }
}

impl Waiting {
    /// Bodies and, beside the last of them, narrow rows as those of the bare file.
    fn add(&mut self, first: i64, bodies: Vec<Arc<[u8]>>, rows: usize, of: Option<Vec<u8>>) {
        let resource = first + bodies.len() as i64 - 1;
        self.ids.extend(first..=resource);
        self.bodies.extend(bodies);
        let mut random = Random::new(resource as u64);
        let mut of = of;
        for row in 0..rows as i64 {
            self.parameters.push(row);
            self.resources.push(resource);
            self.values.push(match row {
                OF_PERSON => of.take().unwrap_or_else(|| of_person(usize::MAX, resource)),
                row if row % 6 == 1 => [random.next(), random.next()].map(u64::to_be_bytes).concat(),
                row if row % 3 == 2 => resource.to_be_bytes().to_vec(),
                _ => (random.next() % 8).to_be_bytes().to_vec(),
            });
        }
    }
}

async fn commit_what_waits(writer: Writer, mut jobs: mpsc::Receiver<Job>, last: i64) -> Result<(), BenchError> {
    let mut next = last + 1;
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let (mut waiting, mut clients) = (Waiting::default(), Vec::with_capacity(group.len()));
        for Job { bodies, rows, committed } in group.drain(..) {
            let count = bodies.len() as i64;
            waiting.add(next, bodies, rows, None);
            next += count;
            clients.push(committed);
        }
        writer.commit(&waiting).await?;
        for client in clients {
            // A client that no longer waits has been measured already.
            let _ = client.send(());
        }
    }
    Ok(())
}

/// How many rows the tables of the server have, whatever they are.
pub async fn count(address: &str) -> Result<u64, BenchError> {
    let client = connect(address).await?;
    let tables = "SELECT format('SELECT count(*) FROM %I.%I', schemaname, tablename) FROM pg_tables
                  WHERE schemaname = current_schema()";
    let mut rows = 0;
    for table in client.query(tables, &[]).await? {
        rows += client.query_one(table.get::<_, &str>(0), &[]).await?.get::<_, i64>(0).cast_unsigned();
    }
    Ok(rows)
}
