//! `liaison export`: the current version of every resource, one JSON per line, one file per type.
//!
//! A type is written to `TYPE.ndjson.part` and named `TYPE.ndjson` when it is whole: an export that
//! was broken off goes on with the types that are missing when it is started again.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use liaison_fhir::{json, tree::Object};

use crate::{
    assembly::Assembly,
    cli::ExportFlags,
    door::{Door, ROOT},
    failure::Failure,
    settings::{Place, SettingError},
};

use super::{Variables, store_settings, wait_for};

/// Versions read at a time; attachments are among them.
const PAGE: u32 = 50;

/// Exports to the folder.
pub fn run(flags: &ExportFlags, variables: &Variables) -> Result<(), Failure> {
    let settings = store_settings(&flags.store, variables)?;
    let since = flags.since.as_deref().map(instant).transpose()?;
    fs::create_dir_all(&flags.out).map_err(|error| Failure::of(&flags.out.display().to_string(), error))?;
    wait_for(async {
        let door = Door::new(Assembly::new(&settings).await?.router);
        for kind in types(&door).await? {
            let file = flags.out.join(format!("{kind}.ndjson"));
            if !file.exists() {
                let written = export(&door, &kind, since.as_deref(), &file).await?;
                if written > 0 {
                    println!("{kind}: {written}");
                }
            }
        }
        Ok(())
    })
}

fn instant(text: &str) -> Result<String, SettingError> {
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment.map(|moment| moment.to_string()).map_err(|_| SettingError {
        place: Place::Flag("--since".into()),
        problem: format!("{text:?} is not an instant: write date, time and zone, such as 2026-01-31T08:00:00+01:00"),
    })
}

async fn types(door: &Door) -> Result<Vec<String>, Failure> {
    let statement = door.must("GET", "r4/metadata", None).await?;
    let rest = statement.objects("rest").next();
    let resources = rest.into_iter().flat_map(|rest| rest.objects("resource"));
    Ok(resources.filter_map(|resource| Some(resource.str("type")?.to_owned())).collect())
}

/// Writes one type; gives how many resources there were. No file is left of a type without any.
async fn export(door: &Door, kind: &str, since: Option<&str>, file: &Path) -> Result<usize, Failure> {
    let part = file.with_extension("ndjson.part");
    let failed = |error| Failure::of(&format!("{} cannot be written", part.display()), error);
    let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
    let since = since.map(|since| format!("&_since={}", since.replace('+', "%2B"))).unwrap_or_default();
    let mut page = Some(format!("r4/{kind}/_history?_count={PAGE}{since}"));
    // The history is read from its newest end: the first version of an id is the current one.
    let mut seen = BTreeSet::new();
    let mut written = 0;
    while let Some(address) = page {
        let bundle = door.must("GET", &address, None).await?;
        for entry in bundle.objects("entry") {
            let id = entry.object("resource").and_then(|resource| resource.str("id")).or_else(|| id_of_deleted(entry));
            if !id.is_some_and(|id| seen.insert(id.to_owned())) {
                continue;
            }
            if let Some(resource) = entry.object("resource") {
                let mut line = json::write(resource);
                line.push(b'\n');
                out.write_all(&line).map_err(failed)?;
                written += 1;
            }
        }
        progress(kind, written);
        page = next(&bundle);
    }
    out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    if written > 0 { fs::rename(&part, file) } else { fs::remove_file(&part) }.map_err(failed)?;
    Ok(written)
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
