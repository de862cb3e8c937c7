//! A line of the trail: a JSON object that tells of one access.
//!
//! `id`, `at` (when), `from` (address), `request`, `who`, `called`, `via` (the software), `do`, `on`, `made` and
//! `shown` (versions, by the notebooks that they are in), `outcome`, `why`.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use liaison_fhir::{json, tree::Object};

use super::{Call, Grouped, Shown, What};
use crate::caller::Caller;

/// How an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// It was refused, and why.
    Refused(&'static str),
    /// It failed, and why.
    Failed(&'static str),
    /// Whoever asked went away, or it took too long.
    BrokenOff,
}

/// What is about everybody.
pub(crate) const EVERYBODY: &str = "*";

/// A line that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Writing(Vec<u8>);

/// Characters of an address that is nothing's.
const MOST_OF_A_PATH: usize = 200;

impl Writing {
    /// The line of what a request does, now.
    pub(crate) fn begin(call: Option<&Call>) -> Self {
        let now = Timestamp::now();
        // Found by its moment, and not to be guessed: see `Id`.
        let id = Id { at: now.as_microsecond(), chance: uuid::Uuid::new_v4().as_u64_pair().0 };
        let mut line = Self(Vec::with_capacity(384));
        line.0.extend_from_slice(b"{\"id\":");
        json::write_string_into(&id.to_string(), &mut line.0);
        line.text("at", &now.to_string());
        if let Some(call) = call {
            if let Some(address) = call.address() {
                line.text("from", &address.to_string());
            }
            if !call.request().is_empty() {
                line.text("request", call.request());
            }
        }
        line
    }

    /// Who does it.
    pub(crate) fn who(&mut self, caller: &Caller) {
        self.text("who", caller.name());
        if let Caller::Somebody(known) = caller
            && let Some(shown) = &known.identity.shown
        {
            self.text("called", shown);
        }
    }

    /// What is done, to what.
    pub(crate) fn does(&mut self, what: &str, on: &str) {
        self.text("do", what);
        if !on.is_empty() {
            self.text("on", on);
        }
    }

    /// A request that came to no operation.
    pub(super) fn of_call(call: &Call, method: &str, path: &str, status: u16) -> (Bytes, Vec<String>) {
        let mut line = Self::begin(Some(call));
        if let Some(caller) = call.caller() {
            line.who(caller);
        }
        line.does(method, &path.chars().take(MOST_OF_A_PATH).collect::<String>());
        let why = status.to_string();
        match status {
            500.. => line.ends("failed", Some(&why)),
            400.. => line.ends("refused", Some(&why)),
            _ => line.ends("done", None),
        }
        (line.0.into(), Vec::new())
    }

    /// The whole line, and whom it is about.
    pub(crate) fn end(mut self, made: &[Shown], shown: &[Shown], outcome: Outcome) -> (Bytes, Vec<String>) {
        let mut about = Vec::new();
        self.groups("made", made, &mut about);
        self.groups("shown", shown, &mut about);
        match outcome {
            Outcome::Done => self.ends("done", None),
            Outcome::Refused(why) => self.ends("refused", Some(why)),
            Outcome::Failed(why) => self.ends("failed", Some(why)),
            Outcome::BrokenOff => self.ends("broken-off", None),
        }
        about.sort_unstable();
        about.dedup();
        (self.0.into(), about)
    }

    fn ends(&mut self, outcome: &str, why: Option<&str>) {
        self.text("outcome", outcome);
        if let Some(why) = why {
            self.text("why", why);
        }
        self.0.push(b'}');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        json::write_string_into(value, &mut self.0);
    }

    fn groups(&mut self, name: &str, all: &[Shown], about: &mut Vec<String>) {
        if all.is_empty() {
            return;
        }
        let mut placed: Vec<(&str, (&str, &str, u32))> = Vec::with_capacity(all.len());
        for one in all {
            let what = match &one.what {
                What::Version(name, number) => (&*name.resource_type, &*name.id, *number),
                What::Stored(version) => (&*version.name.resource_type, &*version.name.id, version.version),
                What::All(of) => (*of, "", 0),
            };
            match one.notebooks.ids() {
                [] => placed.push(("", what)),
                ids => placed.extend(ids.iter().map(|id| (id.as_str(), what))),
            }
        }
        placed.sort_unstable();
        // What is read again is shown once.
        placed.dedup();
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":[");
        for (position, group) in placed.chunk_by(|(of, _), (other, _)| of == other).enumerate() {
            self.0.extend_from_slice(if position > 0 { b",{" } else { b"{" });
            let Some((of, _)) = group.first() else { continue };
            if !of.is_empty() {
                about.push((*of).to_owned());
                self.0.extend_from_slice(b"\"of\":");
                json::write_string_into(of, &mut self.0);
                self.0.push(b',');
            }
            self.0.extend_from_slice(b"\"what\":[");
            for (position, (_, (of_type, id, number))) in group.iter().enumerate() {
                self.0.extend_from_slice(if position > 0 { b",\"" } else { b"\"" });
                // Types and ids are letters, digits, points and hyphens.
                self.0.extend_from_slice(of_type.as_bytes());
                if !id.is_empty() {
                    self.0.push(b'/');
                    self.0.extend_from_slice(id.as_bytes());
                    self.0.extend_from_slice(b"/_history/");
                    self.0.extend_from_slice(number.to_string().as_bytes());
                }
                self.0.push(b'"');
            }
            self.0.extend_from_slice(b"]}");
        }
        self.0.push(b']');
    }
}

/// What a line is called: when it was written, and chance. It tells nothing of what else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    /// In microseconds since 1970 UTC.
    pub at: i64,
    chance: u64,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}-{:016x}", self.at, self.chance)
    }
}

impl std::str::FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, chance) = text.split_once('-').ok_or(())?;
        let read = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| ());
        let id = Self { at: read(at)?.cast_signed(), chance: read(chance)? };
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it is called.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub from: Option<String>,
    /// In which request.
    pub request: Option<String>,
    /// Who.
    pub who: Option<String>,
    /// How they are called.
    pub called: Option<String>,
    /// What was done.
    pub does: String,
    /// On what.
    pub on: Option<String>,
    /// What came of it.
    pub made: Grouped,
    /// What was shown.
    pub shown: Grouped,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub why: Option<String>,
}

impl Line {
    /// Reads a line; nothing when it is none.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let line = json::read(text, &json::Limits::default()).ok()?;
        let text = |name: &str| line.str(name).map(str::to_owned);
        Some(Self {
            id: text("id")?,
            at: line.str("at")?.parse().ok()?,
            from: text("from"),
            request: text("request"),
            who: text("who"),
            called: text("called"),
            does: text("do")?,
            on: text("on"),
            made: groups(&line, "made"),
            shown: groups(&line, "shown"),
            outcome: text("outcome")?,
            why: text("why"),
        })
    }

    /// Whom it is about.
    pub(crate) fn about(&self) -> impl Iterator<Item = &String> {
        self.made.keys().chain(self.shown.keys()).filter(|of| !of.is_empty())
    }
}

fn groups(line: &Object, name: &str) -> Grouped {
    let mut read = Grouped::new();
    for group in line.objects(name) {
        let versions = group.items("what").iter().filter_map(|one| one.as_str().map(str::to_owned));
        read.entry(group.str("of").unwrap_or_default().to_owned()).or_default().extend(versions);
    }
    read
}

/// Whom the lines of a block are about, each once.
#[must_use]
pub fn about(block: &[u8]) -> Vec<String> {
    let lines = block.split(|byte| *byte == b'\n').filter_map(Line::read);
    let about: BTreeSet<String> = lines.flat_map(|line| line.about().cloned().collect::<Vec<_>>()).collect();
    about.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use liaison_store::contract::Name;

    use super::*;

    fn shown(what: &str, number: u32, notebooks: &[&str]) -> Shown {
        let (resource_type, id) = what.split_once('/').unwrap();
        let name = Name { resource_type: resource_type.into(), id: id.into() };
        let notebooks: Vec<String> = notebooks.iter().map(|one| (*one).to_owned()).collect();
        Shown { what: What::Version(name, number), notebooks: notebooks.into() }
    }

    fn grouped(groups: &[(&str, &[&str])]) -> Grouped {
        groups.iter().map(|(of, all)| ((*of).to_owned(), all.iter().map(|one| (*one).to_owned()).collect())).collect()
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let call = Call::new("192.0.2.7".parse().ok(), "r-1");
        let mut writing = Writing::begin(Some(&call));
        writing.who(&Caller::System);
        writing.does("read", "DocumentReference/é\"");
        let made = [shown("CareTeam/1", 2, &["jeanne"])];
        let all = [
            shown("Organization/o", 1, &[]),
            shown("B/2", 3, &["paul"]),
            shown("A/1", 1, &["paul", "jeanne"]),
            shown("B/2", 3, &["paul"]),
            Shown { what: What::All("Patient"), notebooks: vec![EVERYBODY.to_owned()].into() },
        ];
        let (line, told_about) = writing.end(&made, &all, Outcome::Refused("gone"));
        let read = Line::read(&line).unwrap();
        assert_eq!(read.made, grouped(&[("jeanne", &["CareTeam/1/_history/2"])]));
        let expected = grouped(&[
            ("", &["Organization/o/_history/1"]),
            ("*", &["Patient"]),
            ("jeanne", &["A/1/_history/1"]),
            ("paul", &["A/1/_history/1", "B/2/_history/3"]),
        ]);
        assert_eq!(read.shown, expected);
        assert_eq!(read.on.as_deref(), Some("DocumentReference/é\""));
        assert_eq!((read.from.as_deref(), read.request.as_deref()), (Some("192.0.2.7"), Some("r-1")));
        let ended = (read.who.as_deref(), read.outcome.as_str(), read.why.as_deref());
        assert_eq!(ended, (Some("system"), "refused", Some("gone")));
        assert_eq!(read.id.parse::<Id>().unwrap().at, read.at.as_microsecond());
        assert_eq!(told_about, ["*", "jeanne", "paul"]);
        let block = [&line[..], b"\n", b"not a line\n", &line[..], b"\n"].concat();
        assert_eq!(about(&block), told_about);
    }

    #[test]
    fn a_request_that_came_to_nothing_is_told_by_its_status() {
        let call = Call::new(None, "r-2");
        let told = |status| Line::read(&Writing::of_call(&call, "PUT", &"/x".repeat(500), status).0).unwrap();
        let refused = told(404);
        assert_eq!(
            (refused.does.as_str(), refused.outcome.as_str(), refused.why.as_deref()),
            ("PUT", "refused", Some("404"))
        );
        assert_eq!(refused.on.unwrap().len(), MOST_OF_A_PATH);
        assert_eq!((told(503).outcome.as_str(), told(200).outcome.as_str()), ("failed", "done"));
    }

    #[test]
    fn ids_are_those_that_were_given() {
        assert!(
            !["", "-", "1-2", "0000000000000001-000000000000000G", "+000000000000001-0000000000000001"]
                .iter()
                .any(|wrong| wrong.parse::<Id>().is_ok())
        );
    }
}
