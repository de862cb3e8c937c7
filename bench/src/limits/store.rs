//! A bare SQLite loop: bodies in an ordinary rowid table, narrow rows that find them beside it,
//! one writer that commits whatever waits, flushed to the disk before anybody is answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rusqlite::{Connection, OpenFlags, params};
use tokio::sync::oneshot;

use crate::data::{self, NoteParts, Photo, Shape};
use crate::error::BenchError;
use crate::load::{Effort, Figures};
use crate::random::Random;

/// Writes in a transaction while filling, when nobody waits for durability.
const FILL_BATCH: usize = 10_000;
/// Page cache while filling.
const FILL_CACHE_KIB: i64 = 1 << 20;
/// At most so many waiting writes are committed together.
const GROUP: usize = 256;
/// Bodies that are written while measuring.
const WRITTEN_BODIES: usize = 256;
/// The parameter whose rows find a person's notes in order of date.
const OF_PERSON: i64 = 0;

const SCHEMA: &str = "
    CREATE TABLE body (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE found_by (parameter INTEGER NOT NULL, value BLOB NOT NULL, resource INTEGER NOT NULL,
        PRIMARY KEY (parameter, value, resource)) STRICT, WITHOUT ROWID;
";

/// What our own store was seen to write, so that the loop writes as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Narrow rows beside the body of a note.
    pub of_a_note: usize,
    /// Narrow rows beside the three bodies of a note bundle.
    pub of_a_bundle: usize,
    /// Bytes of a page of the file.
    pub page: u32,
}

/// A filled file.
pub struct BareStore {
    path: PathBuf,
    shape: Shape,
    rows: Rows,
}

/// One write that waits for its commit.
struct Job {
    bodies: Vec<Arc<[u8]>>,
    rows: usize,
    committed: oneshot::Sender<()>,
}

impl BareStore {
    /// A file with as many notes as the server has.
    pub fn fill(directory: &Path, shape: Shape, rows: Rows) -> Result<BareStore, BenchError> {
        let path = directory.join("bare.db");
        let store = BareStore { path, shape, rows };
        let connection = Connection::open(&store.path)?;
        connection.pragma_update(None, "page_size", rows.page)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "off")?;
        // Only while filling: rows of values of their own go anywhere in the file.
        connection.pragma_update(None, "cache_size", -FILL_CACHE_KIB)?;
        connection.execute_batch(SCHEMA)?;
        for first in (0..shape.notes).step_by(FILL_BATCH) {
            let transaction = connection.unchecked_transaction()?;
            for note in first..(first + FILL_BATCH).min(shape.notes) {
                insert(&transaction, &[body(note).into()], rows.of_a_note, Some((shape, note)))?;
            }
            transaction.commit()?;
        }
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(store)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads bodies by key, one after the other, on one thread.
    pub fn read_one(&self, lasting: Duration, round: u64) -> Result<Figures, BenchError> {
        let connection = self.reader()?;
        let mut statement = connection.prepare("SELECT body FROM body WHERE id = ?1")?;
        let notes = self.shape.notes;
        repeat(lasting, round, |random| {
            let body: Vec<u8> = statement.query_row([1 + random.below(notes) as i64], |row| row.get(0))?;
            Ok(body.len())
        })
    }

    /// Reads the last 20 bodies of persons, one person after the other, on one thread.
    pub fn read_twenty(
        &self,
        lasting: Duration,
        round: u64,
        any_person: impl Fn(&mut Random) -> usize,
    ) -> Result<Figures, BenchError> {
        let connection = self.reader()?;
        let mut statement = connection.prepare(
            "SELECT body.body FROM found_by JOIN body ON body.id = found_by.resource
             WHERE found_by.parameter = ?1 AND found_by.value BETWEEN ?2 AND ?3
             ORDER BY found_by.value DESC LIMIT 20",
        )?;
        repeat(lasting, round, |random| {
            let person = any_person(random);
            let (low, high) = (of_person(person, 0), of_person(person, i64::MAX));
            let mut rows = statement.query(params![OF_PERSON, low, high])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                bytes += row.get::<_, Vec<u8>>(0)?.len();
            }
            Ok(bytes)
        })
    }

    /// Writes one note (or a note and two actors) for each client at a time, each answered after
    /// the commit it was part of is on the disk.
    pub async fn write(&self, effort: Effort, bodies: usize) -> Result<Figures, BenchError> {
        let rows = if bodies == 1 { self.rows.of_a_note } else { self.rows.of_a_bundle };
        let connection = self.writer()?;
        let (send, receive) = crossbeam_channel::bounded(4 * GROUP);
        let writer = std::thread::spawn(move || commit_what_waits(&connection, &receive));
        let texts: Arc<[Texts; 3]> = Arc::new(texts_of_each());
        let started = Instant::now();
        let clients: Vec<_> = (0..effort.clients)
            .map(|client| {
                let (send, texts) = (send.clone(), Arc::clone(&texts));
                tokio::spawn(async move {
                    wait_for_commits(client, &send, &texts, bodies, rows, started + effort.lasting).await
                })
            })
            .collect();
        drop(send);
        let mut figures = Figures::default();
        for client in clients {
            figures.add(client.await.map_err(|_| BenchError::Stopped("a client of the bare store"))?);
        }
        let elapsed = started.elapsed();
        writer.join().map_err(|_| BenchError::Stopped("the writer of the bare store"))??;
        Ok(figures.lasted(elapsed))
    }

    fn reader(&self) -> Result<Connection, BenchError> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(tuned(connection)?)
    }

    fn writer(&self) -> Result<Connection, BenchError> {
        let connection = tuned(Connection::open(&self.path)?)?;
        connection.pragma_update(None, "synchronous", "full")?;
        Ok(connection)
    }
}

/// 64 MB of cache, as a server of this kind has.
fn tuned(connection: Connection) -> Result<Connection, rusqlite::Error> {
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

fn repeat(
    lasting: Duration,
    round: u64,
    mut work: impl FnMut(&mut Random) -> Result<usize, rusqlite::Error>,
) -> Result<Figures, BenchError> {
    let mut random = Random::new(round);
    let mut figures = Figures::default();
    let started = Instant::now();
    while started.elapsed() < lasting {
        let asked = Instant::now();
        match work(&mut random)? {
            0 => figures.failed("no body".to_owned()),
            _ => figures.answered(asked.elapsed()),
        }
    }
    Ok(figures.lasted(started.elapsed()))
}

async fn wait_for_commits(
    client: usize,
    send: &Sender<Job>,
    texts: &[Texts; 3],
    bodies: usize,
    rows: usize,
    until: Instant,
) -> Figures {
    let mut random = Random::new(client as u64);
    let mut figures = Figures::default();
    while Instant::now() < until {
        let (committed, wait) = oneshot::channel();
        let bodies = texts.iter().take(bodies).filter_map(|of_a_kind| random.pick(of_a_kind).cloned()).collect();
        let asked = Instant::now();
        // Never full: there are fewer clients than places.
        let queued = send.try_send(Job { bodies, rows, committed }).is_ok();
        match queued && wait.await.is_ok() {
            true => figures.answered(asked.elapsed()),
            false => figures.failed("not committed".to_owned()),
        }
        if !queued {
            tokio::task::yield_now().await;
        }
    }
    figures
}

fn commit_what_waits(connection: &Connection, jobs: &Receiver<Job>) -> Result<(), BenchError> {
    while let Ok(first) = jobs.recv() {
        let transaction = connection.unchecked_transaction()?;
        let mut waiting = Vec::new();
        for job in std::iter::once(first).chain(jobs.try_iter().take(GROUP - 1)) {
            insert(&transaction, &job.bodies, job.rows, None)?;
            waiting.push(job.committed);
        }
        transaction.commit()?;
        for client in waiting {
            // A client that no longer waits has been measured already.
            let _ = client.send(());
        }
    }
    Ok(())
}

/// Writes bodies and, beside them, narrow rows: one in six of a value of its own (numbers), one in
/// three of a value that grows (moments), the others of values that many share (types, statuses).
fn insert(
    connection: &Connection,
    bodies: &[Arc<[u8]>],
    rows: usize,
    seeded: Option<(Shape, usize)>,
) -> Result<(), rusqlite::Error> {
    let mut add_body = connection.prepare_cached("INSERT INTO body (body) VALUES (?1)")?;
    let mut add_row =
        connection.prepare_cached("INSERT INTO found_by (parameter, value, resource) VALUES (?1, ?2, ?3)")?;
    let mut resource = 0;
    for body in bodies {
        resource = {
            add_body.execute([&body[..]])?;
            connection.last_insert_rowid()
        };
    }
    let mut random = Random::new(resource as u64);
    for row in 0..rows as i64 {
        let value = match (row, seeded) {
            (OF_PERSON, Some((shape, note))) => of_person(shape.person_of(note), shape.moment_of(note)),
            (OF_PERSON, None) => of_person(usize::MAX, resource),
            (row, _) if row % 6 == 1 => [random.next(), random.next()].map(u64::to_be_bytes).concat(),
            (row, _) if row % 3 == 2 => resource.to_be_bytes().to_vec(),
            _ => (random.next() % 8).to_be_bytes().to_vec(),
        };
        add_row.execute(params![row, value, resource])?;
    }
    Ok(())
}

/// What finds a note of a person by its moment.
pub fn of_person(person: usize, moment: i64) -> Vec<u8> {
    [(person as u64).to_be_bytes(), moment.to_be_bytes()].concat()
}

fn body(note: usize) -> Vec<u8> {
    data::note(
        note as u64,
        &NoteParts {
            master: &note.to_string(),
            subject: "Patient/0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b",
            author: "Practitioner/0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1c",
            date: "2024-01-01T00:00:00Z",
            photo: Photo::Never,
        },
    )
    .into_bytes()
}

fn person(index: usize) -> Vec<u8> {
    data::person(index as u64, &data::person_number(index as u64)).into_bytes()
}

fn author(index: usize) -> Vec<u8> {
    data::author(index as u64, &data::author_number(index as u64)).into_bytes()
}

/// Bodies of notes, persons and authors.
pub fn texts_of_each() -> [Texts; 3] {
    [body, person, author].map(texts)
}

/// Bodies of one kind.
pub type Texts = Vec<Arc<[u8]>>;

fn texts(of_a_kind: fn(usize) -> Vec<u8>) -> Texts {
    (0..WRITTEN_BODIES).map(|index| of_a_kind(index).into()).collect()
}

/// What our store has written: counted in its file, whatever its tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Rows in all tables.
    pub rows: u64,
    /// Bytes of a page.
    pub page: u32,
}

/// Counts the rows of a store file that a server may have open.
pub fn count(store: &Path) -> Result<Counted, BenchError> {
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows = 0;
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        rows +=
            connection.query_row(&format!("SELECT count(*) FROM \"{quoted}\""), [], |row| row.get::<_, i64>(0))? as u64;
    }
    let page = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(Counted { rows, page })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_counted_is_what_is_written_and_what_is_read_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let rows = Rows { of_a_note: 5, of_a_bundle: 9, page: 8192 };
        let shape = Shape::of(2_000);
        let store = BareStore::fill(directory.path(), shape, rows).unwrap();
        assert_eq!(count(&store.path).unwrap(), Counted { rows: 2_000 * 6, page: 8192 });

        let lasting = Duration::from_millis(20);
        let figures = store.read_one(lasting, 1).unwrap();
        assert!(figures.failures == 0 && figures.rate() > 0.0);
        let figures = store.read_twenty(lasting, 1, |random| random.below(shape.persons)).unwrap();
        assert!(figures.failures == 0 && figures.rate() > 0.0);

        let before = count(&store.path).unwrap().rows;
        let figures = store.write(Effort { clients: 4, lasting }, 3).await.unwrap();
        let written = count(&store.path).unwrap().rows - before;
        assert_eq!(figures.failures, 0);
        assert!(written > 0 && written.is_multiple_of(12), "three bodies and nine rows each: {written}");
    }
}
