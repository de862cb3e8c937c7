//! Pages: how many there are, and what each says of the others.

use liaison_fhir::search::query::{Clause, Direction, Query, Sort, SortKey};
use liaison_store::contract::{PageRequest, StoreError, TotalMode};

use crate::bench::{create, open};
use crate::property::page;

fn notes(filter: Clause) -> Query {
    Query { types: vec!["Note"], filter, sort: Vec::new(), includes: Vec::new() }
}

#[tokio::test]
async fn there_is_a_next_page_exactly_when_more_match() {
    let bench = open();
    bench.commit_all((1..=4).map(|number| create(&format!("Note/{number}"))).collect()).await.unwrap();
    for total in [TotalMode::None, TotalMode::Bounded, TotalMode::Accurate] {
        for count in 1..=5 {
            let (mut sizes, mut cursor) = (Vec::new(), None);
            loop {
                let request = PageRequest { total, ..page(count, cursor) };
                let one = bench.read(|reader| reader.search(&notes(Clause::always()), &request));
                let said = (total != TotalMode::None).then_some(4);
                assert_eq!(one.total, said, "{total:?}, page {} of {count}", sizes.len() + 1);
                sizes.push(one.matches.len());
                cursor = one.next;
                if cursor.is_none() {
                    break;
                }
            }
            let expected: &[usize] = match count {
                1 => &[1, 1, 1, 1],
                2 => &[2, 2],
                3 => &[3, 1],
                _ => &[4],
            };
            assert_eq!(sizes, expected, "{total:?}, {count} on a page");
        }
    }
}

#[tokio::test]
async fn a_page_of_nothing_counts_and_leads_nowhere() {
    let bench = open();
    bench.commit_all(vec![create("Note/1"), create("Note/2")]).await.unwrap();
    for (total, said) in [(TotalMode::None, None), (TotalMode::Bounded, Some(2)), (TotalMode::Accurate, Some(2))] {
        let request = PageRequest { total, ..page(0, None) };
        let one = bench.read(|reader| reader.search(&notes(Clause::always()), &request));
        assert_eq!((one.matches.len(), one.total, one.next.is_some()), (0, said, false), "{total:?}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_order_is_none() {
    // Without a type that has a timeline, the order of changes is that of moments.
    let bench = open();
    bench.commit_all(vec![create("Team/1"), create("Team/2")]).await.unwrap();
    let by = Sort { by: SortKey::LastUpdated, direction: Direction::Descending };
    let query = Query { types: Vec::new(), sort: vec![by], ..notes(Clause::always()) };
    let first = bench.read(|reader| reader.search(&query, &page(1, None)));
    let again = PageRequest { ..page(1, first.next) };
    assert_eq!(bench.read(|reader| reader.search(&query, &again)).matches.len(), 1);
    bench.commit(create("Note/1")).await.unwrap();
    let refused = bench.read(|reader| Ok(reader.search(&query, &again)));
    assert!(matches!(refused, Err(StoreError::BadCursor)), "{refused:?}");
}
