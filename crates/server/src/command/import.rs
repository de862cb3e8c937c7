//! `liaison import`: resources from files, one JSON per line, through the ordinary write path.
//!
//! A resource keeps its id. One that is there already is left as it is, so that an import that was
//! broken off can be started again. Lines are written in groups; a group that is refused is written
//! line by line, and what only waits for a resource of a later line is tried again at the end.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use liaison_fhir::{
    json::{self, Limits},
    object,
    tree::{Object, Value},
};

use crate::{
    assembly::Assembly,
    cli::ImportFlags,
    door::{Door, Reply},
    failure::Failure,
    settings::Settings,
};

use super::{Variables, store_settings, wait_for};

/// Resources written together.
const GROUP: usize = 100;
/// Refusals shown in words; the others are counted.
const SHOWN: usize = 20;

/// Imports the files in their order.
pub fn run(flags: &ImportFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let settings = Settings { public_url: None, ..settings };
    wait_for(async {
        let assembly = Assembly::new(&settings).await?;
        let mut import = Import { door: Door::new(assembly.router), waiting: Vec::new(), count: Count::default() };
        for file in &flags.files {
            import.file(file).await?;
        }
        import.try_again().await?;
        import.report()
    })
}

struct Import {
    door: Door,
    /// What was refused only because something it refers to is not there yet.
    waiting: Vec<Line>,
    count: Count,
}

struct Line {
    file: PathBuf,
    number: usize,
    resource: Object,
    name: String,
}

#[derive(Default)]
struct Count {
    read: usize,
    written: usize,
    there: usize,
    refused: Vec<String>,
}

impl Import {
    async fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let failed = |error| Failure::of(&format!("{} cannot be read", path.display()), error);
        let mut group = Vec::new();
        for (at, line) in BufReader::new(File::open(path).map_err(failed)?).split(b'\n').enumerate() {
            let line = line.map_err(failed)?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            self.count.read += 1;
            match read(path, at + 1, &line) {
                Ok(line) => group.push(line),
                Err(refused) => self.count.refused.push(refused),
            }
            if group.len() == GROUP {
                self.write(std::mem::take(&mut group)).await?;
            }
        }
        self.write(group).await
    }

    async fn write(&mut self, lines: Vec<Line>) -> Result<(), Failure> {
        let mut missing = Vec::new();
        for line in lines {
            match self.door.ask("GET", &format!("r4/{}?_elements=id", line.name), None).await?.status {
                404 => missing.push(line),
                _ => self.count.there += 1,
            }
        }
        if !missing.is_empty() {
            let reply = self.door.ask("POST", "r4", Some(&transaction(&missing))).await?;
            if reply.status == 200 {
                self.count.written += missing.len();
            } else {
                self.write_one_by_one(missing).await?;
            }
        }
        self.progress();
        Ok(())
    }

    async fn write_one_by_one(&mut self, lines: Vec<Line>) -> Result<(), Failure> {
        for line in lines {
            let reply = self.door.ask("PUT", &format!("r4/{}", line.name), Some(&line.resource)).await?;
            match reply.status {
                200 | 201 => self.count.written += 1,
                422 if waits(&reply) => self.waiting.push(line),
                status => self.count.refused.push(format!("{}: {status}: {}", line.place(), reply.said())),
            }
        }
        Ok(())
    }

    /// Writes what waited, until nothing more comes of it; what still waits then is refused.
    async fn try_again(&mut self) -> Result<(), Failure> {
        loop {
            let before = self.waiting.len();
            let lines = std::mem::take(&mut self.waiting);
            self.write_one_by_one(lines).await?;
            self.progress();
            if self.waiting.is_empty() || self.waiting.len() == before {
                break;
            }
        }
        for line in std::mem::take(&mut self.waiting) {
            self.count
                .refused
                .push(format!("{}: refers to what is neither in the files nor in the store", line.place()));
        }
        Ok(())
    }

    fn progress(&self) {
        if crate::somebody_watches() {
            let Count { read, written, there, refused } = &self.count;
            let _ = write!(
                std::io::stderr(),
                "\r{read} read, {written} written, {there} there already, {} waiting, {} refused ",
                self.waiting.len(),
                refused.len()
            );
        }
    }

    fn report(self) -> Result<(), Failure> {
        if crate::somebody_watches() {
            let _ = writeln!(std::io::stderr());
        }
        let Count { read, written, there, refused } = self.count;
        println!("{read} read, {written} written, {there} there already, {} refused", refused.len());
        if refused.is_empty() {
            return Ok(());
        }
        let more = refused.len().saturating_sub(SHOWN);
        let mut told: Vec<String> = refused.into_iter().take(SHOWN).collect();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        Err(Failure::Failed(format!("not everything was imported\n{}", told.join("\n"))))
    }
}

impl Line {
    fn place(&self) -> String {
        format!("{}:{} ({})", self.file.display(), self.number, self.name)
    }
}

fn read(file: &Path, number: usize, line: &[u8]) -> Result<Line, String> {
    let place = format!("{}:{number}", file.display());
    let resource = json::read(line, &Limits::default()).map_err(|issues| {
        let said: Vec<&str> = issues.iter().map(|issue| issue.text.en.as_str()).collect();
        format!("{place}: {}", said.join("; "))
    })?;
    let name = match (resource.resource_type(), resource.str("id")) {
        (Some(kind), Some(id)) => format!("{kind}/{id}"),
        _ => return Err(format!("{place}: a resource has a resourceType and an id")),
    };
    Ok(Line { file: file.into(), number, resource, name })
}

/// Whether all that is against it is that something it refers to is not there.
fn waits(reply: &Reply) -> bool {
    let errors: Vec<&Object> =
        reply.resource.objects("issue").filter(|issue| issue.str("severity") == Some("error")).collect();
    !errors.is_empty() && errors.iter().all(|issue| issue.str("code") == Some("not-found"))
}

fn transaction(lines: &[Line]) -> Object {
    let entries = lines.iter().map(|line| {
        let request = object! { "method" => "PUT", "url" => line.name.as_str() };
        Value::from(object! { "resource" => line.resource.clone(), "request" => request })
    });
    object! { "resourceType" => "Bundle", "type" => "transaction", "entry" => entries.collect::<Vec<_>>() }
}
