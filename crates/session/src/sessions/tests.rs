//! Sessions on a store of their own.

use liaison_store::store::{StoreOptions, StoreUrl};
use serde_json::json;

use super::*;

const NOW: i64 = 1_790_000_000;
const IDLE: i64 = 3600;
const WHOLE: i64 = 12 * 3600;

struct Bench {
    sessions: Sessions,
    store: Store,
    _folder: tempfile::TempDir,
}

fn set_up(issuers: &[&str]) -> SetUp {
    let authority = |issuer: &&str| Authority { issuer: (*issuer).to_owned(), mapping: Mapping::default() };
    SetUp {
        authorities: issuers.iter().map(authority).collect(),
        lasting: Lasting { idle: Duration::from_secs(IDLE as u64), whole: Duration::from_secs(WHOLE as u64) },
        address: Some("https://cahier.example.org".to_owned()),
        bases: Vec::new(),
    }
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(folder.path().join("store.db"));
    let store = Store::open(&url, StoreOptions::default()).unwrap();
    let sessions = Sessions::new(store.clone(), set_up(&["https://a.example", "https://b.example"]));
    Bench { sessions, store, _folder: folder }
}

fn arrival(issuer: &str, subject: &str) -> Arrival {
    let claims = json!({ "sub": subject, "rpps": "10005678901", "email": "a@example.org", "client_id": "x" });
    Arrival {
        issuer: issuer.to_owned(),
        claims: Claims::new(claims.as_object().unwrap().clone()),
        id_token: Some("a.b.c".to_owned()),
        browser: "Phone\n\u{7}1".to_owned(),
    }
}

impl Bench {
    async fn open(&self, subject: &str, now: i64) -> Secret {
        self.sessions.open(arrival("https://a.example", subject), None, now).await.unwrap()
    }

    async fn at(&self, secret: &Secret, now: i64) -> Option<Session> {
        let cookie = format!("__Host-liaison-session={}", secret.text());
        self.sessions.opened_by([cookie.as_str()], now).await.unwrap()
    }
}

#[tokio::test]
async fn a_session_is_who_signed_in() {
    let bench = bench();
    let secret = bench.open("awa", NOW).await;
    let session = bench.at(&secret, NOW + 1).await.unwrap();
    assert_eq!(session.identity.name, "https://a.example#awa");
    assert_eq!(session.id_token.as_deref(), Some("a.b.c"));
    assert!(bench.at(&Secret::new().unwrap(), NOW + 1).await.is_none());
    let plain = format!("liaison-session={}", secret.text());
    assert!(bench.sessions.opened_by([plain.as_str()], NOW + 1).await.unwrap().is_none(), "by its own cookie only");
}

#[tokio::test]
async fn the_store_knows_neither_the_secret_nor_what_is_not_read() {
    let bench = bench();
    let secret = bench.open("awa", NOW).await;
    let name = secret.name();
    let kept = bench.store.read_now(|reader| reader.lease(KIND, &name)).map_err(|error: StoreError| error);
    let kept = String::from_utf8(kept.unwrap().unwrap().value).unwrap();
    assert!(kept.contains("10005678901"), "{kept}");
    for absent in [&secret.text(), "a@example.org", "client_id"] {
        assert!(!kept.contains(absent), "{kept}");
    }
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_a_used_one_later() {
    let bench = bench();
    let (left, used) = (bench.open("awa", NOW).await, bench.open("awa", NOW).await);
    assert!(bench.at(&used, NOW + IDLE / 2).await.is_some());
    assert!(bench.at(&left, NOW + IDLE).await.is_none());
    assert!(bench.at(&used, NOW + IDLE).await.is_some());
    let mut now = NOW;
    while now < NOW + WHOLE - IDLE / 2 {
        now += IDLE / 2;
        assert_eq!(bench.at(&used, now).await.is_some(), now < NOW + WHOLE, "{}", now - NOW);
    }
    assert!(bench.at(&used, NOW + WHOLE - 1).await.is_some());
    assert!(bench.at(&used, NOW + WHOLE).await.is_none(), "however much it is used");
}

#[tokio::test]
async fn signing_in_again_makes_another_session_and_ends_the_one_before() {
    let bench = bench();
    let first = bench.open("awa", NOW).await;
    let second = bench.sessions.open(arrival("https://b.example", "awa"), Some(&first), NOW + 1).await.unwrap();
    assert_ne!(first, second);
    assert!(bench.at(&first, NOW + 2).await.is_none());
    assert_eq!(bench.at(&second, NOW + 2).await.unwrap().issuer, "https://b.example");
}

#[tokio::test]
async fn ones_own_sessions_are_listed_and_ended_and_those_of_others_are_not() {
    let bench = bench();
    let (here, there, other) =
        (bench.open("awa", NOW).await, bench.open("awa", NOW + 5).await, bench.open("luc", NOW).await);
    let session = bench.at(&here, NOW + 10).await.unwrap();
    let listed = bench.sessions.beside(&session, NOW + 10).await.unwrap();
    let names: Vec<_> = listed.iter().map(|shown| (shown.name.clone(), shown.asking)).collect();
    assert_eq!(names, [(there.name(), Asking::Another), (here.name(), Asking::This)]);
    assert_eq!(listed[0].browser, "Phone1", "without what would upset a page");
    assert!(!bench.sessions.end_named(&session, other.name()).await.unwrap());
    assert!(bench.at(&other, NOW + 10).await.is_some());
    assert!(bench.sessions.end_named(&session, there.name()).await.unwrap());
    assert!(bench.at(&there, NOW + 10).await.is_none());
    bench.sessions.end_this(&session).await.unwrap();
    assert!(bench.at(&here, NOW + 10).await.is_none());
}

#[tokio::test]
async fn with_too_many_sessions_the_oldest_ends() {
    let bench = bench();
    let mut all = Vec::new();
    for second in 0..=MOST {
        all.push(bench.open("awa", NOW + second as i64).await);
    }
    let now = NOW + 100;
    assert!(bench.at(&all[0], now).await.is_none());
    let last = bench.at(&all[MOST], now).await.unwrap();
    assert_eq!(bench.sessions.beside(&last, now).await.unwrap().len(), MOST);
}

#[tokio::test]
async fn whoever_is_trusted_no_more_has_no_sessions() {
    let bench = bench();
    let secret = bench.open("awa", NOW).await;
    let later = Bench { sessions: Sessions::new(bench.store.clone(), set_up(&["https://b.example"])), ..bench };
    assert!(later.at(&secret, NOW + 1).await.is_none());
    let refused = later.sessions.open(arrival("https://a.example", "awa"), None, NOW).await;
    assert!(matches!(refused, Err(SessionError::Nobody)));
}

#[tokio::test]
async fn somebody_who_is_nobody_here_gets_no_session() {
    let bench = bench();
    let mut nobody = arrival("https://a.example", "x");
    nobody.claims = Claims::new(json!({ "sub": "x", "email": "x@example.org" }).as_object().unwrap().clone());
    assert!(matches!(bench.sessions.open(nobody, None, NOW).await, Err(SessionError::Nobody)));
}

#[test]
fn what_another_program_wrote_is_no_session() {
    for other in ["", "{}", "[]", r#"{"issuer":"a","browser":"b","begun":1,"claims":[]}"#, r#"{"issuer":1}"#] {
        assert!(Kept::read(other.as_bytes()).is_none(), "{other}");
    }
}

#[tokio::test]
async fn all_sessions_of_one_person_end_together_and_those_of_others_stay() {
    let bench = bench();
    let (phone, desk, other) =
        (bench.open("awa", NOW).await, bench.open("awa", NOW).await, bench.open("luc", NOW).await);
    let session = bench.at(&phone, NOW + 1).await.unwrap();
    assert_eq!(bench.sessions.end_all(&session).await.unwrap(), 2);
    assert!(bench.at(&phone, NOW + 2).await.is_none() && bench.at(&desk, NOW + 2).await.is_none());
    assert!(bench.at(&other, NOW + 2).await.is_some());
}

#[tokio::test]
async fn what_is_good_once_is_used_up_once() {
    let bench = bench();
    assert!(bench.sessions.use_up("a", NOW + 60).await.unwrap());
    assert!(!bench.sessions.use_up("a", NOW + 60).await.unwrap());
    assert!(bench.sessions.use_up("b", NOW + 60).await.unwrap());
}
