//! A page is of the store, not of the node that gave it.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use liaison_tests::{Nodes, sample};

use super::{versions, whole_history};

async fn write(nodes: &Nodes, circle: &sample::Circle, number: usize) -> String {
    let note = sample::note(&circle.patient, &circle.practitioner, "x");
    let day = number % 28 + 1;
    let note = sample::with(note, "/date", format!("2026-03-{day:02}T08:00:00Z"));
    sample::create(&nodes.r4(number), &note).await
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_at_any_node_while_others_write() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let mut before = BTreeSet::new();
    for number in 0..60 {
        before.insert(write(&nodes, &circle, number).await);
    }
    for sort in ["-date", "date", "_lastUpdated", "-_lastUpdated"] {
        let first = nodes.r4(0).get(&format!("DocumentReference?_sort={sort}&_count=7&_total=accurate")).await.is(200);
        let expected = first.json()["total"].as_u64().expect("a total") as usize;
        let stop = AtomicBool::new(false);
        let others = async {
            let mut number = 1000;
            while !stop.load(Ordering::Relaxed) {
                write(&nodes, &circle, number).await;
                number += 1;
            }
            number - 1000
        };
        let pages = async {
            let (mut page, mut seen) = (first, Vec::new());
            for turn in 1.. {
                let name = |note: &serde_json::Value| format!("DocumentReference/{}", note["id"].as_str().unwrap());
                seen.extend(page.matches().iter().map(name));
                let Some(next) = page.link("next") else { break };
                page = nodes.r4(turn).get(&nodes.at(turn, &next)).await.is(200);
            }
            stop.store(true, Ordering::Relaxed);
            seen
        };
        let (written, seen) = tokio::join!(others, pages);
        assert!(written > 0, "others did write");
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{sort}: no note twice");
        assert!(before.is_subset(&once), "{sort}: none of those that were there is missing");
        assert_eq!(seen.len(), expected, "{sort}: those of the first moment, and no others");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_paged_through_at_any_node_while_others_write() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let mut before = Vec::new();
    for number in 0..40 {
        before.push(write(&nodes, &circle, number).await);
    }
    let stop = AtomicBool::new(false);
    let others = async {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            write(&nodes, &circle, number).await;
            number += 1;
        }
        number
    };
    let pages = async {
        let history = whole_history(&nodes, "DocumentReference/_history?_count=7").await;
        stop.store(true, Ordering::Relaxed);
        history
    };
    let (written, history) = tokio::join!(others, pages);
    assert!(written > 0, "others did write");
    let versions = versions(&history);
    assert_eq!(versions.len(), history.len(), "each was written once, and is told once");
    for name in &before {
        assert!(versions.contains_key(name), "{name} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_link_is_refused_at_every_node() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    for number in 0..5 {
        write(&nodes, &circle, number).await;
    }
    let next = nodes.r4(0).get("DocumentReference?_sort=-date&_count=2").await.link("next").expect("a second page");
    for number in 0..nodes.many() {
        let link = nodes.at(number, &next);
        nodes.r4(number).get(&link).await.is(200);
        let last = if link.ends_with('A') { "B" } else { "A" };
        assert_eq!(nodes.r4(number).get(&format!("{}{last}", &link[..link.len() - 1])).await.status, 400);
    }
}
