//! What the page of somebody else cannot do with the session of somebody who visits it.

use liaison_tests::{
    Provider, Server,
    browser::{Browser, ORIGIN},
    sample,
};
use serde_json::json;

use super::{SESSION, reads, serving};
use crate::access::world::{note, nurse};

#[tokio::test]
async fn with_a_session_alone_nothing_is_changed() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let (browser, other) = (Browser::new(&server, "x"), Browser::new(&server, "y"));
    browser.sign_in(&provider, &nurse()).await;
    other.sign_in(&provider, &nurse()).await;
    let (csrf, others) = (browser.csrf().await, other.csrf().await);
    let mut new = note("mine", "jeanne", "awa", "");
    new.as_object_mut().unwrap().remove("id");
    let write = async |headers: &[(&str, &str)]| {
        let mut request = browser.request("POST", "fhir/r4/DocumentReference");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.json(&new).send().await
    };
    let origin = ("origin", ORIGIN);
    let here = ("sec-fetch-site", "same-origin");
    let token = ("x-csrf-token", csrf.as_str());
    let session = browser.cookie(SESSION).unwrap();
    for (why, headers) in [
        ("no token", vec![origin, here]),
        ("an empty token", vec![origin, here, ("x-csrf-token", "")]),
        ("the secret itself", vec![origin, here, ("x-csrf-token", &session)]),
        ("the token of another session", vec![origin, here, ("x-csrf-token", &others)]),
        ("another origin", vec![("origin", "https://evil.example"), token]),
        ("another site, by the browser's word", vec![origin, ("sec-fetch-site", "cross-site"), token]),
        ("a neighbour's site", vec![origin, ("sec-fetch-site", "same-site"), token]),
        ("no origin", vec![token]),
        ("the origin of a page that hides", vec![("origin", "null"), token]),
    ] {
        let refused = write(&headers).await.is(403);
        assert!(refused.text().contains("X-CSRF-Token"), "{why}: {}", refused.text());
    }
    assert_eq!(browser.request("DELETE", "fhir/r4/DocumentReference/open").send().await.status, 403);
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [] });
    browser.request("POST", "fhir/r4").json(&bundle).send().await.is(403);
    server.r4().by(&provider.token(&nurse())).get("DocumentReference/open").await.is(200);
    assert_eq!(found(&provider, &server).await, 0, "nothing was written");
    let written = write(&[origin, here, token]).await;
    assert_eq!(written.status, 201, "{}", written.text());
    assert_eq!(found(&provider, &server).await, 1);
}

/// How many notes there are of the one that is tried to be written.
async fn found(provider: &Provider, server: &Server) -> usize {
    let query = format!("DocumentReference?identifier={}|mine", sample::LOCAL);
    server.r4().by(&provider.token(&nurse())).get(&query).await.is(200).matches().len()
}

#[tokio::test]
async fn a_token_says_more_than_a_session_and_needs_nothing_else() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    let luc = provider.token(&json!({ "sub": "luc", "rpps": "10000000002", "profession": "10" }));
    let bearer = format!("Bearer {luc}");
    let paul = browser.request("GET", "fhir/r4/Patient/paul").header("authorization", &bearer).send().await;
    assert_eq!(paul.status, 200, "the token is his: {}", paul.text());
    let wrong = browser.request("GET", "fhir/r4/Patient/jeanne").header("authorization", "Bearer a.b.c").send().await;
    assert_eq!(wrong.status, 401, "a wrong token is not made good by a session");
}

#[tokio::test]
async fn the_forms_of_pages_are_sent_by_these_pages() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    let csrf = browser.csrf().await;
    let token = [("csrf", csrf.as_str())];
    for path in ["sign-out", "sign-out/everywhere", "sessions/end"] {
        let page = browser.post(path, &[]).await.is(403);
        assert!(page.text().contains("Nothing was done"), "{path}: {}", page.text());
        browser.post(path, &[("csrf", "x")]).await.is(403);
        browser.post(path, &[("csrf", &csrf), ("csrf", &csrf)]).await.is(403);
        browser.post_from("https://evil.example", "cross-site", path, &token).await.is(403);
        browser.get(path).await.is(405);
        assert_eq!(reads(&browser, "jeanne").await, 200, "{path}");
    }
    browser.post("sign-out", &token).await.is(200);
    assert_eq!(reads(&browser, "jeanne").await, 401);
}

#[tokio::test]
async fn pages_may_not_run_scripts_be_framed_or_send_forms_elsewhere() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    for path in ["", "sign-in", "sessions", "sign-in/done"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(!page.text().contains("<script"), "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
}
