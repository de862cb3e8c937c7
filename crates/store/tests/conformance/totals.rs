//! The total of a search, whether it is counted on the way or by itself.

use std::time::Duration;

use liaison_fhir::search::index::{IndexValue, Param};
use liaison_fhir::search::query::{Clause, Query, SystemTest, Test, TokenTest};
use liaison_store::contract::{PageRequest, TotalMode};

use crate::bench::{Say, create, open};

const GROUP: Param = Param { base: "Note", code: "group" };

#[tokio::test]
async fn a_total_is_that_of_all_matches_however_many_follow_the_page() {
    let bench = open();
    let sizes = [0_u64, 1, 19, 20, 21, 127, 128, 129, 300];
    for size in sizes {
        let notes = (0..size).map(|number| {
            let group = IndexValue::Token { system: Some("urn:groups".into()), code: size.to_string().into() };
            create(&format!("Note/{size}-{number}")).row(GROUP, group)
        });
        bench.commit_all(notes.collect()).await.unwrap();
    }
    for size in sizes {
        let of_group = TokenTest { system: SystemTest::Is("urn:groups".into()), code: Some(size.to_string().into()) };
        let query = Query {
            types: vec!["Note"],
            filter: Clause::Has(GROUP, Test::Token(of_group)),
            sort: Vec::new(),
            includes: Vec::new(),
        };
        for total in [TotalMode::None, TotalMode::Bounded, TotalMode::Accurate] {
            for count in [0, 1, 20, 200] {
                let page =
                    PageRequest { count, cursor: None, total, include_limit: 0, deadline: Duration::from_secs(9) };
                let page = bench.read(|reader| reader.search(&query, &page));
                let given = size.min(u64::from(count));
                assert_eq!(page.matches.len() as u64, given, "{size} {total:?} {count}");
                let counted = (total != TotalMode::None).then_some(size);
                assert_eq!(page.total, counted, "{size} {total:?} {count}");
                assert_eq!(page.next.is_some(), count > 0 && size > given, "{size} {total:?} {count}");
            }
        }
    }
}
