//! What a search supposes to be as it was the last time, and is not: it finds what it would have found anyway.

use std::sync::Arc;

use liaison_fhir::search::index::{IndexValue, Param};
use liaison_fhir::search::query::{Clause, Include, IncludeWay, Iterate, Query, SystemTest, Test, TokenTest};
use liaison_store::contract::{NewVersion, Version};
use liaison_store::store::Store;

use crate::bench::{Say, create, delete, on_postgres, open, options};
use crate::property::page;

const SUBJECT: Param = Param { base: "Note", code: "subject" };
const IDENTIFIER: Param = Param { base: "Person", code: "identifier" };

fn person(id: &str) -> NewVersion {
    create(&format!("Person/{id}"))
        .row(IDENTIFIER, IndexValue::Token { system: Some("urn:insee".into()), code: "1".into() })
}

fn note(id: &str, about: &str) -> NewVersion {
    create(&format!("Note/{id}")).refers(SUBJECT, &format!("Person/{about}"))
}

/// The notes about whoever has the identifier, with these persons.
fn found(store: &Store) -> (Vec<String>, Vec<String>) {
    let is = TokenTest { system: SystemTest::Is("urn:insee".into()), code: Some("1".into()) };
    let target = Box::new(Clause::Has(IDENTIFIER, Test::Token(is)));
    let include =
        Include { way: IncludeWay::Forward, params: vec![SUBJECT], types: Vec::new(), iterate: Iterate::Once };
    let query = Query {
        types: vec!["Note"],
        filter: Clause::Refers { param: SUBJECT, types: vec!["Person"], target },
        sort: Vec::new(),
        includes: vec![include],
    };
    let found = store.read_now(|reader| reader.search(&query, &page(10, None))).unwrap();
    assert_eq!(found.total, Some(found.matches.len() as u64));
    let ids = |of: &[Arc<Version>]| {
        let mut ids: Vec<String> = of.iter().map(|version| version.name.id.to_string()).collect();
        ids.sort();
        ids
    };
    (ids(&found.matches), ids(&found.includes))
}

#[tokio::test]
async fn whoever_has_an_identifier_now_is_found_whoever_had_it_before() {
    let bench = open();
    let other = on_postgres().then(|| Store::open(&bench.url, options(&bench.clock)).unwrap());
    let is = |notes: &[&str], persons: &[&str]| {
        for store in [Some(&bench.store), other.as_ref()].into_iter().flatten() {
            for _ in 0..2 {
                let (matches, includes) = found(store);
                assert!(matches == notes && includes == persons, "{matches:?} {includes:?}");
            }
        }
    };
    // Of types that there was no resource of so far.
    is(&[], &[]);
    bench.commit_all(vec![person("a"), note("1", "a")]).await.unwrap();
    is(&["1"], &["a"]);
    bench.commit_all(vec![person("b"), note("2", "b")]).await.unwrap();
    is(&["1", "2"], &["a", "b"]);
    bench.commit_all(vec![note("3", "b"), delete("Note/1")]).await.unwrap();
    is(&["2", "3"], &["b"]);
    bench.commit_all(vec![delete("Note/2"), delete("Note/3"), delete("Person/b"), note("4", "a")]).await.unwrap();
    is(&["4"], &["a"]);
}
