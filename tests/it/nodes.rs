//! Three servers on one database are one server: what one acknowledged, all know at once.

mod pages;
mod races;
mod truth;

use std::collections::BTreeMap;

use liaison_tests::{Fhir, Nodes, Store};
use serde_json::Value;

/// Every entry of a history, each page from another node.
async fn whole_history(nodes: &Nodes, address: &str) -> Vec<Value> {
    let mut page = nodes.r4(0).get(address).await.is(200);
    let mut entries = Vec::new();
    for turn in 1.. {
        entries.extend(page.json()["entry"].as_array().cloned().unwrap_or_default());
        let Some(next) = page.link("next") else { break };
        page = nodes.r4(turn).get(&nodes.at(turn, &next)).await.is(200);
    }
    entries
}

/// The numbers of the versions of each resource in a history, newest first.
fn versions(history: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in history {
        let url = entry["fullUrl"].as_str().expect("whose version it is");
        let name: Vec<&str> = url.rsplit('/').take(2).collect();
        let etag = entry["response"]["etag"].as_str().expect("which version it is");
        let number = etag.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        versions.entry(format!("{}/{}", name[1], name[0])).or_default().push(number);
    }
    versions
}

/// Every change is in the feed of its shard, and the numbers of each have no gap.
fn feed_has_no_gap(store: &Store) {
    let gaps = "SELECT shard, count(*), min(sequence), max(sequence) FROM change GROUP BY shard \
                HAVING count(*) <> max(sequence) OR min(sequence) <> 1";
    assert_eq!(store.database().sql(gaps), "", "shards whose feed has a gap");
    let behind = "SELECT s.shard FROM shard s LEFT JOIN change c USING (shard) GROUP BY s.shard, s.sequence \
                  HAVING s.sequence <> coalesce(max(c.sequence), 0)";
    assert_eq!(store.database().sql(behind), "", "shards that count otherwise than their feed");
    let versions = "SELECT (SELECT count(*) FROM resource) + (SELECT count(*) FROM past)";
    assert_eq!(store.database().sql("SELECT count(*) FROM change"), store.database().sql(versions));
}

async fn total(r4: &Fhir, query: &str) -> u64 {
    let answer = r4.get(query).await.is(200).json();
    answer["total"].as_u64().unwrap_or_else(|| panic!("{query}: no total in {answer}"))
}
