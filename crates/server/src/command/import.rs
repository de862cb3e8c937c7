//! `liaison import`: resources from files, one JSON per line, through the ordinary write path.
//!
//! A resource keeps its id. One that is there already is left as it is, so that an import that was
//! broken off can be started again. Lines are written in groups, several at a time ([`group`]). What
//! only waits for a resource of a later line is read again when everything else was written: of it
//! only the number of its line is kept ([`lines`]), so memory does not grow with the files. When
//! nothing more comes of that, what is left waits for something that is nowhere, or for one another:
//! the latter is written together ([`circles`]).

mod circles;
mod group;
mod lines;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use liaison_app::App;
use liaison_store::indexing::Claim;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{
    assembly::Assembly,
    cli::ImportFlags,
    failure::Failure,
    progress::{Far, Progress},
    settings::{Limits, Settings},
};

use super::{Variables, store_settings, wait_for};
use circles::{Strand, Web};
use group::{Group, Outcome};
use lines::{Marked, Next, Source, Spot};

/// Lines written together.
const GROUP: usize = 100;
/// Bytes from which a group is not added to; a line that is as long is one by itself.
const GROUP_BYTES: usize = 1 << 20;
/// Groups that are being written at the same time: while one is on its way to the disk, the next are
/// read and checked, and those that are ready are committed together.
const AT_ONCE: usize = 6;
/// KiB of lines that are being written at the same time; one that is longer is written alone.
const KIB_AT_ONCE: u32 = 24 * 1024;
/// Refusals shown in words; the others are counted.
const SHOWN: usize = 20;

/// Imports the files, those first that others refer to.
pub fn run(flags: &ImportFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let settings = Settings { public_url: None, ..settings };
    wait_for(async {
        let sources = lines::sources(&flags.files, settings.limits.body)?;
        let assembly = Assembly::new(&settings, Claim::Follow).await?;
        let mut import = Import::new(assembly.app().clone(), sources, &settings.limits);
        let done = import.all().await;
        import.progress.end();
        assembly.close().await;
        done.and_then(|()| import.report())
    })
}

struct Import {
    app: App,
    sources: Vec<Source>,
    group: usize,
    /// The most lines of a circle, and their bytes: those of a transaction.
    circle: (usize, usize),
    /// The lines that wait for others, file by file.
    waiting: Vec<Marked>,
    room: Arc<Semaphore>,
    running: JoinSet<Result<Outcome, Failure>>,
    count: Count,
    progress: Progress,
}

#[derive(Default)]
struct Count {
    read: u64,
    written: u64,
    deleted: u64,
    there: u64,
    waiting: u64,
    refused: u64,
    /// Why the first of them are.
    told: Told,
    /// Why the first of those wait that wait now: told if they wait in vain.
    in_vain: Told,
}

/// The first lines of which there is something to say.
#[derive(Default)]
struct Told(BTreeMap<Spot, String>);

impl Told {
    fn tell(&mut self, spot: Spot, why: String) {
        self.0.insert(spot, why);
        if self.0.len() > SHOWN {
            self.0.pop_last();
        }
    }
}

/// Which lines of the files are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// All.
    First,
    /// Those that waited.
    Again,
}

impl Import {
    fn new(app: App, sources: Vec<Source>, limits: &Limits) -> Self {
        let waiting = sources.iter().map(|_| Marked::default()).collect();
        Self {
            app,
            sources,
            group: GROUP.min(limits.bundle_entries).max(1),
            circle: (limits.bundle_entries, limits.body),
            waiting,
            room: Arc::new(Semaphore::new(KIB_AT_ONCE as usize)),
            running: JoinSet::new(),
            count: Count::default(),
            progress: Progress::new(),
        }
    }

    /// Reads the files, then again what waited, until nothing more comes of it; then what waits for
    /// one another, and what waited for that. What still waits then is refused.
    async fn all(&mut self) -> Result<(), Failure> {
        let mut pass = Pass::First;
        loop {
            let before = std::mem::take(&mut self.count.waiting);
            self.count.in_vain = Told::default();
            self.pass(pass).await?;
            let stuck = pass == Pass::Again && self.count.waiting == before;
            pass = Pass::Again;
            if self.count.waiting == 0 {
                return Ok(());
            }
            if stuck && !self.circles().await? {
                break;
            }
        }
        self.count.refused += self.count.waiting;
        for (spot, why) in std::mem::take(&mut self.count.in_vain).0 {
            self.count.told.tell(spot, why);
        }
        Ok(())
    }

    async fn pass(&mut self, pass: Pass) -> Result<(), Failure> {
        let waited: Vec<Marked> = self.waiting.iter_mut().map(std::mem::take).collect();
        let all = self.sources.iter().map(|source| source.bytes).sum();
        let mut passed = 0;
        for (at, waited) in waited.iter().enumerate() {
            let Some(source) = self.sources.get(at).cloned() else { continue };
            if pass == Pass::First || !waited.is_empty() {
                self.file(at, &source, passed, all, (pass == Pass::Again).then_some(waited)).await?;
                // What stands in a file may refer to what stands in those before.
                while let Some(done) = self.running.join_next().await {
                    self.add(done)?;
                }
            }
            passed += source.bytes;
        }
        Ok(())
    }

    async fn file(
        &mut self,
        at: usize,
        source: &Source,
        before: u64,
        all: u64,
        only: Option<&Marked>,
    ) -> Result<(), Failure> {
        let mut lines = source.open(at)?;
        let mut group = Group::default();
        loop {
            match lines.next()? {
                Next::End => break,
                Next::TooLong(spot) if only.is_none() => {
                    self.count.read += 1;
                    let longest = source.longest;
                    self.refuse(spot, format!("longer than the {longest} bytes that are taken here"));
                }
                Next::Line(line) if only.is_none_or(|marked| marked.contains(line.spot.line)) => {
                    self.count.read += u64::from(only.is_none());
                    let far = Far { done: before + lines.passed(), all, resources: self.count.written };
                    if line.bytes.len() >= GROUP_BYTES {
                        self.start(std::mem::take(&mut group), far).await?;
                    }
                    group.add(line);
                    if group.lines() == self.group || group.bytes() >= GROUP_BYTES {
                        self.start(std::mem::take(&mut group), far).await?;
                    }
                }
                Next::TooLong(_) | Next::Line(_) => {}
            }
        }
        let far = Far { done: before + lines.passed(), all, resources: self.count.written };
        self.start(group, far).await
    }

    /// Writes together what waits for one another; says whether anything came of it.
    async fn circles(&mut self) -> Result<bool, Failure> {
        let mut web = Web::default();
        for (at, waiting) in self.waiting.iter().enumerate().filter(|(_, waiting)| !waiting.is_empty()) {
            let Some(source) = self.sources.get(at) else { continue };
            let mut lines = source.open(at)?;
            loop {
                match lines.next()? {
                    Next::End => break,
                    Next::Line(line) if waiting.contains(line.spot.line) => web.add(&line),
                    Next::TooLong(_) | Next::Line(_) => {}
                }
            }
        }
        let before = self.count.waiting;
        for circle in web.circles() {
            self.circle(&circle).await?;
        }
        Ok(self.count.waiting < before)
    }

    async fn circle(&mut self, circle: &[Strand]) -> Result<(), Failure> {
        let (most, most_bytes) = self.circle;
        let bytes: usize = circle.iter().map(|strand| strand.bytes).sum();
        if circle.len() > most || bytes > most_bytes {
            let lines = circle.len();
            for strand in circle {
                let why = format!(
                    "it waits for others that wait for it, {lines} lines of {bytes} bytes together: what is written \
                     together has at most {most} entries and {most_bytes} bytes (max_bundle_entries, max_body)"
                );
                self.count.in_vain.tell(strand.spot, why);
            }
            return Ok(());
        }
        let mut group = Group::default();
        for Strand { spot, from, bytes } in circle.iter().copied() {
            let Some(source) = self.sources.get(spot.file) else { continue };
            group.add(source.again(spot, from, bytes)?);
            self.count.waiting = self.count.waiting.saturating_sub(1);
            if let Some(waiting) = self.waiting.get_mut(spot.file) {
                waiting.clear(spot.line);
            }
            self.count.in_vain.0.remove(&spot);
        }
        let outcome = group.write(&self.app).await?;
        self.count(outcome);
        Ok(())
    }

    /// Starts to write a group, when there is room for it.
    async fn start(&mut self, group: Group, far: Far) -> Result<(), Failure> {
        if group.lines() == 0 {
            return Ok(());
        }
        while self.running.len() >= AT_ONCE
            && let Some(done) = self.running.join_next().await
        {
            self.add(done)?;
        }
        let room = self.room_for(&group).await?;
        let app = self.app.clone();
        self.running.spawn(async move {
            let outcome = group.write(&app).await;
            drop(room);
            outcome
        });
        let Count { read, written, there, waiting, refused, .. } = &self.count;
        self.progress.tell(far, || {
            format!("{read} read, {written} written, {there} there already, {waiting} waiting, {refused} refused")
        });
        Ok(())
    }

    async fn room_for(&self, group: &Group) -> Result<OwnedSemaphorePermit, Failure> {
        let kib = u32::try_from(group.bytes() / 1024).unwrap_or(u32::MAX).clamp(1, KIB_AT_ONCE);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await;
        room.map_err(|error| Failure::of("the import cannot go on", error))
    }

    fn add(&mut self, done: Result<Result<Outcome, Failure>, tokio::task::JoinError>) -> Result<(), Failure> {
        let outcome = done.map_err(|error| Failure::of("the import cannot go on", error))??;
        self.count(outcome);
        Ok(())
    }

    fn count(&mut self, outcome: Outcome) {
        let Outcome { written, deleted, there, waiting, refused } = outcome;
        self.count.written += written;
        self.count.deleted += deleted;
        self.count.there += there;
        for (spot, why) in waiting {
            let again = self.sources.get(spot.file).is_some_and(Source::can_be_read_again);
            if let (true, Some(marked)) = (again, self.waiting.get_mut(spot.file)) {
                marked.mark(spot.line);
                self.count.waiting += 1;
                self.count.in_vain.tell(spot, why);
            } else {
                self.refuse(spot, format!("{why} (what comes through a pipe is not read again: give it as a file)"));
            }
        }
        for (spot, why) in refused {
            self.refuse(spot, why);
        }
    }

    fn refuse(&mut self, spot: Spot, why: String) {
        self.count.refused += 1;
        self.count.told.tell(spot, why);
    }

    fn report(self) -> Result<(), Failure> {
        let Count { read, written, deleted, there, refused, told, .. } = self.count;
        let deleted = if deleted > 0 { format!(", {deleted} deleted") } else { String::new() };
        println!("{read} read, {written} written{deleted}, {there} there already, {refused} refused");
        if refused == 0 {
            return Ok(());
        }
        let path = |file: usize| self.sources.get(file).map_or(Path::new("?"), |source| &source.path).display();
        let mut lines: Vec<String> =
            told.0.into_iter().map(|(Spot { file, line }, why)| format!("{}:{line}: {why}", path(file))).collect();
        let more = refused.saturating_sub(lines.len() as u64);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Err(Failure::Failed(format!("not everything was imported\n{}", lines.join("\n"))))
    }
}
