//! What is kept for somebody until a moment.

use liaison_store::contract::{Instant, StoreError};
use liaison_store::lease::Lease;

use crate::bench::{Bench, open};

fn lease(id: &str, owner: &str, until: i64) -> Lease {
    Lease {
        kind: "session".into(),
        id: id.into(),
        owner: owner.into(),
        until: Instant(until),
        value: format!("{id} of {owner}").into_bytes(),
    }
}

async fn keep(bench: &Bench, lease: Lease) {
    let kept = bench.store.write(move |tx| tx.put_lease(&lease)).await;
    kept.map_err(|error: StoreError| error).unwrap();
}

fn there(bench: &Bench, id: &'static str) -> Option<Lease> {
    bench.read(move |reader| reader.lease("session", id))
}

#[tokio::test]
async fn a_lease_is_found_by_its_name_and_those_of_one_owner_together() {
    let bench = open();
    for (id, owner) in [("a", "é"), ("b", "é"), ("c", "other")] {
        keep(&bench, lease(id, owner, 10)).await;
    }
    keep(&bench, Lease { kind: "invitation".into(), ..lease("a", "é", 5) }).await;
    assert_eq!(there(&bench, "a"), Some(lease("a", "é", 10)), "another kind has names of its own");
    assert_eq!(there(&bench, "d"), None);
    let of = bench.read(|reader| reader.leases_of("session", "é"));
    assert_eq!(of, [lease("a", "é", 10), lease("b", "é", 10)]);
    keep(&bench, lease("a", "other", 20)).await;
    assert_eq!(there(&bench, "a"), Some(lease("a", "other", 20)), "one of the same name takes its place");
}

#[tokio::test]
async fn a_lease_that_was_ended_is_not_extended() {
    let bench = open();
    keep(&bench, lease("a", "x", 10)).await;
    let extend = async |until| {
        let extended = bench.store.write(move |tx| tx.extend_lease("session", "a", Instant(until))).await;
        extended.map_err(|error: StoreError| error).unwrap()
    };
    let end = async || {
        let ended = bench.store.write(|tx| tx.drop_lease("session", "a")).await;
        ended.map_err(|error: StoreError| error).unwrap()
    };
    assert!(extend(30).await);
    assert_eq!(there(&bench, "a").unwrap().until, Instant(30));
    assert!(end().await);
    assert!(!end().await, "it is ended once");
    assert!(!extend(40).await);
    assert_eq!(there(&bench, "a"), None);
}

#[tokio::test]
async fn of_those_who_end_a_lease_at_the_same_moment_one_is_told_so() {
    let bench = open();
    keep(&bench, lease("a", "x", 10)).await;
    let attempts = (0..20).map(|_| tokio::spawn(bench.store.write(|tx| tx.drop_lease("session", "a"))));
    let mut ended = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        ended += u32::from(attempt.await.unwrap().map_err(|error: StoreError| error).unwrap());
    }
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn leases_that_ended_before_a_moment_are_forgotten() {
    let bench = open();
    for (id, until) in [("a", 10), ("b", 20), ("c", 30)] {
        keep(&bench, lease(id, "x", until)).await;
    }
    let forgotten = bench.store.write(|tx| tx.forget_leases(Instant(20))).await;
    assert_eq!(forgotten.map_err(|error: StoreError| error).unwrap(), 1);
    let left: Vec<Box<str>> = bench.read(|reader| reader.leases_of("session", "x")).into_iter().map(|l| l.id).collect();
    assert_eq!(left, ["b".into(), "c".into()] as [Box<str>; 2]);
}
