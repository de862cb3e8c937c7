//! `liaison demo`: a living notebook, once.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use liaison_tests::{Fhir, Launch, Provider, Server, Store, binary, browser::Browser};

/// A demonstration that runs.
pub struct Demo {
    child: Child,
    said: String,
    root: String,
}

impl Demo {
    /// Starts it in a folder.
    pub fn start(folder: &std::path::Path) -> Self {
        let mut command = Command::new(binary());
        command.args(["demo", "--listen", "127.0.0.1:0", "--dir"]).arg(folder).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let root = loop {
            let line = lines.next().expect("it says that it listens").expect("text");
            if let Some(root) = line.strip_prefix("listening on ") {
                break root.to_owned();
            }
            said += &line;
            said.push('\n');
        };
        Self { child, said, root }
    }

    /// Where it is.
    pub fn root(&self) -> &str {
        &self.root
    }

    fn site(&self) -> Fhir {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        Fhir::new(http.build().expect("a client"), self.root.clone())
    }

    fn base(&self, path: &str) -> Fhir {
        Fhir::new(reqwest::Client::new(), format!("{}/fhir/{path}", self.root))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_demonstration_is_there_once_however_often_it_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let count = async |base: &Fhir, query: &str| {
        base.get(&format!("{query}&_summary=count")).await.is(200).json()["total"].as_u64().unwrap()
    };
    let first = Demo::start(folder.path());
    assert!(
        first.said.contains("/fhir/r4") && first.said.contains("/fhir/stu3") && first.said.contains("curl"),
        "{}",
        first.said
    );
    let r4 = first.base("r4");
    let notes = count(&r4, "DocumentReference?_total=accurate").await;
    assert_eq!(notes, 43);
    for (kind, expected) in [
        ("Patient", 6),
        ("Practitioner", 3),
        ("PractitionerRole", 3),
        ("RelatedPerson", 1),
        ("Organization", 1),
        ("Device", 1),
        ("CareTeam", 2),
    ] {
        assert_eq!(count(&r4, &format!("{kind}?_total=accurate")).await, expected, "{kind}");
    }
    for code in ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"] {
        assert!(count(&r4, &format!("DocumentReference?type={code}")).await > 2, "{code}");
    }
    assert_eq!(count(&first.base("stu3"), "DocumentReference?masterIdentifier=58619").await, 1);
    let nobody_answered = "DocumentReference?identifier=https://demo.liaison.example/identifiants|note-37";
    let deleted = r4.get(nobody_answered).await.matches()[0]["id"].as_str().unwrap().to_owned();
    assert!([200, 204].contains(&r4.delete(&format!("DocumentReference/{deleted}")).await.status));
    drop(first);
    let second = Demo::start(folder.path());
    assert_eq!(
        count(&second.base("r4"), "DocumentReference?_total=accurate").await,
        42,
        "what was done to it stays done"
    );
    second.base("r4").get(&format!("DocumentReference/{deleted}")).await.is(410);
}

#[tokio::test]
async fn every_note_of_the_demonstration_is_as_the_volet_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let r4 = demo.base("r4");
    let mut page = r4.get("DocumentReference?_count=100").await.is(200);
    loop {
        for note in page.matches() {
            let judged = r4.post("DocumentReference/$validate", &note).await.is(200).findings();
            assert!(judged.iter().all(|line| !line.starts_with("error")), "{note}\n{judged:?}");
        }
        match page.link("next") {
            Some(next) => page = r4.get(&next).await.is(200),
            None => break,
        }
    }
}

#[test]
fn the_demonstration_is_for_this_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut command = Command::new(binary());
        command.args(["demo", "--listen", listen, "--dir"]).arg(folder.path());
        let ended = command.env("LIAISON_AUTH", "oidc").output().expect("the program runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains("--listen") && said.contains("loopback"), "{said}");
        assert!(ended.stdout.is_empty());
    }
}

#[tokio::test]
async fn nobody_chooses_who_they_are_where_it_is_not_the_demonstration() {
    // The store of a demonstration, with somebody signed in, served by itself.
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let browser = Browser::of(demo.site(), "x");
    browser.post_from(demo.root(), "same-origin", "sign-in/as", &[("who", "yvonne"), ("back", "/")]).await.is(303);
    let session = browser.cookie("liaison-session").unwrap();
    drop(demo);
    let provider = Provider::start().await;
    let store = Store::of_file(folder.path().join("liaison.db"));
    for launch in [Launch::on(store.clone()), Launch::on(store).where_people_sign_in(&provider)] {
        let server = Server::launch(launch).await;
        let browser = Browser::new(&server, "x");
        for name in ["liaison-session", "__Host-liaison-session"] {
            browser.keep(name, &session);
        }
        let page = browser.get("sign-in").await.text();
        assert!(!page.contains("sign-in/as") && !page.contains("Yvonne"), "{page}");
        browser.post("sign-in/as", &[("who", "yvonne"), ("back", "/")]).await.is(404);
        assert!(!browser.get("").await.is(200).text().contains("Yvonne"));
    }
}

#[tokio::test]
async fn one_chooses_who_one_is_and_sees_what_they_see() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    assert!(demo.said.contains("/sign-in, as Claire Dubreuil (infirmière), "), "{}", demo.said);
    let be = async |who: &str, patients: usize, notebooks: &[&str]| {
        let browser = Browser::of(demo.site(), "x");
        let page = browser.get("sign-in").await.is(200).text();
        assert!(page.contains(&format!("value=\"{who}\"")), "{page}");
        let fields = [("who", who), ("back", "/")];
        let refused = browser.post_from("http://evil.example", "cross-site", "sign-in/as", &fields).await;
        assert_eq!((refused.status, browser.cookie("liaison-session")), (403, None));
        let signed_in = browser.post_from(demo.root(), "same-origin", "sign-in/as", &fields).await.is(303);
        assert_eq!((signed_in.header("location"), browser.cookie("liaison-session").is_some()), ("/", true));
        let kept = signed_in.header("set-cookie");
        assert!(kept.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{kept}");
        let home = browser.get("").await.is(200).text();
        for name in ["Jeanne Morel", "Lucien Arnaud", "Yvonne Castel", "Ahmed Benali"] {
            assert_eq!(home.contains(&format!("<li>{name}")), notebooks.contains(&name), "{who}, {name}: {home}");
        }
        let seen = browser.request("GET", "fhir/r4/Patient?_count=50").send().await.is(200);
        assert_eq!(seen.matches().len(), patients, "{who}: {}", seen.text());
    };
    be("nurse", 2, &["Jeanne Morel", "Lucien Arnaud"]).await;
    be("aide", 2, &["Jeanne Morel", "Lucien Arnaud"]).await;
    be("daughter", 1, &["Jeanne Morel"]).await;
    be("jeanne", 1, &["Jeanne Morel"]).await;
    be("yvonne", 1, &["Yvonne Castel"]).await;
    let system = demo.base("r4").get("Patient?_count=50").await.is(200);
    assert_eq!(system.matches().len(), 6, "programs that come without a session see all");
    // Jeanne reads who saw her notebook; what was there before the story began is no part of it.
    let jeanne = Browser::of(demo.site(), "x");
    jeanne.post_from(demo.root(), "same-origin", "sign-in/as", &[("who", "jeanne"), ("back", "/")]).await.is(303);
    let home = jeanne.get("").await.is(200).text();
    let way = home.split("href=\"/who-saw/").nth(1).and_then(|rest| rest.split('"').next()).expect("the way there");
    let mut page = String::new();
    for _ in 0..100 {
        page = jeanne.get(&format!("who-saw/{way}")).await.is(200).text();
        if page.contains("Claire Dubreuil") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(page.contains("<strong>Claire Dubreuil (infirmière)</strong> read one other thing"), "{page}");
    assert!(!page.contains("wrote"), "{page}");
    let nobody = Browser::of(demo.site(), "x");
    nobody.post_from(demo.root(), "same-origin", "sign-in/as", &[("who", "somebody")]).await.is(403);
    assert!(nobody.cookie("liaison-session").is_none());
}
