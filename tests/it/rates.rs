//! Whoever asks too often is told so, and when to ask again; nobody else is held up by it.

use liaison_tests::{Answer, Launch, Provider, Server, Store};
use serde_json::{Value, json};

async fn serving(provider: &Provider, settings: &[(&str, &str)]) -> Server {
    Server::launch(Launch::on(Store::new()).for_callers_of(provider).with(settings)).await
}

fn nurse(rpps: u64) -> Value {
    json!({ "sub": rpps.to_string(), "rpps": rpps.to_string(), "profession": "60" })
}

fn is_too_often(answer: &Answer, language: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(answer.json()["issue"][0]["code"], "throttled");
    assert!(answer.findings()[0].contains(language), "{:?}", answer.findings());
}

#[tokio::test]
async fn a_caller_who_asks_too_often_is_told_so_and_others_go_on() {
    let provider = Provider::start().await;
    let server = serving(&provider, &[("LIAISON_RATE_PER_CALLER", "5/m")]).await;
    let by = |rpps| server.r4().by(&provider.token(&nurse(rpps)));
    for _ in 0..5 {
        by(10_000_000_001).get("DocumentReference").await.is(200);
    }
    // With another token too: it is the same caller.
    let ask = |language: &'static str| {
        by(10_000_000_001).request("GET", "DocumentReference").header("accept-language", language).send()
    };
    is_too_often(&ask("en").await, "try again in");
    is_too_often(&ask("fr").await, "réessayez dans");
    by(10_000_000_002).get("DocumentReference").await.is(200);
    server.r4().get("metadata").await.is(200);
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_so_on_pages_too() {
    let server = Server::start_with(&[("LIAISON_RATE_PER_ADDRESS", "6/m")]).await;
    for _ in 0..3 {
        server.r4().get("metadata").await.is(200);
        server.site().get("").await.is(200);
    }
    is_too_often(&server.r4().request("GET", "metadata").header("accept-language", "en").send().await, "try again");
    let page = server.site().get("").await.is(429);
    assert!(page.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    // Who watches over the server is not held up by who floods it.
    server.site().get("healthz").await.is(200);
    server.site().get("readyz").await.is(200);
}

#[tokio::test]
async fn callers_behind_a_proxy_are_told_apart_by_what_it_says_of_them() {
    let settings = [("LIAISON_RATE_PER_ADDRESS", "2/m"), ("LIAISON_TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::start_with(&settings).await;
    let from = async |address: &str| {
        server.r4().request("GET", "metadata").header("x-forwarded-for", address).send().await.status
    };
    assert_eq!((from("192.0.2.1").await, from("192.0.2.1").await, from("192.0.2.1").await), (200, 200, 429));
    assert_eq!(from("192.0.2.2").await, 200);
    assert_eq!(from("192.0.2.2, 192.0.2.1").await, 429, "what was written before the proxy's is not believed");
}

#[tokio::test]
async fn without_login_nobody_is_counted_unless_it_is_set() {
    let server = Server::start().await;
    for _ in 0..1500 {
        server.site().get("").await.is(200);
    }
}

#[tokio::test]
async fn an_address_that_sends_wrong_tokens_is_not_listened_to_but_for_those_believed_before() {
    let provider = Provider::start().await;
    let server = serving(&provider, &[("LIAISON_RATE_WRONG_TOKENS", "5/m")]).await;
    let known = server.r4().by(&provider.token(&nurse(10_000_000_001)));
    known.get("DocumentReference").await.is(200);
    for guess in 0..5 {
        server.r4().by(&format!("guess.{guess}.x")).get("DocumentReference").await.is(401);
    }
    is_too_often(&server.r4().by("guess.6.x").get("DocumentReference").await, "dans");
    let right = provider.token(&nurse(10_000_000_002));
    is_too_often(&server.r4().by(&right).get("DocumentReference").await, "dans");
    known.get("DocumentReference").await.is(200);
    // Who sends none guesses nothing.
    server.r4().get("DocumentReference").await.is(401);
}

#[tokio::test]
async fn what_is_refused_for_its_rate_is_counted() {
    let settings = [("LIAISON_RATE_PER_ADDRESS", "1/m"), ("LIAISON_METRICS_LISTEN", "127.0.0.1:0")];
    let server = Server::start_with(&settings).await;
    server.r4().get("metadata").await.is(200);
    server.r4().get("metadata").await.is(429);
    let log = server.log();
    let shown = log.split("figures at ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    let figures = liaison_tests::Fhir::new(reqwest::Client::new(), String::new()).get(shown).await.is(200).text();
    assert!(figures.contains("liaison_refused_by_limits_total{limit=\"throttled\"} 1"), "{figures}");
}
