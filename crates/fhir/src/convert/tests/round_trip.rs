//! The promise itself: nothing is lost there and back, and what is there is valid.

use proptest::prelude::*;

use super::super::{
    items::{same, same_value},
    to_r4, to_stu3,
};
use crate::{
    outcome::Issue,
    release::{Release, ReleaseId, r4, stu3},
    sample::{self, Reach},
    tree::{Object, Value},
    validate::validate,
};

type Way = fn(&Object) -> Object;

fn check(release: &'static Release, there: Way, back: Way, type_name: &str, seed: u64) -> Result<(), String> {
    let resource = sample::resource_within(Reach::OneRelease, release, type_name, seed);
    let crossed = there(&resource);
    let returned = back(&crossed);
    let version = release.id.version();
    if !same(&returned, &resource) {
        let place = difference(type_name, &resource.into(), &returned.into());
        return Err(format!("{type_name} {seed} of {version} does not come back: {place}"));
    }
    let other = if release.id == ReleaseId::R4 { stu3() } else { r4() };
    match validate(&crossed, other).into_iter().find(Issue::refuses) {
        Some(issue) => Err(format!("{type_name} {seed} of {version} is not valid there: {issue:?}")),
        None => Ok(()),
    }
}

fn check_all(release: &'static Release, there: Way, back: Way) {
    let mut lost = Vec::new();
    for type_name in release.resources() {
        lost.extend((0..40).find_map(|seed| check(release, there, back, type_name, seed).err()));
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

/// Where two values differ first.
pub(super) fn difference(place: &str, a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a.iter() {
                match b.get(name) {
                    None => return format!("{place}.{name} is lost"),
                    Some(other) if !same_value(value, other) => {
                        return difference(&format!("{place}.{name}"), value, other);
                    }
                    Some(_) => {}
                }
            }
            let new: Vec<&str> = b.iter().map(|(n, _)| n).filter(|n| !a.contains(n)).collect();
            format!("{place} has new members {new:?}")
        }
        (Value::Array(a), Value::Array(b)) => match a.iter().zip(b).position(|(a, b)| !same_value(a, b)) {
            Some(at) => difference(&format!("{place}[{at}]"), &a[at], &b[at]),
            None => format!("{place} has {} items, then {}", a.len(), b.len()),
        },
        (a, b) => format!("{place} was {a:?}, then {b:?}"),
    }
}

#[test]
fn every_type_of_stu3_comes_back_from_r4() {
    check_all(stu3(), to_r4, to_stu3);
}

#[test]
fn every_type_of_r4_comes_back_from_stu3() {
    check_all(r4(), to_stu3, to_r4);
}

proptest! {
    #[test]
    fn any_stu3_resource_comes_back(type_name in prop::sample::select(stu3().resources()), seed in any::<u64>()) {
        let checked = check(stu3(), to_r4, to_stu3, type_name, seed);
        prop_assert!(checked.is_ok(), "{checked:?}");
    }

    #[test]
    fn any_r4_resource_comes_back(type_name in prop::sample::select(r4().resources()), seed in any::<u64>()) {
        let checked = check(r4(), to_stu3, to_r4, type_name, seed);
        prop_assert!(checked.is_ok(), "{checked:?}");
    }
}
