//! FHIRPath.

use liaison_fhir::{
    json,
    path::{Path, route},
    release::{r4, stu3},
};

use crate::{bounds::bounded, judge::LIMITS, samples};

/// Bytes as an expression: it is read or refused, and gives the same on every look at every sample.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = match bounded(bytes.len(), 1_000, || Path::parse(text)) {
        Ok(path) => path,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(Path::parse(text).as_ref(), Ok(&path), "read otherwise the second time");
    for release in [r4(), stu3()] {
        for sample in [samples::NOTE, samples::PATIENT] {
            let Ok(tree) = json::read(sample, &LIMITS) else { unreachable!("the samples are JSON") };
            let first = bounded(bytes.len() + sample.len(), 20_000, || path.evaluate(&tree, release).len());
            assert_eq!(path.evaluate(&tree, release).len(), first);
            let _ = path.holds(&tree, release);
            let _ = route::routes(path.expression(), tree.resource_type().unwrap_or_default(), release);
        }
    }
}
