//! Who saw a notebook, for the person and who acts for them by law: the audit trail in few words.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    audit::{AuditRecord, line::Line},
    error::AppError,
    operation::{Operation, Stage, audit_trail::Walk},
    policy::{Action, Interaction},
};

/// Tells who did what in the notebook of a person, the latest first; not what who asks did themselves.
#[derive(Clone, Debug)]
pub struct WhoSaw {
    /// The id of the `Patient`.
    pub person: String,
    /// What was done before the one of this name.
    pub before: Option<String>,
}

/// A page of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The latest first.
    pub visits: Vec<Visit>,
    /// The name of the last, when there may be more.
    pub next: Option<String>,
}

/// What somebody did, in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When: the last of it.
    pub at: Timestamp,
    /// Who, when they are called anything.
    pub who: Option<String>,
    /// What.
    pub did: Did,
    /// With how many notes.
    pub notes: usize,
    /// With how much else of the notebook.
    pub others: usize,
}

/// What is done in a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Did {
    Read,
    Wrote,
    Changed,
    Deleted,
    OpenedInEmergency,
    Exported,
}

/// As many are told at once.
const PAGE: usize = 50;

/// What somebody does again within this time is one visit.
const ONE_GO: SignedDuration = SignedDuration::from_mins(15);

impl Operation for WhoSaw {
    type Answer = Seen;

    fn action(&self) -> Action {
        Action::on(Interaction::Search, "AuditEvent")
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Search, entity: "AuditEvent".to_owned() }
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }

    async fn run(self, stage: Stage) -> Result<Seen, AppError> {
        let store = stage.app.store().clone();
        let read = store.read_again(move |reader| {
            let mut walk = Walk::of_person(&self.person, self.before.as_deref(), &stage, reader)?;
            let (mut seen, mut gathering): (Seen, Option<Gathering>) = Default::default();
            let mut last = None;
            while let Some(line) = walk.next()? {
                if walk.is_long() {
                    seen.next = last;
                    break;
                }
                let id = line.id.clone();
                if line.who.as_deref() != Some(stage.caller.name())
                    && let Some(line) = walk.for_person(line)?
                {
                    match &mut gathering {
                        Some(one) if one.takes(&line) => one.add(&line),
                        _ => {
                            seen.visits.extend(gathering.replace(Gathering::begin(&line)).map(Gathering::end));
                            // The one that was begun is for the next page.
                            if seen.visits.len() >= PAGE {
                                gathering = None;
                                seen.next = last;
                                break;
                            }
                        }
                    }
                }
                last = Some(id);
            }
            seen.visits.extend(gathering.map(Gathering::end));
            Ok(seen)
        });
        read.await
    }
}

/// A visit, as far as its lines were read.
struct Gathering {
    visit: Visit,
    /// By which account: two may be called alike.
    account: Option<String>,
    earliest: Timestamp,
    things: BTreeSet<String>,
}

impl Gathering {
    fn begin(line: &Line) -> Self {
        let visit = Visit { at: line.at, who: line.called.clone(), did: did(line), notes: 0, others: 0 };
        let account = line.who.clone();
        let mut begun = Self { visit, account, earliest: line.at, things: BTreeSet::new() };
        begun.add(line);
        begun
    }

    fn takes(&self, line: &Line) -> bool {
        self.account == line.who
            && self.visit.who == line.called
            && self.visit.did == did(line)
            && self.visit.did != Did::OpenedInEmergency
            && self.earliest.duration_since(line.at) <= ONE_GO
    }

    fn add(&mut self, line: &Line) {
        self.earliest = line.at;
        let versions = line.made.values().chain(line.shown.values()).flatten();
        // What was read twice is one thing.
        let name = |version: &String| version.split("/_history/").next().unwrap_or_default().to_owned();
        self.things.extend(versions.map(name));
    }

    fn end(self) -> Visit {
        let notes = self.things.iter().filter(|name| name.starts_with("DocumentReference/")).count();
        Visit { notes, others: self.things.len() - notes, ..self.visit }
    }
}

fn did(line: &Line) -> Did {
    match line.does.as_str() {
        "create" => Did::Wrote,
        "update" | "patch" => Did::Changed,
        "delete" => Did::Deleted,
        "emergency-access" => Did::OpenedInEmergency,
        "export" => Did::Exported,
        _ if line.made.is_empty() => Did::Read,
        _ => Did::Wrote,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Grouped;

    fn line(at: &str, called: &str, does: &str, what: &str) -> Line {
        Line {
            id: String::new(),
            at: at.parse().unwrap(),
            from: None,
            request: None,
            who: None,
            called: Some(called.to_owned()),
            does: does.to_owned(),
            on: None,
            made: Grouped::new(),
            shown: Grouped::from([("jeanne".to_owned(), [what.to_owned()].into())]),
            outcome: "done".to_owned(),
            why: None,
        }
    }

    #[test]
    fn what_somebody_does_in_one_go_is_one_visit() {
        let first = line("2026-03-04T10:20:00Z", "Awa", "read", "DocumentReference/a/_history/1");
        let mut visit = Gathering::begin(&first);
        let earlier = line("2026-03-04T10:06:00Z", "Awa", "search", "DocumentReference/a/_history/1");
        assert!(visit.takes(&earlier));
        visit.add(&earlier);
        let earliest = line("2026-03-04T09:52:00Z", "Awa", "read", "Patient/jeanne/_history/1");
        assert!(visit.takes(&earliest), "fifteen minutes from one to the next");
        visit.add(&earliest);
        assert!(!visit.takes(&line("2026-03-04T09:30:00Z", "Awa", "read", "x")));
        assert!(!visit.takes(&line("2026-03-04T09:51:00Z", "Léa", "read", "x")));
        assert!(!visit.takes(&line("2026-03-04T09:51:00Z", "Awa", "create", "x")));
        let ended = visit.end();
        assert_eq!((ended.notes, ended.others, ended.at), (1, 1, first.at));
    }
}
