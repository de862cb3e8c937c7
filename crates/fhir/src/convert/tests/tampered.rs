//! Resources that were converted and then changed by a client of the other form: what was kept may
//! no longer explain what is there, and still nothing is lost.

use proptest::prelude::*;

use super::{
    super::{to_r4, to_stu3},
    round_trip::difference,
};
use crate::{
    outcome::refused,
    release::{r4, stu3},
    sample::{self, Reach},
    tree::{Object, Value},
    validate::validate,
};

/// What a client may do to a member.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Remove,
    /// Says something else.
    Change,
    /// Says the first item of a list twice.
    Repeat,
    /// Takes extensions for elements of one release for those of the other.
    Misname,
}

/// Does it to the nth member of the tree that is no type.
fn tamper(object: &mut Object, deed: Deed, left: &mut usize) {
    let names: Vec<String> = object.iter().map(|(name, _)| name.to_owned()).filter(|n| n != "resourceType").collect();
    for name in names {
        if *left == 0 {
            *left = usize::MAX;
            do_to(object, &name, deed);
            return;
        }
        *left -= 1;
        match object.get_mut(&name) {
            Some(Value::Object(inside)) => tamper(inside, deed, left),
            Some(Value::Array(items)) => {
                for inside in items.iter_mut().filter_map(Value::as_object_mut) {
                    tamper(inside, deed, left);
                }
            }
            _ => {}
        }
        if *left == usize::MAX {
            return;
        }
    }
}

fn do_to(object: &mut Object, name: &str, deed: Deed) {
    if matches!(deed, Deed::Remove) && object.len() > 1 {
        object.remove(name);
        return;
    }
    match (deed, object.get_mut(name)) {
        (Deed::Change, Some(Value::String(text))) => *text = "1999".into(),
        (Deed::Change, Some(Value::Bool(said))) => *said = !*said,
        (Deed::Change, Some(Value::Number(digits))) => *digits = "7".into(),
        (Deed::Repeat, Some(Value::Array(items))) => items.insert(0, items[0].clone()),
        (Deed::Misname, Some(Value::Object(inside))) => misname(inside),
        (Deed::Misname, Some(Value::Array(items))) => {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(misname)
        }
        _ => {}
    }
}

fn misname(object: &mut Object) {
    for (name, value) in object.iter_mut() {
        for value in match value {
            Value::Array(items) => items.iter_mut(),
            one => std::slice::from_mut(one).iter_mut(),
        } {
            match value {
                Value::String(url) if name == "url" && url.contains("/fhir/3.0/") => {
                    *url = url.replace("/3.0/", "/4.0/").into()
                }
                Value::String(url) if name == "url" => *url = url.replace("/4.0/", "/3.0/").into(),
                Value::Object(inside) => misname(inside),
                _ => {}
            }
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    prop::sample::select(vec![Deed::Remove, Deed::Change, Deed::Repeat, Deed::Misname])
}

/// The order of extensions and of members means nothing.
fn settled(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut object: Object = object
                .iter()
                .map(|(name, value)| {
                    let mut value = settled(value);
                    if let ("extension", Value::Array(items)) = (name, &mut value) {
                        items.sort_by_key(|item| format!("{item:?}"));
                    }
                    (name.into(), value)
                })
                .collect();
            object.sort_by_key(str::to_owned);
            object.into()
        }
        Value::Array(items) => items.iter().map(settled).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn assert_comes_back(
    there: fn(&Object) -> Object,
    back: fn(&Object) -> Object,
    tampered: &Object,
) -> Result<(), String> {
    let (was, is) = (settled(&tampered.clone().into()), settled(&back(&there(tampered)).into()));
    if was == is { Ok(()) } else { Err(difference("tampered", &was, &is)) }
}

proptest! {
    #[test]
    fn an_stu3_resource_that_came_from_r4_and_was_changed(
        type_name in prop::sample::select(r4().resources()), seed in any::<u64>(), at in 0..200_usize, deed in deed(),
    ) {
        let mut tampered = to_stu3(&sample::resource_within(Reach::OneRelease, r4(), type_name, seed));
        tamper(&mut tampered, deed, &mut at.clone());
        prop_assume!(!refused(&validate(&tampered, stu3())));
        let checked = assert_comes_back(to_r4, to_stu3, &tampered);
        prop_assert!(checked.is_ok(), "{type_name} {seed} {deed:?} {at}: {checked:?}");
    }

    #[test]
    fn an_r4_resource_that_came_from_stu3_and_was_changed(
        type_name in prop::sample::select(stu3().resources()), seed in any::<u64>(), at in 0..200_usize, deed in deed(),
    ) {
        let mut tampered = to_r4(&sample::resource_within(Reach::OneRelease, stu3(), type_name, seed));
        tamper(&mut tampered, deed, &mut at.clone());
        prop_assume!(!refused(&validate(&tampered, r4())));
        let checked = assert_comes_back(to_stu3, to_r4, &tampered);
        prop_assert!(checked.is_ok(), "{type_name} {seed} {deed:?} {at}: {checked:?}");
    }
}
