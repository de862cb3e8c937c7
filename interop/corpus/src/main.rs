//! Writes valid and broken resources of both releases, and what our validation says of each, for
//! the HL7 validator to judge the same: `corpus [--short] DIRECTORY`.
//!
//! Each file is one case, `<what was done>-<of what>.<release>.json` (or `.xml`); `ours.tsv` has a
//! line for each error we find: file, place, kind, words. A file without errors has one line with
//! `-`. The same program writes the same corpus; every broken case is a valid one with one fault.

mod constraints;
mod draw;
mod known;
mod mutation;
mod raw;
mod site;
mod xml_faults;

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use draw::Draw;
use liaison_fhir::{
    json::{self, Limits},
    outcome::Issue,
    release::{self, Release, ReleaseId},
    sample,
    tree::Object,
    validate::validate,
    xml,
};

/// How much of the corpus is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Short,
}

impl Extent {
    /// How many resources of each type are left valid, and how many suffer each mutation.
    const fn times(self) -> u64 {
        match self {
            Self::Whole => 5,
            Self::Short => 1,
        }
    }
}

/// A resource as it would be sent.
struct Case {
    /// `unknown-element-Patient-3`
    name: String,
    release: &'static Release,
    format: Format,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
}

impl Case {
    fn json(name: String, release: &'static Release, resource: &Object) -> Self {
        Self { name, release, format: Format::Json, bytes: json::write(resource) }
    }

    fn file(&self) -> String {
        let release = match self.release.id {
            ReleaseId::Stu3 => "stu3",
            ReleaseId::R4 => "r4",
        };
        let format = match self.format {
            Format::Json => "json",
            Format::Xml => "xml",
        };
        format!("{}.{release}.{format}", self.name)
    }

    /// The errors we find.
    fn errors(&self) -> Vec<Issue> {
        let limits = Limits::default();
        let read = match self.format {
            Format::Json => json::read(&self.bytes, &limits),
            Format::Xml => xml::read(&self.bytes, self.release, &limits),
        };
        let mut issues = match read {
            Ok(resource) => validate(&resource, self.release),
            Err(issues) => issues,
        };
        issues.retain(Issue::refuses);
        issues
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let extent = match arguments.iter().position(|argument| argument == "--short") {
        Some(at) => {
            arguments.remove(at);
            Extent::Short
        }
        None => Extent::Whole,
    };
    let [directory] = arguments.as_slice() else {
        eprintln!("usage: corpus [--short] DIRECTORY");
        return ExitCode::from(2);
    };
    match write(&PathBuf::from(directory), extent) {
        Ok(count) => {
            println!("{count} resources in {directory}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(directory: &Path, extent: Extent) -> Result<usize, Box<dyn Error>> {
    fs::create_dir_all(directory)?;
    let mut ours = String::new();
    let cases = cases(extent)?;
    for case in &cases {
        let file = case.file();
        fs::write(directory.join(&file), &case.bytes)?;
        let errors = case.errors();
        if errors.is_empty() {
            writeln!(ours, "{file}\t-\t-\t-")?;
        }
        for issue in errors {
            let place = if issue.place.is_empty() { "-" } else { &issue.place };
            let words = issue.text.en.replace(['\t', '\n', '\r'], " ");
            writeln!(ours, "{file}\t{place}\t{}\t{words}", issue.kind.code())?;
        }
    }
    fs::write(directory.join("ours.tsv"), ours)?;
    Ok(cases.len())
}

fn cases(extent: Extent) -> Result<Vec<Case>, Box<dyn Error>> {
    let mut cases = Vec::new();
    for release in [release::stu3(), release::r4()] {
        for name in release.resources() {
            for seed in 0..extent.times().min(3) {
                let resource = known::only(sample::resource(release, name, seed), release);
                cases.push(Case::json(format!("valid-{name}-{seed}"), release, &resource));
                if seed == 0 && (extent == Extent::Whole || matches!(name, "Patient" | "DocumentReference")) {
                    let bytes = xml::write(&resource, release).map_err(|issue| issue.text.en)?;
                    cases.push(Case { name: format!("valid-{name}-{seed}"), release, format: Format::Xml, bytes });
                }
            }
        }
        cases.extend(constraints::cases(release)?);
        cases.extend(raw::cases(release));
        cases.extend(xml_faults::cases(release)?);
        for mutation in mutation::ALL {
            mutated(mutation, release, extent, &mut cases);
        }
    }
    Ok(cases)
}

/// Resources of random types, each with one fault of that kind.
fn mutated(mutation: &mutation::Mutation, release: &'static Release, extent: Extent, cases: &mut Vec<Case>) {
    /// More than any mutation needs to find resources that it can break.
    const ATTEMPTS: u64 = 400;
    let names = release.resources();
    let mut draw = Draw::of(mutation.name);
    let mut made = 0;
    for seed in 100..100 + ATTEMPTS {
        if made == extent.times() {
            return;
        }
        let Some(name) = draw.pick(&names) else { return };
        let mut resource = known::only(sample::resource(release, name, seed), release);
        if site::mutate(&mut resource, release, mutation, &mut draw) {
            made += 1;
            cases.push(Case::json(format!("{}-{name}-{seed}", mutation.name), release, &resource));
        }
    }
}
