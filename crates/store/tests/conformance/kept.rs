//! What is kept in memory is what is in the store: whatever was answered is what is read next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use liaison_fhir::search::index::Param;
use liaison_fhir::search::query::{Clause, Include, IncludeWay, Iterate, Query};
use liaison_store::contract::{Change, NewVersion, Page, PageRequest, StoreError, TotalMode, Version};
use liaison_store::store::{Store, StoreOptions};
use liaison_store::watch::Watched;

use crate::bench::{Bench, Say, create, delete, name, on_postgres, open, options, somewhere, update};

const SUBJECT: Param = Param { base: "Note", code: "subject" };

/// All notes, with their subjects.
fn notes_and_subjects() -> Query {
    Query {
        types: vec!["Note"],
        filter: Clause::always(),
        sort: Vec::new(),
        includes: vec![Include {
            way: IncludeWay::Forward,
            params: vec![SUBJECT],
            types: Vec::new(),
            iterate: Iterate::Once,
        }],
    }
}

fn found(bench: &Bench) -> Page {
    let page = PageRequest {
        count: 10,
        cursor: None,
        total: TotalMode::Accurate,
        include_limit: 10,
        deadline: Duration::from_secs(10),
    };
    bench.read(|reader| reader.search(&notes_and_subjects(), &page))
}

fn text(version: &Version) -> String {
    String::from_utf8_lossy(&version.body).into_owned()
}

#[tokio::test]
async fn a_change_is_read_by_all_ways_once_it_was_answered() {
    let bench = open();
    bench.commit(create("Person/1").says("person 0")).await.unwrap();
    bench.commit(create("Note/1").refers(SUBJECT, "Person/1").says("note 0")).await.unwrap();
    for round in 1..20 {
        let before = format!("note {}", round - 1);
        // Read more than once, so that it is in memory if it ever is.
        for _ in 0..3 {
            assert!(text(&bench.store.current(&name("Note/1")).await.unwrap().unwrap()).contains(&before));
            let page = found(&bench);
            assert!(text(&page.matches[0]).contains(&before));
            assert!(text(&page.includes[0]).contains(&format!("person {}", round - 1)));
        }
        let note = update("Note/1").refers(SUBJECT, "Person/1").says(&format!("note {round}"));
        bench.commit_all(vec![note, update("Person/1").says(&format!("person {round}"))]).await.unwrap();
    }
    bench.commit(delete("Note/1")).await.unwrap();
    assert_eq!(bench.store.current(&name("Note/1")).await.unwrap().unwrap().change, Change::Delete);
    assert!(found(&bench).matches.is_empty());
    bench.commit(create("Note/1").says("again")).await.unwrap();
    assert!(text(&bench.store.current(&name("Note/1")).await.unwrap().unwrap()).contains("again"));
    assert_eq!(found(&bench).matches[0].version, 21 + 1);
    assert!(found(&bench).includes.is_empty(), "it refers to nobody any more");
}

#[tokio::test]
async fn what_a_failed_change_would_have_made_is_never_read() {
    let bench = open();
    bench.commit(create("Note/1").says("kept")).await.unwrap();
    for _ in 0..5 {
        assert!(text(&bench.store.current(&name("Note/1")).await.unwrap().unwrap()).contains("kept"));
        let failed = bench.store.write(|tx| {
            tx.commit_version(&update("Note/1").says("undone"))?;
            Err::<(), _>(StoreError::WrongState)
        });
        assert!(failed.await.is_err());
        // A number that the failed change had is given to another.
        bench.commit_all(vec![create("Other/1"), delete("Other/1")]).await.unwrap();
        assert!(text(&found(&bench).matches[0]).contains("kept"));
        assert_eq!(bench.store.current(&name("Note/1")).await.unwrap().unwrap().version, 1);
    }
}

#[tokio::test]
async fn a_reader_sees_its_moment_whatever_is_in_memory() {
    let bench = open();
    bench.commit(create("Note/1").says("first")).await.unwrap();
    let store = bench.store.clone();
    let (then, now) = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let page = PageRequest {
            count: 10,
            cursor: None,
            total: TotalMode::None,
            include_limit: 10,
            deadline: Duration::from_secs(10),
        };
        store.clone().read_now(|reader| -> Result<_, StoreError> {
            let then = reader.search(&notes_and_subjects(), &page)?;
            // Changed and read by others meanwhile: the new version is in memory.
            runtime.block_on(store.write(|tx| tx.commit_version(&update("Note/1").says("second"))))?;
            let now = runtime.block_on(store.current(&name("Note/1")))?.unwrap();
            let still = reader.search(&notes_and_subjects(), &page)?;
            assert_eq!(still.matches[0].version, then.matches[0].version);
            assert!(text(&still.matches[0]).contains("first"));
            Ok((then.matches[0].version, now.version))
        })
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!((then, now), (1, 2));
    assert_eq!(found(&bench).matches[0].version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_reads_what_was_replaced_before_they_asked() {
    let bench = Arc::new(open());
    let notes = 8;
    for note in 0..notes {
        bench.commit(create(&format!("Note/{note}"))).await.unwrap();
    }
    // The last version of each note that was answered.
    let answered: Arc<Vec<AtomicU32>> = Arc::new((0..notes).map(|_| AtomicU32::new(1)).collect());
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|by| {
            let (bench, answered, done) = (Arc::clone(&bench), Arc::clone(&answered), Arc::clone(&done));
            tokio::spawn(async move {
                let mut looks = 0_u32;
                while !done.load(Ordering::SeqCst) {
                    let at_least: Vec<u32> = answered.iter().map(|last| last.load(Ordering::SeqCst)).collect();
                    let mut seen = Vec::new();
                    if by == 0 {
                        seen.extend(found(&bench).matches);
                    } else {
                        for note in 0..notes {
                            seen.extend(bench.store.current(&name(&format!("Note/{note}"))).await.unwrap());
                        }
                    }
                    for version in seen {
                        let note: usize = version.name.id.parse().unwrap();
                        assert!(version.version >= at_least[note], "Note/{note}: {version:?} after {at_least:?}");
                        looks += 1;
                    }
                    tokio::task::yield_now().await;
                }
                looks
            })
        })
        .collect();
    for round in 0..400_usize {
        let note = round * 5 % notes;
        let committed = bench.commit(update(&format!("Note/{note}"))).await.unwrap();
        answered[note].store(committed.version.version, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

/// What the first note and its subject say, by all ways to read through a program.
async fn told(store: &Store) -> [String; 3] {
    let page = PageRequest {
        count: 10,
        cursor: None,
        total: TotalMode::Accurate,
        include_limit: 10,
        deadline: Duration::from_secs(10),
    };
    let current = store.current(&name("Note/1")).await.unwrap().unwrap();
    let found = store.read_now(|reader| reader.search(&notes_and_subjects(), &page)).unwrap();
    [text(&current), text(&found.matches[0]), text(&found.includes[0])]
}

async fn write(store: &Store, new: NewVersion) {
    store.write(move |tx| tx.commit_version(&new)).await.unwrap();
}

#[tokio::test]
async fn what_another_program_replaced_is_not_given() {
    if !on_postgres() {
        // One program serves a file.
        return;
    }
    let bench = open();
    let other = Store::open(&bench.url, options(&bench.clock)).unwrap();
    let both = [&bench.store, &other];
    write(&other, create("Person/1").says("person 0")).await;
    write(&other, create("Note/1").refers(SUBJECT, "Person/1").says("note 0")).await;
    let is = |told: [String; 3], round: usize| {
        let [current, found, subject] = told;
        let (note, person) = (format!("note {round}"), format!("person {round}"));
        assert!(current.contains(&note) && found.contains(&note) && subject.contains(&person), "{round}: {found}");
    };
    for round in 1..20 {
        for store in both {
            // Read more than once, so that it is in memory.
            is(told(store).await, round - 1);
            is(told(store).await, round - 1);
        }
        write(both[round % 2], update("Note/1").refers(SUBJECT, "Person/1").says(&format!("note {round}"))).await;
        write(both[round % 2], update("Person/1").says(&format!("person {round}"))).await;
        is(told(both[(round + 1) % 2]).await, round);
    }
    // Further than a program that was not asked meanwhile is told about one by one.
    for round in 20..320 {
        write(&other, update("Note/1").refers(SUBJECT, "Person/1").says(&format!("note {round}"))).await;
    }
    let [current, found, subject] = told(&bench.store).await;
    assert!(current.contains("note 319") && found.contains("note 319") && subject.contains("person 19"));
    write(&other, delete("Note/1")).await;
    assert_eq!(bench.store.current(&name("Note/1")).await.unwrap().unwrap().change, Change::Delete);
}

/// What a store knows of what is watched, once it has read.
async fn unchanged(store: &Store, since: Watched) -> bool {
    store.read(|_| Ok::<_, StoreError>(())).await.unwrap();
    store.unchanged(since)
}

#[tokio::test]
async fn what_rests_on_a_watched_type_holds_until_one_of_it_comes_changes_or_goes() {
    let (url, _place) = somewhere();
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000_000));
    let own = Store::open(&url, StoreOptions { watched: vec!["Circle"], ..options(&clock) }).unwrap();
    // Another program changes it, where there may be one.
    let other = on_postgres().then(|| Store::open(&url, options(&clock)).unwrap());
    let writing = other.as_ref().unwrap_or(&own);
    unchanged(&own, own.watch().unwrap()).await;
    let circle = || "Circle/1";
    for (round, new) in [create(circle()), update(circle()), delete(circle())].into_iter().enumerate() {
        let before = own.watch().unwrap();
        write(writing, create(&format!("Note/{round}"))).await;
        assert!(unchanged(&own, before).await, "a note is no circle");
        write(writing, new).await;
        assert!(!unchanged(&own, before).await);
        assert!(unchanged(&own, own.watch().unwrap()).await, "from then on");
    }
}
