//! Histories and the change feed.

use std::sync::atomic::Ordering;

use liaison_store::contract::{Change, Cursor, HistoryOf, HistoryPage, HistoryRequest, Instant, StoreError};

use crate::bench::{Bench, Say, create, delete, name, open, update};

/// Commits a microsecond apart: the instants are `START + 1`, `START + 2`…
const START: i64 = 1_700_000_000_000_000;

async fn lived() -> Bench {
    let bench = open();
    let deeds = [
        create("Note/1").says("a"),
        create("Person/1").says("b"),
        update("Note/1").says("c"),
        create("Note/2").says("d"),
        delete("Note/1"),
        create("Note/1").says("f"),
    ];
    for deed in deeds {
        bench.clock.fetch_add(1, Ordering::SeqCst);
        bench.commit(deed).await.unwrap();
    }
    bench
}

fn request(of: HistoryOf) -> HistoryRequest {
    HistoryRequest { of, since: None, at: None, count: 100, cursor: None }
}

fn ask(bench: &Bench, request: &HistoryRequest) -> HistoryPage {
    bench.read(|reader| reader.history(request))
}

fn seen(page: &HistoryPage) -> Vec<(String, u32)> {
    page.versions.iter().map(|version| (version.name.id.to_string(), version.version)).collect()
}

fn listed(all: &[(&str, u32)]) -> Vec<(String, u32)> {
    all.iter().map(|(id, version)| ((*id).to_owned(), *version)).collect()
}

#[tokio::test]
async fn of_a_resource_newest_first() {
    let bench = lived().await;
    let page = ask(&bench, &request(HistoryOf::Resource(name("Note/1"))));
    assert_eq!(seen(&page), listed(&[("1", 4), ("1", 3), ("1", 2), ("1", 1)]));
    assert_eq!(page.total, 4);
    let changes: Vec<_> = page.versions.iter().map(|version| version.change).collect();
    assert_eq!(changes, [Change::Create, Change::Delete, Change::Update, Change::Create]);
    assert!(page.versions[2].body.ends_with(b"\"c\"}"), "as it was written");
    let nobody = ask(&bench, &request(HistoryOf::Resource(name("Note/9"))));
    assert_eq!((nobody.versions.len(), nobody.total), (0, 0));
}

#[tokio::test]
async fn of_a_type_and_of_everything() {
    let bench = lived().await;
    let notes = ask(&bench, &request(HistoryOf::Type("Note".into())));
    assert_eq!(seen(&notes), listed(&[("1", 4), ("1", 3), ("2", 1), ("1", 2), ("1", 1)]));
    assert_eq!(notes.total, 5);
    let all = ask(&bench, &request(HistoryOf::All));
    assert_eq!((all.versions.len(), all.total), (6, 6));
    assert!(all.versions.is_sorted_by(|newer, older| newer.updated > older.updated));
    assert_eq!(ask(&bench, &request(HistoryOf::Type("Nothing".into()))).total, 0);
}

#[tokio::test]
async fn since_a_moment() {
    let bench = lived().await;
    for (of, wanted) in [
        (HistoryOf::Resource(name("Note/1")), listed(&[("1", 4), ("1", 3), ("1", 2)])),
        (HistoryOf::Type("Note".into()), listed(&[("1", 4), ("1", 3), ("2", 1), ("1", 2)])),
        (HistoryOf::All, listed(&[("1", 4), ("1", 3), ("2", 1), ("1", 2)])),
    ] {
        let page = ask(&bench, &HistoryRequest { since: Some(Instant(START + 3)), ..request(of) });
        assert_eq!(seen(&page), wanted);
        assert_eq!(page.total, wanted.len() as u64);
    }
    let later = ask(&bench, &HistoryRequest { since: Some(Instant(START + 60)), ..request(HistoryOf::All) });
    assert_eq!((later.versions.len(), later.total), (0, 0));
}

#[tokio::test]
async fn at_a_moment() {
    let bench = lived().await;
    let at = |of, low, high| {
        let at = Some((Instant(START + low), Instant(START + high)));
        seen(&ask(&bench, &HistoryRequest { at, ..request(of) }))
    };
    // The first version of Note/1 was current until START + 3, the second until START + 5.
    assert_eq!(at(HistoryOf::Resource(name("Note/1")), 2, 3), listed(&[("1", 1)]));
    assert_eq!(at(HistoryOf::Resource(name("Note/1")), 2, 4), listed(&[("1", 2), ("1", 1)]));
    assert_eq!(at(HistoryOf::Type("Note".into()), 4, 5), listed(&[("2", 1), ("1", 2)]));
    assert_eq!(at(HistoryOf::All, 4, 5), listed(&[("2", 1), ("1", 2), ("1", 1)]));
    assert_eq!(at(HistoryOf::All, -5, 0), listed(&[]));
}

#[tokio::test]
async fn page_by_page_while_others_write() {
    let bench = lived().await;
    for of in [HistoryOf::Resource(name("Note/1")), HistoryOf::Type("Note".into()), HistoryOf::All] {
        let whole = ask(&bench, &request(of.clone()));
        let (mut given, mut cursor) = (Vec::new(), None);
        loop {
            let page = ask(&bench, &HistoryRequest { count: 1, cursor, ..request(of.clone()) });
            assert_eq!(page.total, whole.total, "as it was when the first page was made");
            given.extend(seen(&page));
            bench.commit(update("Note/1").says("more")).await.unwrap();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(given, seen(&whole));
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_question() {
    let bench = lived().await;
    let page = ask(&bench, &HistoryRequest { count: 1, ..request(HistoryOf::All) });
    let cursor = page.next.unwrap();
    let other = HistoryRequest { cursor: Some(cursor.clone()), ..request(HistoryOf::Type("Note".into())) };
    let refused = |request: &HistoryRequest| {
        let answer = bench.store.read_now(|reader| reader.history(request));
        assert!(matches!(answer, Err(StoreError::BadCursor)), "{answer:?}");
    };
    refused(&other);
    // A place of one's own making, or none at all.
    let mut bent = cursor.0.clone().into_bytes();
    bent[12] = if bent[12] == b'A' { b'B' } else { b'A' };
    for text in [String::from_utf8(bent).unwrap(), String::new(), "é".to_owned(), "A".repeat(40), "AQ".to_owned()] {
        refused(&HistoryRequest { cursor: Some(Cursor(text)), ..request(HistoryOf::All) });
    }
}

#[tokio::test]
async fn the_feed_says_every_change_once() {
    let bench = lived().await;
    let mut feed: Vec<_> = bench.feeds().concat();
    feed.sort_by_key(|change| change.at);
    let said: Vec<_> =
        (1..).zip(&feed).map(|(number, it)| (number, &*it.name.id, it.version, it.change, it.at.0 - START)).collect();
    assert_eq!(
        said,
        [
            (1, "1", 1, Change::Create, 1),
            (2, "1", 1, Change::Create, 2),
            (3, "1", 2, Change::Update, 3),
            (4, "2", 1, Change::Create, 4),
            (5, "1", 3, Change::Delete, 5),
            (6, "1", 4, Change::Create, 6),
        ]
    );
    assert!(feed.iter().all(|change| &*change.caller == "tester"));
    assert_eq!(bench.changes(), 6);
    let longest = bench.feeds().into_iter().max_by_key(Vec::len).unwrap();
    let (shard, last) = (longest[0].shard, longest.len() as u64);
    assert!(last > 1);
    assert_eq!(bench.read(|reader| reader.changes(shard, last - 1, 1))[0].sequence, last, "from a place on");
    assert_eq!(bench.read(|reader| reader.changes(shard, 0, 1))[0].sequence, 1, "as many as are wanted");
    assert!(bench.read(|reader| reader.changes(shard, last, 10)).is_empty());
    assert_eq!(bench.read(|reader| reader.last_changed()), Some(Instant(START + 6)));
}
