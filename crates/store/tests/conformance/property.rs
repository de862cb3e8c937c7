//! The store and the judge agree, page by page, whatever is written meanwhile.

use std::sync::atomic::Ordering;
use std::time::Duration;

use liaison_fhir::search::query::Query;
use liaison_store::contract::{Cursor, Name, NewVersion, Page, PageRequest, TotalMode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use crate::bench::{Bench, Say, create, delete, open, update};
use crate::judge::Judge;
use crate::random::{self, Deed};

const START: i64 = 1_700_000_000_000_000;

/// A page request with nothing special.
pub fn page(count: u32, cursor: Option<Cursor>) -> PageRequest {
    PageRequest { count, cursor, total: TotalMode::Bounded, include_limit: 100, deadline: Duration::from_secs(10) }
}

fn version(deed: &Deed, judge: &Judge) -> Option<NewVersion> {
    let (of, id) = match deed {
        Deed::Put(of, id, _) | Deed::Delete(of, id) => (of, id),
    };
    let name = format!("{of}/{id}");
    let live = judge.resources.iter().any(|known| known.live && known.name == crate::bench::name(&name));
    match deed {
        Deed::Put(.., rows) => {
            let new = if live { update(&name) } else { create(&name) };
            Some(rows.iter().fold(new, |new, (param, value)| new.row(*param, value.clone())))
        }
        Deed::Delete(..) => live.then(|| delete(&name)),
    }
}

/// Does deeds on both.
fn live_through(bench: &Bench, judge: &mut Judge, deeds: &[Deed]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for deed in deeds {
        let Some(new) = version(deed, judge) else { continue };
        bench.clock.fetch_add(1, Ordering::SeqCst);
        // Names come to be in the store in the order in which the judge hears of them.
        for row in &new.index {
            if let liaison_fhir::search::index::IndexValue::Reference(liaison_fhir::search::index::Target::Local {
                resource_type,
                id,
            }) = &row.value
            {
                judge
                    .mention(&Name { resource_type: resource_type.as_str().into(), id: id.as_str().into() }, &new.name);
            }
        }
        let committed = runtime.block_on(bench.commit(new.clone())).unwrap();
        judge.note(&new, committed.version.updated.0);
    }
}

fn names(page: &Page) -> Vec<Name> {
    page.matches.iter().map(|version| version.name.clone()).collect()
}

fn ask(bench: &Bench, query: &Query, request: &PageRequest) -> Page {
    bench.read(|reader| reader.search(query, request))
}

fn agree(bench: &Bench, judge: &Judge, query: &Query) -> Result<(), TestCaseError> {
    let wanted: Vec<Name> = judge.answer(query).into_iter().map(|resource| resource.name.clone()).collect();
    let whole = ask(bench, query, &page(1000, None));
    prop_assert_eq!(&names(&whole), &wanted, "{:?}", query);
    prop_assert_eq!(whole.total, Some(wanted.len() as u64));
    prop_assert!(whole.next.is_none());
    let counted = ask(bench, query, &page(0, None));
    prop_assert_eq!(counted.total, Some(wanted.len() as u64), "counted alone: {:?}", query);
    let (mut paged, mut cursor) = (Vec::new(), None);
    loop {
        let one = ask(bench, query, &page(3, cursor));
        prop_assert_eq!(one.total, Some(wanted.len() as u64));
        paged.extend(names(&one));
        cursor = one.next;
        if cursor.is_none() {
            break;
        }
    }
    prop_assert_eq!(paged, wanted, "in pages: {:?}", query);
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 200, ..Config::default() })]

    #[test]
    fn every_answer_is_the_judges(
        deeds in vec(random::deed(), 10..60),
        queries in vec(random::query(START), 40),
    ) {
        let (bench, mut judge) = (open(), Judge::default());
        live_through(&bench, &mut judge, &deeds);
        for query in &queries {
            agree(&bench, &judge, query)?;
        }
    }

    #[test]
    fn what_changes_while_it_is_paged_through_keeps_its_place(
        before in random::puts(20..60),
        meanwhile in vec(random::puts(1..8), 8),
        queries in vec(random::order(), 8),
    ) {
        let (bench, mut judge) = (open(), Judge::default());
        live_through(&bench, &mut judge, &before);
        let mut pages: Vec<_> = queries
            .iter()
            .map(|query| {
                let listed: Vec<Name> = judge.answer(query).into_iter().map(|found| found.name.clone()).collect();
                let first = ask(&bench, query, &page(2, None));
                (query, listed, names(&first), first.next)
            })
            .collect();
        for deeds in &meanwhile {
            live_through(&bench, &mut judge, deeds);
            for (query, _, given, next) in &mut pages {
                if let Some(cursor) = next.take() {
                    let one = ask(&bench, query, &page(3, Some(cursor)));
                    given.extend(names(&one));
                    *next = one.next;
                }
            }
        }
        for (query, listed, mut given, mut next) in pages {
            while let Some(cursor) = next {
                let one = ask(&bench, query, &page(3, Some(cursor)));
                given.extend(names(&one));
                next = one.next;
            }
            prop_assert_eq!(given, listed, "{:?}", query);
        }
    }

    #[test]
    fn pages_stay_whole_while_others_write(
        before in vec(random::deed(), 10..50),
        meanwhile in vec(vec(random::deed(), 0..6), 8),
        query in random::query(START),
    ) {
        let (bench, mut judge) = (open(), Judge::default());
        live_through(&bench, &mut judge, &before);
        let listed: Vec<Name> = judge.answer(&query).into_iter().map(|found| found.name.clone()).collect();
        let (mut given, mut cursor, mut rounds) = (Vec::new(), None, meanwhile.iter());
        // What matched at every moment since.
        let mut steady = listed.clone();
        loop {
            let one = ask(&bench, &query, &page(2, cursor));
            given.extend(names(&one));
            cursor = one.next;
            if cursor.is_none() {
                break;
            }
            if let Some(deeds) = rounds.next() {
                for deed in deeds {
                    live_through(&bench, &mut judge, std::slice::from_ref(deed));
                    let now = judge.answer(&query);
                    steady.retain(|name| now.iter().any(|found| found.name == *name));
                }
            }
        }
        let mut once = given.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), given.len(), "none twice: {:?}", given);
        prop_assert!(steady.iter().all(|name| given.contains(name)), "no hole: {:?} of {:?}, {:?}", given, steady, query);
        let order: Vec<_> = given.iter().filter(|name| steady.contains(name)).collect();
        let wanted: Vec<_> = listed.iter().filter(|name| steady.contains(name)).collect();
        prop_assert_eq!(order, wanted, "in the order of the first page");
    }
}
