//! Who saw a notebook, as the person is told it on a page.

use std::time::Duration;

use liaison_tests::{Provider, browser::Browser};
use serde_json::json;

use super::serving;
use crate::access::world::{daughter, note, nurse, operator, person_herself, stranger};

#[tokio::test]
async fn the_person_reads_who_saw_the_notebook_and_others_do_not() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "Firefox/150.0 Android");
    browser.sign_in(&provider, &person_herself()).await;
    let home = browser.get("").await.is(200).text();
    assert!(home.contains("href=\"/who-saw/jeanne\""), "{home}");
    assert!(home.contains("Who saw this notebook"), "{home}");
    let empty = browser.get("who-saw/jeanne").await.is(200).text();
    assert!(empty.contains("Nobody else"), "{empty}");

    let token = provider.token(&json!({
        "sub": "awa", "SubjectNameID": "810000000001", "given_name": "Awa", "family_name": "<Diallo>",
        "SubjectRefPro": { "exercices": [{ "codeProfession": "60" }] }
    }));
    let nurse_there = server.r4().by(&token);
    for address in
        ["DocumentReference/open", "DocumentReference/no-patient", "DocumentReference/no-third", "Patient/jeanne"]
    {
        nurse_there.get(address).await.is(200);
    }
    server.r4().by(&provider.token(&stranger())).get("Patient/jeanne").await.is(404);
    let mut new = note("new", "jeanne", "awa", "");
    new.as_object_mut().unwrap().remove("id");
    nurse_there.post("DocumentReference", &new).await.is(201);
    let mut page = String::new();
    for _ in 0..100 {
        page = browser.get("who-saw/jeanne").await.is(200).text();
        if page.contains(" read ") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Two of the notes that were read may be seen, and the person's own record.
    assert!(page.contains("<strong>Awa &lt;Diallo&gt;</strong> read 2 notes and one other thing</li>"), "{page}");
    assert!(page.contains("<strong>Awa &lt;Diallo&gt;</strong> wrote one note</li>"), "{page}");
    assert_eq!(page.matches("<li><time").count(), 2, "{page}");

    for (claims, who) in [(daughter(), "the daughter"), (nurse(), "the nurse"), (stranger(), "a stranger")] {
        let other = Browser::new(&server, "x");
        other.sign_in(&provider, &claims).await;
        assert!(!other.get("").await.is(200).text().contains("/who-saw/"), "{who}");
        let hers = other.get("who-saw/jeanne").await.is(404).text();
        assert_eq!(hers, other.get("who-saw/nobody").await.is(404).text(), "{who}");
    }
    browser.get("who-saw/paul").await.is(404);
    browser.get("who-saw/jeanne?before=nonsense").await.is(404);
    let nobody = Browser::new(&server, "x");
    assert_eq!(nobody.get("who-saw/jeanne").await.is(303).header("location"), "/sign-in?back=/who-saw/jeanne");
}

#[tokio::test]
async fn what_was_before_is_on_further_pages() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &person_herself()).await;
    // By turns, so that each is a visit of its own.
    let of = |claims| server.r4().by(&provider.token(claims));
    let (awa, lea) = (of(&nurse()), of(&daughter()));
    for _ in 0..60 {
        awa.get("DocumentReference/open").await.is(200);
        lea.get("DocumentReference/open").await.is(200);
    }
    let visits = |page: &str| page.matches("<li><time").count();
    let (mut seen, mut pages) = (0, 0);
    for _ in 0..100 {
        (seen, pages) = (0, 0);
        let mut address = Some("who-saw/jeanne".to_owned());
        while let Some(next) = address {
            let page = browser.get(&next).await.is(200).text();
            (seen, pages) = (seen + visits(&page), pages + 1);
            address =
                page.split("rel=\"next\" href=\"/").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        }
        if seen >= 120 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((seen, pages), (120, 3));
}

#[tokio::test]
async fn who_comes_in_and_goes_out_is_told_too_and_so_is_who_tries() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.get("sign-in/done?state=x&code=y").await.is(400);
    browser.sign_in(&provider, &nurse()).await;
    let csrf = browser.csrf().await;
    browser.post("sign-out", &[("csrf", &csrf)]).await.is(200);
    let operator = server.r4().by(&provider.token(&operator()));
    let mut told = Vec::new();
    for _ in 0..100 {
        let found = operator.get("AuditEvent?type=110114").await.is(200).matches();
        told = found
            .iter()
            .map(|event| {
                let who = event["agent"][0]["who"]["identifier"]["value"].as_str().unwrap_or_default();
                format!("{} {} {}", event["subtype"][0]["display"], event["outcome"], who.ends_with("#awa"))
            })
            .collect();
        if told.len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(told, ["\"Logout\" \"0\" true", "\"Login\" \"0\" true", "\"Login\" \"4\" false"]);
}
