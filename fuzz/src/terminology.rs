//! The parameters of the terminology operations.

use std::sync::Arc;

use liaison_app::query_string;
use liaison_care::terminology::builtin::Builtin;
use liaison_fhir::{
    json,
    outcome::{Issue, Language},
    release::{r4, stu3},
    terminology::{
        Circumstances, Operation,
        definitions::{Both, Definitions},
        inputs::Inputs,
    },
    tree::Object,
    validate,
};

use crate::{
    bounds::bounded,
    judge::{LIMITS, told},
};

/// Bytes as what is asked of the terminology service: an operation's number, then either its
/// parameters as a query, or a `Parameters` resource, or a definition that is asked about; each line
/// is one of them. What is answered is valid in both releases.
pub fn terminology(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let number = lines.next().and_then(|line| line.first()).map_or(0, |digit| digit.wrapping_sub(b'0'));
    let operation = Operation::ALL[usize::from(number) % Operation::ALL.len()];
    let mut inputs = Inputs::default();
    let mut kept = Kept::default();
    let mut valid = true;
    for line in lines {
        match json::read(line, &LIMITS) {
            Ok(tree) if tree.resource_type() == Some("Parameters") => {
                valid &= is_valid(&tree);
                match Inputs::from_parameters(&tree) {
                    Ok(given) => inputs = given,
                    Err(issues) => told(&issues),
                }
            }
            Ok(tree) => kept.0.push(Arc::new(tree)),
            Err(_) => inputs = query_string::read(line).map(|pairs| Inputs::from_query(&pairs)).unwrap_or_default(),
        }
    }
    let circumstances =
        Circumstances { timestamp: "2026-03-04T08:30:00Z", identifier: "urn:uuid:1", language: Language::French };
    let instance = kept.0.iter().find(|tree| tree.resource_type() == Some(operation.resource_type())).cloned();
    valid &= kept.0.iter().all(|tree| is_valid(tree));
    let definitions = Both(Builtin, kept);
    for instance in [None, instance.as_deref()] {
        // Built-in nomenclatures have thousands of concepts, and an answer may hold all of them.
        let answer =
            bounded(bytes.len() + 4_000_000, 20, || operation.run(instance, &inputs, &definitions, &circumstances));
        match answer {
            Err(issues) => told(&issues),
            // What is stored or sent along is valid, or refused before; else nothing is promised but an end.
            Ok(answer) if valid => {
                for release in [r4(), stu3()] {
                    let issues = validate::validate(&answer, release);
                    assert!(!issues.iter().any(Issue::refuses), "{issues:?}\n{answer:?}");
                }
            }
            Ok(_) => {}
        }
    }
}

fn is_valid(tree: &Object) -> bool {
    !validate::validate(tree, r4()).iter().any(Issue::refuses)
}

/// Definitions that a client stored.
#[derive(Default)]
struct Kept(Vec<Arc<Object>>);

impl Kept {
    fn find(&self, kind: &str, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        let found = |tree: &&Arc<Object>| {
            tree.resource_type() == Some(kind)
                && tree.str("url") == Some(url)
                && (version.is_none() || tree.str("version") == version)
        };
        self.0.iter().find(found).cloned()
    }
}

impl Definitions for Kept {
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.find("CodeSystem", url, version)
    }

    fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.find("ValueSet", url, version)
    }

    fn concept_map(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        self.find("ConceptMap", url, version)
    }

    fn concept_maps_from(&self, _: &str) -> Vec<Arc<Object>> {
        self.0.iter().filter(|tree| tree.resource_type() == Some("ConceptMap")).cloned().collect()
    }
}
