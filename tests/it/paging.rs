//! Pages: opaque links that stay consistent while notes are written.

use std::collections::BTreeSet;

use liaison_tests::{Fhir, Server, sample};

async fn write_notes(fhir: &Fhir, circle: &sample::Circle, days: std::ops::Range<u32>) -> Vec<String> {
    let mut names = Vec::new();
    for day in days {
        let note = sample::note(&circle.patient, &circle.practitioner, "x");
        names.push(
            sample::create(fhir, &sample::with(note, "/date", format!("2026-03-{:02}T08:00:00Z", day + 1))).await,
        );
    }
    names
}

#[tokio::test]
async fn pages_hold_each_match_once_while_others_write() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let before = write_notes(&r4, &circle, 0..25).await;
    let mut page = r4.get("DocumentReference?_sort=-date&_count=10").await.is(200);
    assert_eq!(page.json()["total"], 25);
    let mut seen = Vec::new();
    loop {
        seen.extend(page.matches().iter().map(|note| format!("DocumentReference/{}", note["id"].as_str().unwrap())));
        let Some(next) = page.link("next") else { break };
        // Newer notes than any on the pages so far.
        write_notes(&r4, &circle, 25..27).await;
        page = r4.get(&next).await.is(200);
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "no note twice");
    assert_eq!(once, before.iter().collect(), "those of the first moment, and no others");
}

#[tokio::test]
async fn a_page_holds_at_most_what_the_server_allows() {
    let server = Server::start_with(&[("LIAISON_MAX_PAGE", "5")]).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    write_notes(&r4, &circle, 0..7).await;
    let page = r4.get("DocumentReference?_count=5").await.is(200);
    assert_eq!(page.matches().len(), 5);
    assert!(page.link("next").is_some());
    assert!(r4.get("DocumentReference").await.is(200).matches().len() <= 5);
    let refused = r4.get("DocumentReference?_count=6").await.is(400);
    assert!(refused.findings()[0].contains("_count"), "{:?}", refused.findings());
    assert_eq!(r4.get("DocumentReference?_count=0").await.is(200).matches().len(), 0);
}

#[tokio::test]
async fn a_link_that_was_tampered_with_is_refused() {
    let server = Server::start().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    write_notes(&r4, &circle, 0..5).await;
    let next = r4.get("DocumentReference?_sort=-date&_count=2").await.link("next").unwrap();
    let last = next.chars().next_back().unwrap();
    let other = if last == 'A' { 'B' } else { 'A' };
    for forged in
        [format!("{}{other}", &next[..next.len() - 1]), format!("{next}%00"), format!("{}x", &next[..next.len() - 6])]
    {
        assert_eq!(r4.get(&forged).await.status, 400, "{forged}");
    }
    r4.get(&next).await.is(200);
}
