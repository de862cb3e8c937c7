//! On the way to a provider and back.

use liaison_tests::{
    Provider,
    browser::{Browser, ORIGIN},
};
use serde_json::json;

use super::{ATTEMPT, SESSION, reads, serving, serving_with, set_cookie};
use crate::access::world::nurse;

#[tokio::test]
async fn who_signs_in_is_known_and_finds_their_notebooks() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "Firefox/150.0 Android");
    let page = browser.get("sign-in").await.is(200);
    assert!(page.text().contains("Sign in with My provider"), "{}", page.text());
    assert_eq!(reads(&browser, "jeanne").await, 401);

    let way = browser.get("sign-in/at/0?back=/sessions").await.is(303);
    let kept = set_cookie(&way, ATTEMPT);
    assert!(kept.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{kept}");
    let way = way.header("location").to_owned();
    assert!(way.starts_with(&format!("{}/authorize?", provider.issuer())), "{way}");
    for asked in [
        "response_type=code&",
        "client_id=liaison-web&",
        "redirect_uri=https%3A%2F%2Fliaison.example%2Fsign-in%2Fdone&",
        "scope=openid%20profile&",
        "code_challenge_method=S256",
    ] {
        assert!(way.contains(asked), "{asked} in {way}");
    }

    let asked = browser.set_out("/sessions").await;
    assert!(asked.get("state").len() >= 43 && asked.get("nonce").len() >= 43);
    let mut claims = nurse();
    (claims["given_name"], claims["family_name"]) = (json!("Awa"), json!("Diallo"));
    let back = browser.come(&Browser::way_back(&provider, &asked, &claims)).await.is(303);
    assert_eq!(back.header("location"), "/sessions");
    let kept = set_cookie(&back, SESSION);
    assert!(kept.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{kept}");
    assert!(set_cookie(&back, ATTEMPT).contains("Max-Age=0"), "the attempt is over");

    assert_eq!((reads(&browser, "jeanne").await, reads(&browser, "paul").await), (200, 404));
    let note = |id: &str| browser.request("GET", &format!("fhir/r4/DocumentReference/{id}")).send();
    assert_eq!((note("open").await.status, note("no-health").await.status), (200, 404));
    let home = browser.get("").await.is(200);
    assert!(home.text().contains("Awa Diallo") && home.text().contains("Camille Morel"), "{}", home.text());
    assert!(!home.text().contains("Petit"), "not whose circle one is not in: {}", home.text());
    assert_eq!(home.header("cache-control"), "no-store");
    let stranger = Browser::new(&server, "x").get("").await.is(200).text();
    assert!(!stranger.contains("Morel") && stranger.contains("href=\"/sign-in\""), "{stranger}");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_from_the_browser_that_asked() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    let asked = browser.set_out("/").await;
    let attempt = browser.cookie(ATTEMPT).unwrap();
    let way_back = Browser::way_back(&provider, &asked, &nurse());
    // Somebody is led into the session of another (login CSRF).
    let victim = Browser::new(&server, "y");
    let page = victim.come(&way_back).await.is(400);
    assert!(page.text().contains("does not hold any more") && victim.cookie(SESSION).is_none(), "{}", page.text());
    victim.set_out("/").await;
    let page = victim.come(&way_back).await.is(400);
    assert!(page.text().contains("not the right answer") && victim.cookie(SESSION).is_none(), "{}", page.text());
    assert!(victim.cookie(ATTEMPT).is_some(), "the victim's own attempt goes on");

    browser.come(&way_back).await.is(303);
    assert_eq!(reads(&browser, "jeanne").await, 200);
    // The back button, by who is signed in.
    assert_eq!(browser.come(&way_back).await.is(303).header("location"), "/");
    assert_eq!(reads(&browser, "jeanne").await, 200);
    // The same answer with the same attempt, which this provider would take again.
    let thief = Browser::new(&server, "z");
    thief.keep(ATTEMPT, &attempt);
    thief.come(&way_back).await.is(400);
    assert!(thief.cookie(SESSION).is_none());
}

#[tokio::test]
async fn what_a_provider_says_that_does_not_fit_signs_nobody_in() {
    let provider = Provider::start().await;
    let other = Provider::start().await;
    let server = serving(&provider).await;
    let said = async |change: &dyn Fn(&str, &str) -> String| {
        let browser = Browser::new(&server, "x");
        let asked = browser.set_out("/").await;
        let page = browser.come(&change(asked.get("state"), asked.get("code_challenge"))).await;
        assert!(browser.cookie(SESSION).is_none() && page.header("content-type").starts_with("text/html"));
        (page.status, page.text())
    };
    let with = |code: String, state: &str, issuer: &str| format!("sign-in/done?code={code}&state={state}&iss={issuer}");
    let issuer = provider.issuer();
    let (status, page) = said(&|state, _| format!("sign-in/done?error=access_denied&state={state}&iss={issuer}")).await;
    assert!(status == 403 && page.contains("you were refused") && page.contains("href=\"/sign-in\""), "{page}");
    let (status, page) = said(&|state, _| format!("sign-in/done?error=server_error&state={state}&iss={issuer}")).await;
    assert!(status == 503 && page.contains("does not answer"), "{page}");
    let (status, page) = said(&|state, _| format!("sign-in/done?error=%3Cb%3E&state={state}&iss={issuer}")).await;
    assert!(status == 403 && !page.contains("<b>"), "{page}");
    for (why, expected, change) in [
        (
            "no code",
            403,
            (&|state: &str, _: &str| format!("sign-in/done?state={state}&iss={issuer}"))
                as &dyn Fn(&str, &str) -> String,
        ),
        ("no state", 400, &|_, challenge| {
            format!("sign-in/done?code={}&iss={issuer}", provider.code(challenge, &nurse()))
        }),
        ("two states", 400, &|state, challenge| {
            format!("{}&state={state}", with(provider.code(challenge, &nurse()), state, issuer))
        }),
        ("another issuer", 400, &|state, challenge| with(provider.code(challenge, &nurse()), state, other.issuer())),
        ("no issuer", 400, &|state, challenge| {
            format!("sign-in/done?code={}&state={state}", provider.code(challenge, &nurse()))
        }),
        ("a code nobody gave", 403, &|state, _| with("invented".to_owned(), state, issuer)),
        ("a code for another attempt", 403, &|state, _| {
            with(provider.code("another-challenge", &nurse()), state, issuer)
        }),
        ("no nonce", 403, &|state, challenge| with(provider.code(challenge, &nurse()), state, issuer)),
        ("another audience", 403, &|state, challenge| {
            with(
                provider.code(challenge, &json!({ "sub": "awa", "rpps": "10000000001", "aud": "liaison" })),
                state,
                issuer,
            )
        }),
    ] {
        let (status, page) = said(change).await;
        assert_eq!(status, expected, "{why}: {page}");
    }
    let browser = Browser::new(&server, "x");
    let asked = browser.set_out("/").await;
    let page = browser.come(&Browser::way_back(&provider, &asked, &json!({ "sub": "nobody" }))).await.is(403);
    assert!(page.text().contains("does not know you") && browser.cookie(SESSION).is_none(), "{}", page.text());
}

#[tokio::test]
async fn after_signing_in_one_stays_on_this_server() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    for (back, expected) in [
        ("/sessions", "/sessions"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%5Cevil.example", "/"),
        ("/%0d%0aset-cookie:%20a=b", "/"),
        ("/sign-in", "/"),
    ] {
        let browser = Browser::new(&server, "x");
        let asked = browser.set_out(back).await;
        let answer = browser.come(&Browser::way_back(&provider, &asked, &nurse())).await.is(303);
        assert_eq!(answer.header("location"), expected, "{back}");
    }
    let page = Browser::new(&server, "x").get("sign-in?back=//evil.example").await.is(200).text();
    assert!(!page.contains("evil"), "{page}");
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_by_a_page_of_somebody_else() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    let answer = browser.come("sign-in/at/0?back=/sessions").await.is(303);
    assert_eq!(answer.header("location"), "/sign-in?back=%2Fsessions");
    assert!(browser.cookie(ATTEMPT).is_none());
    assert_eq!(browser.get("sign-in/at/7").await.is(303).header("location"), "/sign-in");
    assert_eq!(browser.get("sign-in/at/x").await.is(303).header("location"), "/sign-in");
}

#[tokio::test]
async fn while_the_provider_is_away_sessions_go_on_and_signing_in_says_why_not() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    let token = provider.token(&nurse());
    server.r4().by(&token).get("Patient/jeanne").await.is(200);
    let late = Browser::new(&server, "y");
    let asked = late.set_out("/").await;
    let way_back = Browser::way_back(&provider, &asked, &nurse());
    provider.go_away();
    let page = late.come(&way_back).await.is(503);
    assert!(page.text().contains("does not answer") && page.header("retry-after") == "30", "{}", page.text());
    assert!(late.cookie(SESSION).is_none());
    assert_eq!(reads(&browser, "jeanne").await, 200);
    browser.get("sessions").await.is(200);
    server.r4().by(&provider.token(&nurse())).get("Patient/jeanne").await.is(200);
    // A server that never heard of the provider before.
    let restarted = server.restart().await;
    let new = Browser::new(&restarted, "z");
    let page = new.get("sign-in/at/0").await.is(503);
    assert!(page.text().contains("Try again in a few minutes"), "{}", page.text());
}

#[tokio::test]
async fn people_sign_in_only_where_it_is_encrypted_and_at_those_who_are_trusted() {
    let provider = Provider::start().await;
    let refused = async |key: &str, value: &str| {
        let mut launch = liaison_tests::Launch::on(liaison_tests::Store::new()).where_people_sign_in(&provider);
        launch.settings.retain(|(name, _)| name != key);
        let refused = liaison_tests::Server::try_launch(launch.with(&[(key, value)])).await.err().expect("a refusal");
        refused.said
    };
    let said = refused("LIAISON_PUBLIC_URL", "http://liaison.example").await;
    assert!(said.contains("sign_in") && said.contains("https://"), "{said}");
    let said = refused("LIAISON_SIGN_IN", "A: issuer=https://other.example client=c").await;
    assert!(said.contains("oidc_issuers"), "{said}");
}

#[tokio::test]
async fn nothing_of_a_sign_in_is_in_the_log() {
    let provider = Provider::start().await;
    let server = serving_with(&provider, &[("LIAISON_LOG_LEVEL", "trace")]).await;
    let browser = Browser::new(&server, "x");
    let asked = browser.set_out("/").await;
    let (attempt, way_back) = (browser.cookie(ATTEMPT).unwrap(), Browser::way_back(&provider, &asked, &nurse()));
    browser.come(&way_back).await.is(303);
    let (session, csrf) = (browser.cookie(SESSION).unwrap(), browser.csrf().await);
    browser.get("").await.is(200);
    // What fails is told to the operator, but for what others could use.
    let late = Browser::new(&server, "y");
    let asked_again = late.set_out("/").await;
    let refused =
        format!("sign-in/done?code=code-refused&state={}&iss={}", asked_again.get("state"), provider.issuer());
    late.come(&refused).await.is(403);
    let body = [("csrf", csrf.as_str())];
    let out = browser.post_from(ORIGIN, "same-origin", "sign-out", &body).await.is(200).text();
    let id_token = out.split("id_token_hint=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let code = way_back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let log = server.log();
    assert!(log.contains("app.execute") && log.contains("the provider refused the code"), "it says much: {log}");
    for secret in
        [attempt.as_str(), &session, &csrf, &id_token, &code, asked.get("state"), "code-refused", "opaque-access"]
    {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
