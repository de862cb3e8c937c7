//! Databases with sealed pages, made and damaged.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::fs;
use std::path::Path;

use liaison_pages::{PAGE_BYTES, Sealing, damaged_pages, file_system, reserve, sealing};
use rusqlite::ffi::{SQLITE_CORRUPT, SQLITE_IOERR_DATA};
use rusqlite::{Connection, OpenFlags};

fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags_and_vfs(path, OpenFlags::default(), file_system()?)
}

/// A database of some hundred pages, closed, all of it in its file.
fn made(path: &Path) {
    let db = open(path).unwrap();
    db.pragma_update(None, "page_size", PAGE_BYTES as i64).unwrap();
    reserve(&db).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    db.execute_batch("CREATE TABLE note (key INTEGER PRIMARY KEY, body TEXT); CREATE INDEX by_body ON note (body);")
        .unwrap();
    for key in 0..300 {
        db.execute("INSERT INTO note VALUES (?1, ?2)", (key, format!("{key:05} {}", "text ".repeat(400)))).unwrap();
    }
    assert_eq!(sealing(&db), Sealing::Sealed);
}

/// Everything in it, found by the table and by the index, which must agree.
fn read(path: &Path) -> rusqlite::Result<Vec<(i64, String)>> {
    let db = open(path)?;
    let all = |sql: &str| -> rusqlite::Result<Vec<(i64, String)>> {
        db.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let table = all("SELECT key, body FROM note NOT INDEXED ORDER BY key")?;
    let index = all("SELECT key, body FROM note INDEXED BY by_body WHERE body >= '' ORDER BY body")?;
    assert_eq!(table, index, "what is read is never different");
    Ok(table)
}

#[test]
fn every_page_is_sealed_and_sqlite_agrees_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    made(&path);
    assert_eq!(read(&path).unwrap().len(), 300);
    let db = open(&path).unwrap();
    assert_eq!(damaged_pages(&db, 10).unwrap(), [0_u64; 0]);
    // Without our file system it is a database like any other.
    let plain = Connection::open(&path).unwrap();
    assert_eq!(plain.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
    assert_eq!(sealing(&plain), Sealing::Plain);
}

#[test]
fn a_flipped_bit_on_any_page_is_an_error_or_of_no_consequence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    made(&path);
    let (whole, before) = (fs::read(&path).unwrap(), read(&path).unwrap());
    let pages = whole.len() / PAGE_BYTES;
    let mut refused = 0;
    for page in 0..pages {
        let mut bytes = whole.clone();
        // Another place on every page, the seal itself included.
        let at = page * PAGE_BYTES + (page * 4099 + 20) % PAGE_BYTES;
        bytes[at] ^= 1 << (page % 8);
        fs::write(&path, &bytes).unwrap();
        match read(&path) {
            Ok(found) => assert_eq!(found, before, "page {page}, byte {at}"),
            Err(error) => {
                let code = error.sqlite_extended_error_code();
                assert!([Some(SQLITE_IOERR_DATA), Some(SQLITE_CORRUPT)].contains(&code), "page {page}: {error:?}");
                refused += 1;
            }
        }
        if page > 0 {
            let db = open(&path).unwrap();
            assert_eq!(damaged_pages(&db, 10).unwrap(), [page as u64 + 1]);
        }
    }
    assert!(refused > pages * 9 / 10, "{refused} of {pages}");
}

#[test]
fn a_page_in_the_place_of_another_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    made(&path);
    let mut bytes = fs::read(&path).unwrap();
    let (from, to) = (5 * PAGE_BYTES, 6 * PAGE_BYTES);
    bytes.copy_within(from..from + PAGE_BYTES, to);
    fs::write(&path, bytes).unwrap();
    assert!(read(&path).is_err());
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    made(&path);
    let whole = fs::read(&path).unwrap();
    for length in [1, 50, 99, 100, 5000, PAGE_BYTES, whole.len() / 2, whole.len() - PAGE_BYTES, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(read(&path).is_err(), "{length} bytes of {}", whole.len());
    }
}

#[test]
fn a_database_without_seals_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.db");
    let plain = Connection::open(&path).unwrap();
    plain.execute_batch("CREATE TABLE a (b); INSERT INTO a VALUES ('before')").unwrap();
    drop(plain);
    let db = open(&path).unwrap();
    assert_eq!(sealing(&db), Sealing::Plain);
    db.execute("INSERT INTO a VALUES ('after')", []).unwrap();
    drop(db);
    let plain = Connection::open(&path).unwrap();
    assert_eq!(plain.query_row("SELECT count(*) FROM a", [], |row| row.get::<_, i64>(0)).unwrap(), 2);
    assert_eq!(plain.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}
