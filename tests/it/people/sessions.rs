//! How long a session lasts, and who ends it.

use std::time::Duration;

use liaison_tests::{
    Provider,
    browser::{Browser, hidden},
};

use super::{SESSION, reads, serving, serving_with, set_cookie};
use crate::access::world::{daughter, nurse};

#[tokio::test]
async fn one_sees_where_one_is_signed_in_and_signs_out_there() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let (phone, desk) = (Browser::new(&server, "Firefox/150.0 Android"), Browser::new(&server, "Edg/156 Windows"));
    phone.sign_in(&provider, &nurse()).await;
    desk.sign_in(&provider, &nurse()).await;
    let daughters = Browser::new(&server, "Safari/1 iPhone");
    daughters.sign_in(&provider, &daughter()).await;

    let page = phone.get("sessions").await.is(200).text();
    assert!(page.contains("Firefox, Android") && page.contains("Edge, Windows"), "{page}");
    assert!(!page.contains("iPhone"), "not those of others: {page}");
    let other = hidden(&page, "session").expect("the way to end the other one");
    assert_ne!(Some(&other), desk.cookie(SESSION).as_ref(), "its name opens nothing");
    assert!(!page.contains(&phone.cookie(SESSION).unwrap()), "nothing on the page opens this session either");

    // The daughter knows the name and has a session of her own.
    let hers = daughters.csrf().await;
    daughters.post("sessions/end", &[("csrf", &hers), ("session", &other)]).await.is(303);
    assert_eq!(reads(&desk, "jeanne").await, 200, "sessions of others are as if they were not");

    let csrf = phone.csrf().await;
    let answer = phone.post("sessions/end", &[("csrf", &csrf), ("session", &other)]).await.is(303);
    assert_eq!(answer.header("location"), "/sessions");
    assert_eq!((reads(&desk, "jeanne").await, reads(&phone, "jeanne").await), (401, 200), "at once");
    assert_eq!(desk.get("sessions").await.is(303).header("location"), "/sign-in?back=/sessions");
}

#[tokio::test]
async fn who_signs_out_is_out_here_and_shown_the_way_out_at_the_provider() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    let (secret, csrf) = (browser.cookie(SESSION).unwrap(), browser.csrf().await);
    let page = browser.post("sign-out", &[("csrf", &csrf)]).await.is(200);
    assert!(set_cookie(&page, SESSION).contains("Max-Age=0"));
    let way = format!("href=\"{}/end?id_token_hint=", provider.issuer());
    assert!(page.text().contains(&way), "{}", page.text());
    assert!(browser.cookie(SESSION).is_none());
    browser.keep(SESSION, &secret);
    assert_eq!(reads(&browser, "jeanne").await, 401, "the secret opens nothing any more");
    assert_eq!(browser.post("sign-out", &[("csrf", &csrf)]).await.is(303).header("location"), "/sign-in");
}

#[tokio::test]
async fn who_signs_out_everywhere_is_out_everywhere() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let (phone, desk, others) = (Browser::new(&server, "x"), Browser::new(&server, "y"), Browser::new(&server, "z"));
    phone.sign_in(&provider, &nurse()).await;
    desk.sign_in(&provider, &nurse()).await;
    others.sign_in(&provider, &daughter()).await;
    let csrf = phone.csrf().await;
    phone.post("sign-out/everywhere", &[("csrf", &csrf)]).await.is(200);
    assert_eq!((reads(&phone, "jeanne").await, reads(&desk, "jeanne").await), (401, 401));
    assert_eq!(reads(&others, "jeanne").await, 200);
}

#[tokio::test]
async fn signing_in_makes_a_session_that_nobody_knew_before() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    // A secret that somebody else put there.
    let planted = "A".repeat(43);
    browser.keep(SESSION, &planted);
    browser.sign_in(&provider, &nurse()).await;
    let first = browser.cookie(SESSION).unwrap();
    assert_ne!(first, planted);
    let thief = Browser::new(&server, "y");
    thief.keep(SESSION, &planted);
    assert_eq!(reads(&thief, "jeanne").await, 401);
    // Signing in once more ends what there was in this browser.
    browser.sign_in(&provider, &nurse()).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), first);
    thief.keep(SESSION, &first);
    assert_eq!(reads(&thief, "jeanne").await, 401);
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let provider = Provider::start().await;
    let server = serving_with(&provider, &[("LIAISON_SESSION_IDLE", "2s")]).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    // Used all the while, it outlives the time it may lie still.
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(reads(&browser, "jeanne").await, 200);
    }
    tokio::time::sleep(Duration::from_millis(3100)).await;
    assert_eq!(reads(&browser, "jeanne").await, 401);
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    let provider = Provider::start().await;
    let server = serving_with(&provider, &[("LIAISON_SESSION_TIME", "3s")]).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    assert_eq!(reads(&browser, "jeanne").await, 200);
    let begun = std::time::Instant::now();
    while reads(&browser, "jeanne").await == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never ends");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1), "it lasts for a while");
}

#[tokio::test]
async fn sessions_outlive_the_program_and_not_the_trust_in_who_vouched_for_them() {
    let provider = Provider::start().await;
    let server = serving(&provider).await;
    let browser = Browser::new(&server, "x");
    browser.sign_in(&provider, &nurse()).await;
    let secret = browser.cookie(SESSION).unwrap();
    let server = server.restart().await;
    let browser = Browser::new(&server, "x");
    browser.keep(SESSION, &secret);
    assert_eq!(reads(&browser, "jeanne").await, 200);
    // From now on another provider is trusted.
    let another = Provider::start().await;
    let launch = liaison_tests::Launch::on(server.store()).where_people_sign_in(&another);
    server.stop().await;
    let server = liaison_tests::Server::launch(launch).await;
    let browser = Browser::new(&server, "x");
    browser.keep(SESSION, &secret);
    assert_eq!(reads(&browser, "jeanne").await, 401);
}
