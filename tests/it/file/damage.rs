//! What a disk did to the store is never answered as if it were whole.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use liaison_tests::{Fhir, Launch, Server, binary, ledger::bytes_of, sample};
use serde_json::{Value, json};

const PAGE: usize = 8192;

/// How many pages are damaged, one after the other; `LIAISON_TEST_FLIPS` asks for more.
fn flips() -> usize {
    std::env::var("LIAISON_TEST_FLIPS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % end
    }
}

/// Persons, notes with and without photos, changes, deletions: enough for some hundred pages.
async fn populate(r4: &Fhir) -> Vec<String> {
    let circle = sample::circle(r4).await;
    let mut names = vec![circle.patient.clone(), circle.practitioner.clone(), circle.role.clone()];
    for at in 0..60 {
        let person = sample::create(r4, &sample::patient(&format!("p-{at}"), &format!("Morel{at}"), "Jeanne")).await;
        let note = sample::named(sample::note(&person, &circle.practitioner, "bonjour"), &format!("n-{at}"));
        let note = sample::with(note, "/date", format!("2026-03-{:02}T08:30:00+01:00", at % 28 + 1));
        let note = sample::with(note, "/description", format!("observation {at}: {}", "rien à signaler ".repeat(100)));
        let note = match at % 10 {
            0 => {
                let photo = sample::attachment("image/png", &bytes_of(&format!("photo {at}"), 60_000));
                sample::with(note, "/content", json!([{ "attachment": photo }]))
            }
            _ => note,
        };
        let name = sample::create(r4, &note).await;
        if at % 4 == 1 {
            let changed = sample::with(r4.get(&name).await.json(), "/description", format!("corrected {at}"));
            r4.put(&name, &changed).await.is(200);
        }
        if at % 9 == 8 {
            r4.delete(&name).await;
        }
        names.extend([person, name]);
    }
    names
}

/// Everything that can be asked of it, in many ways.
fn questions(names: &[String]) -> Vec<String> {
    let mut questions: Vec<String> = names.to_vec();
    questions.extend(names.iter().filter(|name| name.starts_with("Doc")).map(|name| format!("{name}/_history")));
    questions.extend(names.iter().filter(|name| name.starts_with("Patient")).map(|person| {
        format!(
            "DocumentReference?subject={person}&_include=DocumentReference:subject&_include=DocumentReference:author"
        )
    }));
    questions.extend((0..60).map(|at| format!("DocumentReference?identifier={}|n-{at}", sample::LOCAL)));
    questions.extend((0..60).map(|at| format!("Patient?family=Morel{at}")));
    questions.extend(
        [
            "DocumentReference?_count=100",
            "DocumentReference?status=current&_sort=date&_count=100",
            "DocumentReference?date=ge2026-03-10&date=lt2026-03-20&_count=100",
            "DocumentReference?author:Practitioner.family=Dubreuil&_count=100",
            "DocumentReference?type=OBS&_summary=count",
            "Patient?_has:DocumentReference:subject:status=current&_count=100",
            "Patient?gender=female&_sort=family&_count=100",
            "Patient?birthdate=1941-03-12&_summary=count",
            "PractitionerRole?_include=*",
            "_history?_count=400",
        ]
        .map(str::to_owned),
    );
    questions
}

/// An answer, without what differs from one server to another.
async fn answer(r4: &Fhir, question: &str) -> (u16, Value) {
    let answer = r4.request("GET", question).try_send().await.expect("the server lives");
    let text = answer.text().replace(r4.base(), "BASE");
    let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if body["resourceType"] == "Bundle" {
        for moment in ["id", "meta", "timestamp"] {
            body.as_object_mut().expect("a bundle").remove(moment);
        }
    }
    (answer.status, body)
}

async fn answers(server: &Server, questions: &[String]) -> Vec<(u16, Value)> {
    let r4 = server.r4();
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(answer(&r4, question).await);
    }
    answers
}

fn is_clear_refusal((status, body): &(u16, Value)) -> bool {
    *status == 503 && body["resourceType"] == "OperationOutcome" && body["issue"][0]["code"] == "no-store"
}

fn doctor(store: &Path) -> (Option<i32>, String) {
    let output = Command::new(binary())
        .args(["doctor", "--check-store", "--listen", "127.0.0.1:0", "--store"])
        .arg(format!("sqlite:{}", store.display()))
        .output()
        .expect("the program runs");
    (
        output.status.code(),
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
    )
}

/// A store with its companions, copied.
fn copied(from: &Path, folder: &Path) -> PathBuf {
    let to = folder.join("liaison.db");
    for ending in ["", "-wal", "-mark"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        let _ = fs::remove_file(beside(&to));
        if beside(from).exists() {
            fs::copy(beside(from), beside(&to)).expect("a copy");
        }
    }
    let _ = fs::remove_file(folder.join("liaison.db-shm"));
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_anywhere_is_said_and_never_answered() {
    let server = Server::start_on_file().await;
    let names = populate(&server.r4()).await;
    let questions = questions(&names);
    let whole = answers(&server, &questions).await;
    assert!(whole.iter().all(|(status, _)| [200, 410].contains(status)), "{whole:?}");
    let (kept, store) = (server.store(), server.store().file());
    assert_eq!(server.stop().await.code(), Some(0));
    let folder = tempfile::tempdir().unwrap();
    let pages = usize::try_from(fs::metadata(&store).unwrap().len()).unwrap() / PAGE;
    let mut again = Server::launch(Launch::on_file(copied(&store, folder.path()))).await;
    assert_eq!(answers(&again, &questions).await, whole, "the same store gives the same answers");
    again.kill().await;
    let mut dice = Dice(7);
    let (mut starts_refused, mut answers_refused) = (0, 0);
    for flip in 0..flips() {
        // Every page in turn, as far as there are more than flips; then others of the same pages.
        let page = flip * pages / flips().max(1) % pages;
        let (byte, bit) = (page * PAGE + dice.below(PAGE), dice.below(8));
        let copy = copied(&store, folder.path());
        let mut bytes = fs::read(&copy).unwrap();
        bytes[byte] ^= 1 << bit;
        fs::write(&copy, bytes).unwrap();
        let (status, said) = doctor(&copy);
        assert_eq!(status, Some(1), "byte {byte}, bit {bit}: {said}");
        assert!(said.contains("damaged"), "byte {byte}, bit {bit}: {said}");
        match Server::try_launch(Launch::on_file(&copy)).await {
            Err(refused) => {
                starts_refused += 1;
                assert_eq!(refused.status, Some(1), "{}", refused.said);
                assert!(refused.said.contains("damaged"), "byte {byte}, bit {bit}: {}", refused.said);
                assert!(!refused.said.contains("panicked"), "{}", refused.said);
            }
            Ok(mut server) => {
                let mut refused = 0;
                for (question, (found, right)) in
                    questions.iter().zip(answers(&server, &questions).await.iter().zip(&whole))
                {
                    if found != right {
                        assert!(is_clear_refusal(found), "byte {byte}, bit {bit}: {question}: {found:?}");
                        refused += 1;
                    }
                }
                if refused > 0 {
                    let ready = server.site().get("readyz").await;
                    assert_eq!(ready.status, 503, "after {refused} refusals");
                    assert!(ready.text().contains("damaged"), "{}", ready.text());
                }
                answers_refused += refused;
                server.kill().await;
            }
        }
    }
    eprintln!("{} flips in {pages} pages: {starts_refused} starts and {answers_refused} answers refused", flips());
    assert!(starts_refused > 0 && answers_refused > 0, "{starts_refused} starts, {answers_refused} answers");
    drop(kept);
}

/// A store whose server was killed, so that its log holds what the file does not.
async fn killed() -> (Server, Vec<String>, Vec<(u16, Value)>) {
    let mut server = Server::start_on_file().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let mut names = Vec::new();
    for at in 0..40 {
        let note = sample::note(&circle.patient, &circle.practitioner, &format!("note {at}"));
        names.push(sample::create(&r4, &note).await);
    }
    let mut questions = names;
    questions.push("DocumentReference?_count=100".into());
    let whole = answers(&server, &questions).await;
    server.kill().await;
    (server, questions, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_damaged_cut_off_or_gone_is_missed() {
    let (server, questions, whole) = killed().await;
    let store = server.store().file();
    let log = PathBuf::from(format!("{}-wal", store.display()));
    let length = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    assert!(length > 10 * PAGE, "the log holds something");
    let folder = tempfile::tempdir().unwrap();
    let copied_log = folder.path().join("liaison.db-wal");
    let mut dice = Dice(11);
    let mut missed = 0;
    for case in 0..14 {
        let copy = copied(&store, folder.path());
        let mut bytes = fs::read(&copied_log).unwrap();
        let what = match case {
            0 => {
                fs::remove_file(&copied_log).unwrap();
                "gone".to_owned()
            }
            1..=3 => {
                let kept = length * case / 4;
                bytes.truncate(kept);
                format!("cut off at {kept}")
            }
            _ => {
                let (byte, bit) = (if case == 4 { 20 } else { dice.below(length) }, dice.below(8));
                bytes[byte] ^= 1 << bit;
                format!("byte {byte}, bit {bit}")
            }
        };
        if case > 0 {
            fs::write(&copied_log, bytes).unwrap();
        }
        match Server::try_launch(Launch::on_file(&copy)).await {
            Err(refused) => {
                missed += 1;
                assert_eq!(refused.status, Some(1));
                let clear = refused.said.contains("were acknowledged") || refused.said.contains("damaged");
                assert!(clear, "{what}: {}", refused.said);
                let (status, said) = doctor(&copy);
                assert_eq!(status, Some(1), "{what}: {said}");
            }
            // Only what the file holds too may be missing from the log.
            Ok(mut server) => {
                assert_eq!(answers(&server, &questions).await, whole, "{what}");
                server.kill().await;
            }
        }
    }
    assert!(missed >= 8, "{missed} of 14");
    // The log put back, nothing of it was touched by those that refused.
    let copy = copied(&store, folder.path());
    fs::remove_file(&copied_log).unwrap();
    assert!(Server::try_launch(Launch::on_file(&copy)).await.is_err());
    fs::copy(&log, &copied_log).unwrap();
    let _ = fs::remove_file(folder.path().join("liaison.db-shm"));
    let server = Server::launch(Launch::on_file(&copy)).await;
    assert_eq!(answers(&server, &questions).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_cut_off_or_is_gone_is_said() {
    let server = Server::start_on_file().await;
    let names = populate(&server.r4()).await;
    let questions = questions(&names);
    let whole = answers(&server, &questions).await;
    let (_kept, store) = (server.store(), server.store().file());
    assert_eq!(server.stop().await.code(), Some(0));
    let folder = tempfile::tempdir().unwrap();
    let length = usize::try_from(fs::metadata(&store).unwrap().len()).unwrap();
    for kept in [0, 1, 60, 100, 4096, PAGE, PAGE + 100, length / 2, length - PAGE, length - 9] {
        let copy = copied(&store, folder.path());
        fs::File::options().write(true).open(&copy).unwrap().set_len(kept as u64).unwrap();
        match Server::try_launch(Launch::on_file(&copy)).await {
            Err(refused) => {
                assert_eq!(refused.status, Some(1));
                let words = ["damaged", "were acknowledged", "not a store"];
                assert!(words.iter().any(|word| refused.said.contains(word)), "{kept} bytes: {}", refused.said);
                assert_eq!(fs::metadata(&copy).unwrap().len(), kept as u64, "what is left is left as it is");
            }
            Ok(mut server) => {
                let found = answers(&server, &questions).await;
                assert_eq!(doctor(&copy).0, Some(1), "{kept} bytes of {length}");
                for (found, right) in found.iter().zip(&whole) {
                    assert!(found == right || is_clear_refusal(found), "{kept} bytes: {found:?}");
                }
                server.kill().await;
            }
        }
    }
    let copy = copied(&store, folder.path());
    fs::remove_file(&copy).unwrap();
    let gone =
        Server::try_launch(Launch::on_file(&copy)).await.err().expect("no new store in the place of one that was");
    assert!(gone.said.contains("were acknowledged"), "{}", gone.said);
}

/// The first page of a database without tables, of this application and version.
fn database(application: u32, version: u32) -> Vec<u8> {
    let mut page = vec![0_u8; 4096];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    page[27] = 1; // Changed once.
    page[31] = 1; // One page.
    page[47] = 4; // Format of the schema.
    page[59] = 1; // UTF-8.
    page[60..64].copy_from_slice(&version.to_be_bytes());
    page[68..72].copy_from_slice(&application.to_be_bytes());
    page[95] = 1;
    page[100] = 0x0D; // A leaf without cells, whose content begins at the end.
    page[105] = 0x10;
    page
}

#[tokio::test]
async fn what_is_no_store_of_this_program_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"a text of some length, which is no database of any kind, nor was it ever".repeat(200);
    for (name, content, words) in [
        ("text.db", text, "not a store"),
        ("other.db", database(0x1234_5678, 3), "not a store"),
        ("newer.db", database(0x4C49_4149, 99), "later version"),
        ("older.db", database(0x4C49_4149, 0), "earlier version"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let refused = Server::try_launch(Launch::on_file(&path)).await.err().expect("it is refused");
        assert_eq!(refused.status, Some(1), "{name}");
        assert!(refused.said.contains(words) && refused.said.contains(name), "{name}: {}", refused.said);
        assert_eq!(fs::read(&path).unwrap(), content, "{name} is left as it is");
        assert_eq!(doctor(&path).0, Some(1), "{name}");
    }
    let refused = Server::try_launch(Launch::on_file(folder.path())).await.err().expect("a folder is no store");
    assert_eq!(refused.status, Some(1));
    assert!(refused.said.contains("folder"), "{}", refused.said);
    let nowhere = folder.path().join("no/such/folder/liaison.db");
    let refused = Server::try_launch(Launch::on_file(nowhere)).await.err().expect("there is no such folder");
    assert!(refused.status == Some(1) && refused.said.contains("folder is not there"), "{}", refused.said);
    // An empty file is where a store is to be made.
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    sample::circle(&Server::launch(Launch::on_file(&empty)).await.r4()).await;
}
