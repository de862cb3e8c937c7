//! A bare PostgreSQL loop beside a server on the same database: the rows that the server was seen to write, in
//! tables like its own with the same indexes and as many rows, through the same driver; one writer that commits
//! whatever waits, many rows a statement, flushed before anybody is answered. For reads, bodies and one table of
//! narrow rows that find them.

pub mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, NoTls, Statement};

use self::rows::{Learnt, Write};
use super::store::{Texts, of_person, texts_of_each};
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
    learnt: Arc<OfEach>,
    /// The number of the last write.
    last: Arc<AtomicI64>,
}

/// What was learnt of the writes of the server.
#[derive(Debug)]
pub struct OfEach {
    /// Of a note.
    pub note: Learnt,
    /// Of a note, its person and its author.
    pub bundle: Learnt,
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
    write: Write,
    committed: oneshot::Sender<()>,
}

/// Narrow rows beside a body that is to be found.
const NARROW: usize = 12;

impl BarePostgres {
    /// A schema with as many notes as the server has.
    pub async fn fill(address: &str, shape: Shape, learnt: OfEach) -> Result<Self, BenchError> {
        let texts: [Texts; 3] = texts_of_each();
        let (learnt, last) = (Arc::new(learnt), Arc::new(AtomicI64::new(0)));
        let store = Self { address: address.to_owned(), shape, learnt, last };
        let client = store.connect().await?;
        let tables = rows::tables(&client).await?;
        client.batch_execute(SCHEMA).await?;
        for table in tables {
            let like = format!(
                "CREATE TABLE bare.{table} (LIKE {table} INCLUDING ALL);
                 INSERT INTO bare.{table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}; VACUUM ANALYZE bare.{table}"
            );
            for statement in like.split(';') {
                client.batch_execute(statement).await?;
            }
        }
        let writer = Writer::of(client).await?;
        for first in (0..shape.notes).step_by(FILL_BATCH) {
            let mut waiting = Waiting::default();
            for note in first..(first + FILL_BATCH).min(shape.notes) {
                let key = of_person(shape.person_of(note), shape.moment_of(note));
                let [bodies, ..] = &texts;
                let body = Random::new(note as u64).pick(bodies).cloned().into_iter().collect();
                waiting.add(note as i64 + 1, body, NARROW, Some(key));
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

    /// Writes what the server writes for one note (or for a note and two actors) for each client at a time, each
    /// answered after the commit it was part of is on the disk.
    pub async fn write(&self, effort: Effort, bodies: usize) -> Result<Figures, BenchError> {
        let (client, learnt) = (self.connect().await?, Arc::clone(&self.learnt));
        let like = if bodies == 1 { learnt.note.writes() } else { learnt.bundle.writes() };
        let (send, receive) = mpsc::channel(4 * GROUP);
        let writing = tokio::spawn(async move {
            let learnt = if bodies == 1 { &learnt.note } else { &learnt.bundle };
            commit_what_waits(&client, learnt, receive).await
        });
        let started = Instant::now();
        let clients: Vec<_> = (0..effort.clients)
            .map(|client| {
                let (send, last) = (send.clone(), Arc::clone(&self.last));
                tokio::spawn(async move {
                    let (mut random, mut figures) = (Random::new(client as u64), Figures::default());
                    while started.elapsed() < effort.lasting {
                        let (committed, wait) = oneshot::channel();
                        let number = last.fetch_add(1, Ordering::Relaxed);
                        let write = Write { like: random.below(like), number };
                        let asked = Instant::now();
                        let queued = send.send(Job { write, committed }).await.is_ok();
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

async fn commit_what_waits(client: &Client, learnt: &Learnt, mut jobs: mpsc::Receiver<Job>) -> Result<(), BenchError> {
    let prepared = learnt.prepared(client).await?;
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let (writes, clients): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.write, job.committed)).unzip();
        prepared.commit(client, &writes).await?;
        for client in clients {
            // A client that no longer waits has been measured already.
            let _ = client.send(());
        }
    }
    Ok(())
}
