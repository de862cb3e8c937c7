//! JSON Patch, against another implementation.

use liaison_fhir::{json, outcome::IssueKind, patch, release::r4, tree::Value, validate};

use crate::{
    bounds::bounded,
    judge::{LIMITS, alike, as_serde, is_finer_than_floats, told},
    samples,
};

/// Bytes as a JSON Patch of a note: all of it applies or nothing, with the result that another
/// implementation has, and what only one of both takes has a reason.
pub fn patch(bytes: &[u8]) {
    let Ok(patch) = json::read_value(bytes, &LIMITS) else { return };
    let Ok(note) = json::read(samples::NOTE, &LIMITS) else { unreachable!("the sample is JSON") };
    let mut patched = note.clone();
    let ours = bounded(bytes.len() + samples::NOTE.len(), 10_000, || patch::apply(&mut patched, &patch));
    // Copies of copies double at each step: the other implementation knows no bound.
    if let Err(issue) = &ours
        && issue.kind == IssueKind::TooCostly
    {
        told(std::slice::from_ref(issue));
        assert_eq!(patched, note, "half of it was applied");
        return;
    }
    let theirs = theirs(&note.clone().into(), &patch);
    match (&ours, &theirs) {
        (Ok(()), Ok(theirs)) => {
            assert!(alike(&patched.clone().into(), theirs), "patched otherwise: {theirs}");
        }
        (Ok(()), Err(error)) => panic!("applied, though {error}"),
        (Err(issue), theirs) => {
            told(std::slice::from_ref(issue));
            assert_eq!(patched, note, "half of it was applied");
            // Removing the whole resource, or putting something else in its place, is DELETE's affair.
            let whole = issue.text.en.contains("the whole resource") || issue.text.en.contains("is no object");
            assert!(
                theirs.is_err() || whole || issue.kind == IssueKind::Conflict && is_finer_than_floats(&patch),
                "refused, though another takes it: {issue:?}"
            );
        }
    }
    // What a patch makes of a note can still be looked at.
    let _ = validate::validate(&patched, r4());
}

fn theirs(note: &Value, patch: &Value) -> Result<serde_json::Value, String> {
    let patch: json_patch::Patch = serde_json::from_value(as_serde(patch)).map_err(|error| error.to_string())?;
    let mut note = as_serde(note);
    // Its way of taking back what was done panics when a step cannot be taken back.
    json_patch::patch_unsafe(&mut note, &patch).map_err(|error| error.to_string())?;
    Ok(note)
}
