//! The audit trail: what is written with it stays with it, and what is missing or altered in it shows.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use liaison_store::audit::{Block, Flaw, Looked, Looking, Verified};
use liaison_store::contract::{Instant, StoreError};
use liaison_store::store::Store;

use crate::bench::{Bench, create, name, open, options};
use crate::upgrade::sql;

async fn record(bench: &Bench, line: &'static str) {
    bench.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let recorded = bench.store.write(move |tx| {
        tx.record(Bytes::from_static(line.as_bytes()), vec![(*line).to_owned()]);
        Ok::<_, StoreError>(())
    });
    recorded.await.unwrap();
}

/// A line is about what it says, when it says a number.
fn about(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    text.lines().filter(|line| ["one", "two", "three", "four", "five"].contains(line)).map(str::to_owned).collect()
}

fn looked(bench: &Bench) -> Looked {
    bench.store.read_now(|reader| reader.verify_audit(&[], about)).unwrap()
}

fn whole(bench: &Bench) -> Verified {
    match looked(bench) {
        Looked::Whole(verified) => verified,
        Looked::Broken(flaw) => panic!("{flaw}"),
    }
}

fn lines(bench: &Bench) -> Vec<String> {
    let mut all = Vec::new();
    let read = bench.store.read_now(|reader| {
        reader.audit_blocks(|body| {
            all.extend(String::from_utf8_lossy(body).lines().map(str::to_owned));
            Ok(())
        })
    });
    read.map_err(|error: StoreError| error).unwrap();
    all
}

#[tokio::test]
async fn what_a_job_records_is_kept_with_what_it_wrote_or_goes_with_it() {
    let bench = open();
    assert_eq!(whole(&bench), Verified::default());
    let kept = bench.store.write(|tx| {
        let new = create("Note/1");
        tx.commit_version(&new)?;
        let made = format!("made {} {}", tx.made()[0].name.id, tx.made()[0].version);
        tx.record(made.into(), Vec::new());
        Ok::<_, StoreError>(())
    });
    let gone = bench.store.write(|tx| {
        tx.commit_version(&create("Note/2"))?;
        tx.record(Bytes::from_static(b"never"), Vec::new());
        Err::<(), _>(StoreError::WrongState)
    });
    let (kept, gone) = tokio::join!(kept, gone);
    kept.unwrap();
    assert!(matches!(gone, Err(StoreError::WrongState)));
    assert_eq!(lines(&bench), ["made 1 1"]);
    assert!(bench.store.read_now(|reader| reader.current(&name("Note/2"))).unwrap().is_none());
    let verified = whole(&bench);
    assert_eq!((verified.chains, verified.blocks, verified.lines), (1, 1, 1));
}

#[tokio::test]
async fn a_chain_names_the_ends_of_those_before_it() {
    let mut bench = open();
    record(&bench, "one").await;
    record(&bench, "two").await;
    let first = whole(&bench).ends;
    for _ in 0..2 {
        bench.store.close().await;
        bench.store = Store::open(&bench.url, options(&bench.clock)).unwrap();
        record(&bench, "three").await;
    }
    let verified = whole(&bench);
    assert_eq!((verified.chains, verified.lines, verified.ends.len()), (3, 4, 1), "the others are named");
    assert_eq!(lines(&bench), ["one", "two", "three", "three"]);
    let noted = bench.store.read_now(|reader| reader.verify_audit(&first, about)).unwrap();
    assert_eq!(noted, Looked::Whole(verified), "what was noted down before is still there");
}

/// What the trail of five lines, a chain begun anew before the fourth, is found to be once somebody changed it
/// behind the back of the program.
async fn after(statement: &str) -> Looked {
    let mut bench = open();
    for line in ["one", "two", "three"] {
        record(&bench, line).await;
    }
    bench.store.close().await;
    bench.store = Store::open(&bench.url, options(&bench.clock)).unwrap();
    for line in ["four", "five"] {
        record(&bench, line).await;
    }
    let noted = whole(&bench).ends;
    bench.store.close().await;
    sql(&bench, statement);
    bench.store = Store::open(&bench.url, options(&bench.clock)).unwrap();
    bench.store.read_now(|reader| reader.verify_audit(&noted, about)).unwrap()
}

/// The first chain, or the last.
const FIRST: &str = "chain = (SELECT chain FROM audit ORDER BY chain LIMIT 1)";
const LAST: &str = "chain = (SELECT chain FROM audit ORDER BY chain DESC LIMIT 1)";

#[tokio::test]
async fn what_is_altered_or_missing_is_named() {
    assert!(matches!(after("SELECT 1").await, Looked::Whole(_)));
    let body = |number: u32, text: &str| {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes = if crate::bench::on_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") };
        format!("UPDATE audit SET body = {bytes} WHERE {FIRST} AND number = {number}")
    };
    for (statement, number) in [
        (body(2, "TWO\n"), 2),
        (body(0, "end nothing\n"), 0),
        (format!("UPDATE audit SET at = at + 1 WHERE {FIRST} AND number = 1"), 1),
    ] {
        let found = after(&statement).await;
        assert!(
            matches!(&found, Looked::Broken(Flaw::Altered { number: n, .. }) if *n == number),
            "{statement}: {found:?}"
        );
    }
    for (statement, number) in [
        // In the middle, at the beginning, at the end of a chain that another names, and a chain as a whole.
        (format!("DELETE FROM audit WHERE {FIRST} AND number = 2"), 2),
        (format!("DELETE FROM audit WHERE {FIRST} AND number = 0"), 0),
        (format!("DELETE FROM audit WHERE {FIRST} AND number = 3"), 3),
        (format!("DELETE FROM audit WHERE {FIRST}"), 3),
    ] {
        let found = after(&statement).await;
        assert!(
            matches!(&found, Looked::Broken(Flaw::Missing { number: n, .. }) if *n == number),
            "{statement}: {found:?}"
        );
    }
    for statement in [
        // What nothing else names: found by what was noted down elsewhere.
        format!("DELETE FROM audit WHERE {LAST} AND number = 2"),
        format!("DELETE FROM audit WHERE {LAST}"),
    ] {
        let found = after(&statement).await;
        assert!(matches!(found, Looked::Broken(Flaw::Unmet(_))), "{statement}: {found:?}");
    }
    // Two blocks that changed places.
    let swap = format!(
        "UPDATE audit SET number = 9 WHERE {FIRST} AND number = 1; UPDATE audit SET number = 1 WHERE {FIRST} AND number = 2;
         UPDATE audit SET number = 2 WHERE {FIRST} AND number = 9"
    );
    assert!(matches!(after(&swap).await, Looked::Broken(Flaw::Altered { number: 1, .. })));
}

#[tokio::test]
async fn blocks_are_found_by_time_and_by_what_they_are_about_the_latest_first() {
    let bench = open();
    for line in ["one", "two", "one", "three"] {
        record(&bench, line).await;
    }
    let find = |about: Option<&[&str]>, before, most| {
        let about = about.map(|about| about.iter().map(|one| (*one).to_owned()).collect());
        let looking = Looking { about, from: Instant(0), until: Instant(i64::MAX), before, most };
        bench.store.read_now(|reader| reader.audit_latest(&looking)).unwrap()
    };
    let texts = |blocks: &[Block]| -> Vec<String> {
        blocks.iter().map(|block| String::from_utf8_lossy(&block.body).trim_end().to_owned()).collect()
    };
    assert_eq!(texts(&find(None, None, 9)), ["three", "one", "two", "one"]);
    assert_eq!(texts(&find(Some(&["one", "three"]), None, 9)), ["three", "one", "one"]);
    assert_eq!(texts(&find(Some(&["four"]), None, 9)), Vec::<String>::new());
    // Page by page, and by the text of a place.
    let (mut before, mut seen) = (None, Vec::new());
    while let Some(block) = find(None, before, 1).pop() {
        before = Some(block.spot.to_string().parse().unwrap());
        seen.push(block);
    }
    assert_eq!(texts(&seen), ["three", "one", "two", "one"]);
    let at = seen[1].spot.at;
    let looking = Looking { about: None, from: at, until: at, before: None, most: 9 };
    assert!(bench.store.read_now(|reader| reader.audit_latest(&looking)).unwrap().contains(&seen[1]));
}

#[tokio::test]
async fn what_is_no_more_found_shows() {
    let found = after("DELETE FROM audit_about WHERE about = 'two'").await;
    assert!(matches!(&found, Looked::Broken(Flaw::Unlisted { number: 2, .. })), "{found:?}");
}
