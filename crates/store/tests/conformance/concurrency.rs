//! Many at once: nothing doubled, nothing lost, nobody between reading and writing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use liaison_fhir::search::index::{IndexValue, Param};
use liaison_fhir::search::query::{Clause, Query, StringTest, Test};
use liaison_store::contract::{PageRequest, StoreError, TotalMode, UniqueKey};
use liaison_store::reader::Reader;
use liaison_store::store::Store;

use crate::bench::{Say, create, name, on_postgres, open, options, update};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_identical_creates_one_succeeds() {
    let bench = open();
    let jobs: Vec<_> = (0..64)
        .map(|number| {
            tokio::spawn(
                bench
                    .store
                    .write(move |tx| tx.commit_version(&create(&format!("Note/{number}")).key("number", "same"))),
            )
        })
        .collect();
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for job in jobs {
        match job.await.unwrap() {
            Ok(committed) => made.push(committed.version.name),
            Err(StoreError::KeyTaken { holder, .. }) => refused.push(holder),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((made.len(), refused.len()), (1, 63));
    assert!(refused.iter().all(|holder| *holder == made[0]));
    let key = UniqueKey { scope: "number", key: "same".into() };
    assert_eq!(bench.read(|reader| reader.holder(&key)), Some(made[0].clone()));
    assert_eq!(bench.changes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_updates_of_one_version_one_wins() {
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    let jobs: Vec<_> = (0..64)
        .map(|number| {
            tokio::spawn(bench.store.write(move |tx| {
                let current = tx.current(&name("Note/1"))?.unwrap();
                if current.version != 1 {
                    return Ok::<_, StoreError>(false);
                }
                tx.commit_version(&update("Note/1").says(&number.to_string()))?;
                Ok(true)
            }))
        })
        .collect();
    let mut winners = 0;
    for job in jobs {
        winners += u32::from(job.await.unwrap().unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(bench.read(|reader| reader.current(&name("Note/1"))).unwrap().version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_failing_job_does_not_touch_its_neighbours() {
    let bench = open();
    let jobs: Vec<_> = (0..200)
        .map(|number| {
            tokio::spawn(bench.store.write(move |tx| {
                let committed = tx.commit_version(&create(&format!("Note/{number}")))?;
                if number % 3 == 0 { Err(StoreError::WrongState) } else { Ok((committed.shard, committed.sequence)) }
            }))
        })
        .collect();
    let mut sequences = Vec::new();
    for (number, job) in jobs.into_iter().enumerate() {
        let answer = job.await.unwrap();
        assert_eq!(answer.is_ok(), number % 3 != 0);
        sequences.extend(answer.ok());
        let there = bench.read(|reader| reader.current(&name(&format!("Note/{number}")))).is_some();
        assert_eq!(there, number % 3 != 0, "Note/{number}");
    }
    sequences.sort_unstable();
    let feeds = bench.feeds();
    let wanted: Vec<_> =
        (0..).zip(&feeds).flat_map(|(shard, feed)| (1..=feed.len() as u64).map(move |place| (shard, place))).collect();
    assert_eq!(sequences, wanted, "no gap, none twice");
    for feed in feeds {
        assert!(feed.is_sorted_by(|one, next| one.at < next.at));
    }
}

#[tokio::test]
async fn a_read_sees_one_moment() {
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    let store = bench.store.clone();
    let (before, after) = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        store.clone().read_now(|reader| -> Result<_, StoreError> {
            let before = reader.current(&name("Note/1"))?.unwrap().version;
            runtime.block_on(store.write(|tx| tx.commit_version(&update("Note/1"))))?;
            Ok((before, reader.current(&name("Note/1"))?.unwrap().version))
        })
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!((before, after), (1, 1));
    assert_eq!(bench.read(|reader| reader.current(&name("Note/1"))).unwrap().version, 2, "read your write");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_read_that_waits_for_the_disk_keeps_nothing_else_waiting() {
    if on_postgres() {
        return; // Its disk is another process's.
    }
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    // The disk: one short read runs at once here, and has to wait for this.
    let (answer, disk) = std::sync::mpsc::channel::<()>();
    let (begin, began) = tokio::sync::oneshot::channel();
    let store = bench.store.clone();
    let slow = tokio::spawn(async move {
        let wait = move |_: &Reader<'_>| -> Result<(), StoreError> {
            let _ = begin.send(());
            disk.recv().map_err(|gone| StoreError::Unavailable(Box::new(gone)))
        };
        store.read_here(wait).await
    });
    began.await.unwrap();
    // The next ones wait for their turn, and hold no thread: writes are answered, and searches.
    let store = bench.store.clone();
    let mut next = tokio::spawn(async move { store.current(&name("Note/1")).await });
    let written = tokio::spawn(bench.store.write(|tx| tx.commit_version(&update("Note/1"))));
    assert_eq!(written.await.unwrap().unwrap().version.version, 2);
    let other = tokio::spawn(bench.store.read(|reader| reader.current(&name("Note/1"))));
    assert_eq!(other.await.unwrap().unwrap().unwrap().version, 2);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut next).await.is_err(), "it was not its turn");
    answer.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(next.await.unwrap().unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn a_second_server_on_a_file_is_refused() {
    if on_postgres() {
        return; // There several serve one store.
    }
    let bench = open();
    bench.commit(create("Note/1")).await.unwrap();
    let second = Store::open(&bench.url, options(&bench.clock));
    assert!(matches!(second.err(), Some(StoreError::InUse)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_runs_where_it_is_asked_for_and_anew_elsewhere_when_it_is_long() {
    if on_postgres() {
        return; // Whoever waits for a server waits on a thread of the store.
    }
    let bench = open();
    let notes =
        (0..4_000).map(|number| create(&format!("Note/{number}")).row(TITLE, title(&format!("title {number}"))));
    bench.commit_all(notes.collect()).await.unwrap();
    let asked = |filter: Clause, total: TotalMode| {
        let query = Query { types: vec!["Note"], filter, sort: Vec::new(), includes: Vec::new() };
        let page = PageRequest { count: 5, cursor: None, total, include_limit: 0, deadline: Duration::from_secs(60) };
        let threads = Arc::new(Mutex::new(Vec::new()));
        let ran = Arc::clone(&threads);
        let job = move |reader: &Reader<'_>| {
            ran.lock().unwrap().push(std::thread::current().name().unwrap_or_default().to_owned());
            reader.search(&query, &page)
        };
        let answer = bench.store.read_briefly(job);
        async move { (answer.await.unwrap(), Arc::into_inner(threads).unwrap().into_inner().unwrap()) }
    };
    let (page, threads) = asked(Clause::always(), TotalMode::None).await;
    assert_eq!((page.matches.len(), threads.len()), (5, 1), "{threads:?}");
    assert!(!threads[0].starts_with("store-read"), "{threads:?}");
    let contains = Clause::Has(TITLE, Test::String(StringTest::Contains("9".into())));
    let (page, threads) = asked(contains, TotalMode::Accurate).await;
    assert_eq!(page.total, Some((0..4_000).filter(|number| number.to_string().contains('9')).count() as u64));
    assert_eq!(threads.len(), 2, "{threads:?}");
    assert!(threads[1].starts_with("store-read"), "{threads:?}");
}

const TITLE: Param = Param { base: "Note", code: "title" };

fn title(text: &str) -> IndexValue {
    IndexValue::String { exact: text.into(), folded: text.into() }
}
