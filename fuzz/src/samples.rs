//! What inputs are made of: resources of every type in both releases, the volets' own messages, and
//! one of everything else that is read.

use liaison_fhir::{
    json,
    release::{Release, r4, stu3},
    sample, xml as fhir_xml,
};

/// A note of today's form.
pub const NOTE: &[u8] = include_bytes!("../seeds/note.json");
/// A person.
pub const PATIENT: &[u8] = include_bytes!("../seeds/patient.json");
/// What the store is searched on: one resource a line.
pub(crate) const WORLD: &[u8] = include_bytes!("../seeds/world.jsonl");

const MESSAGES: [&[u8]; 6] = [
    NOTE,
    PATIENT,
    include_bytes!("../../tests/data/cdl-r4-transaction-as-published.json"),
    include_bytes!("../../tests/data/cdl-2017-create-as-printed.json"),
    include_bytes!("../../tests/data/cdl-2017-create-conformant.json"),
    include_bytes!("../../tests/data/cdl-2017-update.json"),
];

/// The releases, and the types they have.
fn drawn(release: &'static Release) -> impl Iterator<Item = liaison_fhir::tree::Object> {
    release.resources().into_iter().map(move |name| sample::resource(release, name, 1))
}

/// Resources and bundles, in both releases and in the form of 2017.
#[must_use]
pub fn resources() -> Vec<Vec<u8>> {
    let messages = MESSAGES.iter().map(|message| message.to_vec());
    let drawn = [r4(), stu3()].into_iter().flat_map(drawn).map(|tree| json::write(&tree));
    messages.chain(drawn).collect()
}

/// The same in XML.
#[must_use]
pub fn xml() -> Vec<Vec<u8>> {
    let drawn = [r4(), stu3()]
        .into_iter()
        .flat_map(|release| drawn(release).filter_map(move |tree| fhir_xml::write(&tree, release).ok()));
    std::iter::once(include_bytes!("../seeds/patient.xml").to_vec()).chain(drawn).collect()
}

/// A type (or several), a line's end, and the query of a search.
#[must_use]
pub fn searches() -> Vec<Vec<u8>> {
    lines(include_str!("../seeds/searches.txt")).map(|line| line.replacen('?', "\n", 1).into_bytes()).collect()
}

/// Patches of [`NOTE`].
#[must_use]
pub fn patches() -> Vec<Vec<u8>> {
    lines(include_str!("../seeds/patches.txt")).map(|line| line.as_bytes().to_vec()).collect()
}

/// Expressions of FHIRPath.
#[must_use]
pub fn paths() -> Vec<Vec<u8>> {
    lines(include_str!("../seeds/paths.txt")).map(|line| line.as_bytes().to_vec()).collect()
}

/// Primitive values, identifiers and query strings.
#[must_use]
pub fn primitives() -> Vec<Vec<u8>> {
    lines(include_str!("../seeds/primitives.txt")).map(|line| line.as_bytes().to_vec()).collect()
}

/// An operation's number, then what it is asked, line by line.
#[must_use]
pub fn terminology() -> Vec<Vec<u8>> {
    lines(include_str!("../seeds/terminology.txt")).map(|line| line.replace('|', "\n").into_bytes()).collect()
}

/// Large documents, in short (see [`expand`](crate::expand)).
#[must_use]
pub fn cda() -> Vec<Vec<u8>> {
    parts(include_str!("../seeds/cda.txt"), "\n=====\n")
}

/// Requests.
#[must_use]
pub fn http() -> Vec<Vec<u8>> {
    parts(include_str!("../seeds/http.txt"), "\n#####\n")
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty())
}

fn parts(text: &str, by: &str) -> Vec<Vec<u8>> {
    text.trim_end().split(by).map(|part| part.as_bytes().to_vec()).collect()
}
