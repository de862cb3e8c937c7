//! Lines that are written together, as one transaction. When some of them are refused the others are
//! written without them.

use std::collections::{BTreeMap, HashSet};

use liaison_app::{
    App,
    caller::Caller,
    error::{AppError, Refusal},
    name::{self, Name},
    operation::{export::Known, transaction::Transaction},
};
use liaison_fhir::{
    json::{self, Limits},
    object,
    outcome::{Issue, IssueKind},
    release,
    tree::{Object, Value},
};

use super::lines::{Line, Spot};
use crate::{command::bulk, failure::Failure};

/// Lines.
#[derive(Default)]
pub struct Group {
    lines: Vec<Line>,
    bytes: usize,
}

/// What became of the lines of a group.
#[derive(Default)]
pub struct Outcome {
    /// Resources written.
    pub written: u64,
    /// Resources deleted, or not there to be deleted.
    pub deleted: u64,
    /// Resources that are there already.
    pub there: u64,
    /// Lines that refer to what is not there, and why that is not enough.
    pub waiting: Vec<(Spot, String)>,
    /// Lines that are refused, and why.
    pub refused: Vec<(Spot, String)>,
}

/// What stands in a line.
struct Item {
    line: Line,
    /// The resource that it brings; none when it tells of deletions.
    brings: Option<Name>,
    /// How many entries of a transaction it is.
    many: usize,
    /// They themselves, until they are given away.
    entries: Option<Vec<Value>>,
}

impl Item {
    /// Its entries: given away the first time, read again when they are tried again, so that there is never a
    /// second copy of them.
    fn give(&mut self) -> Result<Vec<Value>, String> {
        self.entries.take().map_or_else(|| read(&self.line).map(|read| read.entries), Ok)
    }
}

/// What a line says.
struct Read {
    brings: Option<Name>,
    entries: Vec<Value>,
}

/// What becomes of one line of a transaction that was refused.
enum Verdict {
    Waits(String),
    Refused(String),
    There,
}

impl Group {
    /// Adds a line.
    pub fn add(&mut self, line: Line) {
        self.bytes += line.bytes.len();
        self.lines.push(line);
    }

    /// How many lines.
    pub const fn lines(&self) -> usize {
        self.lines.len()
    }

    /// How long they are together.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes what is not there yet.
    ///
    /// # Errors
    /// When the store cannot be written to: lines that are only wrong are in the outcome.
    pub async fn write(self, app: &App) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut items = Vec::with_capacity(self.lines.len());
        let is_alone = self.lines.len() == 1;
        for mut line in self.lines {
            let spot = line.spot;
            match read(&line) {
                Ok(Read { brings, entries }) => {
                    // It is tried once: either it is written, or it is at fault.
                    if is_alone {
                        line.bytes = Vec::new();
                    }
                    items.push(Item { line, brings, many: entries.len(), entries: Some(entries) });
                }
                Err(why) => outcome.refused.push((spot, why)),
            }
        }
        let names = items.iter().filter_map(|item| item.brings.clone()).collect();
        let known = app.execute(&Caller::System, Known { names }).await;
        // The second line of the same name finds the first one there.
        let mut known: HashSet<Name> = known.map_err(|error| bulk::failed("the store cannot be read", &error))?;
        items.retain(|item| match &item.brings {
            Some(name) if !known.insert(name.clone()) => {
                outcome.there += 1;
                false
            }
            _ => true,
        });
        let mut parts = vec![items];
        while let Some(mut items) = parts.pop() {
            if items.is_empty() {
                continue;
            }
            let mut entries = Vec::new();
            for item in &mut items {
                entries.extend(item.give().map_err(Failure::Failed)?);
            }
            match carry_out(app, entries).await {
                Ok(()) => items.iter().for_each(|item| match item.brings {
                    Some(_) => outcome.written += 1,
                    None => outcome.deleted += item.many as u64,
                }),
                Err(error) => parts.extend(outcome.without_those_at_fault(items, &error)?),
            }
        }
        Ok(outcome)
    }
}

impl Outcome {
    /// What of a transaction that was refused is tried again: all but the lines that are at fault;
    /// when it is not said which, each half by itself.
    fn without_those_at_fault(&mut self, mut items: Vec<Item>, error: &AppError) -> Result<Vec<Vec<Item>>, Failure> {
        if is_of_the_store(&error.refusal) {
            return Err(bulk::failed("the store cannot be written to", error));
        }
        let mut verdicts = verdicts(&items, error);
        if let ([only], true) = (items.as_slice(), verdicts.is_empty()) {
            self.refused.push((only.line.spot, error.to_string()));
            return Ok(Vec::new());
        }
        if verdicts.is_empty() {
            let later = items.split_off(items.len() / 2);
            return Ok(vec![later, items]);
        }
        let mut left = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            match verdicts.remove(&at) {
                None => left.push(item),
                Some(Verdict::Waits(why)) => self.waiting.push((item.line.spot, why)),
                Some(Verdict::Refused(why)) => self.refused.push((item.line.spot, why)),
                Some(Verdict::There) => self.there += 1,
            }
        }
        Ok(vec![left])
    }
}

async fn carry_out(app: &App, entries: Vec<Value>) -> Result<(), AppError> {
    let bundle = object! { "resourceType" => "Bundle", "type" => "transaction", "entry" => entries };
    let transaction = Transaction { face: bulk::face(), bundle, idempotency_key: None };
    app.execute(&Caller::System, transaction).await.map(drop)
}

/// What no other line and no other try would change.
const fn is_of_the_store(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Away | Refusal::Full | Refusal::ReadOnly | Refusal::Damaged | Refusal::TooSlow | Refusal::Defect
    )
}

/// Which lines are at fault; none when the error does not say, and there are several.
fn verdicts(items: &[Item], error: &AppError) -> BTreeMap<usize, Verdict> {
    let mut by_item: BTreeMap<usize, Vec<&Issue>> = BTreeMap::new();
    for issue in error.issues.iter().filter(|issue| issue.refuses()) {
        let at = match items {
            [_] => Some(0),
            several => entry_of(&issue.place).and_then(|entry| item_of(several, entry)),
        };
        if let Some(at) = at {
            by_item.entry(at).or_default().push(issue);
        }
    }
    let verdict = |at: usize, issues: &[&Issue]| {
        let deletes = items.get(at).is_some_and(|item| item.brings.is_none());
        let why = bulk::said(issues.iter().copied());
        match &error.refusal {
            // It came in by another line at the same moment.
            Refusal::Precondition if !deletes => Verdict::There,
            // What refers to it may be deleted by a later line.
            Refusal::Conflict | Refusal::Referred(_) if deletes => Verdict::Waits(why),
            _ if issues.iter().all(|issue| issue.kind == IssueKind::NotFound) => Verdict::Waits(why),
            _ => Verdict::Refused(why),
        }
    };
    by_item.iter().map(|(at, issues)| (*at, verdict(*at, issues))).collect()
}

/// The entry that a place is in: `Bundle.entry[3].resource.subject`.
fn entry_of(place: &str) -> Option<usize> {
    place.strip_prefix("Bundle.entry[")?.split_once(']')?.0.parse().ok()
}

/// The item that an entry of the transaction is of.
fn item_of(items: &[Item], entry: usize) -> Option<usize> {
    let mut first = 0;
    items.iter().position(|item| {
        first += item.many;
        entry < first
    })
}

fn read(line: &Line) -> Result<Read, String> {
    let read = json::read(&line.bytes, &Limits::default()).map_err(|issues| bulk::said(&issues))?;
    if let Some(entries) = deletions(&read) {
        return Ok(Read { brings: None, entries });
    }
    let (Some(kind), Some(id)) = (read.resource_type(), read.str("id")) else {
        return Err("a resource has a resourceType and an id".to_owned());
    };
    let name = name::of(kind, id, release::view()).map_err(|error| bulk::said(&error.issues))?;
    // What somebody else writes meanwhile is left as it is.
    let request = object! { "method" => "PUT", "url" => name::reference(&name), "ifNoneMatch" => "*" };
    let entries = vec![object! { "resource" => read, "request" => request }.into()];
    Ok(Read { brings: Some(name), entries })
}

/// The entries of a transaction that does nothing but delete: that is how an export tells of it.
fn deletions(read: &Object) -> Option<Vec<Value>> {
    let is = read.resource_type() == Some("Bundle") && read.str("type") == Some("transaction") && !read.contains("id");
    let entries: Vec<Value> = read.objects("entry").map(|entry| entry.clone().into()).collect();
    let deletes = |entry: &Object| {
        entry.object("request").is_some_and(|request| request.str("method") == Some("DELETE"))
            && !entry.contains("resource")
    };
    (is && !entries.is_empty() && read.objects("entry").all(deletes)).then_some(entries)
}
