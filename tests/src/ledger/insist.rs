//! Those who do not give up: what was not acknowledged is sent again, as it was, to the next server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Ledger, Outcome, State, lock, note, written};
use crate::{Answer, Fhir, Request, nodes::Book, sample};

/// Longer than any fault lasts: who was not acknowledged by then never will be.
const NEVER: Duration = Duration::from_secs(120);

impl Ledger {
    /// Writes one thing after the other, each until it is acknowledged, until told to stop.
    pub async fn insist(
        self: Arc<Self>,
        book: Book,
        circle: Arc<sample::Circle>,
        writer: usize,
        stop: Arc<AtomicBool>,
    ) {
        for turn in 0_usize.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let word = format!("i{writer}-{turn}");
            let calls = Calls { ledger: &self, book: &book, first: writer + turn };
            match turn % 5 {
                0 => calls.pair(&circle, &word).await,
                1 => {
                    let name = calls.note(&circle, &word).await;
                    calls.update(&name, &word).await;
                }
                2 => calls.person(&word, "if-none-exist", format!("identifier={}|{word}", sample::LOCAL)).await,
                3 => calls.person(&word, "idempotency-key", word.clone()).await,
                _ => drop(calls.note(&circle, &word).await),
            }
        }
    }
}

/// Requests that are repeated until they are answered.
struct Calls<'a> {
    ledger: &'a Ledger,
    book: &'a Book,
    first: usize,
}

impl Calls<'_> {
    /// The first answer that is one.
    async fn until_answered(&self, expected: &[u16], request: impl Fn(&Fhir) -> Request) -> Answer {
        let begun = Instant::now();
        for attempt in 0.. {
            let outcome = self.ledger.outcome(request(&self.book.r4(self.first + attempt))).await;
            match outcome {
                Outcome::Answered(answer) if expected.contains(&answer.status) => return answer,
                Outcome::Answered(answer) => panic!("{}: {} {}", answer.asked, answer.status, answer.text()),
                Outcome::Unknown => self.ledger.repeated.fetch_add(1, Ordering::Relaxed),
            };
            assert!(begun.elapsed() < NEVER, "nobody answers");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        unreachable!("it is asked for ever")
    }

    fn done(&self, name: &str, version: u64, word: &str) {
        self.ledger.note_down(name, version, State::Says(word.to_owned()));
        self.ledger.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    async fn note(&self, circle: &sample::Circle, word: &str) -> String {
        let body = note(circle, word);
        let answer = self.until_answered(&[200, 201], |r4| r4.request("POST", "DocumentReference").json(&body)).await;
        let name = format!("DocumentReference/{}", answer.id());
        self.done(&name, 1, word);
        name
    }

    /// Of the version that it knows: refused the second time, it was done the first time.
    async fn update(&self, name: &str, word: &str) {
        let now = self.until_answered(&[200], |r4| r4.request("GET", name)).await.json();
        let said = format!("{word}-changed");
        let body = sample::with(now, "/description", said.as_str());
        let request = |r4: &Fhir| r4.request("PUT", name).header("if-match", "W/\"1\"").json(&body);
        self.until_answered(&[200, 412], request).await;
        self.done(name, 2, &said);
    }

    async fn person(&self, word: &str, header: &str, value: String) {
        let body = sample::patient(word, word, "Jeanne");
        let request = |r4: &Fhir| r4.request("POST", "Patient").header(header, &value).json(&body);
        let answer = self.until_answered(&[200, 201], request).await;
        self.done(&format!("Patient/{}", answer.id()), 1, word);
    }

    /// A person who is made where there was none, and a note that has a name of its own.
    async fn pair(&self, circle: &sample::Circle, word: &str) {
        let person = "urn:uuid:00000000-0000-4000-8000-000000000001";
        let mut first = sample::creating(person, sample::patient(word, word, "Jeanne"));
        first["request"]["ifNoneExist"] = json!(format!("identifier={}|{word}", sample::LOCAL));
        let note = sample::with(note(circle, word), "/subject/reference", person);
        let second = sample::creating("urn:uuid:00000000-0000-4000-8000-000000000002", note);
        let bundle = sample::bundle("transaction", vec![first, second]);
        let answer = self.until_answered(&[200], |r4| r4.request("POST", "").json(&bundle)).await.json();
        for name in written(&answer) {
            self.done(&name, 1, word);
        }
        lock(&self.ledger.pairs).push(word.to_owned());
    }
}
