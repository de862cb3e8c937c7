//! JSON, against another reader.

use liaison_fhir::{json, outcome::IssueKind};

use crate::{
    bounds::bounded,
    judge::{LIMITS, alike, told},
};

/// Bytes as JSON: what is read is written and read again the same, says what another reader says,
/// and what only one of both reads has a reason that FHIR or a limit gives.
pub fn json(bytes: &[u8]) {
    let ours = bounded(bytes.len(), 200, || json::read_value(bytes, &LIMITS));
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    match &ours {
        Ok(value) => {
            match &theirs {
                Ok(theirs) => assert!(alike(value, theirs), "read otherwise: {value:?}"),
                Err(error) => panic!("read, though {error}"),
            }
            let mut written = Vec::new();
            json::write_value_into(value, &mut written);
            assert_eq!(json::read_value(&written, &LIMITS).as_ref(), Ok(value), "compact");
        }
        Err(issues) => {
            told(issues);
            if let Ok(theirs) = &theirs {
                let issue = &issues[0];
                let ours_alone = ["occurs twice", "exponent of the number", "number is longer"];
                assert!(
                    matches!(issue.kind, IssueKind::TooCostly | IssueKind::TooLong)
                        || ours_alone.iter().any(|reason| issue.text.en.contains(reason)),
                    "refused, though it is {theirs}: {issue:?}"
                );
            }
        }
    }
    match json::read(bytes, &LIMITS) {
        Ok(tree) => {
            assert!(ours.is_ok(), "a resource that is no JSON");
            assert_eq!(json::read(&json::write(&tree), &LIMITS).as_ref(), Ok(&tree), "compact");
            assert_eq!(json::read(&json::write_pretty(&tree), &LIMITS).as_ref(), Ok(&tree), "pretty");
        }
        Err(issues) => told(&issues),
    }
}
