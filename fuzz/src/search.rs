//! Query strings.

use liaison_care::cahier2017;
use liaison_fhir::{
    release::{r4, stu3},
    search::parse::{Handling, SearchContext, SearchLimits, SearchRequest, parse},
};

/// Bytes as a query string, on both bases, strict and lenient: it is read or refused, and what was
/// used is read again the same.
pub fn search(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(2, '\n');
    let (kind, query) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let pairs: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (of_2017, _) = cahier2017::read_query(pairs.clone());
    let zone = jiff::tz::TimeZone::UTC;
    let bases = ["http://localhost/fhir/r4".to_owned()];
    let context =
        SearchContext { zone: &zone, now: 1_770_000_000_000_000, bases: &bases, limits: SearchLimits::default() };
    let types: &[&str] = if kind.is_empty() { &[] } else { &[kind] };
    for (release, pairs) in [(r4(), &pairs), (stu3(), &of_2017)] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let request = SearchRequest { release, types, pairs, handling, context: &context };
            match parse(&request) {
                Ok(parsed) => {
                    let again = parse(&SearchRequest { pairs: &parsed.used, ..request });
                    let again = again.unwrap_or_else(|issues| panic!("the self link is refused: {issues:?}"));
                    assert_eq!(again.query, parsed.query, "the self link is another search");
                }
                Err(issues) => super::told(&issues),
            }
        }
    }
}
