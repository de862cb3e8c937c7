//! `liaison export`: the current version of every resource, one JSON per line, one file per type.
//!
//! A type is written to `TYPE.ndjson.part` and named `TYPE.ndjson` when it is whole: an export that
//! was broken off goes on with the types that are missing when it is started again. An attachment
//! stands in the resource it belongs to, and not as a `Binary` beside it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
};

use liaison_fhir::{
    json,
    tree::{Object, Value},
};

use crate::{
    assembly::Assembly,
    cli::ExportFlags,
    door::{Door, ROOT, UNBOUNDED},
    failure::Failure,
    settings::{Place, SettingError, Settings},
};

use super::{Variables, store_settings, wait_for};

/// Versions read at a time; attachments are among them.
const PAGE: u32 = 50;

/// Exports to the folder.
pub fn run(flags: &ExportFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let since = flags.since.as_deref().map(instant).transpose()?;
    fs::create_dir_all(&flags.out).map_err(|error| Failure::of(&flags.out.display().to_string(), error))?;
    // Our own addresses must be read as ours again: an import calls itself by the same.
    let settings = Settings { public_url: None, ..settings };
    wait_for(async {
        let door = Door::new(Assembly::new(&settings).await?.router);
        let mut export = Export { door, since, inside: BTreeSet::new() };
        let mut types = export.types().await?;
        // Last, when it is known which of them stand in other resources.
        types.sort_by_key(|kind| kind == BINARY);
        for kind in types {
            let file = flags.out.join(format!("{kind}.ndjson"));
            let written = if file.exists() { export.look_inside(&file)? } else { export.write(&kind, &file).await? };
            if written > 0 {
                println!("{kind}: {written}");
            }
        }
        Ok(())
    })
}

const BINARY: &str = "Binary";

struct Export {
    door: Door,
    since: Option<String>,
    /// The ids of the `Binary` resources whose bytes stand in another resource.
    inside: BTreeSet<String>,
}

fn instant(text: &str) -> Result<String, SettingError> {
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment.map(|moment| moment.to_string()).map_err(|_| SettingError {
        place: Place::Flag("--since".into()),
        problem: format!("{text:?} is not an instant: write date, time and zone, such as 2026-01-31T08:00:00+01:00"),
    })
}

impl Export {
    async fn types(&self) -> Result<Vec<String>, Failure> {
        let statement = self.door.must("GET", "r4/metadata", None).await?;
        let rest = statement.objects("rest").next();
        let resources = rest.into_iter().flat_map(|rest| rest.objects("resource"));
        Ok(resources.filter_map(|resource| Some(resource.str("type")?.to_owned())).collect())
    }

    /// Writes one type; gives how many resources there were. No file is left of a type without any.
    async fn write(&mut self, kind: &str, file: &Path) -> Result<usize, Failure> {
        let part = file.with_extension("ndjson.part");
        let failed = |error| Failure::of(&format!("{} cannot be written", part.display()), error);
        let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
        let since = self.since.as_ref().map(|since| format!("&_since={}", since.replace('+', "%2B")));
        let mut page = Some(format!("r4/{kind}/_history?_count={PAGE}{}", since.unwrap_or_default()));
        // The history is read from its newest end: the first version of an id is the current one.
        let mut seen = BTreeSet::new();
        let mut written = 0;
        while let Some(address) = page {
            let bundle = self.door.must("GET", &address, None).await?;
            for entry in bundle.objects("entry") {
                let resource = entry.object("resource");
                let id = resource.and_then(|resource| resource.str("id")).or_else(|| id_of_deleted(entry));
                let Some(id) = id.filter(|id| seen.insert((*id).to_owned())) else { continue };
                let Some(resource) = resource.filter(|_| kind != BINARY || !self.inside.contains(id)) else {
                    continue;
                };
                let apart = binaries_of(resource);
                let mut line = if apart.is_empty() && kind != BINARY {
                    json::write(resource)
                } else {
                    // A history leaves heavy data out; a read gives the resource whole.
                    json::write(&self.door.must("GET", &format!("r4/{kind}/{id}"), None).await?)
                };
                self.inside.extend(apart);
                line.push(b'\n');
                out.write_all(&line).map_err(failed)?;
                written += 1;
            }
            progress(kind, written);
            page = next(&bundle);
        }
        out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
        if written > 0 { fs::rename(&part, file) } else { fs::remove_file(&part) }.map_err(failed)?;
        Ok(written)
    }

    /// What was written by an export that was broken off tells the same of its attachments.
    fn look_inside(&mut self, file: &Path) -> Result<usize, Failure> {
        let failed = |error| Failure::of(&format!("{} cannot be read", file.display()), error);
        let mut read = 0;
        for line in BufReader::new(File::open(file).map_err(failed)?).split(b'\n') {
            let line = line.map_err(failed)?;
            let resource = json::read(&line, &UNBOUNDED);
            let resource =
                resource.map_err(|_| Failure::Failed(format!("{} is no export: remove it", file.display())))?;
            self.inside.extend(binaries_of(&resource));
            read += 1;
        }
        Ok(read)
    }
}

/// The ids of the `Binary` resources of ours in which attachments of a resource are kept.
fn binaries_of(object: &Object) -> Vec<String> {
    let of_ours = |url: &str| Some(url.strip_prefix(ROOT)?.split_once("/Binary/")?.1.to_owned());
    let here = object.str("url").filter(|_| object.contains("hash")).and_then(of_ours);
    let inner = object.iter().flat_map(|(_, value)| value.each()).filter_map(Value::as_object);
    here.into_iter().chain(inner.flat_map(binaries_of)).collect()
}

fn id_of_deleted(entry: &Object) -> Option<&str> {
    entry.object("request")?.str("url")?.split('/').nth(1)
}

fn next(bundle: &Object) -> Option<String> {
    let link = bundle.objects("link").find(|link| link.str("relation") == Some("next"))?;
    link.str("url")?.strip_prefix(ROOT)?.strip_prefix("/fhir/").map(str::to_owned)
}

fn progress(kind: &str, written: usize) {
    if crate::somebody_watches() {
        let _ = write!(std::io::stderr(), "\r{kind}: {written} ");
    }
}
