//! The order of a run: probe, fill, measure, report.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::Options;
use crate::error::BenchError;
use crate::http::{Connection, Target};
use crate::limits::postgres::rows::{Learnt, Watch};
use crate::limits::postgres::{self, BarePostgres, OfEach};
use crate::limits::store::{BareStore, Rows, count};
use crate::load::{self, Effort, Figures};
use crate::population::{self, Population};
use crate::process::{self, Callers, Program, Usage};
use crate::report::{self, Circumstances, Household, Measured};
use crate::scenario::{self, LoopWork, Scenario};

/// Slices a scenario is cut into, the sides taking turns, so that a neighbour's load on the
/// machine falls on all of them.
const SLICES: u32 = 3;
/// Unmeasured at the beginning, on each side.
const WARM_UP: Duration = Duration::from_millis(300);
/// Starts that are timed, on each store.
const STARTS: usize = 5;
/// Writes of which the rows are counted.
const PROBES: usize = 16;
/// Notes of the store that is probed.
const PROBED_NOTES: usize = 2_000;
/// Numbers put aside for the writes of one run.
const NUMBERS_A_RUN: u64 = 10_000_000;
/// What is remembered of a filled store, beside it.
const POPULATION: &str = "population.json";

/// Runs everything and prints the report. Gives back what makes figures worthless.
pub async fn run(options: &Options) -> Result<Vec<String>, BenchError> {
    if cfg!(debug_assertions) {
        return Err(BenchError::DebugBuild);
    }
    // Names are checked before anything is filled.
    scenario::chosen(scenario::all(&Arc::new(nobody())), &options.only)?;
    let scratch = scratch_directory()?;
    let (measured, circumstances, household) = match &options.base {
        Some(base) => other_server(options, base, scratch.path()).await?,
        None => own_server(options, scratch.path()).await?,
    };
    print!("{}", report::markdown(&circumstances, &measured, household.as_ref()));
    Ok(measured.iter().flat_map(report::complaints).collect())
}

type Outcome = (Vec<Measured>, Circumstances, Option<Household>);

async fn other_server(options: &Options, base: &str, scratch: &Path) -> Result<Outcome, BenchError> {
    let target = Target::parse(base).await?;
    let mut nodes = Vec::new();
    for node in &options.also {
        nodes.push(Target::parse(node).await?);
    }
    if !nodes.is_empty() {
        nodes.insert(0, target.clone());
    }
    let population = Arc::new(filled_there(options, base, &target).await?);
    let scenarios = scenario::chosen(scenario::all(&population), &options.only)?;
    let bare = match &options.beside {
        Some(database) => Some(Bare::Server(beside(database, options.script.as_deref(), &target, &population).await?)),
        None => None,
    };
    let bench = Bench { options, target, nodes, scratch, population: &population, bare };
    let measured = bench.measure(scenarios, Usage::default).await?;
    Ok((measured, circumstances(base.to_owned(), options, &population), None))
}

/// What another server is filled with: by an earlier run, when that was kept, or by this one.
async fn filled_there(options: &Options, base: &str, target: &Target) -> Result<Population, BenchError> {
    let notes = options.notes as usize;
    if let Some(directory) = &options.keep {
        std::fs::create_dir_all(directory).map_err(BenchError::file(directory))?;
    }
    let memory = options.keep.as_deref().map(|directory| directory.join(POPULATION));
    let kept = memory.as_deref().and_then(|memory| kept(memory, notes));
    let population = match kept {
        Some(kept) => kept,
        None => {
            // What an earlier run put there must not be met again.
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let offset = since_1970.as_secs() * 1_000 % 90_000_000;
            eprintln!("filling {base} (numbers from {offset})");
            population::fill(target, notes, offset).await?
        }
    };
    match memory {
        Some(memory) => keep(population, &memory),
        None => Ok(population),
    }
}

/// What was kept of a filling of this size.
fn kept(memory: &Path, notes: usize) -> Option<Population> {
    let kept = std::fs::read(memory).ok().and_then(|bytes| serde_json::from_slice::<Population>(&bytes).ok());
    kept.filter(|kept| kept.notes == notes)
}

/// Keeps what a server was filled with. The numbers of this run are given away before they are used: a
/// run that is broken off must not give them away twice.
fn keep(population: Population, memory: &Path) -> Result<Population, BenchError> {
    let after = Population { next: population.next + NUMBERS_A_RUN, ..population.clone() };
    let text = serde_json::to_vec(&after).unwrap_or_default();
    std::fs::write(memory, text).map_err(BenchError::file(memory))?;
    Ok(population)
}

/// The bare loop in the database of a server that is running: with the rows that that was seen to write.
async fn beside(
    database: &str,
    script: Option<&Path>,
    target: &Target,
    population: &Arc<Population>,
) -> Result<BarePostgres, BenchError> {
    // The numbers of the measured writes are not given away.
    let probed = Population { next: population.next + NUMBERS_A_RUN / 2, ..population.as_ref().clone() };
    let all = scenario::all(&Arc::new(probed));
    let mut learnt = Vec::new();
    for name in ["create", "bundle"] {
        let mut watch = Watch::begin(postgres::connect(database).await?).await?;
        for scenario in all.iter().filter(|scenario| scenario.name == name) {
            // The first may add what those after it find.
            one_answer(scenario, target, PROBES as u64).await?;
            watch.between().await?;
            for round in 0..PROBES {
                one_answer(scenario, target, round as u64).await?;
                watch.between().await?;
            }
        }
        learnt.push(watch.learn().await?);
    }
    let [note, bundle] = <[Learnt; 2]>::try_from(learnt).map_err(|_| BenchError::Stopped("learning"))?;
    if let Some(file) = script {
        std::fs::write(file, note.script()).map_err(BenchError::file(file))?;
    }
    eprintln!("filling the bare PostgreSQL schema");
    BarePostgres::fill(database, population.shape(), OfEach { note, bundle }).await
}

async fn own_server(options: &Options, scratch: &Path) -> Result<Outcome, BenchError> {
    let server = process::build_server()?;
    let mut household = Household::default();
    eprintln!("probing an empty store");
    let rows = probe(&server, scratch, &mut household).await?;

    let directory = options.keep.clone().unwrap_or_else(|| scratch.join("full"));
    std::fs::create_dir_all(&directory).map_err(BenchError::file(&directory))?;
    let store = directory.join("liaison.db");
    let population = Arc::new(filled(&server, &directory, &store, options.notes as usize).await?);
    household.disk = bytes_of_store(&directory)?;
    let scenarios = scenario::chosen(scenario::all(&population), &options.only)?;
    let bare = if scenarios.iter().any(|scenario| scenario.loop_work.is_some()) {
        eprintln!("filling the bare SQLite store");
        Some(Bare::File(BareStore::fill(scratch, population.shape(), rows)?))
    } else {
        None
    };

    // Filling one pushes the other out of the system's cache, on a machine that cannot hold both
    // and all that went into the log.
    for file in bare.iter().filter_map(Bare::path).chain([store.as_path()]) {
        warm(file)?;
    }
    let (program, target) = timed_starts(&server, &store, &mut household.starts_full).await?;
    household.resident_full = program.usage().resident;
    let bench = Bench { options, target, nodes: Vec::new(), scratch, population: &population, bare };
    let measured = bench.measure(scenarios, || program.usage()).await?;
    household.resident_after = program.usage().resident;
    program.stop()?;
    Ok((measured, circumstances("Liaison".to_owned(), options, &population), Some(household)))
}

/// Starts on an empty store, and counts what a note and a note bundle write.
async fn probe(server: &Path, scratch: &Path, household: &mut Household) -> Result<Rows, BenchError> {
    for start in 0..STARTS - 1 {
        let (program, _) =
            timed_start(server, &scratch.join(format!("empty-{start}.db")), &mut household.starts_empty).await?;
        program.stop()?;
    }
    let store = scratch.join("probe.db");
    let (program, target) = timed_start(server, &store, &mut household.starts_empty).await?;
    household.resident_empty = program.usage().resident;
    let population = Arc::new(population::fill(&target, PROBED_NOTES, 0).await?);
    let all = scenario::all(&population);
    let mut beside = Vec::new();
    for (name, bodies) in [("create", 1), ("bundle", 3)] {
        let before = count(&store)?.rows;
        for scenario in all.iter().filter(|scenario| scenario.name == name) {
            for round in 0..PROBES {
                one_answer(scenario, &target, round as u64).await?;
            }
        }
        let written = (count(&store)?.rows - before) as usize;
        beside.push((written / PROBES).saturating_sub(bodies));
    }
    let page = count(&store)?.page;
    program.stop()?;
    let [of_a_note, of_a_bundle] = <[usize; 2]>::try_from(beside).unwrap_or_default();
    household.rows = (of_a_note, of_a_bundle);
    Ok(Rows { of_a_note, of_a_bundle, page })
}

/// The filled store: a kept one when there is one, a new one otherwise. The server is not running.
async fn filled(server: &Path, directory: &Path, store: &Path, notes: usize) -> Result<Population, BenchError> {
    let memory = directory.join(POPULATION);
    let population = match kept(&memory, notes) {
        Some(kept) => kept,
        None => {
            // What is there is of another size or was never finished.
            for entry in std::fs::read_dir(directory).map_err(BenchError::file(directory))?.flatten() {
                if is_of_store(&entry) {
                    remove(&entry.path())?;
                }
            }
            eprintln!("filling the server with {notes} notes");
            let program = process::start_server(server, store, Callers::TheSystem)?;
            let target = Target::parse(&format!("{}/fhir/r4", program.base)).await?;
            let population = population::fill(&target, notes, 0).await?;
            program.stop()?;
            population
        }
    };
    keep(population, &memory)
}

async fn timed_starts(server: &Path, store: &Path, times: &mut Vec<Duration>) -> Result<(Program, Target), BenchError> {
    for _ in 0..STARTS - 1 {
        timed_start(server, store, times).await?.0.stop()?;
    }
    timed_start(server, store, times).await
}

/// Starts the server and times it up to the first answered search.
async fn timed_start(server: &Path, store: &Path, times: &mut Vec<Duration>) -> Result<(Program, Target), BenchError> {
    let program = process::start_server(server, store, Callers::TheSystem)?;
    let target = Target::parse(&format!("{}/fhir/r4", program.base)).await?;
    let mut request = Vec::new();
    target.get("/DocumentReference?_count=1", &mut request);
    let mut connection = Connection::new(&target);
    let answer = connection.exchange(&request).await.map_err(BenchError::http("the first search"))?;
    if answer.status != 200 {
        return Err(BenchError::Answered { doing: "the first search", status: answer.status, body: answer.excerpt() });
    }
    times.push(program.started.elapsed());
    Ok((program, target))
}

/// Everything a scenario is measured with.
struct Bench<'a> {
    options: &'a Options,
    target: Target,
    /// All nodes of the store, when there are several.
    nodes: Vec<Target>,
    scratch: &'a Path,
    population: &'a Arc<Population>,
    bare: Option<Bare>,
}

/// The same rows without a server before them.
enum Bare {
    File(BareStore),
    Server(BarePostgres),
}

impl Bare {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::File(store) => Some(store.path()),
            Self::Server(_) => None,
        }
    }
}

impl Bench<'_> {
    async fn measure(&self, scenarios: Vec<Scenario>, served: impl Fn() -> Usage) -> Result<Vec<Measured>, BenchError> {
        let mut measured = Vec::new();
        for scenario in scenarios {
            eprintln!("measuring {}", scenario.name);
            measured.push(self.measure_one(scenario, &served).await?);
        }
        Ok(measured)
    }

    async fn measure_one(&self, scenario: Scenario, served: &impl Fn() -> Usage) -> Result<Measured, BenchError> {
        let kept = one_answer(&scenario, &self.target, u64::MAX).await?;
        let file = self.scratch.join(format!("{}.answer", scenario.name));
        std::fs::write(&file, &kept.bytes).map_err(BenchError::file(&file))?;
        let handler = process::start_handler(&file)?;
        let mut beside = Target::parse(&handler.base).await?;
        beside.path.clone_from(&self.target.path);

        let clients = self.options.clients as usize;
        let warm_up = Effort { clients, lasting: WARM_UP };
        let slice = Effort { clients, lasting: Duration::from_secs(self.options.seconds) / SLICES };
        let (one, handlers) = (std::slice::from_ref(&self.target), std::slice::from_ref(&beside));
        load::run(one, &scenario.request, scenario.expects, warm_up, 1, served).await?;
        if !self.nodes.is_empty() {
            load::run(&self.nodes, &scenario.request, scenario.expects, warm_up, 0, served).await?;
        }
        load::run(handlers, &scenario.request, scenario.expects, warm_up, 1, || handler.usage()).await?;
        let (mut on_server, mut on_handler, mut on_store) = (Figures::default(), Figures::default(), None::<Figures>);
        let mut on_nodes = None::<Figures>;
        for round in 2..u64::from(2 + SLICES) {
            on_server.add(load::run(one, &scenario.request, scenario.expects, slice, round, served).await?);
            on_handler
                .add(load::run(handlers, &scenario.request, scenario.expects, slice, round, || handler.usage()).await?);
            if !self.nodes.is_empty() {
                let apart = round << 8;
                let figures =
                    load::run(&self.nodes, &scenario.request, scenario.expects, slice, apart, Usage::default).await?;
                on_nodes.get_or_insert_default().add(figures);
            }
            if let (Some(work), Some(bare)) = (scenario.loop_work, &self.bare) {
                on_store.get_or_insert_default().add(self.bare_slice(bare, work, slice, round).await?);
            }
        }
        let judged = kept.judge(&scenario);
        Ok(Measured {
            answer_bytes: kept.body,
            judged,
            scenario,
            server: on_server,
            handler: on_handler,
            nodes: on_nodes,
            store: on_store,
        })
    }

    async fn bare_slice(&self, bare: &Bare, work: LoopWork, slice: Effort, round: u64) -> Result<Figures, BenchError> {
        let bare = match bare {
            Bare::File(store) => store,
            Bare::Server(database) => {
                return match work {
                    LoopWork::ReadOne => database.read_one(slice, round).await,
                    LoopWork::ReadTwenty => {
                        let mut random = crate::random::Random::new(round);
                        let persons = (0..1_000).map(|_| scenario::any_person(self.population, &mut random)).collect();
                        database.read_twenty(slice, round, persons).await
                    }
                    LoopWork::WriteNote => database.write(slice, 1).await,
                    LoopWork::WriteBundle => database.write(slice, 3).await,
                };
            }
        };
        match work {
            LoopWork::ReadOne => bare.read_one(slice.lasting, round),
            LoopWork::ReadTwenty => {
                bare.read_twenty(slice.lasting, round, |random| scenario::any_person(self.population, random))
            }
            LoopWork::WriteNote => bare.write(slice, 1).await,
            LoopWork::WriteBundle => bare.write(slice, 3).await,
        }
    }
}

/// An answer of the server, as the bare handler will give it.
struct Kept {
    bytes: Vec<u8>,
    body: usize,
}

impl Kept {
    fn judge(&self, scenario: &Scenario) -> Result<(), String> {
        let body = self.bytes.get(self.bytes.len() - self.body..).unwrap_or_default();
        let answer = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        (scenario.judge)(&answer.map_err(|error| format!("not JSON: {error}"))?)
    }
}

async fn one_answer(scenario: &Scenario, target: &Target, round: u64) -> Result<Kept, BenchError> {
    let mut request = Vec::new();
    (scenario.request)(&mut crate::random::Random::new(round), target, &mut request);
    let mut connection = Connection::new(target);
    let answer = connection.exchange(&request).await.map_err(BenchError::http(scenario.title))?;
    if answer.status != scenario.expects {
        return Err(BenchError::Answered { doing: scenario.title, status: answer.status, body: answer.excerpt() });
    }
    Ok(Kept { bytes: [answer.head, answer.body].concat(), body: answer.body.len() })
}

fn circumstances(server: String, options: &Options, population: &Population) -> Circumstances {
    Circumstances {
        server,
        notes: population.notes,
        filling: (population.seconds, population.json_bytes),
        clients: options.clients as usize,
        seconds: options.seconds,
    }
}

/// Stands in where only the names of the scenarios matter.
fn nobody() -> Population {
    let none = Vec::new;
    Population {
        notes: 0,
        offset: 0,
        next: 0,
        persons: none(),
        authors: none(),
        sample: none(),
        seconds: 0.0,
        json_bytes: 0,
    }
}

/// Beside the executable: on the same disk as the project, where a flush is a flush (a temporary
/// directory may live in memory).
pub fn scratch_directory() -> Result<tempfile::TempDir, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::file("the path of this program"))?;
    let parent = own.parent().map(Path::to_path_buf).unwrap_or_default();
    tempfile::Builder::new().prefix("bench-").tempdir_in(&parent).map_err(BenchError::file(parent))
}

/// Reads a file once, so that it is in the system's cache as far as there is room.
fn warm(file: &Path) -> Result<(), BenchError> {
    let read = std::fs::File::open(file).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()));
    read.map(drop).map_err(BenchError::file(file))
}

/// Bytes of the store's files, and of what it keeps in directories of its own.
fn bytes_of_store(directory: &Path) -> Result<u64, BenchError> {
    let mut bytes = 0;
    let mut open: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(BenchError::file(directory))?.flatten() {
        if is_of_store(&entry) {
            open.push(entry.path());
        }
    }
    while let Some(path) = open.pop() {
        let about = std::fs::symlink_metadata(&path).map_err(BenchError::file(&path))?;
        if about.is_dir() {
            open.extend(std::fs::read_dir(&path).map_err(BenchError::file(&path))?.flatten().map(|entry| entry.path()));
        } else {
            bytes += about.len();
        }
    }
    Ok(bytes)
}

/// The store's file is called `liaison.db`; what belongs to it begins likewise, as does the log.
fn is_of_store(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    name.starts_with("liaison.") && name != "liaison.log"
}

fn remove(path: &Path) -> Result<(), BenchError> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(BenchError::file(path))
}
