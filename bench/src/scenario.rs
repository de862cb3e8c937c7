//! What is measured: the everyday requests of a notebook.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::data::{self, AUTHOR_SYSTEM, NOTES_AN_AUTHOR, NoteParts, PERSON_SYSTEM, Photo};
use crate::error::BenchError;
use crate::load::WriteRequest;
use crate::population::{Population, SPARE_AUTHORS, SPARE_PERSONS};
use crate::random::Random;
use crate::template::Template;

/// Different notes that are written while measuring; each is sent with a number of its own.
const WRITTEN_TEXTS: u64 = 256;
/// One list in so many is that of a person with many notes.
const LISTS_A_HEAVY_ONE: usize = 20;

/// A kind of request, with what it is compared to.
pub struct Scenario {
    /// For `--only`.
    pub name: &'static str,
    /// For the report.
    pub title: &'static str,
    /// The status of a good answer.
    pub expects: u16,
    /// The work of the bare SQLite loop it is compared to.
    pub loop_work: Option<LoopWork>,
    /// The least ratio to the bare handler that the project aims at.
    pub handler_aim: Option<f64>,
    /// The least ratio to the bare SQLite loop that the project aims at.
    pub loop_aim: Option<f64>,
    /// Writes a request.
    pub request: WriteRequest,
    /// Says what is wrong with an answer: a fast wrong answer is worth nothing.
    pub judge: fn(&Value) -> Result<(), String>,
}

/// What the bare SQLite loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopWork {
    /// Reads one body by its key.
    ReadOne,
    /// Reads the last 20 bodies of a person through an index.
    ReadTwenty,
    /// Writes a body and its rows.
    WriteNote,
    /// Writes three bodies and their rows.
    WriteBundle,
}

/// Every scenario on this population; those that write come last.
pub fn all(population: &Arc<Population>) -> Vec<Scenario> {
    let next = Arc::new(AtomicU64::new(population.next));
    vec![
        Scenario {
            name: "read",
            title: "read a note by id",
            expects: 200,
            loop_work: Some(LoopWork::ReadOne),
            handler_aim: Some(0.5),
            loop_aim: None,
            request: {
                let population = Arc::clone(population);
                Arc::new(move |random, target, into| {
                    let id = random.pick(&population.sample).map_or("none", String::as_str);
                    target.get(&format!("/DocumentReference/{id}"), into);
                })
            },
            judge: is_note,
        },
        Scenario {
            name: "person",
            title: "a person's last 20 notes, with subject and author",
            expects: 200,
            loop_work: Some(LoopWork::ReadTwenty),
            handler_aim: Some(0.25),
            loop_aim: Some(0.3),
            request: {
                let population = Arc::clone(population);
                Arc::new(move |random, target, into| {
                    let number = population.person_number(any_person(&population, random));
                    target.get(
                        &format!(
                            "/DocumentReference?patient.identifier={PERSON_SYSTEM}%7C{number}&_include=DocumentReference:subject&_include=DocumentReference:author&_sort=-date&_count=20"
                        ),
                        into,
                    );
                })
            },
            judge: is_list_of_a_person,
        },
        Scenario {
            name: "author",
            title: "first 20 of the 400 notes of an author, typed chain",
            expects: 200,
            loop_work: None,
            handler_aim: Some(0.12),
            loop_aim: None,
            request: {
                let population = Arc::clone(population);
                Arc::new(move |random, target, into| {
                    let number = population.author_number(random.below(population.shape().authors));
                    target.get(
                        &format!(
                            "/DocumentReference?author:Practitioner.identifier={AUTHOR_SYSTEM}%7C{number}&_count=20"
                        ),
                        into,
                    );
                })
            },
            judge: is_list_of_an_author,
        },
        Scenario {
            name: "date-type",
            title: "date and type, sorted, a few hundred matches",
            expects: 200,
            loop_work: None,
            handler_aim: Some(0.2),
            loop_aim: None,
            request: since(population, |notes, random| notes.saturating_sub(500 + random.below(1_000))),
            judge: is_list_of_observations,
        },
        Scenario {
            name: "date-type-wide",
            title: "the same over more than a year",
            expects: 200,
            loop_work: None,
            handler_aim: None,
            loop_aim: None,
            request: since(population, |notes, random| random.below(notes / 4)),
            judge: is_list_of_observations,
        },
        Scenario {
            name: "metadata",
            title: "metadata",
            expects: 200,
            loop_work: None,
            handler_aim: None,
            loop_aim: None,
            request: Arc::new(|_, target, into| target.get("/metadata", into)),
            judge: |answer| resource_type(answer, "CapabilityStatement"),
        },
        Scenario {
            name: "create",
            title: "durable create of a note",
            expects: 201,
            loop_work: Some(LoopWork::WriteNote),
            handler_aim: None,
            loop_aim: Some(0.6),
            request: creates(population, &next),
            judge: |_| Ok(()),
        },
        Scenario {
            name: "bundle",
            title: "note bundle (note, new person, new author)",
            expects: 200,
            loop_work: Some(LoopWork::WriteBundle),
            handler_aim: None,
            loop_aim: Some(0.3),
            request: bundles(&next),
            judge: is_bundle_of_three_created,
        },
    ]
}

/// Those that `--only` names, or all.
pub fn chosen(all: Vec<Scenario>, only: &[String]) -> Result<Vec<Scenario>, BenchError> {
    let known = all.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = only.iter().find(|name| all.iter().all(|scenario| scenario.name != **name)) {
        return Err(BenchError::UnknownScenario { name: name.clone(), known });
    }
    Ok(all.into_iter().filter(|scenario| only.is_empty() || only.iter().any(|name| name == scenario.name)).collect())
}

/// A person with many notes now and then, any other otherwise.
pub fn any_person(population: &Population, random: &mut Random) -> usize {
    let shape = population.shape();
    if random.below(LISTS_A_HEAVY_ONE) == 0 {
        random.below(shape.heavy)
    } else {
        shape.heavy + random.below(shape.persons - shape.heavy)
    }
}

fn since(population: &Arc<Population>, note: fn(usize, &mut Random) -> usize) -> WriteRequest {
    let shape = population.shape();
    Arc::new(move |random, target, into| {
        let from = data::instant(shape.moment_of(note(shape.notes, random)));
        target.get(&format!("/DocumentReference?date=ge{from}&type=OBS&_sort=-date&_count=20"), into);
    })
}

fn creates(population: &Arc<Population>, next: &Arc<AtomicU64>) -> WriteRequest {
    let (population, next) = (Arc::clone(population), Arc::clone(next));
    let notes: Vec<Template> = (0..WRITTEN_TEXTS).map(|text| written_note(text, "@1@", "@2@")).collect();
    Arc::new(move |random, target, into| {
        let spare = |ids: &'_ [String], spare: usize, random: &mut Random| {
            ids.get(ids.len().saturating_sub(1 + random.below(spare))).cloned().unwrap_or_default()
        };
        let number = next.fetch_add(1, Ordering::Relaxed);
        let subject = format!("Patient/{}", spare(&population.persons, SPARE_PERSONS, random));
        let author = format!("Practitioner/{}", spare(&population.authors, SPARE_AUTHORS, random));
        if let Some(note) = random.pick(&notes) {
            target.post("/DocumentReference", &note.fill(&[&number.to_string(), &subject, &author]), into);
        }
    })
}

/// The three parts of a note bundle: slots 0 the note's number, 1 the person's, 2 the author's.
fn bundles(next: &Arc<AtomicU64>) -> WriteRequest {
    const PERSON: &str = "urn:uuid:0d920958-b596-4b91-af67-9bafc707820b";
    const AUTHOR: &str = "urn:uuid:85652218-ea45-426f-916e-6ca5ea8dd5e1";
    let next = Arc::clone(next);
    let bundles: Vec<Template> = (0..WRITTEN_TEXTS)
        .map(|text| {
            let note = note_text(text, PERSON, AUTHOR);
            let (person, author) = (data::person(text, "@1@"), data::author(text, "@2@"));
            let entry = |name: &str, resource: &str, resource_type: &str| {
                format!(r#"{{"fullUrl":"{name}","resource":{resource},"request":{{"method":"POST","url":"{resource_type}"}}}}"#)
            };
            Template::new(&format!(
                r#"{{"resourceType":"Bundle","type":"transaction","entry":[{},{},{}]}}"#,
                entry("urn:uuid:04886b69-ef36-4584-819e-4590cd3888a4", &note, "DocumentReference"),
                entry(PERSON, &person, "Patient"),
                entry(AUTHOR, &author, "Practitioner"),
            ))
        })
        .collect();
    Arc::new(move |random, target, into| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (person, author) = (data::person_number(number), data::author_number(number));
        if let Some(bundle) = random.pick(&bundles) {
            target.post("", &bundle.fill(&[&number.to_string(), &person, &author]), into);
        }
    })
}

fn written_note(text: u64, subject: &str, author: &str) -> Template {
    Template::new(&note_text(text, subject, author))
}

/// Dated before every note that is searched for.
fn note_text(text: u64, subject: &str, author: &str) -> String {
    let date = "2023-06-01T08:30:00Z";
    data::note(text, &NoteParts { master: "w@0@", subject, author, date, photo: Photo::Never })
}

fn is_note(answer: &Value) -> Result<(), String> {
    resource_type(answer, "DocumentReference")?;
    match answer.pointer("/content/0/attachment/data").and_then(Value::as_str) {
        Some(data) if data.len() > 2_000 => Ok(()),
        _ => Err("the text of the note is not there".to_owned()),
    }
}

fn is_list_of_a_person(answer: &Value) -> Result<(), String> {
    let notes = page_of_notes(answer)?;
    sorted_by_date(&notes)?;
    let mut persons: Vec<_> = notes.iter().filter_map(|note| note.pointer("/subject/reference")).collect();
    persons.dedup();
    if persons.len() != 1 {
        return Err(format!("notes of {} persons", persons.len()));
    }
    for kind in ["Patient", "Practitioner"] {
        if !entries(answer, "include").iter().any(|resource| resource_type(resource, kind).is_ok()) {
            return Err(format!("no {kind} is included"));
        }
    }
    Ok(())
}

fn is_list_of_an_author(answer: &Value) -> Result<(), String> {
    page_of_notes(answer)?;
    match answer.get("total").and_then(Value::as_u64) {
        Some(total) if total == NOTES_AN_AUTHOR as u64 => Ok(()),
        total => Err(format!("total {total:?} instead of {NOTES_AN_AUTHOR}")),
    }
}

fn is_list_of_observations(answer: &Value) -> Result<(), String> {
    let notes = page_of_notes(answer)?;
    sorted_by_date(&notes)?;
    let observation = |note: &&&Value| note.pointer("/type/coding/0/code").and_then(Value::as_str) == Some("OBS");
    match notes.iter().filter(observation).count() {
        20 => Ok(()),
        count => Err(format!("{count} observations of 20")),
    }
}

fn is_bundle_of_three_created(answer: &Value) -> Result<(), String> {
    resource_type(answer, "Bundle")?;
    let entries = answer.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let created = |entry: &&Value| {
        entry.pointer("/response/status").and_then(Value::as_str).is_some_and(|status| status.starts_with("201"))
    };
    match entries.iter().filter(created).count() {
        3 => Ok(()),
        count => Err(format!("{count} created instead of 3")),
    }
}

fn resource_type(answer: &Value, expected: &str) -> Result<(), String> {
    match answer.get("resourceType").and_then(Value::as_str) {
        Some(found) if found == expected => Ok(()),
        found => Err(format!("{found:?} instead of {expected}")),
    }
}

fn entries<'a>(answer: &'a Value, mode: &str) -> Vec<&'a Value> {
    let entries = answer.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_mode = |entry: &&Value| entry.pointer("/search/mode").and_then(Value::as_str) == Some(mode);
    entries.iter().filter(of_mode).filter_map(|entry| entry.get("resource")).collect()
}

fn page_of_notes(answer: &Value) -> Result<Vec<&Value>, String> {
    resource_type(answer, "Bundle")?;
    let notes = entries(answer, "match");
    if notes.len() == 20 { Ok(notes) } else { Err(format!("{} matches on a page of 20", notes.len())) }
}

fn sorted_by_date(notes: &[&Value]) -> Result<(), String> {
    let dates: Vec<&str> = notes.iter().filter_map(|note| note.get("date")?.as_str()).collect();
    if dates.len() == notes.len() && dates.is_sorted_by(|a, b| a >= b) {
        Ok(())
    } else {
        Err("not sorted by date".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::Target;

    fn population() -> Arc<Population> {
        let ids = |kind: &str, count: usize| (0..count).map(|index| format!("{kind}{index}")).collect();
        let (notes, offset) = (10_000, 0);
        Arc::new(Population {
            notes,
            offset,
            next: 1_000,
            persons: ids("p", 300),
            authors: ids("a", 35),
            sample: ids("n", 50),
            seconds: 0.0,
            json_bytes: 0,
        })
    }

    fn body_of(scenario: &Scenario, random: &mut Random) -> (String, Value) {
        let target = Target {
            address: ([127, 0, 0, 1], 1).into(),
            host: "h".to_owned(),
            path: String::new(),
            authorization: None,
        };
        let mut request = Vec::new();
        (scenario.request)(random, &target, &mut request);
        let text = String::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    #[test]
    fn no_two_writes_are_of_the_same_note_or_person() {
        let mut seen = std::collections::HashSet::new();
        let mut random = Random::new(1);
        let all = all(&population());
        let [create, bundle] = ["create", "bundle"].map(|name| all.iter().find(|s| s.name == name).unwrap());
        for _ in 0..500 {
            let (_, note) = body_of(create, &mut random);
            assert!(note["subject"]["reference"].as_str().unwrap().starts_with("Patient/p2"), "spare persons only");
            assert!(seen.insert(note["masterIdentifier"]["value"].clone()));
            let (_, bundle) = body_of(bundle, &mut random);
            assert!(seen.insert(bundle.pointer("/entry/0/resource/masterIdentifier/value").unwrap().clone()));
            assert!(seen.insert(bundle.pointer("/entry/1/resource/identifier/0/value").unwrap().clone()));
            assert!(seen.insert(bundle.pointer("/entry/2/resource/identifier/0/value").unwrap().clone()));
        }
    }

    #[test]
    fn a_wrong_list_is_noticed() {
        let note = |date: &str| {
            json!({"search": {"mode": "match"}, "resource": {"resourceType": "DocumentReference",
            "date": date, "subject": {"reference": "Patient/1"}, "type": {"coding": [{"code": "OBS"}]}}})
        };
        let included = |kind: &str| json!({"search": {"mode": "include"}, "resource": {"resourceType": kind}});
        let mut entries: Vec<Value> = (10..30).rev().map(|day| note(&format!("2024-01-{day}"))).collect();
        entries.extend([included("Patient"), included("Practitioner")]);
        let bundle = |entries: &[Value]| json!({"resourceType": "Bundle", "total": 400, "entry": entries});
        for judge in [is_list_of_a_person, is_list_of_an_author, is_list_of_observations] {
            assert_eq!(judge(&bundle(&entries)), Ok(()));
            assert!(judge(&bundle(entries.get(1..).unwrap())).is_err());
        }
        assert!(is_list_of_a_person(&bundle(entries.get(..21).unwrap())).is_err());
        entries.swap(0, 1);
        assert!(is_list_of_a_person(&bundle(&entries)).is_err());
        assert!(is_list_of_observations(&bundle(&entries)).is_err());
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(chosen(all(&population()), &["red".to_owned()]).is_err());
        assert_eq!(chosen(all(&population()), &["read".to_owned()]).unwrap().len(), 1);
    }
}
