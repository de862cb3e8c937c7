use proptest::prelude::*;

use super::*;
use crate::{
    arbitrary,
    outcome::{IssueKind, refused},
    release::{BindingStrength, Content, Primitive},
    sample,
    tree::Value,
};

/// Required bindings stand on codes alone, as the check of codes relies on.
#[test]
fn required_bindings_stand_on_codes() {
    for release in [release::r4(), release::stu3()] {
        for element in release.structures().flat_map(|s| &s.elements) {
            if element.binding.is_some_and(|b| b.strength == BindingStrength::Required) {
                assert!(element.types.iter().all(|t| t.content == Content::Primitive(Primitive::Code)), "{element:?}");
            }
        }
    }
}

/// What a random resource may break: rules between elements, which a random walk does not know.
fn between_elements(issue: &Issue) -> bool {
    issue.kind == IssueKind::Invariant && issue.text.en.ends_with(").")
}

/// What a sample may break: rules of whole resources, which each type has its own of.
fn between_resources(issue: &Issue) -> bool {
    issue.kind == IssueKind::Invariant
        && ["bdl-", "app-", "apr-", "org-", "pat-", "ctm-", "ppc-", "sev-", "tim-", "dom-"]
            .iter()
            .any(|key| issue.text.en.contains(key))
}

proptest! {
    #[test]
    fn what_the_tables_allow_is_found_right_in_r4(resource in arbitrary::any_resource(release::r4())) {
        let issues = validate(&resource, release::r4());
        prop_assert!(issues.iter().all(between_elements), "{issues:#?}");
    }

    #[test]
    fn what_the_tables_allow_is_found_right_in_stu3(resource in arbitrary::any_resource(release::stu3())) {
        let issues = validate(&resource, release::stu3());
        prop_assert!(issues.iter().all(between_elements), "{issues:#?}");
    }

    #[test]
    fn sample_resources_have_no_findings(seed in any::<u64>()) {
        for release in [release::r4(), release::stu3()] {
            let types = release.resources();
            let name = types[(seed % types.len() as u64) as usize];
            let issues = validate(&sample::resource(release, name, seed), release);
            prop_assert!(issues.iter().all(between_resources), "{name} {seed} {issues:#?}");
        }
    }

    #[test]
    fn spoiled_resources_never_panic(
        resource in arbitrary::any_resource(release::r4()), turns in prop::collection::vec((any::<usize>(), 0..8_u8), 1..6),
    ) {
        let mut value = Value::Object(resource);
        for (at, how) in turns {
            spoil(&mut value, at, how);
        }
        if let Value::Object(resource) = value {
            for release in [release::r4(), release::stu3()] {
                // Whatever is accepted can be answered in XML, and read again.
                let accepted = !refused(&validate(&resource, release));
                match crate::xml::write(&resource, release) {
                    Ok(xml) if accepted => {
                        prop_assert!(crate::xml::read(&xml, release, &Limits::OWN).is_ok());
                    }
                    Ok(_) => {}
                    Err(issue) => prop_assert!(!accepted, "{issue:?}"),
                }
            }
        }
    }
}

/// Puts something wrong at the nth value, counted through the tree.
fn spoil(value: &mut Value, at: usize, how: u8) {
    let count = count(value);
    let mut left = at % count;
    spoil_nth(value, &mut left, how);
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(object) => object.iter().map(|(_, v)| count(v)).sum(),
        _ => 0,
    }
}

fn spoil_nth(value: &mut Value, left: &mut usize, how: u8) -> bool {
    if *left == 0 {
        let old = std::mem::replace(value, Value::Null);
        *value = match how {
            0 => Value::Null,
            1 => Value::Array(vec![old]),
            2 => Value::Object(crate::object! { "x" => old }),
            3 => Value::Number("-1e300".into()),
            4 => Value::String("\u{0}\u{ffff}é#?/:".into()),
            5 => Value::Array(vec![]),
            6 => Value::Object(crate::object! {}),
            _ => Value::Bool(true),
        };
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| spoil_nth(item, left, how)),
        Value::Object(object) => object.iter_mut().any(|(_, member)| spoil_nth(member, left, how)),
        _ => false,
    }
}
