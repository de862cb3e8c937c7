//! The mark that an export leaves of how far it is, for the case that it is broken off.

use std::path::Path;

use liaison_app::operation::export::Reached;
use liaison_fhir::{
    json, object,
    tree::{Object, Value},
};

use crate::{door::UNBOUNDED, failure::Failure};

/// Where the mark is kept.
pub const FILE: &str = "export.unfinished.json";

/// What is exported, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The store, as it was named.
    pub store: String,
    /// Only what was changed at or after this, in microseconds since 1970 UTC.
    pub since: Option<i64>,
    /// The moment; the least number before it is known.
    pub at: i64,
    /// The files that are whole.
    pub done: Vec<Part>,
    /// The file that is not.
    pub current: Option<Part>,
}

/// A file of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub file: String,
    /// The type of its resources.
    pub kind: String,
    /// Its length.
    pub bytes: u64,
    /// Its lines.
    pub written: u64,
    /// The resources passed for it.
    pub passed: u64,
    /// Where in the store it is.
    pub reached: Option<Reached>,
}

impl Default for Mark {
    fn default() -> Self {
        Self { store: String::new(), since: None, at: i64::MIN, done: Vec::new(), current: None }
    }
}

impl Mark {
    /// Resources passed for the files that are whole.
    pub fn passed(&self) -> u64 {
        self.done.iter().map(|part| part.passed).sum()
    }

    /// This mark, if it is of an export like the one that is asked for.
    pub fn of_the_same(self, asked: &Self, folder: &Path) -> Result<Self, Failure> {
        if self.store == asked.store && self.since == asked.since {
            return Ok(self);
        }
        Err(Failure::Failed(format!(
            "{} holds the unfinished export of {} with other flags: start it again as it was, or name another folder",
            folder.display(),
            self.store
        )))
    }

    /// As it is kept.
    pub fn text(&self) -> Vec<u8> {
        let mut mark = object! { "store" => self.store.as_str(), "at" => self.at.to_string() };
        if let Some(since) = self.since {
            mark.push("since", since.to_string());
        }
        mark.push("done", self.done.iter().map(|part| Value::from(part.text())).collect::<Vec<_>>());
        if let Some(part) = &self.current {
            mark.push("current", part.text());
        }
        json::write_pretty(&mark)
    }

    /// Reads what [`Mark::text`] gave.
    pub fn read(text: &[u8], file: &Path) -> Result<Self, Failure> {
        let read = json::read(text, &UNBOUNDED).ok().and_then(|mark| {
            Some(Self {
                store: mark.str("store")?.to_owned(),
                since: mark.str("since").map(str::parse).transpose().ok()?,
                at: number(&mark, "at")?,
                done: mark.objects("done").map(Part::read).collect::<Option<_>>()?,
                current: match mark.object("current") {
                    Some(part) => Some(Part::read(part)?),
                    None => None,
                },
            })
        });
        let shown = file.display();
        read.ok_or_else(|| {
            Failure::Failed(format!("{shown} is no mark of an export: empty the folder and begin again"))
        })
    }
}

impl Part {
    fn text(&self) -> Object {
        let mut part = object! {
            "file" => self.file.as_str(),
            "kind" => self.kind.as_str(),
            "bytes" => self.bytes.to_string(),
            "written" => self.written.to_string(),
            "passed" => self.passed.to_string(),
        };
        if let Some(Reached { at, resource }) = self.reached {
            part.push("at", at.to_string());
            part.push("resource", resource.to_string());
        }
        part
    }

    fn read(part: &Object) -> Option<Self> {
        let reached = match (number(part, "at"), number(part, "resource")) {
            (Some(at), Some(resource)) => Some(Reached { at, resource }),
            _ => None,
        };
        Some(Self {
            file: part.str("file")?.to_owned(),
            kind: part.str("kind")?.to_owned(),
            bytes: number(part, "bytes")?,
            written: number(part, "written")?,
            passed: number(part, "passed")?,
            reached,
        })
    }
}

fn number<N: std::str::FromStr>(of: &Object, name: &str) -> Option<N> {
    of.str(name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let part = Part {
            file: "Patient.ndjson".into(),
            kind: "Patient".into(),
            bytes: 12,
            written: 2,
            passed: 3,
            reached: Some(Reached { at: -5, resource: 7 }),
        };
        let unreached = Part { reached: None, ..part.clone() };
        for (since, current) in [(None, None), (Some(-9), Some(part.clone())), (Some(9), Some(unreached))] {
            let mark = Mark { store: "sqlite:a.db".into(), since, at: 8, done: vec![part.clone(); 2], current };
            assert_eq!(Mark::read(&mark.text(), Path::new("x")).unwrap(), mark);
            assert_eq!(mark.passed(), 6);
        }
        let mark = Mark { since: Some(1), ..Mark::default() };
        assert!(mark.clone().of_the_same(&mark, Path::new("x")).is_ok());
        assert!(mark.of_the_same(&Mark::default(), Path::new("x")).is_err());
        assert!(Mark::read(b"{\"store\": \"x\"}", Path::new("x")).is_err());
    }
}
