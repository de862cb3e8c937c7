//! What export and import have in common: the R4 base under an address that means this store,
//! wherever it is, and the words for what the use cases refuse.

use liaison_app::{error::AppError, face::Face};
use liaison_fhir::{outcome::Issue, release};

use crate::{door::ROOT, failure::Failure};

/// The R4 base: what is exported through it is taken for ours again when it is imported.
pub fn face() -> Face {
    let base = |path: &str| format!("{ROOT}/fhir/{path}/");
    Face { release: release::view(), base: base("r4").into(), bases: [base("r4"), base("stu3")].into() }
}

/// A refusal that nothing but mending what it says can help against.
pub fn failed(doing: &str, error: &AppError) -> Failure {
    let cause = error.cause.as_ref().map(|cause| format!(" ({cause})"));
    Failure::Failed(format!("{doing}: {}{}", said(&error.issues), cause.unwrap_or_default()))
}

/// Issues in one line.
pub fn said<'i>(issues: impl IntoIterator<Item = &'i Issue>) -> String {
    let said = issues.into_iter().filter(|issue| issue.refuses()).map(|issue| {
        let place = issue.place.strip_prefix("Bundle.entry[").and_then(|rest| rest.split_once("].resource"));
        let place = place.map_or(issue.place.as_str(), |(_, inner)| inner.trim_start_matches('.'));
        format!("{place} {}", issue.text.en).trim().to_owned()
    });
    said.collect::<Vec<_>>().join("; ")
}
