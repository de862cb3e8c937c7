//! Fills a server with people and notes through transactions, and remembers what it was given.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::{self, NoteParts, Photo, Shape};
use crate::error::BenchError;
use crate::http::{Answer, Connection, Target};

/// Transactions in flight while filling.
const FILLERS: usize = 8;
const ACTORS_A_BUNDLE: usize = 200;
const NOTES_A_BUNDLE: usize = 100;
/// At most so many note ids are remembered for reading, evenly spread.
const SAMPLE: usize = 50_000;
/// Persons and authors beyond the shape, for the notes that are written while measuring: those
/// that are searched for keep the notes they have.
pub const SPARE_PERSONS: usize = 100;
/// See [`SPARE_PERSONS`].
pub const SPARE_AUTHORS: usize = 10;

/// What is in the server that is measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Population {
    /// Notes that were put in.
    pub notes: usize,
    /// Where numbers of people begin, so that fillings of one server do not meet.
    pub offset: u64,
    /// The first number not yet given away, for notes and people of later runs.
    pub next: u64,
    /// Ids of the persons, the spare ones last.
    pub persons: Vec<String>,
    /// Ids of the authors, the spare ones last.
    pub authors: Vec<String>,
    /// Ids of some notes.
    pub sample: Vec<String>,
    /// How long the filling took.
    pub seconds: f64,
    /// Bytes of JSON that were sent for the notes.
    pub json_bytes: u64,
}

impl Population {
    /// How many of what there is.
    pub fn shape(&self) -> Shape {
        Shape::of(self.notes)
    }

    /// The number of a person.
    pub fn person_number(&self, person: usize) -> String {
        data::person_number(self.offset + person as u64)
    }

    /// The number of an author.
    pub fn author_number(&self, author: usize) -> String {
        data::author_number(self.offset + author as u64)
    }
}

/// Fills the server. `offset` keeps the numbers apart from those of another filling.
pub async fn fill(target: &Target, notes: usize, offset: u64) -> Result<Population, BenchError> {
    let started = Instant::now();
    let shape = Shape::of(notes);
    let persons = transact(target, "Patient", shape.persons + SPARE_PERSONS, ACTORS_A_BUNDLE, move |index| {
        let index = offset + index as u64;
        data::person(index, &data::person_number(index))
    })
    .await?;
    let authors = transact(target, "Practitioner", shape.authors + SPARE_AUTHORS, ACTORS_A_BUNDLE, move |index| {
        let index = offset + index as u64;
        data::author(index, &data::author_number(index))
    })
    .await?;

    let json_bytes = Arc::new(AtomicU64::new(0));
    let (people, pens, bytes) = (Arc::new(persons), Arc::new(authors), Arc::clone(&json_bytes));
    let (persons, authors) = (Arc::clone(&people), Arc::clone(&pens));
    let ids = transact(target, "DocumentReference", notes, NOTES_A_BUNDLE, move |note| {
        let id = |ids: &[String], index: usize| ids.get(index).cloned().unwrap_or_default();
        let written = data::note(
            note as u64,
            &NoteParts {
                master: &format!("{offset}-{note}"),
                subject: &format!("Patient/{}", id(&people, shape.person_of(note))),
                author: &format!("Practitioner/{}", id(&pens, shape.author_of(note))),
                date: &data::instant(shape.moment_of(note)),
                photo: Photo::Sometimes,
            },
        );
        bytes.fetch_add(written.len() as u64, Ordering::Relaxed);
        written
    })
    .await?;
    let step = (ids.len() / SAMPLE).max(1);
    Ok(Population {
        notes,
        offset,
        next: offset + (shape.persons.max(shape.authors) + SPARE_PERSONS) as u64,
        persons: persons.to_vec(),
        authors: authors.to_vec(),
        sample: ids.into_iter().step_by(step).collect(),
        seconds: started.elapsed().as_secs_f64(),
        json_bytes: json_bytes.load(Ordering::Relaxed),
    })
}

/// Creates `count` resources of a type in transactions, several at once, and gives their ids in
/// order.
pub async fn transact(
    target: &Target,
    resource_type: &'static str,
    count: usize,
    at_once: usize,
    write: impl Fn(usize) -> String + Send + Sync + 'static,
) -> Result<Vec<String>, BenchError> {
    let (write, next, told) = (Arc::new(write), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let fillers: Vec<_> = (0..FILLERS)
        .map(|_| {
            let (target, write, next, told) =
                (target.clone(), Arc::clone(&write), Arc::clone(&next), Arc::clone(&told));
            tokio::spawn(async move {
                let mut connection = Connection::new(&target);
                let mut request = Vec::new();
                let mut given = Vec::new();
                loop {
                    let first = next.fetch_add(1, Ordering::Relaxed) * at_once;
                    if first >= count {
                        return Ok::<_, BenchError>(given);
                    }
                    let last = (first + at_once).min(count);
                    request.clear();
                    target.post(
                        "",
                        bundle(resource_type, (first..last).map(|index| write(index))).as_bytes(),
                        &mut request,
                    );
                    let answer = connection.exchange(&request).await.map_err(BenchError::http("filling the server"))?;
                    given.push((first, ids(&answer, last - first)?));
                    let done = told.fetch_add(last - first, Ordering::Relaxed) + (last - first);
                    if done * 10 / count != (done - (last - first)) * 10 / count {
                        eprintln!("  {resource_type}: {done} of {count}");
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for filler in fillers {
        all.extend(filler.await.map_err(|_| BenchError::Stopped("filling"))??);
    }
    all.sort_unstable_by_key(|(first, _)| *first);
    Ok(all.into_iter().flat_map(|(_, ids)| ids).collect())
}

/// A transaction that creates each of these resources.
pub fn bundle(resource_type: &str, resources: impl Iterator<Item = String>) -> String {
    let mut text = r#"{"resourceType":"Bundle","type":"transaction","entry":["#.to_owned();
    for (index, resource) in resources.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(r#"{"resource":"#);
        text.push_str(&resource);
        text.push_str(r#","request":{"method":"POST","url":""#);
        text.push_str(resource_type);
        text.push_str(r#""}}"#);
    }
    text.push_str("]}");
    text
}

/// The ids that a transaction response says were created.
fn ids(answer: &Answer<'_>, expected: usize) -> Result<Vec<String>, BenchError> {
    let unexpected =
        || BenchError::Answered { doing: "filling the server", status: answer.status, body: answer.excerpt() };
    if answer.status != 200 {
        return Err(unexpected());
    }
    let response: Value = serde_json::from_slice(answer.body).map_err(|_| unexpected())?;
    let entries = response.get("entry").and_then(Value::as_array).ok_or_else(unexpected)?;
    let ids: Option<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let response = entry.get("response")?;
            response.get("status")?.as_str().filter(|status| status.starts_with("201"))?;
            // [base/]Type/id[/_history/version]
            let location = response.get("location")?.as_str()?;
            let versionless = location.split("/_history/").next()?;
            versionless.rsplit('/').next().map(str::to_owned)
        })
        .collect();
    ids.filter(|ids| ids.len() == expected).ok_or_else(unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ids_of_a_transaction_response() {
        let answer = |body| Answer { status: 200, head: b"", body };
        let good = br#"{"entry":[{"response":{"status":"201 Created","location":"Patient/a/_history/1"}},
            {"response":{"status":"201","location":"http://x/fhir/Patient/b"}}]}"#;
        assert_eq!(ids(&answer(good), 2).unwrap(), ["a", "b"]);
        assert!(ids(&answer(good), 3).is_err());
        assert!(ids(&answer(br#"{"entry":[{"response":{"status":"200","location":"Patient/a"}}]}"#), 1).is_err());
    }

    #[test]
    fn writes_a_transaction() {
        let text = bundle("Patient", ["{}".to_owned(), "{}".to_owned()].into_iter());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["entry"][1]["request"]["url"], "Patient");
    }
}
