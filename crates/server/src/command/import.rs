//! `liaison import`: resources from files, one JSON per line, through the ordinary write path.
//!
//! A resource keeps its id. One that is there already is left as it is, so that an import that was
//! broken off can be started again. Lines are written in groups, several at a time ([`group`]). What
//! only waits for a resource of a later line is read again when everything else was written: of it
//! only the number of its line is kept ([`lines`]), so memory does not grow with the files.

mod group;
mod lines;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use liaison_app::App;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{
    assembly::Assembly,
    cli::ImportFlags,
    failure::Failure,
    progress::{Far, Progress},
    settings::Settings,
};

use super::{Variables, store_settings, wait_for};
use group::{Group, Outcome};
use lines::{Marked, Next, Source};

/// Lines written together.
const GROUP: usize = 100;
/// Bytes from which a group is not added to.
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
        let assembly = Assembly::new(&settings).await?;
        let group = GROUP.min(settings.limits.bundle_entries).max(1);
        let mut import = Import::new(assembly.app().clone(), sources, group);
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
    /// The first of them, by file and line.
    told: BTreeMap<(usize, u64), String>,
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
    fn new(app: App, sources: Vec<Source>, group: usize) -> Self {
        let waiting = sources.iter().map(|_| Marked::default()).collect();
        Self {
            app,
            sources,
            group,
            waiting,
            room: Arc::new(Semaphore::new(KIB_AT_ONCE as usize)),
            running: JoinSet::new(),
            count: Count::default(),
            progress: Progress::new(),
        }
    }

    /// Reads the files, then again what waited, until nothing more comes of it; what still waits
    /// then is refused.
    async fn all(&mut self) -> Result<(), Failure> {
        let mut before = Count::default();
        let mut pass = Pass::First;
        loop {
            self.pass(pass).await?;
            if self.count.waiting == 0 {
                return Ok(());
            }
            if pass == Pass::Again && self.count.waiting == before.waiting {
                break;
            }
            before.waiting = std::mem::take(&mut self.count.waiting);
            pass = Pass::Again;
        }
        self.count.refused += self.count.waiting;
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
        let mut lines = source.open()?;
        let mut group = Group::new(at);
        loop {
            match lines.next()? {
                Next::End => break,
                Next::TooLong(number) if only.is_none() => {
                    self.count.read += 1;
                    let longest = source.longest;
                    self.refuse(at, number, format!("longer than the {longest} bytes that are taken here"));
                }
                Next::Line(line) if only.is_none_or(|marked| marked.contains(line.number)) => {
                    self.count.read += u64::from(only.is_none());
                    group.add(line);
                }
                Next::TooLong(_) | Next::Line(_) => {}
            }
            if group.lines() == self.group || group.bytes() >= GROUP_BYTES {
                let far = Far { done: before + lines.passed(), all, resources: self.count.written };
                self.start(std::mem::replace(&mut group, Group::new(at)), far).await?;
            }
        }
        let far = Far { done: before + lines.passed(), all, resources: self.count.written };
        self.start(group, far).await
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
        let Outcome { file, written, deleted, there, waiting, refused } = outcome;
        self.count.written += written;
        self.count.deleted += deleted;
        self.count.there += there;
        for (line, why) in waiting {
            self.count.waiting += 1;
            if let Some(marked) = self.waiting.get_mut(file) {
                marked.mark(line);
            }
            // Told only if it waits in vain.
            self.tell(file, line, why);
        }
        for (line, why) in refused {
            self.refuse(file, line, why);
        }
        Ok(())
    }

    fn refuse(&mut self, file: usize, line: u64, why: String) {
        self.count.refused += 1;
        self.tell(file, line, why);
    }

    fn tell(&mut self, file: usize, line: u64, why: String) {
        self.count.told.insert((file, line), why);
        if self.count.told.len() > SHOWN {
            self.count.told.pop_last();
        }
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
            told.into_iter().map(|((file, line), why)| format!("{}:{line}: {why}", path(file))).collect();
        let more = refused.saturating_sub(lines.len() as u64);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Err(Failure::Failed(format!("not everything was imported\n{}", lines.join("\n"))))
    }
}
