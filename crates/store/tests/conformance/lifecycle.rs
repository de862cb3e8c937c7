//! A resource from its creation to its deletion and back.

use std::sync::atomic::Ordering;

use liaison_store::contract::{Change, Instant, StoreError};

use crate::bench::Say;
use crate::bench::{create, delete, name, open, update};

#[tokio::test]
async fn a_version_is_read_back_as_it_was_committed() {
    let bench = open();
    let committed = bench.commit(create("Note/1").says("hello")).await.unwrap();
    assert_eq!((committed.version.version, committed.sequence), (1, 1));
    let read = bench.read(|reader| reader.current(&name("Note/1"))).unwrap();
    let updated = read.updated.text();
    assert_eq!(
        std::str::from_utf8(&read.body).unwrap(),
        format!(r#"{{"meta":{{"versionId":"1","lastUpdated":"{updated}"}},"text":"hello"}}"#)
    );
    assert_eq!(read.body, committed.version.body);
    assert_eq!(
        (read.updated, read.change, read.form),
        (committed.version.updated, Change::Create, committed.version.form)
    );
}

#[tokio::test]
async fn each_version_stays_readable() {
    let bench = open();
    bench.commit(create("Note/1").says("one")).await.unwrap();
    bench.commit(update("Note/1").says("two")).await.unwrap();
    bench.commit(delete("Note/1")).await.unwrap();
    bench.commit(create("Note/1").says("four")).await.unwrap();
    let versions = bench
        .read(|reader| (0..=5).map(|version| reader.version(&name("Note/1"), version)).collect::<Result<Vec<_>, _>>());
    let seen: Vec<_> = versions.iter().map(|version| version.as_ref().map(|it| (it.version, it.change))).collect();
    assert_eq!(
        seen,
        [
            None,
            Some((1, Change::Create)),
            Some((2, Change::Update)),
            Some((3, Change::Delete)),
            Some((4, Change::Create)),
            None
        ]
    );
    assert!(versions[1].as_ref().unwrap().body.ends_with(b"\"text\":\"one\"}"));
    assert!(versions[3].as_ref().unwrap().body.is_empty());
    assert_eq!(bench.read(|reader| reader.current(&name("Note/1"))).unwrap().version, 4);
}

#[tokio::test]
async fn a_change_that_supposes_another_state_is_refused() {
    let bench = open();
    let wrong = |answer: Result<_, StoreError>| assert!(matches!(answer, Err(StoreError::WrongState)), "{answer:?}");
    wrong(bench.commit(update("Note/1")).await);
    wrong(bench.commit(delete("Note/1")).await);
    bench.commit(create("Note/1")).await.unwrap();
    wrong(bench.commit(create("Note/1")).await);
    bench.commit(delete("Note/1")).await.unwrap();
    wrong(bench.commit(delete("Note/1")).await);
    wrong(bench.commit(update("Note/1")).await);
    // A body where none belongs, and none where one does.
    let mut bodiless = create("Note/2");
    bodiless.body = None;
    wrong(bench.commit(bodiless).await);
}

#[tokio::test]
async fn a_failed_job_leaves_nothing() {
    let bench = open();
    let answer: Result<(), StoreError> = bench
        .store
        .write(|tx| {
            tx.commit_version(&create("Other/1").key("scope", "k"))?;
            tx.commit_version(&update("Note/1"))?;
            Ok(())
        })
        .await;
    assert!(matches!(answer, Err(StoreError::WrongState)));
    bench.read(|reader| {
        assert!(reader.current(&name("Other/1"))?.is_none());
        assert_eq!(reader.last_sequences()?.iter().sum::<u64>(), 0);
        Ok(())
    });
    // The type, the key and the sequence it used are free again.
    let committed = bench.commit(create("Other/1").key("scope", "k")).await.unwrap();
    assert_eq!(committed.sequence, 1);
}

#[tokio::test]
async fn a_job_that_panics_answers_and_leaves_nothing() {
    let bench = open();
    let answer: Result<(), StoreError> = bench
        .store
        .write(|tx| {
            tx.commit_version(&create("Note/1"))?;
            panic!("on purpose");
        })
        .await;
    assert!(matches!(answer, Err(StoreError::Unavailable(cause)) if cause.to_string().contains("on purpose")));
    assert!(bench.read(|reader| reader.current(&name("Note/1"))).is_none());
    bench.commit(create("Note/1")).await.unwrap();
    let read: Result<(), StoreError> = bench.store.read(|_| panic!("on purpose")).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))));
    bench.store.read(|reader| reader.current(&name("Note/1"))).await.unwrap().unwrap();
}

#[tokio::test]
async fn instants_increase_even_when_the_clock_steps_back() {
    let bench = open();
    let first = bench.commit(create("Note/1")).await.unwrap().version.updated;
    bench.clock.store(5, Ordering::SeqCst);
    let rest = bench.commit_all(vec![update("Note/1"), create("Note/2")]).await.unwrap();
    assert_eq!(rest[0].version.updated, Instant(first.0 + 1));
    assert_eq!(rest[1].version.updated, Instant(first.0 + 2));
}

#[tokio::test]
async fn a_job_reads_what_it_wrote() {
    let bench = open();
    let seen = bench
        .store
        .write(|tx| -> Result<_, StoreError> {
            tx.commit_version(&create("Note/1"))?;
            tx.current(&name("Note/1"))
        })
        .await
        .unwrap();
    assert_eq!(seen.unwrap().version, 1);
}
