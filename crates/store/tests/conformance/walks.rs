//! Walks: everything as it stood at one moment, a piece at a time.

use std::sync::atomic::Ordering;

use liaison_store::bulk::{Reached, Standing, Walk};
use liaison_store::contract::Instant;

use crate::bench::{Bench, Say, create, delete, name, open, update};

/// Commits a microsecond apart: the instants are `START + 1`, `START + 2`…
const START: i64 = 1_700_000_000_000_000;

async fn lived() -> Bench {
    let bench = open();
    let deeds = [
        create("Note/1").says("a"),
        create("Person/1").says("b"),
        create("Note/2").says("c"),
        update("Note/1").says("d"),
        delete("Note/2"),
        create("Note/3").says("e"),
        create("Note/2").says("f"),
    ];
    for deed in deeds {
        bench.clock.fetch_add(1, Ordering::SeqCst);
        bench.commit(deed).await.unwrap();
    }
    bench
}

fn walk(at: i64, standing: Standing) -> Walk {
    Walk { resource_type: "Note".into(), since: None, at: Instant(START + at), standing }
}

/// All that a walk gives, in pieces of `limit`.
fn all(bench: &Bench, walk: &Walk, limit: u32) -> Vec<(String, u32)> {
    let mut seen = Vec::new();
    let mut after: Option<Reached> = None;
    loop {
        let piece = bench.read(|reader| reader.walk(walk, after, limit));
        let Some((last, _)) = piece.last() else { return seen };
        after = Some(*last);
        seen.extend(piece.iter().map(|(_, version)| (version.name.id.to_string(), version.version)));
    }
}

fn listed(all: &[(&str, u32)]) -> Vec<(String, u32)> {
    all.iter().map(|(id, version)| ((*id).to_owned(), *version)).collect()
}

#[tokio::test]
async fn each_moment_is_as_it_was() {
    let bench = lived().await;
    let live: [&[(&str, u32)]; 8] = [
        &[],
        &[("1", 1)],
        &[("1", 1)],
        &[("1", 1), ("2", 1)],
        &[("2", 1), ("1", 2)],
        &[("1", 2)],
        &[("1", 2), ("3", 1)],
        &[("1", 2), ("3", 1), ("2", 3)],
    ];
    for (at, expected) in (0..).zip(live) {
        for limit in [1, 2, 10] {
            assert_eq!(all(&bench, &walk(at, Standing::Live), limit), listed(expected), "{at}, by {limit}");
        }
    }
    assert_eq!(all(&bench, &walk(4, Standing::Deleted), 1), []);
    assert_eq!(all(&bench, &walk(5, Standing::Deleted), 1), listed(&[("2", 2)]));
    assert_eq!(all(&bench, &walk(7, Standing::Deleted), 1), [], "it is back");
    let first = bench.read(|reader| reader.walk(&walk(3, Standing::Live), None, 1));
    assert!(first[0].1.body.ends_with(b"\"a\"}"), "the version of the moment, not the last one");
}

#[tokio::test]
async fn only_what_changed_since() {
    let bench = lived().await;
    let since = |since: i64| Walk { since: Some(Instant(START + since)), ..walk(7, Standing::Live) };
    assert_eq!(all(&bench, &since(4), 1), listed(&[("1", 2), ("3", 1), ("2", 3)]), "at it, or after");
    assert_eq!(all(&bench, &since(5), 10), listed(&[("3", 1), ("2", 3)]));
    assert_eq!(all(&bench, &since(8), 10), []);
    assert_eq!(bench.read(|reader| reader.walked_in_all(&since(4))), 3);
    assert_eq!(bench.read(|reader| reader.walked_in_all(&since(6))), 2);
}

#[tokio::test]
async fn what_is_written_meanwhile_changes_nothing() {
    let bench = lived().await;
    let walk = walk(7, Standing::Live);
    let begun = bench.read(|reader| reader.walk(&walk, None, 1));
    bench.clock.fetch_add(1, Ordering::SeqCst);
    for deed in [update("Note/1"), delete("Note/3"), update("Note/2"), create("Note/4")] {
        bench.commit(deed).await.unwrap();
    }
    assert_eq!(all(&bench, &walk, 2), listed(&[("1", 2), ("3", 1), ("2", 3)]));
    let rest = bench.read(|reader| reader.walk(&walk, Some(begun[0].0), 10));
    assert_eq!(rest.len(), 2);
    assert!(rest.iter().all(|(_, version)| !version.body.is_empty()), "what was deleted since has its body");
}

#[tokio::test]
async fn a_version_is_found_by_its_moment() {
    let bench = lived().await;
    let at = |id: &str, at: i64| {
        bench.read(|reader| reader.at_moment(&name(id), Instant(START + at))).map(|version| version.version)
    };
    assert_eq!((at("Note/1", 0), at("Note/1", 3), at("Note/1", 4), at("Note/1", 9)), (None, Some(1), Some(2), Some(2)));
    assert_eq!((at("Note/2", 5), at("Note/2", 7), at("Note/9", 7)), (Some(2), Some(3), None));
}

#[tokio::test]
async fn what_is_known_is_told_in_one_question() {
    let bench = lived().await;
    bench.commit(delete("Note/3")).await.unwrap();
    let asked: Vec<_> = ["Note/1", "Person/1", "Note/3", "Note/9", "Person/2", "Thing/1"].map(name).into();
    let mut known: Vec<_> = bench.read(|reader| reader.known(&asked)).into_iter().collect();
    known.sort();
    assert_eq!(known, ["Note/1", "Note/3", "Person/1"].map(name), "what was deleted is known too");
    assert!(bench.read(|reader| reader.known(&[])).is_empty());
}

#[tokio::test]
async fn jobs_are_kept_until_they_are_dropped() {
    use liaison_store::{contract::StoreError, jobs::Job};
    let bench = open();
    let job = |id: &str, says: &str| Job { id: id.to_owned(), description: says.into() };
    for put in [job("b", "1"), job("a", "2"), job("b", "3")] {
        bench.store.write(move |tx| tx.put_job(&put)).await.unwrap();
    }
    assert_eq!(bench.read(|reader| reader.jobs()), [job("a", "2"), job("b", "3")]);
    assert_eq!(bench.read(|reader| reader.job("b")), Some(job("b", "3")));
    bench.store.write(|tx| tx.drop_job("b")).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(
        (bench.read(|reader| reader.job("b")), bench.read(|reader| reader.jobs().map(|all| all.len()))),
        (None, 1)
    );
}
