//! `liaison export`: every resource as it stood at one moment, one JSON per line, one file per type.
//!
//! A file is written to `NAME.part` and named `NAME` when it is whole; `manifest.json` is there when
//! all are. From time to time a mark of how far it is is put beside them ([`mark`]): an export that
//! was broken off goes on from there, at the moment it was begun for.

mod mark;

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use liaison_app::{
    App,
    caller::Caller,
    operation::export::{Attachments, Export, Piece, Reached, Standing, Survey, Surveyed},
};
use liaison_fhir::{
    json, object,
    primitive::format_instant,
    tree::{Object, Value},
};
use liaison_store::indexing::Claim;
use tokio::task::JoinHandle;

use crate::{
    assembly::{Assembly, store_text},
    cli::ExportFlags,
    failure::Failure,
    progress::{Far, Progress},
    settings::{Place, SettingError, Settings},
};

use super::{Variables, bulk, store_settings, wait_for};
use mark::{Mark, Part};

/// Tells that an export is whole, and what it is of.
const MANIFEST: &str = "manifest.json";
/// Between two marks of how far it is: so much is written again after a fall.
const BETWEEN_MARKS: Duration = Duration::from_secs(2);

/// Exports to the folder.
pub fn run(flags: &ExportFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let since = flags.since.as_deref().map(instant).transpose()?;
    fs::create_dir_all(&flags.out).map_err(|error| Failure::of(&flags.out.display().to_string(), error))?;
    let settings = Settings { public_url: None, ..settings };
    wait_for(async {
        let folder = Folder(flags.out.clone());
        let asked = Mark { store: store_text(&settings.store), since, ..Mark::default() };
        if let Some(manifest) = folder.read(MANIFEST)? {
            return whole_already(&folder, &manifest, since);
        }
        let begun = folder.read(mark::FILE)?.map(|text| Mark::read(&text, &folder.path(mark::FILE))).transpose()?;
        let mark = match begun {
            Some(mark) => mark.of_the_same(&asked, &folder.0)?,
            None => folder.refuse_strangers().map(|()| asked)?,
        };
        let assembly = Assembly::new(&settings, Claim::Follow).await?;
        Work { app: assembly.app().clone(), folder, mark, progress: Progress::new(), passed: 0 }.run().await?;
        assembly.close().await;
        Ok(())
    })
}

fn instant(text: &str) -> Result<i64, SettingError> {
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment.map(jiff::Timestamp::as_microsecond).map_err(|_| SettingError {
        place: Place::Flag("--since".into()),
        problem: format!("{text:?} is not an instant: write date, time and zone, such as 2026-01-31T08:00:00+01:00"),
    })
}

/// What a folder already holds is not written over: it says of which moment it is.
fn whole_already(folder: &Folder, manifest: &[u8], since: Option<i64>) -> Result<(), Failure> {
    let manifest = json::read(manifest, &crate::door::UNBOUNDED).unwrap_or_default();
    let asked = request(since);
    let (of, request) = (manifest.str("transactionTime").unwrap_or("?"), manifest.str("request").unwrap_or("?"));
    if request == asked {
        println!("{} holds this export already, whole, as of {of}: nothing was written", folder.0.display());
        return folder.remove(mark::FILE);
    }
    let folder = folder.0.display();
    Err(Failure::Failed(format!("{folder} holds another export ({request}, as of {of}): name another folder")))
}

fn request(since: Option<i64>) -> String {
    since.map_or_else(|| "liaison export".to_owned(), |at| format!("liaison export --since {}", format_instant(at)))
}

struct Work {
    app: App,
    folder: Folder,
    mark: Mark,
    progress: Progress,
    /// Resources passed since the program was started.
    passed: u64,
}

impl Work {
    async fn run(mut self) -> Result<(), Failure> {
        self.name_what_is_whole()?;
        let at = (self.mark.at != i64::MIN).then_some(self.mark.at);
        let survey = Survey { since: self.mark.since, at, types: Vec::new(), face: bulk::face() };
        let found = self.app.execute(&Caller::System, survey).await;
        let Surveyed { at, types } = found.map_err(|error| bulk::failed("the store cannot be read", &error))?;
        self.mark.at = at;
        let all = types.iter().map(|kind| kind.passed).sum();
        let parts = types.iter().flat_map(|kind| {
            // What was deleted before is not told of a store that is given whole.
            let deleted = kind.deleted && self.mark.since.is_some();
            let live = kind.live.then_some((kind.resource_type, Standing::Live));
            [live, deleted.then_some((kind.resource_type, Standing::Deleted))]
        });
        for (kind, standing) in parts.flatten().collect::<Vec<_>>() {
            let name = file_name(kind, standing);
            if self.mark.done.iter().all(|part| part.file != name) {
                self.write(kind, standing, &name, all).await?;
            }
        }
        self.progress.end();
        for part in &self.mark.done {
            println!("{}: {}", part.file, part.written);
        }
        // On one line: an import that is given all files of the folder passes it over.
        self.folder.put(MANIFEST, &json::write(&manifest(&self.mark)))?;
        self.folder.remove(mark::FILE)
    }

    /// Writes one file, or the rest of it.
    async fn write(&mut self, kind: &'static str, standing: Standing, name: &str, all: u64) -> Result<(), Failure> {
        let mut part = match self.mark.current.take() {
            Some(part) if part.file == name => part,
            _ => Part { file: name.to_owned(), kind: kind.to_owned(), ..Part::default() },
        };
        let path = self.folder.path(&format!("{name}.part"));
        let failed = |error| Failure::of(&format!("{} cannot be written", path.display()), error);
        let mut out = BufWriter::with_capacity(1 << 20, resume(&path, part.bytes).map_err(failed)?);
        let mut marked = Instant::now();
        let mut coming = self.read(kind, standing, part.reached);
        loop {
            let piece = coming.await.map_err(|error| Failure::of("reading the store", error))??;
            if piece.reached.is_none() {
                break;
            }
            // The next is read while this one is written.
            coming = self.read(kind, standing, piece.reached);
            out.write_all(&piece.lines).map_err(failed)?;
            part.reached = piece.reached;
            part.bytes += piece.lines.len() as u64;
            part.written += piece.written;
            part.passed += piece.passed;
            self.passed += piece.passed;
            if marked.elapsed() > BETWEEN_MARKS {
                out.flush().and_then(|()| out.get_ref().sync_data()).map_err(failed)?;
                self.mark.current = Some(part.clone());
                self.folder.put(mark::FILE, &self.mark.text())?;
                marked = Instant::now();
            }
            let far = Far { done: self.mark.passed() + part.passed, all, resources: self.passed };
            self.progress.tell(far, || format!("{name}, {} written", part.written));
        }
        out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
        match part.written {
            0 => fs::remove_file(&path).map_err(failed)?,
            _ => self.mark.done.push(part),
        }
        self.mark.current = None;
        self.folder.put(mark::FILE, &self.mark.text())?;
        self.name_what_is_whole()
    }

    /// Gives the files that the mark says are whole their names. The mark comes first: after a fall
    /// in between, the name is what is missing, and not the knowledge of what stands in the file.
    fn name_what_is_whole(&self) -> Result<(), Failure> {
        for part in &self.mark.done {
            let (path, unnamed) = (self.folder.path(&part.file), self.folder.path(&format!("{}.part", part.file)));
            if !path.exists() {
                let failed =
                    |error| Failure::of(&format!("{} cannot be named {}", unnamed.display(), part.file), error);
                fs::rename(&unnamed, &path).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn read(
        &self,
        kind: &'static str,
        standing: Standing,
        after: Option<Reached>,
    ) -> JoinHandle<Result<Piece, Failure>> {
        let app = self.app.clone();
        let Mark { since, at, .. } = self.mark;
        let attachments = Attachments::Inside;
        let export = Export { face: bulk::face(), resource_type: kind, since, at, standing, attachments, after };
        tokio::spawn(async move {
            let piece = app.execute(&Caller::System, export).await;
            piece.map_err(|error| bulk::failed(&format!("{kind} cannot be read"), &error))
        })
    }
}

/// Named so that an import of all files of the folder, in whatever order, is one of the whole.
fn file_name(kind: &str, standing: Standing) -> String {
    match standing {
        Standing::Live => format!("{kind}.ndjson"),
        Standing::Deleted => format!("{kind}.deleted.ndjson"),
    }
}

/// The file with so many bytes of it, ready for what comes after.
fn resume(path: &Path, bytes: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    if file.metadata()?.len() < bytes {
        return Err(std::io::Error::other("it is shorter than the mark says: empty the folder and begin again"));
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// What was exported, in the words of a bulk export over HTTP.
fn manifest(mark: &Mark) -> Object {
    let listed = |deleted: bool| -> Vec<Value> {
        let parts = mark.done.iter().filter(|part| part.file.ends_with(".deleted.ndjson") == deleted);
        let kind = |part: &Part| if deleted { "Bundle".to_owned() } else { part.kind.clone() };
        parts
            .map(|part| object! { "type" => kind(part), "url" => part.file.as_str(), "count" => part.written }.into())
            .collect()
    };
    object! {
        "transactionTime" => format_instant(mark.at),
        "request" => request(mark.since),
        "requiresAccessToken" => false,
        "output" => listed(false),
        "deleted" => listed(true),
        "error" => Vec::<Value>::new(),
    }
}

/// The folder that is written to.
struct Folder(PathBuf);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::of(&format!("{} cannot be read", self.path(name).display()), error)),
        }
    }

    /// Puts a small file there, whole or not at all.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (whole, fresh) = (self.path(name), self.path(&format!("{name}.new")));
        let put = || {
            let mut file = File::create(&fresh)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &whole)?;
            // The names of files that were finished are on the disk before this says so.
            File::open(&self.0)?.sync_all()
        };
        put().map_err(|error| Failure::of(&format!("{} cannot be written", whole.display()), error))
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::of(&format!("{} cannot be removed", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    /// Files of another origin would be taken for part of the export.
    fn refuse_strangers(&self) -> Result<(), Failure> {
        let failed = |error| Failure::of(&format!("{} cannot be read", self.0.display()), error);
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "ndjson") {
                return Err(Failure::Failed(format!(
                    "{} is there already, and nothing says that it is part of this export: name an empty folder",
                    path.display()
                )));
            }
        }
        Ok(())
    }
}
