//! Those without a provider of identity: invited by who keeps a circle, signed in by codes.

use liaison_tests::{
    MailServer, Provider, Server,
    browser::{Browser, hidden},
};
use serde_json::json;

use super::{ATTEMPT, SESSION, reads, serving_with};
use crate::access::world::{daughter, nurse, person_herself};

/// A server that sends mail, and where it goes.
async fn serving(provider: &Provider) -> (Server, MailServer) {
    let mail = MailServer::start().await;
    let settings = mail.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (serving_with(provider, &settings).await, mail)
}

/// The person invites somebody; the way to accept.
async fn invite(provider: &Provider, server: &Server, given: &str) -> String {
    let jeanne = Browser::new(server, "x");
    jeanne.sign_in(provider, &person_herself()).await;
    let home = jeanne.get("").await.is(200).text();
    assert!(home.contains("href=\"/invitations/new?notebook=jeanne\""), "{home}");
    let page = jeanne.get("invitations/new?notebook=jeanne").await.is(200).text();
    let csrf = hidden(&page, "csrf").unwrap();
    let fields =
        [("csrf", csrf.as_str()), ("notebook", "jeanne"), ("given", given), ("family", "Morel"), ("relation", "SIB")];
    let made = jeanne.post("invitations", &fields).await.is(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let page = made.text();
    assert!(page.contains("<svg role=\"img\"") && page.contains("<path d=\"M4,4h1v1h-1z"), "{page}");
    let way = page.split("https://liaison.example/").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    way.to_owned()
}

/// Accepts with an address.
async fn accept(server: &Server, mail: &MailServer, way: &str, address: &str) -> Browser {
    let browser = Browser::new(server, "Firefox/150.0 Android");
    let before = mail.letters().len();
    browser.post(way, &[("mail", address)]).await.is(200);
    let code = mail.letter(before).await.code();
    let answer = browser.post(&format!("{way}/code"), &[("code", &code)]).await.is(303);
    assert_eq!(answer.header("location"), "/");
    browser
}

#[tokio::test]
async fn who_is_invited_joins_the_circle_and_signs_in_by_mail() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    let rose = Browser::new(&server, "Firefox/150.0 Android");
    let page = rose.come(&way).await.is(200).text();
    assert!(page.contains("Rose Morel") && !page.contains("Camille"), "it tells nothing of the person: {page}");
    rose.post(&way, &[("mail", "Rose@Example.org")]).await.is(200);
    let letter = mail.letter(0).await;
    assert_eq!(letter.to, "rose@example.org");
    for private in ["Morel", "Rose M", "notebook", "liaison.example", "health"] {
        assert!(!letter.text.contains(private), "{private}: {}", letter.text);
    }
    assert_eq!(reads(&rose, "jeanne").await, 401, "asking is not accepting");
    let code = letter.code();
    rose.post(&format!("{way}/code"), &[("code", "00 00")]).await.is(403);
    assert!(rose.cookie(SESSION).is_none());
    rose.post(&format!("{way}/code"), &[("code", &code)]).await.is(303);
    assert_eq!((reads(&rose, "jeanne").await, reads(&rose, "paul").await), (200, 404));
    let note = |id: &str| rose.request("GET", &format!("fhir/r4/DocumentReference/{id}")).send();
    assert_eq!((note("open").await.status, note("no-third").await.status), (200, 404), "as a relative");
    let home = rose.get("").await.is(200).text();
    assert!(
        home.contains("Rose Morel") && home.contains("Camille Morel") && !home.contains("/invitations/new"),
        "{home}"
    );

    // What was written, as the person would have written it.
    let jeanne = server.r4().by(&provider.token(&person_herself()));
    let relatives = jeanne.get("RelatedPerson?patient=Patient/jeanne&name=Rose").await.is(200).matches();
    assert_eq!(relatives.len(), 1, "{relatives:?}");
    assert_eq!(relatives[0]["relationship"][0]["coding"][0]["code"], "SIB");
    let circle = jeanne.get("CareTeam/c-jeanne").await.is(200).json();
    let members = circle["participant"].as_array().unwrap();
    assert_eq!(members.len(), 5, "those who were in it are: {circle}");
    assert_eq!(members[4]["member"]["reference"], format!("RelatedPerson/{}", relatives[0]["id"].as_str().unwrap()));

    // Another day, another phone.
    let again = Browser::new(&server, "y");
    assert!(again.get("sign-in").await.text().contains("action=\"/sign-in/mail\""));
    again.post("sign-in/mail", &[("mail", "rose@example.org"), ("back", "/sessions")]).await.is(200);
    let code = mail.letter(1).await.code();
    let answer = again.post("sign-in/code", &[("code", &code), ("back", "//evil.example")]).await.is(303);
    assert_eq!(answer.header("location"), "/");
    assert_eq!(reads(&again, "jeanne").await, 200);
    let page = again.get("sessions").await.is(200).text();
    assert!(page.contains("Firefox, Android"), "one person: {page}");
}

#[tokio::test]
async fn an_invitation_is_for_one_and_made_by_who_keeps_the_circle() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    accept(&server, &mail, &way, "rose@example.org").await;
    let second = Browser::new(&server, "y");
    let page = second.get(&way).await.is(410).text();
    assert!(page.contains("does not hold any more"), "{page}");
    second.post(&way, &[("mail", "other@example.org")]).await.is(410);
    second.post(&format!("{way}/code"), &[("code", "12345678")]).await.is(410);
    second.get("invitation/invented").await.is(410);

    for (who, notebook) in [(nurse(), "jeanne"), (daughter(), "jeanne"), (person_herself(), "paul")] {
        let browser = Browser::new(&server, "z");
        browser.sign_in(&provider, &who).await;
        browser.get(&format!("invitations/new?notebook={notebook}")).await.is(403);
        let csrf = browser.csrf().await;
        let fields =
            [("csrf", csrf.as_str()), ("notebook", notebook), ("given", "A"), ("family", "B"), ("relation", "SIB")];
        browser.post("invitations", &fields).await.is(403);
    }
    let jeanne = Browser::new(&server, "x");
    jeanne.sign_in(&provider, &person_herself()).await;
    let csrf = jeanne.csrf().await;
    let asks = async |relation: &str, given: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("notebook", "jeanne"),
            ("given", given),
            ("family", "B"),
            ("relation", relation),
        ];
        jeanne.post("invitations", &fields).await.status
    };
    assert_eq!(asks("SIB", "A").await, 200);
    assert_eq!(asks("GUARD", "A").await, 400, "nobody is made a guardian by a link");
    assert_eq!(asks("SIB", "+").await, 400);
    let fields = [("notebook", "jeanne"), ("given", "A"), ("family", "B"), ("relation", "SIB")];
    jeanne.post("invitations", &fields).await.is(403);
    assert_eq!(
        Browser::new(&server, "n").get("invitations/new?notebook=jeanne").await.is(303).header("location"),
        "/sign-in"
    );
}

#[tokio::test]
async fn an_invitation_that_went_to_somebody_else_is_withdrawn() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    let rose = Browser::new(&server, "y");
    rose.post(&way, &[("mail", "rose@example.org")]).await.is(200);
    let code = mail.letter(0).await.code();

    let jeanne = Browser::new(&server, "x");
    jeanne.sign_in(&provider, &person_herself()).await;
    let page = jeanne.get("invitations/new?notebook=jeanne").await.is(200).text();
    assert!(page.contains("Rose Morel (Sister or brother)") && !page.contains(&way), "{page}");
    let (csrf, name) = (hidden(&page, "csrf").unwrap(), hidden(&page, "invitation").unwrap());
    let withdraw = [("csrf", csrf.as_str()), ("notebook", "jeanne"), ("invitation", name.as_str())];

    // Neither a page of somebody else nor who keeps no circle withdraws it.
    jeanne.post("invitations/withdraw", &withdraw[1..]).await.is(403);
    jeanne.post_from("https://evil.example", "cross-site", "invitations/withdraw", &withdraw).await.is(403);
    let nurses = Browser::new(&server, "z");
    nurses.sign_in(&provider, &nurse()).await;
    let csrf = nurses.csrf().await;
    nurses.post("invitations/withdraw", &[("csrf", &csrf), withdraw[1], withdraw[2]]).await.is(403);
    Browser::new(&server, "n").get(&way).await.is(200);

    let answer = jeanne.post("invitations/withdraw", &withdraw).await.is(303);
    assert_eq!(answer.header("location"), "/invitations/new?notebook=jeanne");
    let page = jeanne.get("invitations/new?notebook=jeanne").await.is(200).text();
    assert!(!page.contains("Rose Morel"), "{page}");
    Browser::new(&server, "n").get(&way).await.is(410);
    rose.post(&format!("{way}/code"), &[("code", &code)]).await.is(410);
    assert!(rose.cookie(SESSION).is_none());
}

#[tokio::test]
async fn of_two_who_open_an_invitation_at_once_one_is_brought_in() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    let (one, other) = (Browser::new(&server, "x"), Browser::new(&server, "y"));
    one.post(&way, &[("mail", "one@example.org")]).await.is(200);
    let first = mail.letter(0).await.code();
    other.post(&way, &[("mail", "other@example.org")]).await.is(200);
    let second = mail.letter(1).await.code();
    let path = format!("{way}/code");
    let (first, second) = ([("code", first.as_str())], [("code", second.as_str())]);
    let (one, other) = tokio::join!(one.post(&path, &first), other.post(&path, &second));
    let mut answers = [one.status, other.status];
    answers.sort_unstable();
    assert_eq!(answers, [303, 410]);
    let jeanne = server.r4().by(&provider.token(&person_herself()));
    assert_eq!(jeanne.get("RelatedPerson?patient=Patient/jeanne&name=Rose").await.matches().len(), 1);
}

#[tokio::test]
async fn an_invitation_is_worth_what_who_made_it_may_still_do() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    // The attending physician keeps the circle, and leaves it.
    let operator = server.r4().by(&provider.token(&json!({ "sub": "desk", "roles": ["operator"] })));
    let with = |role: &str| {
        let role = json!([{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction", "code": role }] }]);
        json!({
            "resourceType": "CareTeam", "id": "c-jeanne", "status": "active", "subject": { "reference": "Patient/jeanne" },
            "participant": [{ "role": role, "member": { "reference": "PractitionerRole/awa" } }]
        })
    };
    operator.put("CareTeam/c-jeanne", &with("PCP")).await.is(200);
    let doctor = Browser::new(&server, "x");
    doctor.sign_in(&provider, &nurse()).await;
    let csrf = doctor.csrf().await;
    let fields =
        [("csrf", csrf.as_str()), ("notebook", "jeanne"), ("given", "Rose"), ("family", "B"), ("relation", "SIB")];
    let page = doctor.post("invitations", &fields).await.is(200).text();
    let way = page.split("https://liaison.example/").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    operator.put("CareTeam/c-jeanne", &with("ATTPHYS")).await.is(200);
    let rose = Browser::new(&server, "y");
    rose.post(&way, &[("mail", "rose@example.org")]).await.is(200);
    let code = mail.letter(0).await.code();
    rose.post(&format!("{way}/code"), &[("code", &code)]).await.is(409);
    assert!(rose.cookie(SESSION).is_none());
    let jeanne = server.r4().by(&provider.token(&person_herself()));
    assert!(jeanne.get("RelatedPerson?patient=Patient/jeanne&name=Rose").await.matches().is_empty());
}

#[tokio::test]
async fn who_asks_for_codes_learns_nothing_and_soon_gets_no_more() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    accept(&server, &mail, &way, "rose@example.org").await;
    let ask = async |address: &str| {
        let browser = Browser::new(&server, "y");
        let page = browser.post("sign-in/mail", &[("mail", address)]).await.is(200).text();
        assert!(browser.cookie(ATTEMPT).is_some());
        let wrong = browser.post("sign-in/code", &[("code", "1")]).await.is(403).text();
        (page, wrong)
    };
    let (known, unknown) = (ask("rose@example.org").await, ask("nobody@example.org").await);
    assert_eq!(known, unknown, "the same, whether there is an account or not");
    for _ in 0..6 {
        assert_eq!(ask("rose@example.org").await, known);
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(mail.letters().len(), 5, "five an hour, the first to accept");
    assert!(mail.letters().iter().all(|letter| letter.to == "rose@example.org"));
    let browser = Browser::new(&server, "z");
    browser.post("sign-in/mail", &[("mail", "not an address")]).await.is(400);
    browser.post_from("https://evil.example", "cross-site", "sign-in/mail", &[("mail", "a@b.example")]).await.is(403);
    let log = server.log();
    for private in ["rose@", "nobody@", "Rose", way.as_str()] {
        assert!(!log.contains(private), "{private}: {log}");
    }
}

#[tokio::test]
async fn a_code_is_good_in_the_browser_that_asked_and_not_forever_tried() {
    let provider = Provider::start().await;
    let (server, mail) = serving(&provider).await;
    let way = invite(&provider, &server, "Rose").await;
    accept(&server, &mail, &way, "rose@example.org").await;
    let browser = Browser::new(&server, "y");
    browser.post("sign-in/mail", &[("mail", "rose@example.org")]).await.is(200);
    let code = mail.letter(1).await.code();
    let other = Browser::new(&server, "z");
    other.post("sign-in/code", &[("code", &code)]).await.is(400);
    other.post("sign-in/mail", &[("mail", "rose@example.org")]).await.is(200);
    other.post("sign-in/code", &[("code", &code)]).await.is(403);
    assert!(other.cookie(SESSION).is_none(), "that code was for another browser");
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..4 {
        browser.post("sign-in/code", &[("code", wrong)]).await.is(403);
    }
    browser.post("sign-in/code", &[("code", wrong)]).await.is(400);
    browser.post("sign-in/code", &[("code", &code)]).await.is(400);
    assert!(browser.cookie(SESSION).is_none());
}
