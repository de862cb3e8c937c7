//! The pages as a browser gets them.

use axum::{body::Body, http::Request, http::Response};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::{Base, Site, router};

fn site() -> Site {
    let base = |release, fhir_version, path: &str| Base {
        release,
        fhir_version,
        address: format!("https://cahier.example.org/fhir/{path}"),
    };
    Site {
        version: "1.2.3",
        scheme: "http",
        bases: vec![base("R4", "4.0.1", "r4"), base("STU3", "3.0.2", "stu3")],
        people: None,
    }
}

async fn get(address: &str, language: &str) -> (Response<()>, String) {
    let request = Request::get(address).header("accept-language", language).body(Body::empty()).unwrap();
    let (parts, body) = router(site()).oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_home_page_names_both_bases_and_the_version() {
    let (answer, page) = get("/", "en").await;
    assert_eq!(answer.status(), 200);
    for expected in [
        "https://cahier.example.org/fhir/r4/metadata",
        "https://cahier.example.org/fhir/stu3/metadata",
        "Version 1.2.3",
        "<html lang=\"en\">",
        "shared notebook",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[tokio::test]
async fn addresses_to_copy_are_whole_and_links_stay_relative() {
    let base = Base { release: "R4", fhir_version: "4.0.1", address: "/fhir/r4".into() };
    let site = Site { version: "1.2.3", scheme: "http", bases: vec![base], people: None };
    let ask = async |host: &str| {
        let request = Request::get("/").header("host", host).body(Body::empty()).unwrap();
        let body = router(site.clone()).oneshot(request).await.unwrap().into_body();
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    let page = ask("127.0.0.1:8080").await;
    assert!(page.contains("curl 'http://127.0.0.1:8080/fhir/r4/DocumentReference?"), "{page}");
    assert!(page.contains("href=\"/fhir/r4/metadata"), "{page}");
    let page = ask("evil'\"<b>").await;
    assert!(page.contains("curl '/fhir/r4/DocumentReference?") && !page.contains("evil"), "{page}");
}

#[tokio::test]
async fn the_page_speaks_french_unless_english_is_preferred() {
    let (french, page) = get("/", "de").await;
    assert_eq!(french.headers()["content-language"], "fr");
    assert!(page.contains("<html lang=\"fr\">") && page.contains("cahier de liaison partagé"), "{page}");
    let (english, _) = get("/", "en-GB, fr;q=0.4").await;
    assert_eq!(english.headers()["content-language"], "en");
    assert_eq!(english.headers()["vary"], "accept-language");
}

#[tokio::test]
async fn every_answer_forbids_what_pages_do_not_need() {
    for address in ["/", "/assets/liaison.css", "/assets/liaison.svg"] {
        let (answer, _) = get(address, "fr").await;
        assert_eq!(answer.status(), 200, "{address}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_its_policy_forbids() {
    let (_, page) = get("/", "fr").await;
    for forbidden in ["<script", "style=\"", "<form", "onclick"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
