//! Accounts on a store of their own.

use std::time::Duration;

use liaison_store::store::{Store, StoreOptions, StoreUrl};

use super::{
    invitations::{INVITED_FOR, Invitation, WAITING},
    *,
};
use crate::sessions::{Arrival, Authority, Lasting, Session, SetUp};

const NOW: i64 = 1_790_000_000;

struct Bench {
    sessions: Sessions,
    _folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(folder.path().join("store.db"));
    let store = Store::open(&url, StoreOptions::default()).unwrap();
    let authority = Authority { issuer: ISSUER.to_owned(), mapping: mapping() };
    let day = Duration::from_secs(86_400);
    let set_up = SetUp {
        authorities: vec![authority],
        lasting: Lasting { idle: day, whole: day },
        address: None,
        bases: Vec::new(),
    };
    Bench { sessions: Sessions::new(store, set_up), _folder: folder }
}

impl Bench {
    async fn keeper(&self) -> Session {
        let Value::Object(claims) = json!({ "sub": "j", "fhirUser": "Patient/jeanne" }) else { unreachable!() };
        let arrival =
            Arrival { issuer: ISSUER.to_owned(), claims: Claims::new(claims), id_token: None, browser: String::new() };
        let secret = self.sessions.open(arrival, None, NOW).await.unwrap();
        let cookie = format!("liaison-session={}", secret.text());
        self.sessions.opened_by([cookie.as_str()], NOW).await.unwrap().unwrap()
    }

    async fn invite(&self) -> Secret {
        self.sessions.invite(&self.keeper().await, &to(), NOW).await.unwrap().unwrap()
    }

    async fn account(&self, address: &Address) {
        let invited = self.sessions.invited(&self.invite().await, NOW).await.unwrap().unwrap();
        assert!(self.sessions.take(&invited, NOW).await.unwrap());
        self.sessions.accept(&invited, address, "RelatedPerson/lea").await.unwrap().unwrap();
    }

    async fn ask(&self, address: &Address, place: &str, now: i64) -> Asked {
        self.sessions.ask_code(address, &Purpose::SignIn, place, now).await.unwrap()
    }
}

fn to() -> Invitation {
    let text = str::to_owned;
    Invitation { notebook: text("jeanne"), given: text("Léa"), family: text("Morel"), relation: text("DAUC") }
}

fn lea() -> Address {
    address(" Lea@Example.org ")
}

fn address(written: &str) -> Address {
    Mailbox::read(written).unwrap().address()
}

#[test]
fn an_address_is_the_same_however_it_is_written_and_is_not_kept() {
    assert_eq!(lea(), address("lea@example.org"));
    assert_eq!(Mailbox::read(" Lea@Example.org ").unwrap().text(), "lea@example.org", "letters go to what is known");
    assert!(!lea().0.contains("lea"));
    assert_ne!(lea(), address("lea+a@example.org"));
}

#[test]
fn an_address_is_one_and_plain() {
    for plain in ["a@b.fr", "l.e'a+note@mail.xn--exmple-cua.org", "x_1@a-b.c.d"] {
        assert_eq!(Mailbox::read(plain).unwrap().text(), plain);
    }
    let long = format!("{}@example.org", "a".repeat(65));
    for wrong in [
        "",
        "lea",
        "@example.org",
        "lea@",
        "lea@example",
        "l ea@example.org",
        "a@b.\r\nBcc: c@d.e",
        "a@.org",
        "a@b..org",
        "a.@b.org",
        "a@-b.org",
        "a@b@c.org",
        "x<lea@example.org>",
        "lea@example.org,a@b.org",
        "\"a,b\"@example.org",
        // Both are others in small letters: the sign of Kelvin, and a dotless i.
        "\u{212a}im@example.org",
        "l\u{131}se@example.org",
        "a@ex\u{e4}mple.org",
        &long,
    ] {
        assert_eq!(Mailbox::read(wrong), None, "{wrong}");
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_once_within_a_week() {
    let bench = bench();
    let secret = bench.invite().await;
    let invited = bench.sessions.invited(&secret, NOW + INVITED_FOR - 1).await.unwrap().unwrap();
    assert_eq!((invited.to.clone(), invited.by.name.as_str()), (to(), "urn:liaison:account#j"));
    assert!(bench.sessions.invited(&secret, NOW + INVITED_FOR).await.unwrap().is_none());
    assert!(bench.sessions.invited(&Secret::new().unwrap(), NOW).await.unwrap().is_none());
    assert!(!bench.sessions.take(&invited, NOW + INVITED_FOR).await.unwrap(), "late");
    let accept = async || bench.sessions.accept(&invited, &lea(), "RelatedPerson/lea").await.unwrap();
    assert!(accept().await.is_none(), "it was not taken");
    assert!(bench.sessions.take(&invited, NOW).await.unwrap());
    assert!(!bench.sessions.take(&invited, NOW).await.unwrap(), "by one");
    assert!(bench.sessions.invited(&secret, NOW).await.unwrap().is_none());
    bench.sessions.give_back(&invited).await.unwrap();
    assert!(bench.sessions.invited(&secret, NOW).await.unwrap().is_some(), "nothing came of it");
    assert!(bench.sessions.take(&invited, NOW).await.unwrap());
    assert_eq!(accept().await.unwrap().texts("fhirUser"), ["RelatedPerson/lea"]);
    bench.sessions.give_back(&invited).await.unwrap();
    assert!(bench.sessions.invited(&secret, NOW).await.unwrap().is_none());
    assert!(!bench.sessions.take(&invited, NOW).await.unwrap() && accept().await.is_none(), "once");
}

#[tokio::test]
async fn an_invitation_that_waits_is_listed_and_withdrawn() {
    let bench = bench();
    let keeper = bench.keeper().await;
    let (first, second) = (bench.invite().await, bench.invite().await);
    let other = Invitation { notebook: "paul".to_owned(), ..to() };
    let elsewhere = bench.sessions.invite(&keeper, &other, NOW + 1).await.unwrap().unwrap();
    let names = async |now: i64| {
        let waiting = bench.sessions.waiting("jeanne", now).await.unwrap();
        assert!(waiting.iter().all(|one| (one.to.clone(), one.until) == (to(), NOW + INVITED_FOR)), "{waiting:?}");
        waiting.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let mut both = [first.name(), second.name()];
    both.sort();
    assert_eq!(names(NOW).await, both);
    assert!(names(NOW + INVITED_FOR).await.is_empty());
    let withdraw = async |secret: &Secret| bench.sessions.withdraw("jeanne", &secret.name(), NOW).await.unwrap();
    assert!(!withdraw(&elsewhere).await, "it is another notebook's");
    assert!(bench.sessions.invited(&elsewhere, NOW).await.unwrap().is_some());
    let invited = bench.sessions.invited(&first, NOW).await.unwrap().unwrap();
    assert!(withdraw(&first).await && !withdraw(&first).await);
    assert!(!bench.sessions.take(&invited, NOW).await.unwrap(), "whoever has its page open already");
    assert_eq!(names(NOW).await, [second.name()]);
    let invited = bench.sessions.invited(&second, NOW).await.unwrap().unwrap();
    assert!(bench.sessions.take(&invited, NOW).await.unwrap());
    assert!(names(NOW).await.is_empty() && !withdraw(&second).await, "it is being accepted");
}

#[tokio::test]
async fn not_too_many_invitations_wait_for_one_notebook() {
    let bench = bench();
    let keeper = bench.keeper().await;
    for _ in 0..WAITING {
        bench.invite().await;
    }
    assert!(bench.sessions.invite(&keeper, &to(), NOW).await.unwrap().is_none());
    let other = Invitation { notebook: "paul".to_owned(), ..to() };
    assert!(bench.sessions.invite(&keeper, &other, NOW).await.unwrap().is_some());
    let one = bench.sessions.waiting("jeanne", NOW).await.unwrap().remove(0);
    assert!(bench.sessions.withdraw("jeanne", &one.name, NOW).await.unwrap());
    assert!(bench.sessions.invite(&keeper, &to(), NOW).await.unwrap().is_some());
    assert!(bench.sessions.invite(&keeper, &to(), NOW + INVITED_FOR).await.unwrap().is_some(), "old ones do not count");
}

#[tokio::test]
async fn one_account_may_be_in_several_notebooks() {
    let bench = bench();
    bench.account(&lea()).await;
    let first = bench.sessions.account(&lea()).await.unwrap().unwrap();
    let invited = bench.sessions.invited(&bench.invite().await, NOW).await.unwrap().unwrap();
    assert!(bench.sessions.take(&invited, NOW).await.unwrap());
    bench.sessions.accept(&invited, &lea(), "RelatedPerson/other").await.unwrap().unwrap();
    let both = bench.sessions.account(&lea()).await.unwrap().unwrap();
    assert_eq!(both.texts("fhirUser"), ["RelatedPerson/lea", "RelatedPerson/other"]);
    assert_eq!(first.text("sub"), both.text("sub"));
}

#[tokio::test]
async fn a_code_is_right_once_for_a_while_and_in_the_browser_that_asked() {
    let bench = bench();
    bench.account(&lea()).await;
    let asked = bench.ask(&lea(), "a", NOW).await;
    let code = asked.code.unwrap();
    assert_eq!((code.len(), bench.ask(&lea(), "a", NOW).await.code == Some(code.clone())), (8, false));
    let elsewhere = bench.sessions.try_code(&Secret::new().unwrap(), &code, NOW).await.unwrap();
    assert_eq!(elsewhere, Tried::Gone);
    assert_eq!(bench.sessions.try_code(&asked.browser, &code, NOW + CODE_FOR).await.unwrap(), Tried::Gone);
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    let right = bench.sessions.try_code(&asked.browser, &spaced, NOW + 1).await.unwrap();
    assert_eq!(right, Tried::Right(lea(), Purpose::SignIn));
    assert_eq!(bench.sessions.try_code(&asked.browser, &code, NOW + 1).await.unwrap(), Tried::Gone);
}

#[tokio::test]
async fn who_guesses_has_five_tries() {
    let bench = bench();
    bench.account(&lea()).await;
    let asked = bench.ask(&lea(), "a", NOW).await;
    let code = asked.code.unwrap();
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..4 {
        assert_eq!(bench.sessions.try_code(&asked.browser, wrong, NOW).await.unwrap(), Tried::Wrong);
    }
    assert_eq!(bench.sessions.try_code(&asked.browser, "", NOW).await.unwrap(), Tried::Gone);
    assert_eq!(bench.sessions.try_code(&asked.browser, &code, NOW).await.unwrap(), Tried::Gone);
}

#[tokio::test]
async fn codes_are_sent_to_accounts_alone_and_not_too_often() {
    let bench = bench();
    let stranger = address("nobody@example.org");
    let asked = bench.ask(&stranger, "a", NOW).await;
    assert!(asked.code.is_none());
    let tried = bench.sessions.try_code(&asked.browser, "12345678", NOW).await.unwrap();
    assert_eq!(tried, Tried::Wrong, "as if there were one");
    bench.account(&lea()).await;
    for _ in 0..CODES_OF_ACCOUNT {
        assert!(bench.ask(&lea(), "b", NOW).await.code.is_some());
    }
    assert!(bench.ask(&lea(), "c", NOW).await.code.is_none(), "of one account");
    assert!(bench.ask(&lea(), "c", NOW + HOUR).await.code.is_some(), "an hour later");
    for number in 0..CODES_FROM_PLACE {
        let other = address(&format!("a{number}@example.org"));
        bench.account(&other).await;
        assert!(bench.ask(&other, "d", NOW).await.code.is_some());
    }
    let last = address("last@example.org");
    bench.account(&last).await;
    assert!(bench.ask(&last, "d", NOW).await.code.is_none(), "from one place");
    assert!(bench.ask(&last, "e", NOW).await.code.is_some());
}
