//! From one version of the tables to the next: what is there stays, and two versions serve side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use liaison_fhir::search::query::{Clause, Query};
use liaison_store::contract::StoreError;
use liaison_store::schema::{CURRENT, STEPS};
use liaison_store::store::{MigrateMode, Store, StoreUrl};

use crate::bench::{Bench, Place, create, name, on_postgres, open, options, update};
use crate::property::page;

/// What takes the steps after the first back, as if this store had been made before there were any.
const WITHOUT_THE_SECOND: &str = "DROP TABLE reindexing; DELETE FROM setting WHERE name = 'index'; DROP TABLE lease; \
    DROP TABLE audit; DROP TABLE audit_about";

pub fn sql(bench: &Bench, statements: &str) {
    match (&bench.url, &bench._place) {
        (StoreUrl::Sqlite(file), _) => rusqlite::Connection::open(file).unwrap().execute_batch(statements).unwrap(),
        (_, Place::Database { _goes: database }) => drop(database.sql(statements)),
        _ => panic!("a database without a place"),
    }
}

/// How PostgreSQL is told the version of the store, and that of the oldest program that can use it.
fn say(version: u8, oldest: u8) -> String {
    format!("UPDATE setting SET value = '\\x{version:02x}000000{oldest:02x}000000' WHERE name = 'liaison-schema'")
}

#[tokio::test]
async fn a_store_of_the_version_before_keeps_all_it_holds() {
    let bench = open();
    for number in 0..50 {
        bench.commit(create(&format!("Note/{number}"))).await.unwrap();
        bench.commit(update(&format!("Note/{number}"))).await.unwrap();
    }
    let before = bench.feeds();
    bench.store.close().await;
    let (taken_back, said) = match on_postgres() {
        true => (format!("{WITHOUT_THE_SECOND}; ALTER TABLE shard DROP COLUMN generation"), say(1, 1)),
        false => (WITHOUT_THE_SECOND.to_owned(), "PRAGMA user_version = 1".to_owned()),
    };
    sql(&bench, &taken_back);
    sql(&bench, &said);

    let opened = Store::open(&bench.url, options(&bench.clock)).map(drop);
    assert!(matches!(opened, Err(StoreError::Schema { found: 1, expected: CURRENT })), "{opened:?}");
    let titles =
        |mode| -> Vec<&str> { Store::migrate(&bench.url, mode).unwrap().iter().map(|step| step.title).collect() };
    let second: Vec<&str> = STEPS[1..].iter().map(|step| step.title).collect();
    assert_eq!(titles(MigrateMode::Plan), second);
    assert_eq!(titles(MigrateMode::Plan), second, "a plan changes nothing");
    assert_eq!(titles(MigrateMode::Run), second);
    assert_eq!(titles(MigrateMode::Run), Vec::<&str>::new());

    let again = Store::open(&bench.url, options(&bench.clock)).unwrap();
    let after: Vec<_> = again
        .read_now(|reader| (0..reader.feeds()).map(|shard| reader.changes(shard, 0, 10_000)).collect::<Result<_, _>>())
        .unwrap();
    assert_eq!(before, after);
    let written = again.write(|tx| tx.commit_version(&update("Note/7"))).await;
    assert_eq!(written.map_err(|error: StoreError| error).unwrap().version.version, 3);
}

#[tokio::test]
async fn a_store_of_a_later_version_is_refused() {
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    bench.store.close().await;
    let later = CURRENT as u8 + 1;
    sql(&bench, &if on_postgres() { say(later, later) } else { format!("PRAGMA user_version = {later}") });
    let opened = Store::open(&bench.url, options(&bench.clock)).map(drop);
    let refused = |error: StoreError| {
        assert!(matches!(error, StoreError::Schema { found, .. } if found == u32::from(later)), "{error:?}");
    };
    refused(opened.unwrap_err());
    refused(Store::migrate(&bench.url, MigrateMode::Run).unwrap_err());
    refused(Store::migrate(&bench.url, MigrateMode::Plan).unwrap_err());
}

/// Writes and reads through a node until it is told to stop; counts what was acknowledged.
fn busy(store: &Store, node: usize, stop: &Arc<AtomicBool>, written: &Arc<AtomicU64>) -> tokio::task::JoinHandle<()> {
    let (store, stop, written) = (store.clone(), Arc::clone(stop), Arc::clone(written));
    tokio::spawn(async move {
        for number in 0.. {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let note = format!("Note/{node}-{number}");
            let new = create(&note);
            store.write(move |tx| tx.commit_version(&new)).await.map_err(|error: StoreError| error).unwrap();
            written.fetch_add(1, Ordering::SeqCst);
            let read = store.current(&name(&note)).await.unwrap();
            assert_eq!(read.unwrap().version, 1, "{note}");
            let all = Query { types: vec!["Note"], filter: Clause::always(), sort: Vec::new(), includes: Vec::new() };
            store.read_now(|reader| reader.search(&all, &page(3, None))).unwrap();
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_a_later_version_brings_the_store_forward_this_one_serves_on() {
    if !on_postgres() {
        // One program serves a file.
        return;
    }
    let bench = open();
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut nodes = vec![busy(&bench.store, 0, &stop, &written)];
    let grown = async |by: u64| {
        let then = written.load(Ordering::SeqCst) + by;
        while written.load(Ordering::SeqCst) < then {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    grown(20).await;
    // What a later version would do first: add, and say that this one can go on.
    let later = CURRENT as u8 + 1;
    sql(
        &bench,
        &format!(
            "BEGIN; ALTER TABLE resource ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
             ALTER TABLE token ADD COLUMN later TEXT; CREATE TABLE later (key BIGINT PRIMARY KEY);
             CREATE INDEX resource_later ON resource (later, key); {}; COMMIT",
            say(later, CURRENT as u8)
        ),
    );
    grown(20).await;
    // A node of this version that is started only now.
    let other = Store::open(&bench.url, options(&bench.clock)).unwrap();
    nodes.push(busy(&other, 1, &stop, &written));
    grown(20).await;
    assert_eq!(Store::migrate(&bench.url, MigrateMode::Run).unwrap(), [], "it goes back no further");
    // Then it takes away what this version needs: whoever runs ends its work, nobody of it begins any more.
    stop.store(true, Ordering::SeqCst);
    for node in nodes {
        node.await.unwrap();
    }
    sql(&bench, &say(later, later));
    let opened = Store::open(&bench.url, options(&bench.clock)).map(drop);
    assert!(matches!(opened, Err(StoreError::Schema { found, .. }) if found == u32::from(later)), "{opened:?}");
    assert_eq!(bench.changes(), written.load(Ordering::SeqCst), "each of them once");
}
