//! `liaison import` and `liaison export` against the same rows without them: what the database allows.
//!
//! The limit of an import gets the rows that the import was seen to write, every table and index of them: on PostgreSQL
//! by one `COPY` a table, all in one transaction; on SQLite by one loop of inserts that commits six hundred resources at
//! a time, as many as an import ever commits together. An export has two limits: one reads the rows whose bodies and
//! attachments it writes, and writes nothing; the other writes those bytes to a file and synchronises it.

mod postgres;
mod sqlite;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    data::{self, NoteParts, Photo, Shape},
    error::BenchError,
    process,
};

/// The least ratio to the limit that the project aims at.
const AIM: f64 = 0.5;
/// The most bytes that may be resident in an import or an export.
const RESIDENT_AIM: u64 = 250_000_000;
/// Between two looks at the memory of a program.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Notes in the files
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    notes: u64,
    /// How often each side has its turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// A PostgreSQL on which databases may be made, beside the SQLite file: postgres://…
    #[arg(long)]
    database: Option<String>,
}

/// Files to import, those first that others refer to.
struct Files {
    paths: Vec<PathBuf>,
    resources: u64,
    bytes: u64,
}

/// What one side took, all rounds together.
#[derive(Default)]
struct Taken {
    time: Duration,
    resident: u64,
}

impl Taken {
    fn add(&mut self, (time, resident): (Duration, u64)) {
        self.time += time;
        self.resident = self.resident.max(resident);
    }
}

/// A store with both works, and the limit of each.
#[derive(Default)]
struct Figures {
    import: Taken,
    copy: Taken,
    export: Taken,
    read: Taken,
    read_and_write: Taken,
}

/// Runs it and prints the report.
pub async fn run(options: &Options) -> Result<(), BenchError> {
    if cfg!(debug_assertions) {
        return Err(BenchError::DebugBuild);
    }
    let server = process::build_server()?;
    let scratch = crate::run::scratch_directory()?;
    let files = files(scratch.path(), options.notes as usize)?;
    let mut report = heading(options, &files);
    eprintln!("measuring on SQLite");
    let of_a_file = on_sqlite(options, &server, scratch.path(), &files)?;
    lines(&mut report, "SQLite", options, &files, &of_a_file);
    if let Some(address) = &options.database {
        eprintln!("measuring on PostgreSQL");
        let of_a_database = on_postgres(options, &server, scratch.path(), &files, address).await?;
        lines(&mut report, "PostgreSQL", options, &files, &of_a_database);
    }
    print!("{report}");
    Ok(())
}

fn on_sqlite(options: &Options, server: &Path, scratch: &Path, files: &Files) -> Result<Figures, BenchError> {
    let mut figures = Figures::default();
    let mut rows = None;
    for round in 0..options.rounds {
        let folder = scratch.join(format!("sqlite-{round}"));
        fs::create_dir(&folder).map_err(BenchError::file(&folder))?;
        let store = folder.join("store.db");
        let url = format!("sqlite:{}", store.display());
        figures.import.add(import(server, &url, files)?);
        figures.export.add(export(server, &url, &folder.join("out"))?);
        let rows = match &mut rows {
            Some(rows) => rows,
            none => none.insert(sqlite::Rows::of(&store)?),
        };
        figures.copy.add((rows.insert(&folder.join("bare.db"), files.resources as usize)?, 0));
        figures.read.add((sqlite::read(&store, Sink::Nowhere)?, 0));
        figures.read_and_write.add((sqlite::read(&store, Sink::file(&folder.join("bodies"))?)?, 0));
        fs::remove_dir_all(&folder).map_err(BenchError::file(&folder))?;
    }
    Ok(figures)
}

async fn on_postgres(
    options: &Options,
    server: &Path,
    scratch: &Path,
    files: &Files,
    address: &str,
) -> Result<Figures, BenchError> {
    let mut figures = Figures::default();
    for round in 0..options.rounds {
        let database = postgres::Database::make(address, round).await?;
        let out = scratch.join(format!("postgres-{round}"));
        figures.import.add(import(server, database.url(), files)?);
        figures.export.add(export(server, database.url(), &out)?);
        figures.copy.add((database.copy().await?, 0));
        figures.read.add((database.read(Sink::Nowhere).await?, 0));
        figures.read_and_write.add((database.read(Sink::file(&out.join("bodies"))?).await?, 0));
        fs::remove_dir_all(&out).map_err(BenchError::file(&out))?;
        database.remove().await?;
    }
    Ok(figures)
}

/// Where what is read goes.
enum Sink {
    Nowhere,
    File(BufWriter<File>, PathBuf),
}

impl Sink {
    fn file(path: &Path) -> Result<Self, BenchError> {
        let file = File::create(path).map_err(BenchError::file(path))?;
        Ok(Self::File(BufWriter::with_capacity(1 << 20, file), path.to_owned()))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        match self {
            Self::Nowhere => Ok(()),
            Self::File(file, path) => file.write_all(bytes).map_err(BenchError::file(&*path)),
        }
    }

    /// It is on the disk.
    fn end(self) -> Result<(), BenchError> {
        let Self::File(file, path) = self else { return Ok(()) };
        let written = file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        written.map_err(BenchError::file(path))
    }
}

fn import(server: &Path, store: &str, files: &Files) -> Result<(Duration, u64), BenchError> {
    let mut command = Command::new(server);
    command.args(["import", "--store", store]).args(&files.paths);
    timed("liaison import", command)
}

fn export(server: &Path, store: &str, out: &Path) -> Result<(Duration, u64), BenchError> {
    let mut command = Command::new(server);
    command.args(["export", "--store", store, "--out"]).arg(out);
    timed("liaison export", command)
}

/// Runs a command to its end: how long it took, and the most bytes it held.
fn timed(name: &str, mut command: Command) -> Result<(Duration, u64), BenchError> {
    let failed = |what: String| BenchError::Program { program: name.to_owned(), what };
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    // A few lines: it never waits for somebody to read them.
    let mut said = child.stderr.take();
    let mut most = 0;
    loop {
        match child.try_wait().map_err(|error| failed(format!("could not be waited for: {error}")))? {
            Some(status) if status.success() => return Ok((started.elapsed(), most)),
            Some(status) => {
                let mut why = String::new();
                // What it said is told as far as it can be read.
                let _ = said.as_mut().map(|said| said.read_to_string(&mut why));
                return Err(failed(format!("ended with {status}: {why}")));
            }
            None => {
                most = process::most_resident(child.id()).max(most);
                std::thread::sleep(BETWEEN_LOOKS);
            }
        }
    }
}

/// The people and the notes of the other scenarios, with ids.
fn files(scratch: &Path, notes: usize) -> Result<Files, BenchError> {
    let shape = Shape::of(notes);
    let mut files = Files { paths: Vec::new(), resources: 0, bytes: 0 };
    let person = |at: usize| data::person(at as u64, &data::person_number(at as u64));
    let author = |at: usize| data::author(at as u64, &data::author_number(at as u64));
    let note = |at: usize| {
        let parts = NoteParts {
            master: &at.to_string(),
            subject: &format!("Patient/{}", shape.person_of(at)),
            author: &format!("Practitioner/{}", shape.author_of(at)),
            date: &data::instant(shape.moment_of(at)),
            photo: Photo::Sometimes,
        };
        data::note(at as u64, &parts)
    };
    files.add(scratch, "Patient", shape.persons, person)?;
    files.add(scratch, "Practitioner", shape.authors, author)?;
    files.add(scratch, "DocumentReference", shape.notes, note)?;
    Ok(files)
}

impl Files {
    fn add(
        &mut self,
        folder: &Path,
        kind: &str,
        count: usize,
        write: impl Fn(usize) -> String,
    ) -> Result<(), BenchError> {
        let path = folder.join(format!("{kind}.ndjson"));
        let mut out = BufWriter::new(File::create(&path).map_err(BenchError::file(&path))?);
        for at in 0..count {
            let named = write(at).replacen('{', &format!("{{\"id\":\"{at}\","), 1);
            writeln!(out, "{named}").map_err(BenchError::file(&path))?;
            self.bytes += named.len() as u64 + 1;
        }
        out.flush().map_err(BenchError::file(&path))?;
        self.resources += count as u64;
        self.paths.push(path);
        Ok(())
    }
}

fn heading(options: &Options, files: &Files) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "# Import and export, {} resources, {:.1} MB of NDJSON\n\n{} rounds, each side in turn, {cores} cores. Resources a \
         second.\n\n| store | work | | its limit | | ratio | most resident |\n|---|---|--:|---|--:|--:|--:|\n",
        files.resources,
        files.bytes as f64 / 1e6,
        options.rounds,
    )
}

fn lines(report: &mut String, store: &str, options: &Options, files: &Files, figures: &Figures) {
    let copy = if store == "SQLite" { "insert the same rows" } else { "`COPY` the same rows" };
    let Figures { import, copy: copied, export, read, read_and_write } = figures;
    let aim = format!(" (≥ {AIM})");
    let both = [
        ("import", import, copy, copied, aim.as_str()),
        ("export", export, "read the same rows", read, aim.as_str()),
        ("export", export, "read them, and write their bodies to a file", read_and_write, ""),
    ];
    for (work, taken, limit, least, aim) in both {
        let rate =
            |taken: &Taken| (files.resources * u64::from(options.rounds)) as f64 / taken.time.as_secs_f64().max(1e-9);
        // Writing to a string cannot fail.
        let _ = writeln!(
            report,
            "| {store} | {work} | {:.0} | {limit} | {:.0} | **{:.2}**{aim} | {:.0} MB (≤ {}) |",
            rate(taken),
            rate(least),
            least.time.as_secs_f64() / taken.time.as_secs_f64().max(1e-9),
            taken.resident as f64 / 1e6,
            RESIDENT_AIM / 1_000_000,
        );
    }
}

/// Whether rows with this column are what an export is made of: the body of a version, a piece of an attachment.
fn holds_what_is_exported(column: &str) -> bool {
    matches!(column, "body" | "bytes")
}
