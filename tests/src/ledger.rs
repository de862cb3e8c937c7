//! What a server acknowledged, and what it was asked and did not answer: written down while it is under
//! load, held against it afterwards.

mod insist;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{Answer, Fhir, Request, sample};

/// What was acknowledged of one resource, and what may have been done to it beyond.
#[derive(Clone, Debug)]
struct Fact {
    version: u64,
    state: State,
    /// Asked and not answered: it may have been done or not.
    doubt: Option<State>,
}

/// What a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It says this word.
    Says(String),
    /// It holds this many bytes, made from this word.
    Holds(String, usize),
    /// It was deleted.
    Deleted,
}

/// A creation that was not answered.
#[derive(Clone, Debug)]
enum Unanswered {
    /// Of one resource, with the headers that make sending it again safe.
    One { address: String, value: String, body: Value, headers: Vec<(String, String)> },
    /// Of a person and a note about them, in one transaction, both with this identifier.
    Pair(String),
}

/// What was acknowledged, by all who write.
#[derive(Default)]
pub struct Ledger {
    facts: Mutex<BTreeMap<String, Fact>>,
    unanswered: Mutex<Vec<Unanswered>>,
    /// Persons and notes that were acknowledged together.
    pairs: Mutex<Vec<String>>,
    acknowledged: AtomicUsize,
    refused: Mutex<Vec<String>>,
    /// Whether "not now" is an answer that may come: then what was asked may have been done or not.
    through_faults: bool,
    /// How often it came.
    unavailable: AtomicUsize,
    /// How often there was no answer at all.
    unanswered_requests: AtomicUsize,
    /// How often somebody asked the same again.
    repeated: AtomicUsize,
    /// What was answered last, compared with when it was asked.
    longest: Mutex<Duration>,
}

/// What came of a request.
enum Outcome {
    /// This.
    Answered(Answer),
    /// It may have been done or not.
    Unknown,
}

/// Bytes that a word makes: like a PNG, so that they may be sent as a picture.
pub fn bytes_of(word: &str, length: usize) -> Vec<u8> {
    let mut state = word.bytes().fold(7_u64, |state, byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    let noise = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).take(length).collect()
}

/// How many resources are held against the ledger at once.
const AT_ONCE: usize = 8;

/// More than the store keeps inside a note.
const HEAVY: usize = 40_000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panicked with it")
}

impl Ledger {
    /// One of those who write through faults: "not now" is no refusal, if it says when to ask again.
    pub fn through_faults() -> Self {
        Self { through_faults: true, ..Self::default() }
    }

    /// The longest that anybody waited for an answer, or for the lack of one.
    pub fn longest(&self) -> Duration {
        *lock(&self.longest)
    }

    /// How often somebody was told to come back.
    pub fn unavailable(&self) -> usize {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// How many writes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// The refusals of those who were not acknowledged: `status text`.
    pub fn refusals(&self) -> Vec<String> {
        lock(&self.refused).clone()
    }

    /// Writes one thing after the other, of every kind there is, until told to stop or not answered.
    pub async fn write(self: Arc<Self>, r4: Fhir, circle: Arc<sample::Circle>, writer: String, stop: Arc<AtomicBool>) {
        let mut notes: Vec<(String, u64)> = Vec::new();
        for turn in 0_usize.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let word = format!("{writer}-{turn}");
            let done = match turn % 9 {
                0 => self.pair(&r4, &circle, &word).await,
                1 | 6 => self.note(&r4, &circle, &word, &mut notes).await,
                2 => self.change(&r4, &circle, &word, &mut notes, Change::Update).await,
                3 => self.change(&r4, &circle, &word, &mut notes, Change::Patch).await,
                4 => self.person(&r4, &word, "if-none-exist", format!("identifier={}|{word}", sample::LOCAL)).await,
                5 => self.heavy_note(&r4, &circle, &word).await,
                7 => self.binary(&r4, &word).await,
                _ if turn % 2 == 0 => self.change(&r4, &circle, &word, &mut notes, Change::Delete).await,
                _ => self.person(&r4, &word, "idempotency-key", word.clone()).await,
            };
            if done.is_none() {
                return;
            }
        }
    }

    /// Sends a request and writes down how it went.
    async fn outcome(&self, request: Request) -> Outcome {
        let begun = Instant::now();
        let answer = request.try_send().await;
        let mut longest = lock(&self.longest);
        *longest = begun.elapsed().max(*longest);
        match answer {
            Ok(answer) if self.through_faults && answer.status == 503 => {
                assert!(!answer.header("retry-after").is_empty(), "{}: 503, without when to come back", answer.asked);
                self.unavailable.fetch_add(1, Ordering::Relaxed);
                Outcome::Unknown
            }
            Ok(answer) => Outcome::Answered(answer),
            Err(_) => {
                self.unanswered_requests.fetch_add(1, Ordering::Relaxed);
                Outcome::Unknown
            }
        }
    }

    /// The answer to a request; nothing when there was none, or a refusal, which is written down.
    async fn ask(&self, request: Request, doubt: impl FnOnce()) -> Option<Answer> {
        match self.outcome(request).await {
            Outcome::Answered(answer) if answer.status < 300 => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                Some(answer)
            }
            Outcome::Answered(answer) => {
                lock(&self.refused).push(format!("{} {}", answer.status, answer.text()));
                None
            }
            Outcome::Unknown => {
                doubt();
                None
            }
        }
    }

    fn note_down(&self, name: &str, version: u64, state: State) {
        lock(&self.facts).insert(name.to_owned(), Fact { version, state, doubt: None });
    }

    fn not_answered(&self, what: Unanswered) {
        lock(&self.unanswered).push(what);
    }

    async fn create(
        &self,
        r4: &Fhir,
        kind: &str,
        word: &str,
        body: Value,
        headers: Vec<(String, String)>,
    ) -> Option<String> {
        let request =
            headers.iter().fold(r4.request("POST", kind), |request, (name, value)| request.header(name, value));
        let request = request.json(&body);
        let doubt = Unanswered::One { address: kind.to_owned(), value: word.to_owned(), body, headers };
        let answer = self.ask(request, || self.not_answered(doubt)).await?;
        Some(format!("{kind}/{}", answer.id()))
    }

    async fn note(&self, r4: &Fhir, circle: &sample::Circle, word: &str, notes: &mut Vec<(String, u64)>) -> Option<()> {
        let name = self.create(r4, "DocumentReference", word, note(circle, word), Vec::new()).await?;
        self.note_down(&name, 1, State::Says(word.to_owned()));
        notes.push((name, 1));
        Some(())
    }

    async fn heavy_note(&self, r4: &Fhir, circle: &sample::Circle, word: &str) -> Option<()> {
        let photo = sample::attachment("image/png", &bytes_of(word, HEAVY));
        let body = sample::with(note(circle, word), "/content", json!([{ "attachment": photo }]));
        let name = self.create(r4, "DocumentReference", word, body, Vec::new()).await?;
        self.note_down(&name, 1, State::Holds(word.to_owned(), HEAVY));
        Some(())
    }

    async fn person(&self, r4: &Fhir, word: &str, header: &str, value: String) -> Option<()> {
        let body = sample::patient(word, word, "Jeanne");
        let name = self.create(r4, "Patient", word, body, vec![(header.to_owned(), value)]).await?;
        self.note_down(&name, 1, State::Says(word.to_owned()));
        Some(())
    }

    async fn binary(&self, r4: &Fhir, word: &str) -> Option<()> {
        let request = r4.request("POST", "Binary").body("image/png", bytes_of(word, HEAVY));
        // One that was not answered leaves nothing that could be told from another.
        let answer = self.ask(request, || ()).await?;
        self.note_down(&format!("Binary/{}", answer.id()), 1, State::Holds(word.to_owned(), HEAVY));
        Some(())
    }

    async fn pair(&self, r4: &Fhir, circle: &sample::Circle, word: &str) -> Option<()> {
        let person = "urn:uuid:00000000-0000-4000-8000-000000000001";
        let note = sample::with(note(circle, word), "/subject/reference", person);
        let entries = vec![
            sample::creating(person, sample::patient(word, word, "Jeanne")),
            sample::creating("urn:uuid:00000000-0000-4000-8000-000000000002", note),
        ];
        let request = r4.request("POST", "").json(&sample::bundle("transaction", entries));
        let answer = self.ask(request, || self.not_answered(Unanswered::Pair(word.to_owned()))).await?.json();
        for name in written(&answer) {
            self.note_down(&name, 1, State::Says(word.to_owned()));
        }
        lock(&self.pairs).push(word.to_owned());
        Some(())
    }

    async fn change(
        &self,
        r4: &Fhir,
        circle: &sample::Circle,
        word: &str,
        notes: &mut Vec<(String, u64)>,
        how: Change,
    ) -> Option<()> {
        let Some((name, version)) = notes.pop() else { return Some(()) };
        let said = match how {
            Change::Delete => State::Deleted,
            Change::Update | Change::Patch => State::Says(word.to_owned()),
        };
        let request = match how {
            Change::Update => {
                let (_, id) = name.split_once('/').expect("a name");
                let Outcome::Answered(before) = self.outcome(r4.request("GET", &name)).await else { return None };
                let before = before.is(200).json();
                // What names a note stays what it was.
                let whole = sample::with(note(circle, word), "/id", id);
                r4.request("PUT", &name).json(&sample::with(
                    whole,
                    "/masterIdentifier",
                    before["masterIdentifier"].clone(),
                ))
            }
            Change::Patch => {
                let operations = json!([{ "op": "replace", "path": "/description", "value": word }]).to_string();
                r4.request("PATCH", &name).body("application/json-patch+json", operations)
            }
            Change::Delete => r4.request("DELETE", &name),
        };
        let doubt = || {
            if let Some(fact) = lock(&self.facts).get_mut(&name) {
                fact.doubt = Some(said.clone());
            }
        };
        self.ask(request, doubt).await?;
        self.note_down(&name, version + 1, said);
        if !matches!(how, Change::Delete) {
            notes.push((name, version + 1));
        }
        Some(())
    }

    /// Holds what the server has now against what it acknowledged, settling what was in doubt; what was
    /// not answered is sent again.
    pub async fn settle(&self, r4: &Fhir) {
        let unanswered = std::mem::take(&mut *lock(&self.unanswered));
        for unanswered in unanswered {
            self.send_again(r4, unanswered).await;
        }
        let facts = lock(&self.facts).clone();
        let mut settled = stream::iter(facts)
            .map(async |(name, fact)| {
                let settled = check(r4, &name, fact).await;
                (name, settled)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((name, fact)) = settled.next().await {
            lock(&self.facts).insert(name, fact);
        }
        let pairs = lock(&self.pairs).clone();
        let mut pairs = stream::iter(&pairs).map(async |word| (word, found(r4, word).await)).buffer_unordered(AT_ONCE);
        while let Some((word, found)) = pairs.next().await {
            assert_eq!(found, (1, 1), "the transaction {word}");
        }
    }

    async fn send_again(&self, r4: &Fhir, unanswered: Unanswered) {
        match unanswered {
            Unanswered::One { address, value, body, headers } => {
                let (persons, notes) = found(r4, &value).await;
                let there = persons + notes;
                assert!(there <= 1, "{value} is there {there} times");
                let request = headers
                    .iter()
                    .fold(r4.request("POST", &address), |request, (name, value)| request.header(name, value));
                let answer = request.json(&body).send().await;
                // With an Idempotency-Key the same answer comes again, 201 and all.
                let by_key = headers.iter().any(|(name, _)| name == "idempotency-key");
                let expected: &[u16] = match there {
                    0 => &[201],
                    _ if by_key => &[200, 201],
                    _ => &[200],
                };
                assert!(expected.contains(&answer.status), "{value}: {} {}", answer.status, answer.text());
                let (persons, notes) = found(r4, &value).await;
                assert_eq!(persons + notes, 1, "{value}, sent again");
                let heavy = body.pointer("/content/0/attachment/data").and_then(Value::as_str).map_or(0, str::len);
                let state = if heavy > HEAVY { State::Holds(value, HEAVY) } else { State::Says(value) };
                self.note_down(&format!("{address}/{}", answer.id()), 1, state);
            }
            Unanswered::Pair(word) => {
                let (persons, notes) = found(r4, &word).await;
                assert!(
                    [(0, 0), (1, 1)].contains(&(persons, notes)),
                    "half of the transaction {word}: {persons}, {notes}"
                );
            }
        }
    }
}

/// What was acknowledged, and what it took.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        writeln!(f, "acknowledged                {:>7}", count(&self.acknowledged))?;
        writeln!(f, "  resources held against it {:>7}", lock(&self.facts).len())?;
        writeln!(f, "  whole transactions        {:>7}", lock(&self.pairs).len())?;
        writeln!(f, "told to come back (503)     {:>7}", count(&self.unavailable))?;
        writeln!(f, "not answered                {:>7}", count(&self.unanswered_requests))?;
        writeln!(f, "asked again, same as before {:>7}", count(&self.repeated))?;
        write!(f, "longest wait                {:>6.1}s", lock(&self.longest).as_secs_f64())
    }
}

/// How a note is changed.
#[derive(Clone, Copy)]
enum Change {
    Update,
    Patch,
    Delete,
}

fn note(circle: &sample::Circle, word: &str) -> Value {
    let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), word);
    sample::with(note, "/description", word)
}

/// The names that a transaction says it has written.
fn written(answer: &Value) -> Vec<String> {
    let entries = answer["entry"].as_array().expect("an answer to each entry");
    let name = |entry: &Value| {
        let location = entry["response"]["location"].as_str().expect("where it is");
        let parts: Vec<&str> = location.split('/').collect();
        let end = parts.iter().position(|part| *part == "_history").unwrap_or(parts.len());
        parts.get(end - 2..end).expect("a type and an id").join("/")
    };
    entries.iter().map(name).collect()
}

/// How many persons and how many notes bear this identifier.
async fn found(r4: &Fhir, value: &str) -> (usize, usize) {
    let count = async |kind: &str| {
        r4.get(&format!("{kind}?identifier={}|{value}", sample::LOCAL)).await.is(200).matches().len()
    };
    (count("Patient").await, count("DocumentReference").await)
}

/// One resource, as it is and as it became.
async fn check(r4: &Fhir, name: &str, fact: Fact) -> Fact {
    let now = r4.request("GET", name).header("accept", "application/fhir+json").send().await;
    let state = match now.status {
        410 => State::Deleted,
        200 => state_of(&now.json(), &fact),
        other => panic!("{name}: {other}, though acknowledged: {fact:?}\n{}", now.text()),
    };
    let history = r4.get(&format!("{name}/_history?_count=100")).await.is(200).json();
    let entries = history["entry"].as_array().cloned().unwrap_or_default();
    let version = entries.len() as u64;
    assert_eq!(history["total"], version, "{name}: the history is whole");
    for (entry, number) in entries.iter().zip((1..=version).rev()) {
        let etag = entry["response"]["etag"].as_str().expect("a version");
        assert_eq!(etag, format!("W/\"{number}\""), "{name}: versions without a gap");
    }
    let as_acknowledged = (version, &state) == (fact.version, &fact.state);
    let as_asked = version == fact.version + 1 && Some(&state) == fact.doubt.as_ref();
    assert!(as_acknowledged || as_asked, "{name}: {state:?} in version {version}, acknowledged: {fact:?}");
    Fact { version, state, doubt: None }
}

/// What a resource says, or holds.
fn state_of(resource: &Value, fact: &Fact) -> State {
    if let State::Holds(word, length) = &fact.state {
        let data = resource.pointer("/content/0/attachment/data").or(resource.get("data"));
        let data = data.and_then(Value::as_str).and_then(|data| BASE64_STANDARD.decode(data).ok());
        assert!(data.is_some_and(|data| data == bytes_of(word, *length)), "{word}: the bytes that were sent");
        return fact.state.clone();
    }
    let said = resource["description"].as_str().or(resource["name"][0]["family"].as_str());
    State::Says(said.unwrap_or_default().to_owned())
}
