//! What comes with the matches.

use liaison_fhir::search::index::Param;
use liaison_fhir::search::query::{Clause, Include, IncludeWay, Iterate, Query};
use liaison_store::contract::{Cut, INCLUDE_DEPTH, Page, PageRequest};

use crate::bench::{Bench, Say, create, delete, open};
use crate::property::page;

const SUBJECT: Param = Param { base: "Note", code: "subject" };
const REPLY: Param = Param { base: "Note", code: "relates-to" };
const TEAM: Param = Param { base: "Person", code: "team" };

fn step(way: IncludeWay, params: &[Param], types: &[&'static str], iterate: Iterate) -> Include {
    Include { way, params: params.to_vec(), types: types.to_vec(), iterate }
}

fn ask(bench: &Bench, ids: &[&str], includes: Vec<Include>, request: &PageRequest) -> Page {
    let filter = Clause::Id(ids.iter().map(|id| (*id).into()).collect());
    let query = Query { types: vec!["Note"], filter, sort: Vec::new(), includes };
    bench.read(|reader| reader.search(&query, request))
}

fn brought(page: &Page) -> Vec<String> {
    let mut names: Vec<_> =
        page.includes.iter().map(|version| format!("{}/{}", version.name.resource_type, version.name.id)).collect();
    names.sort();
    names
}

/// Notes 1 to 4 about person 1, each a reply to the one before; 1 also answers 4.
async fn thread() -> Bench {
    let bench = open();
    let mut all = vec![create("Team/1"), create("Person/1").refers(TEAM, "Team/1")];
    for number in 1..=4 {
        let before = if number == 1 { 4 } else { number - 1 };
        all.push(
            create(&format!("Note/{number}"))
                .refers(SUBJECT, "Person/1")
                .refers(REPLY, &format!("Note/{before}"))
                .refers(SUBJECT, "Person/1"),
        );
    }
    bench.commit_all(all).await.unwrap();
    bench
}

#[tokio::test]
async fn forward_each_once_and_never_a_match() {
    let bench = thread().await;
    let steps = vec![step(IncludeWay::Forward, &[SUBJECT, REPLY], &[], Iterate::Once)];
    let found = ask(&bench, &["2", "3"], steps, &page(10, None));
    assert_eq!(brought(&found), ["Note/1", "Person/1"], "Note/2 is a match");
    assert_eq!(found.includes_cut, Cut::Whole);
}

#[tokio::test]
async fn forward_only_to_the_types_asked_for() {
    let bench = thread().await;
    let steps = vec![
        step(IncludeWay::Forward, &[SUBJECT, REPLY], &["Team"], Iterate::Once),
        step(IncludeWay::Forward, &[SUBJECT, REPLY], &["Note"], Iterate::Once),
    ];
    assert_eq!(brought(&ask(&bench, &["3"], steps, &page(10, None))), ["Note/2"]);
}

#[tokio::test]
async fn again_from_what_was_brought_in_only_when_asked() {
    let bench = thread().await;
    let subject = step(IncludeWay::Forward, &[SUBJECT], &[], Iterate::Once);
    let once = vec![subject.clone(), step(IncludeWay::Forward, &[TEAM], &[], Iterate::Once)];
    assert_eq!(brought(&ask(&bench, &["1"], once, &page(10, None))), ["Person/1"]);
    let again = vec![subject, step(IncludeWay::Forward, &[TEAM], &[], Iterate::Repeatedly)];
    assert_eq!(brought(&ask(&bench, &["1"], again, &page(10, None))), ["Person/1", "Team/1"]);
}

#[tokio::test]
async fn circles_end() {
    let bench = thread().await;
    for way in [IncludeWay::Forward, IncludeWay::Reverse] {
        let steps = vec![step(way, &[REPLY], &[], Iterate::Repeatedly)];
        assert_eq!(brought(&ask(&bench, &["1"], steps, &page(10, None))), ["Note/2", "Note/3", "Note/4"]);
    }
}

#[tokio::test]
async fn backward() {
    let bench = thread().await;
    let steps = vec![step(IncludeWay::Reverse, &[REPLY], &["Note"], Iterate::Once)];
    assert_eq!(brought(&ask(&bench, &["2"], steps.clone(), &page(10, None))), ["Note/3"]);
    assert_eq!(brought(&ask(&bench, &["2", "3"], steps, &page(10, None))), ["Note/4"]);
}

#[tokio::test]
async fn no_more_than_the_limit_and_saying_so() {
    let bench = thread().await;
    let steps = vec![step(IncludeWay::Forward, &[REPLY], &[], Iterate::Repeatedly)];
    let limited = |limit| PageRequest { include_limit: limit, ..page(10, None) };
    let cut = ask(&bench, &["1"], steps.clone(), &limited(2));
    assert_eq!((cut.includes.len(), cut.includes_cut), (2, Cut::Cut));
    let whole = ask(&bench, &["1"], steps.clone(), &limited(3));
    assert_eq!((whole.includes.len(), whole.includes_cut), (3, Cut::Whole));
    let none = ask(&bench, &["1"], steps, &limited(0));
    assert_eq!((none.includes.len(), none.includes_cut), (0, Cut::Cut));
    let back = vec![
        step(IncludeWay::Reverse, &[SUBJECT], &[], Iterate::Repeatedly),
        step(IncludeWay::Forward, &[SUBJECT], &[], Iterate::Repeatedly),
    ];
    let cut = ask(&bench, &["1"], back, &limited(2));
    assert_eq!((cut.includes.len(), cut.includes_cut), (2, Cut::Cut), "person and one of its three other notes");
}

#[tokio::test]
async fn what_is_not_there_for_who_asks_is_neither_given_nor_counted_nor_led_through() {
    let bench = thread().await;
    let among = |ids: &[&str], steps: Vec<Include>, limit: u32, there: &dyn Fn(&str) -> bool| {
        let filter = Clause::Id(ids.iter().map(|id| (*id).into()).collect());
        let query = Query { types: vec!["Note"], filter, sort: Vec::new(), includes: steps };
        let request = PageRequest { include_limit: limit, ..page(10, None) };
        bench.read(|reader| reader.search_among(&query, &request, &|version| there(&version.name.id)))
    };
    // 1 answers 4, which answers 3, which answers 2.
    let thread = || vec![step(IncludeWay::Forward, &[REPLY], &[], Iterate::Repeatedly)];
    assert_eq!(brought(&among(&["1"], thread(), 10, &|id| id != "3")), ["Note/4"]);
    assert_eq!(brought(&among(&["1"], thread(), 10, &|id| id != "4")), Vec::<String>::new());
    let cut = among(&["1"], thread(), 1, &|id| id != "3");
    assert_eq!((cut.includes.len(), cut.includes_cut), (1, Cut::Whole), "what is hidden is not what was cut");
    // Of four notes about the person only the oldest is there.
    let back = vec![
        step(IncludeWay::Forward, &[SUBJECT], &[], Iterate::Repeatedly),
        step(IncludeWay::Reverse, &[SUBJECT], &["Note"], Iterate::Repeatedly),
    ];
    let found = among(&["4"], back, 2, &|id| id == "1");
    assert_eq!((brought(&found), found.includes_cut), (vec!["Note/1".to_owned(), "Person/1".to_owned()], Cut::Whole));
}

#[tokio::test]
async fn a_long_thread_ends_where_it_is_said_to() {
    let bench = open();
    let far = u64::from(INCLUDE_DEPTH) + 1;
    let replies =
        (1..=far).map(|number| create(&format!("Note/{number}")).refers(REPLY, &format!("Note/{}", number - 1)));
    bench.commit_all(std::iter::once(create("Note/0")).chain(replies).collect()).await.unwrap();
    let steps = vec![step(IncludeWay::Forward, &[REPLY], &[], Iterate::Repeatedly)];
    for (from, ends) in [(far - 1, Cut::Whole), (far, Cut::Deep)] {
        let thread = ask(&bench, &[&from.to_string()], steps.clone(), &page(10, None));
        assert_eq!((thread.includes.len(), thread.includes_cut), (INCLUDE_DEPTH as usize, ends), "from Note/{from}");
    }
}

#[tokio::test]
async fn what_was_deleted_stays_away() {
    let bench = open();
    let mut loose = create("Note/1").refers(SUBJECT, "Person/1").refers(SUBJECT, "Person/2");
    loose.links.clear();
    bench.commit_all(vec![create("Person/1"), loose]).await.unwrap();
    bench.commit(delete("Person/1")).await.unwrap();
    let steps = vec![step(IncludeWay::Forward, &[SUBJECT], &[], Iterate::Once)];
    assert!(ask(&bench, &["1"], steps, &page(10, None)).includes.is_empty());
}
