//! Whether a store is whole: for whoever doubts it, since all of it is read.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use liaison_pages::seal;

use crate::contract::{Name, StoreError};
use crate::cursor::CursorKey;
use crate::dialect::postgres::{self, Address};
use crate::dialect::sqlite::{Connection, Purpose};
use crate::dialect::{Db, Dialect};
use crate::dictionary::Dictionary;
use crate::entry::{Entry, each_of};
use crate::mark;
use crate::objects;
use crate::schema::{self, shared};
use crate::store::{Store, StoreUrl};

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A page of the file is not as it was written, in use or not.
    Page(u64),
    /// What the database says of its own pages.
    Pages(String),
    /// The store ends before a change that was acknowledged: its log is gone or damaged.
    Log {
        /// The last change that was acknowledged.
        acknowledged: u64,
        /// The last change that is there.
        found: u64,
    },
    /// The change feed has a gap: so many changes up to the last sequence.
    Feed {
        /// The last sequence.
        last: u64,
        /// How many changes there are.
        there: u64,
    },
    /// The bytes of a version are not those that were written.
    Body {
        /// The resource.
        name: Name,
        /// The version.
        version: u32,
    },
    /// A piece of an attachment is not as it was written: the attachment's SHA-256.
    Attachment([u8; 32]),
    /// An index table has not the rows that the last versions say.
    Index {
        /// The table.
        table: &'static str,
        /// The rows that there should be.
        wanted: u64,
        /// The rows that are there.
        there: u64,
    },
}

/// Findings of one kind that are told at most.
const TOLD: usize = 20;

/// Pages cached while all is read.
const CACHE_KIB: u32 = 8 * 1024;

impl Store {
    /// Reads all of a store, also while another process serves it, and says what is not as it was
    /// written. Nothing: it is whole.
    ///
    /// # Errors
    /// [`StoreError::Schema`], [`StoreError::Foreign`], [`StoreError::Unavailable`] when it cannot
    /// be read at all.
    pub fn check(url: &StoreUrl) -> Result<Vec<Damage>, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => check_file(path),
            StoreUrl::Postgres(address) => check_server(address),
        }
    }
}

fn check_file(path: &Path) -> Result<Vec<Damage>, StoreError> {
    // Before the store, which may go on meanwhile.
    let marked = mark::read(path);
    let db = Connection::open(path, Purpose::Read, CACHE_KIB)?;
    let mut damage: Vec<Damage> = db.damaged_pages(TOLD)?.into_iter().map(Damage::Page).collect();
    if !damage.is_empty() {
        return Ok(damage);
    }
    schema::require_current(&db)?;
    damage.extend(db.complaints(TOLD)?.into_iter().map(Damage::Pages));
    if !damage.is_empty() {
        // What lies in damaged pages is not to be believed.
        return Ok(damage);
    }
    db.execute("BEGIN", &[])?;
    match mark::refuse_shorter(marked, CursorKey::read((&db).into())?.store_id(), &db) {
        Err(StoreError::LogLost { acknowledged, found }) => damage.push(Damage::Log { acknowledged, found }),
        looked_at => looked_at?,
    }
    contents((&db).into(), &mut damage)?;
    db.execute("COMMIT", &[])?;
    Ok(damage)
}

fn check_server(address: &Address) -> Result<Vec<Damage>, StoreError> {
    let server = postgres::Connection::open(address, postgres::Purpose::Read)?;
    shared::require_usable(&server)?;
    // All of a large store is read in one statement.
    server.run("SET statement_timeout = 0")?;
    let db = Db::Postgres(&server, shared::shards(&server)?);
    let mut damage = Vec::new();
    db.begin_snapshot()?;
    db.within(A_DAY, || contents(db, &mut damage))?;
    db.end_snapshot()?;
    Ok(damage)
}

/// Longer than any store takes.
const A_DAY: Duration = Duration::from_secs(86_400);

fn contents(db: Db<'_>, damage: &mut Vec<Damage>) -> Result<(), StoreError> {
    feed(db, damage)?;
    bodies(db, damage)?;
    attachments(db, damage)?;
    index(db, damage)
}

fn feed(db: Db<'_>, damage: &mut Vec<Damage>) -> Result<(), StoreError> {
    // A server keeps the last number of each shard apart.
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT coalesce(max(sequence), 0), count(*) FROM change",
        Dialect::Postgres => {
            "SELECT s.sequence, (SELECT count(*) FROM change c WHERE c.shard = s.shard AND c.sequence <= s.sequence)
             FROM shard s ORDER BY s.shard"
        }
    };
    db.stream(sql, &[], |row| {
        let (last, there) = (row.int(0)?.cast_unsigned(), row.int(1)?.cast_unsigned());
        if last != there {
            damage.push(Damage::Feed { last, there });
        }
        Ok(())
    })
}

fn bodies(db: Db<'_>, damage: &mut Vec<Damage>) -> Result<(), StoreError> {
    let words = Dictionary::default();
    let mut broken = Vec::new();
    for sql in [
        "SELECT body, seal, type, id, version FROM resource WHERE version > 0",
        "SELECT p.body, p.seal, r.type, r.id, p.version FROM past p CROSS JOIN resource r ON r.key = p.resource",
    ] {
        db.stream(sql, &[], |row| {
            if seal(row.bytes(0)?) != row.int(1)? && broken.len() < TOLD {
                broken.push((row.int(2)?, Box::<str>::from(row.text(3)?), row.int(4)?));
            }
            Ok(())
        })?;
    }
    for (kind, id, version) in broken {
        let name = Name { resource_type: words.kind_of(db, kind)?.name.as_ref().into(), id };
        damage.push(Damage::Body { name, version: crate::versions::version_number(version) });
    }
    Ok(())
}

fn attachments(db: Db<'_>, damage: &mut Vec<Damage>) -> Result<(), StoreError> {
    if objects::kept_elsewhere(db)? {
        // Their bytes are compared with their seals when they are read.
        return Ok(());
    }
    let sql = "SELECT p.bytes, p.seal, b.sha256 FROM blob_piece p CROSS JOIN blob b ON b.key = p.blob";
    db.stream(sql, &[], |row| {
        if seal(row.bytes(0)?) != row.int(1)? {
            let mut id = [0; 32];
            id.iter_mut().zip(row.bytes(2)?).for_each(|(to, from)| *to = *from);
            damage.push(Damage::Attachment(id));
        }
        Ok(())
    })
}

fn index(db: Db<'_>, damage: &mut Vec<Damage>) -> Result<(), StoreError> {
    const TABLES: [&str; 9] =
        ["token", "reference", "uri", "string", "date", "number", "quantity", "position", "unique_key"];
    let mut wanted = [0_u64; TABLES.len()];
    db.stream("SELECT entry FROM resource WHERE live = 1", &[], |row| {
        each_of(row.bytes(0)?, |entry| {
            let [token, reference, uri, string, date, number, quantity, position, key] = &mut wanted;
            *match entry {
                Entry::Token { .. } => token,
                Entry::Reference { .. } => reference,
                Entry::Uri { .. } => uri,
                Entry::Text { .. } => string,
                Entry::Date { .. } => date,
                Entry::Number { .. } => number,
                Entry::Quantity { .. } => quantity,
                Entry::Position { .. } => position,
                Entry::Key { .. } => key,
            } += 1;
        })
    })?;
    for (table, wanted) in TABLES.into_iter().zip(wanted) {
        let sql = format!("SELECT count(*) FROM {table}");
        let there = db.first(&sql, &[], |row| row.int(0))?.unwrap_or_default().cast_unsigned();
        if there != wanted {
            damage.push(Damage::Index { table, wanted, there });
        }
    }
    Ok(())
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(number) => write!(f, "page {number} of the file is not as it was written"),
            Self::Log { acknowledged, found } => write!(
                f,
                "it ends at change {found}, but changes up to {acknowledged} were acknowledged: its log is gone or damaged"
            ),
            Self::Pages(said) => write!(f, "damaged pages: {said}"),
            Self::Feed { last, there } => write!(f, "the change feed ends at {last} but holds {there} changes"),
            Self::Body { name, version } => {
                write!(f, "version {version} of {}/{} is not as it was written", name.resource_type, name.id)
            }
            Self::Attachment(id) => {
                f.write_str("attachment ")?;
                id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(" is not as it was written")
            }
            Self::Index { table, wanted, there } => {
                write!(f, "the index of {table} values has {there} rows instead of {wanted}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::{Change, Form, Named, NewBlob, NewVersion, PreparedBody, UniqueKey};
    use crate::store::StoreOptions;

    fn note() -> NewVersion {
        NewVersion {
            name: Name { resource_type: "Note".into(), id: "1".into() },
            notebook: None,
            named: Named::ByCaller,
            change: Change::Create,
            form: Form(1),
            body: Some(PreparedBody {
                head: Bytes::from_static(b"{"),
                tail: Bytes::from_static(b"}"),
                holes: Vec::new(),
            }),
            index: Vec::new(),
            links: Vec::new(),
            unique: vec![UniqueKey { scope: "number", key: "1".into() }],
            blobs: Vec::new(),
            caller: "tester".into(),
        }
    }

    /// What is found after a statement was run behind the store's back.
    fn found_after(sql: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let store = Store::open(&StoreUrl::Sqlite(path.clone()), StoreOptions::default()).unwrap();
        let blob = NewBlob::new(Bytes::from_static(b"abc"));
        let write = store.write(move |tx| -> Result<(), StoreError> {
            tx.put_blob(&blob)?;
            tx.commit_version(&note())?;
            tx.commit_version(&NewVersion { change: Change::Update, ..note() })?;
            Ok(())
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(write).unwrap();
        runtime.block_on(store.close());
        Connection::open(&path, Purpose::Write, 100).unwrap().run(sql).unwrap();
        Store::check(&StoreUrl::Sqlite(path)).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_store_that_is_whole() {
        assert_eq!(found_after("SELECT 1"), Vec::<String>::new());
    }

    #[test]
    fn each_damage_is_named() {
        assert_eq!(found_after("UPDATE resource SET body = x'00'"), ["version 2 of Note/1 is not as it was written"]);
        assert_eq!(found_after("UPDATE past SET body = x'00'"), ["version 1 of Note/1 is not as it was written"]);
        assert_eq!(
            found_after("DELETE FROM change WHERE sequence = 1"),
            ["the change feed ends at 2 but holds 1 changes"]
        );
        assert_eq!(found_after("DELETE FROM unique_key"), ["the index of unique_key values has 0 rows instead of 1"]);
        assert_eq!(
            found_after("UPDATE blob_piece SET bytes = x'00'"),
            ["attachment ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad is not as it was written"]
        );
    }
}
