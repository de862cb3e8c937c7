//! Query strings.

use std::{sync::Arc, time::Duration};

use liaison_app::query_string;
use liaison_care::cahier2017;
use liaison_fhir::{
    release::{r4, stu3},
    search::{
        parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
        query::Query,
    },
};
use liaison_store::contract::{Cursor, PageRequest, StoreError, TotalMode, Version};

use crate::{
    bounds::bounded,
    judge::told,
    world::{World, with_world},
};

/// Bytes as a type and a query string, on both bases, in the names of 2017 too, strict and lenient:
/// it is read or refused; what was used is read again the same; and what the store finds on it, by
/// pages too, is what a judge in memory finds.
pub fn search(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (types, query) = text.split_once('\n').unwrap_or(("", text));
    let Ok(pairs) = query_string::read(query.as_bytes()) else { return };
    let (of_2017, _) = cahier2017::read_query(pairs.clone());
    let zone = jiff::tz::TimeZone::UTC;
    let bases = ["http://localhost/fhir/r4".to_owned()];
    let context =
        SearchContext { zone: &zone, now: 1_770_000_000_000_000, bases: &bases, limits: SearchLimits::default() };
    let types: Vec<&str> = types.split(',').filter(|name| !name.is_empty()).collect();
    let mut asked = Vec::<Query>::new();
    for (release, pairs) in [(r4(), &pairs), (stu3(), &of_2017)] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let request = SearchRequest { release, types: &types, pairs, handling, context: &context };
            // A chain over all types is spelled out, up to a limit of its own.
            match bounded(bytes.len() + 10_000, 4_000, || parse(&request)) {
                Ok(parsed) => {
                    let again = parse(&SearchRequest { pairs: &parsed.used, ..request });
                    let again = again.unwrap_or_else(|issues| panic!("the self link is refused: {issues:?}"));
                    assert_eq!(again.query, parsed.query, "the self link is another search");
                    if !asked.contains(&parsed.query) {
                        asked.push(parsed.query);
                    }
                }
                Err(issues) => told(&issues),
            }
        }
    }
    with_world(|world| asked.iter().for_each(|query| answered(world, query)));
}

const ALL: PageRequest = PageRequest {
    count: 1_000,
    cursor: None,
    total: TotalMode::Accurate,
    include_limit: 1_000,
    deadline: Duration::from_secs(30),
};

fn answered(world: &World, query: &Query) {
    let whole = world.page(query, ALL).unwrap_or_else(|error| panic!("{error:?}: {query:#?}"));
    let (matches, includes) = world.judged(query);
    assert_eq!(names(&whole.matches), matches, "matches of {query:#?}");
    let mut brought = names(&whole.includes);
    brought.sort();
    assert_eq!(brought, includes, "includes of {query:#?}");
    assert_eq!(whole.total, Some(matches.len() as u64), "total of {query:#?}");
    let mut paged = Vec::new();
    let mut cursor = None;
    loop {
        let page = world.page(query, PageRequest { count: 7, cursor, total: TotalMode::None, ..ALL });
        let page = page.unwrap_or_else(|error| panic!("{error:?}: {query:#?}"));
        paged.extend(names(&page.matches));
        match page.next {
            Some(next) => {
                forged(world, query, &next);
                cursor = Some(next);
            }
            None => break,
        }
    }
    assert_eq!(paged, matches, "pages of {query:#?}");
}

/// A cursor that was tampered with is none.
fn forged(world: &World, query: &Query, cursor: &Cursor) {
    let mut text = cursor.0.clone().into_bytes();
    let at = text.len() / 2;
    text[at] = if text[at] == b'A' { b'B' } else { b'A' };
    let text = String::from_utf8(text).expect("a cursor is text");
    let page = world.page(query, PageRequest { cursor: Some(Cursor(text)), ..ALL });
    assert!(matches!(page, Err(StoreError::BadCursor)), "a forged cursor");
}

fn names(versions: &[Arc<Version>]) -> Vec<String> {
    versions.iter().map(|v| format!("{}/{}", v.name.resource_type, v.name.id)).collect()
}
