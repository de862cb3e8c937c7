//! What the rules of access cost: the same requests, about the same persons, sent by somebody with a token
//! who is in the circles of one person in five, and to a server that takes everybody for the system.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::data::{AUTHOR_SYSTEM, PERSON_SYSTEM};
use crate::error::BenchError;
use crate::http::{Connection, Target};
use crate::load::{self, Effort, Figures, WriteRequest};
use crate::population::{self, Population, SPARE_PERSONS};
use crate::process::{self, Callers};
use crate::random::Random;

pub mod provider;

use provider::Provider;

/// One circle in so many has the caller in it.
const CIRCLES_A_CALLERS_ONE: usize = 5;
const CIRCLES_A_BUNDLE: usize = 100;
/// Slices a scenario is cut into, the two servers taking turns.
const SLICES: u32 = 4;
const WARM_UP: Duration = Duration::from_millis(500);
/// The least share of the throughput that is to be left.
const AIM: f64 = 0.85;

/// What is measured, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Notes put into the store before measuring; there is a person, and a circle, for each 50
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(2_000..=50_000))]
    notes: u64,
    /// Clients at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    clients: u64,
    /// Seconds each scenario is measured, on each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
}

/// A kind of request.
struct Scenario {
    title: &'static str,
    request: WriteRequest,
}

/// Both sides of a scenario.
struct Measured {
    title: &'static str,
    open: Figures,
    asked: Figures,
}

/// Measures, and prints the report. Gives back what makes figures worthless.
pub async fn run(options: &Options) -> Result<Vec<String>, BenchError> {
    if cfg!(debug_assertions) {
        return Err(BenchError::DebugBuild);
    }
    let server = process::build_server()?;
    let scratch =
        tempfile::tempdir_in(std::env::current_exe().ok().as_deref().and_then(Path::parent).unwrap_or(Path::new(".")));
    let scratch = scratch.map_err(BenchError::file("a directory"))?;
    let (open, asked) = (scratch.path().join("open.db"), scratch.path().join("asked.db"));
    let population = Arc::new(filled(&server, &open, options.notes as usize).await?);
    copy(&open, &asked)?;

    let provider = Provider::start().await?;
    let token = provider.token(&json!({ "sub": "caller", "rpps": population.author_number(0), "profession": "60" }))?;
    let open_program = process::start_server(&server, &open, Callers::TheSystem)?;
    let asked_program = process::start_server(&server, &asked, Callers::Of(&provider.issuer))?;
    let open = Target::parse(&format!("{}/fhir/r4", open_program.base)).await?;
    let mut asked = Target::parse(&format!("{}/fhir/r4", asked_program.base)).await?;
    asked.authorization = Some(format!("Bearer {token}"));

    let circles = population.shape().persons;
    let mine = (0..circles).step_by(CIRCLES_A_CALLERS_ONE).len();
    let told = total(&asked, "/Patient?_summary=count").await?;
    if told != mine as u64 {
        return Err(BenchError::Stopped("the caller does not see the persons of their circles"));
    }

    let clients = options.clients as usize;
    let effort = Effort { clients, lasting: Duration::from_secs(options.seconds) / SLICES };
    let mut measured = Vec::new();
    for Scenario { title, request } in scenarios(&population) {
        eprintln!("measuring: {title}");
        let warm_up = Effort { clients, lasting: WARM_UP };
        load::run(std::slice::from_ref(&open), &request, 200, warm_up, 0, || open_program.usage()).await?;
        load::run(std::slice::from_ref(&asked), &request, 200, warm_up, 0, || asked_program.usage()).await?;
        let mut row = Measured { title, open: Figures::default(), asked: Figures::default() };
        for round in 1..=u64::from(SLICES) {
            let one = std::slice::from_ref(&open);
            row.open.add(load::run(one, &request, 200, effort, round, || open_program.usage()).await?);
            let one = std::slice::from_ref(&asked);
            row.asked.add(load::run(one, &request, 200, effort, round, || asked_program.usage()).await?);
        }
        measured.push(row);
    }
    print!("{}", report(options, circles, mine, &measured));
    open_program.stop()?;
    asked_program.stop()?;
    let failures =
        measured.iter().flat_map(|row| [&row.open, &row.asked]).filter_map(|side| side.first_failure.clone());
    Ok(failures.collect())
}

/// A store with notes and a circle for each person. The server is not running.
async fn filled(server: &Path, store: &Path, notes: usize) -> Result<Population, BenchError> {
    eprintln!("filling the server with {notes} notes");
    let program = process::start_server(server, store, Callers::TheSystem)?;
    let target = Target::parse(&format!("{}/fhir/r4", program.base)).await?;
    let population = population::fill(&target, notes, 0).await?;
    let (persons, authors) = (population.persons.clone(), population.authors.clone());
    let circles = persons.len() - SPARE_PERSONS;
    population::transact(&target, "CareTeam", circles, CIRCLES_A_BUNDLE, move |index| {
        let person = persons.get(index).map_or("", String::as_str);
        // Somebody else is in each, and the caller in some.
        let other = authors.get(1 + index % (authors.len() - 1)).map_or("", String::as_str);
        let caller = authors.first().filter(|_| index.is_multiple_of(CIRCLES_A_CALLERS_ONE)).map(String::as_str);
        let member = |id: &str| json!({ "member": { "reference": format!("Practitioner/{id}") }, "period": { "start": "2024-01-01" } });
        let members: Vec<Value> = caller.into_iter().chain([other]).map(member).collect();
        json!({
            "resourceType": "CareTeam", "status": "active", "name": "Cercle de soins",
            "identifier": [{ "system": "https://logiciel.example.org/cercles", "value": index.to_string() }],
            "subject": { "reference": format!("Patient/{person}") },
            "period": { "start": "2024-01-01" }, "participant": members
        })
        .to_string()
    })
    .await?;
    program.stop()?;
    Ok(population)
}

/// A store that nobody serves, once more.
fn copy(from: &Path, to: &Path) -> Result<(), BenchError> {
    let directory = from.parent().unwrap_or(Path::new("."));
    for entry in std::fs::read_dir(directory).map_err(BenchError::file(directory))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (Some(rest), Some(stem)) = (name.strip_prefix("open.db"), to.to_str()) else { continue };
        std::fs::copy(entry.path(), format!("{stem}{rest}")).map_err(BenchError::file(from))?;
    }
    Ok(())
}

/// What a search says that it found.
async fn total(target: &Target, search: &str) -> Result<u64, BenchError> {
    let mut request = Vec::new();
    target.get(search, &mut request);
    let mut connection = Connection::new(target);
    let answer = connection.exchange(&request).await.map_err(BenchError::http("counting"))?;
    let told = serde_json::from_slice::<Value>(answer.body).ok().and_then(|body| body.get("total")?.as_u64());
    told.ok_or_else(|| BenchError::Answered { doing: "counting", status: answer.status, body: answer.excerpt() })
}

/// Reads and searches about persons in whose circles the caller is.
fn scenarios(population: &Arc<Population>) -> Vec<Scenario> {
    let shape = population.shape();
    // Every note is remembered up to this size.
    let numbered = population.sample.iter().enumerate();
    let notes: Vec<String> = numbered
        .filter(|(note, _)| shape.person_of(*note).is_multiple_of(CIRCLES_A_CALLERS_ONE))
        .map(|(_, id)| id.clone())
        .collect();
    let person = move |population: &Population, random: &mut Random| {
        let circles = shape.persons.div_ceil(CIRCLES_A_CALLERS_ONE);
        population.person_number(random.below(circles) * CIRCLES_A_CALLERS_ONE)
    };
    let asking = |write: Box<dyn Fn(&mut Random) -> String + Send + Sync>| -> WriteRequest {
        Arc::new(move |random, target, into| target.get(&write(random), into))
    };
    let of = |population: &Arc<Population>| Arc::clone(population);
    let (of_person, of_count, of_author) = (of(population), of(population), of(population));
    vec![
        Scenario {
            title: "read a note by id",
            request: asking(Box::new(move |random| {
                format!("/DocumentReference/{}", random.pick(&notes).map_or("none", String::as_str))
            })),
        },
        Scenario {
            title: "a person's last 20 notes, with subject and author",
            request: asking(Box::new(move |random| {
                let number = person(&of_person, random);
                format!(
                    "/DocumentReference?patient.identifier={PERSON_SYSTEM}%7C{number}&_include=DocumentReference:subject&_include=DocumentReference:author&_sort=-date&_count=20"
                )
            })),
        },
        Scenario {
            title: "how many notes of a person",
            request: asking(Box::new(move |random| {
                let number = person(&of_count, random);
                format!("/DocumentReference?patient.identifier={PERSON_SYSTEM}%7C{number}&_summary=count")
            })),
        },
        Scenario {
            title: "first 20 notes of an author, typed chain",
            request: asking(Box::new(move |random| {
                let number = of_author.author_number(random.below(shape.authors));
                format!("/DocumentReference?author:Practitioner.identifier={AUTHOR_SYSTEM}%7C{number}&_count=20")
            })),
        },
        Scenario {
            title: "date and type, sorted, a few hundred matches",
            request: asking(Box::new(move |random| {
                let since = shape.moment_of(shape.notes.saturating_sub(500 + random.below(1_000)));
                let since = crate::data::instant(since);
                format!("/DocumentReference?date=ge{since}&type=OBS&_sort=-date&_count=20")
            })),
        },
    ]
}

fn report(options: &Options, circles: usize, mine: usize, measured: &[Measured]) -> String {
    let mut text = format!(
        "# Rules of access, {} notes, {circles} circles, the caller in {mine}\n\n{} clients, {} s a scenario on each side in \
         alternating slices.\n\n| | `--auth off` | CPU/req | a caller with a token | CPU/req | p99 | ratio (≥ {AIM}) |\n|---|--:|--:|--:|--:|--:|--:|\n",
        options.notes, options.clients, options.seconds
    );
    for Measured { title, open, asked } in measured {
        let cpu = |side: &Figures| {
            side.cpu_per_answer(side.served_cpu_us).map_or("–".to_owned(), |us| format!("{us:.0} µs"))
        };
        let p99 = asked.percentile(0.99).unwrap_or_default().as_secs_f64() * 1e3;
        text += &format!(
            "| {title} | {:.0}/s | {} | {:.0}/s | {} | {p99:.2} ms | **{:.2}** |\n",
            open.rate(),
            cpu(open),
            asked.rate(),
            cpu(asked),
            asked.rate() / open.rate().max(1e-9),
        );
    }
    text
}
