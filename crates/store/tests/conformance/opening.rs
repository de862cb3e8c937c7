//! Opening, closing, migrating, and files that are not what they should be.

use std::time::Duration;

use liaison_fhir::search::query::{Clause, Query, StringTest, Test};
use liaison_store::contract::{PageRequest, StoreError, TotalMode};
use liaison_store::schema;
use liaison_store::store::{Access, MigrateMode, Store, StoreOptions, StoreUrl};

use crate::bench::{Say, create, name, open, options};
use crate::property::page;

#[test]
fn addresses() {
    let file = |path: &str| Ok(StoreUrl::Sqlite(path.into()));
    assert_eq!(StoreUrl::parse("sqlite:a.db"), file("a.db"));
    assert_eq!(StoreUrl::parse("sqlite:///var/a.db"), file("/var/a.db"));
    for wrong in ["", "a.db", "sqlite:", "sqlite://", "oracle:x"] {
        assert!(StoreUrl::parse(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_closing() {
    let bench = open();
    bench.commit(create("Note/1").key("k", "a")).await.unwrap();
    bench.store.close().await;
    let late = bench.commit(create("Note/2")).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "nothing more is taken");
    let again = Store::open(&bench.url, options(&bench.clock)).unwrap();
    let read = again.read_now(|reader| reader.current(&name("Note/1"))).unwrap();
    assert_eq!(read.unwrap().version, 1);
    let committed = again.write(|tx| tx.commit_version(&create("Note/2"))).await;
    committed.map_err(|error: StoreError| error).unwrap();
    assert_eq!(bench.changes(), 2, "counted on");
}

#[tokio::test]
async fn writes_that_wait_are_finished_on_closing() {
    let bench = open();
    let jobs: Vec<_> = (0..50)
        .map(|number| tokio::spawn(bench.store.write(move |tx| tx.commit_version(&create(&format!("Note/{number}"))))))
        .collect();
    tokio::task::yield_now().await;
    bench.store.close().await;
    let mut done = 0;
    for job in jobs {
        done += u64::from(job.await.unwrap().map_err(|error: StoreError| error).is_ok());
    }
    assert_eq!(bench.changes(), done, "what was answered is there, and nothing else");
}

#[tokio::test]
async fn one_may_look_beside_the_server_but_not_write() {
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    let beside = Store::open(&bench.url, StoreOptions { access: Access::Look, ..options(&bench.clock) }).unwrap();
    assert!(beside.read_now(|reader| reader.current(&name("Note/1"))).unwrap().is_some());
    let answer = beside.write(|tx| tx.commit_version(&create("Note/2"))).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    // And a page begun here goes on there.
    bench.commit(create("Note/2")).await.unwrap();
    let all = Query { types: vec!["Note"], filter: Clause::always(), sort: Vec::new(), includes: Vec::new() };
    let first = beside.read_now(|reader| reader.search(&all, &page(1, None))).unwrap();
    let second = bench.read(|reader| reader.search(&all, &page(1, first.next)));
    assert_eq!(second.matches[0].name, name("Note/1"));
}

#[tokio::test]
async fn migrating_is_planned_then_done() {
    let dir = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(dir.path().join("store.db"));
    assert_eq!(Store::migrate(&url, MigrateMode::Plan).unwrap(), schema::STEPS);
    assert!(!dir.path().join("store.db").exists(), "a plan changes nothing");
    assert_eq!(Store::migrate(&url, MigrateMode::Run).unwrap(), schema::STEPS);
    assert_eq!(Store::migrate(&url, MigrateMode::Run).unwrap(), []);
    let store = Store::open(&url, StoreOptions::default()).unwrap();
    assert!(matches!(Store::migrate(&url, MigrateMode::Run), Err(StoreError::InUse)));
    drop(store);
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let text = "a text of some length, but no database of any kind, and not ours either".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let opened = Store::open(&StoreUrl::Sqlite(path.clone()), StoreOptions::default());
    assert!(matches!(opened.err(), Some(StoreError::Foreign)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let nowhere = StoreUrl::Sqlite(dir.path().join("no/such/folder/store.db"));
    assert!(matches!(Store::open(&nowhere, StoreOptions::default()).err(), Some(StoreError::Unopened(_))));
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_stopped() {
    let bench = open();
    let title = liaison_fhir::search::index::Param { base: "Note", code: "title" };
    let long = "x".repeat(2000);
    let all = (0..3000).map(|number| {
        let folded = format!("{long}{number}");
        create(&format!("Note/{number}")).row(
            title,
            liaison_fhir::search::index::IndexValue::String { exact: folded.as_str().into(), folded: folded.into() },
        )
    });
    bench.commit_all(all.collect()).await.unwrap();
    let query = Query {
        types: vec!["Note"],
        filter: Clause::Has(title, Test::String(StringTest::Contains("not there".into()))),
        sort: Vec::new(),
        includes: Vec::new(),
    };
    let hurried = PageRequest { deadline: Duration::ZERO, total: TotalMode::Accurate, ..page(10, None) };
    let answer = bench.store.read_now(|reader| reader.search(&query, &hurried));
    assert!(matches!(answer, Err(StoreError::TooSlow)), "{answer:?}");
    let patient = bench.read(|reader| reader.search(&query, &page(10, None)));
    assert_eq!(patient.total, Some(0), "the connection serves on");
}
