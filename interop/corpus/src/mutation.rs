//! The ways to break an object, each with one fault.

mod content;
mod shape;

use liaison_fhir::{
    release::{Release, Structure},
    tree::{Object, Value},
};

use crate::draw::Draw;

/// A way to break an object.
pub struct Mutation {
    /// What it does.
    pub name: &'static str,
    /// Does it; false when this object cannot be broken so.
    pub apply: fn(&mut Object, &'static Structure, &'static Release, &mut Draw) -> bool,
}

/// Every way.
pub const ALL: &[Mutation] = &[
    Mutation { name: "missing-required", apply: shape::missing_required },
    Mutation { name: "unknown-element", apply: shape::unknown_element },
    Mutation { name: "misspelled-element", apply: shape::misspelled_element },
    Mutation { name: "one-as-array", apply: shape::one_as_array },
    Mutation { name: "array-as-one", apply: shape::array_as_one },
    Mutation { name: "object-for-primitive", apply: shape::object_for_primitive },
    Mutation { name: "primitive-for-object", apply: shape::primitive_for_object },
    Mutation { name: "number-as-string", apply: shape::number_as_string },
    Mutation { name: "string-as-number", apply: shape::string_as_number },
    Mutation { name: "boolean-as-string", apply: shape::boolean_as_string },
    Mutation { name: "empty-object", apply: shape::empty_object },
    Mutation { name: "empty-array", apply: shape::empty_array },
    Mutation { name: "empty-string", apply: shape::empty_string },
    Mutation { name: "null-value", apply: shape::null_value },
    Mutation { name: "null-in-array", apply: shape::null_in_array },
    Mutation { name: "two-of-a-choice", apply: shape::two_of_a_choice },
    Mutation { name: "wrong-choice", apply: shape::wrong_choice },
    Mutation { name: "sibling-of-object", apply: shape::sibling_of_object },
    Mutation { name: "sibling-too-long", apply: shape::sibling_too_long },
    Mutation { name: "sibling-empty", apply: shape::sibling_empty },
    Mutation { name: "resource-type-inside", apply: shape::resource_type_inside },
    Mutation { name: "unknown-code", apply: content::unknown_code },
    Mutation { name: "code-with-spaces", apply: content::code_with_spaces },
    Mutation { name: "wrong-target", apply: content::wrong_target },
    Mutation { name: "unknown-target", apply: content::unknown_target },
    Mutation { name: "dangling-contained", apply: content::dangling_contained },
    Mutation { name: "not-a-reference", apply: content::not_a_reference },
    Mutation { name: "blank-string", apply: content::blank_string },
    Mutation { name: "control-character", apply: content::control_character },
    Mutation { name: "day-that-is-not", apply: content::day_that_is_not },
    Mutation { name: "month-that-is-not", apply: content::month_that_is_not },
    Mutation { name: "time-without-zone", apply: content::time_without_zone },
    Mutation { name: "french-date", apply: content::french_date },
    Mutation { name: "instant-without-seconds", apply: content::instant_without_seconds },
    Mutation { name: "bad-base64", apply: content::bad_base64 },
    Mutation { name: "uri-with-space", apply: content::uri_with_space },
    Mutation { name: "bad-oid", apply: content::bad_oid },
    Mutation { name: "bad-uuid", apply: content::bad_uuid },
    Mutation { name: "zero-for-positive", apply: content::zero_for_positive },
    Mutation { name: "negative-unsigned", apply: content::negative_unsigned },
    Mutation { name: "integer-too-large", apply: content::integer_too_large },
    Mutation { name: "fraction-for-integer", apply: content::fraction_for_integer },
    Mutation { name: "id-too-long", apply: content::id_too_long },
    Mutation { name: "id-with-underscore", apply: content::id_with_underscore },
    Mutation { name: "extension-with-both", apply: content::extension_with_both },
    Mutation { name: "extension-with-neither", apply: content::extension_with_neither },
    Mutation { name: "extension-without-url", apply: content::extension_without_url },
    Mutation { name: "extension-with-relative-url", apply: content::extension_with_relative_url },
    Mutation { name: "period-backwards", apply: content::period_backwards },
    Mutation { name: "narrative-script", apply: content::narrative_script },
    Mutation { name: "narrative-event", apply: content::narrative_event },
    Mutation { name: "narrative-not-closed", apply: content::narrative_not_closed },
    Mutation { name: "narrative-empty", apply: content::narrative_empty },
    Mutation { name: "narrative-without-namespace", apply: content::narrative_without_namespace },
    Mutation { name: "narrative-unknown-element", apply: content::narrative_unknown_element },
    Mutation { name: "narrative-html-entity", apply: content::narrative_html_entity },
];

/// The name and value of a member that some condition chooses.
fn choose<'o>(object: &'o Object, draw: &mut Draw, wanted: impl Fn(&str) -> bool) -> Option<&'o str> {
    let names: Vec<&str> = object.iter().map(|(name, _)| name).filter(|name| wanted(name)).collect();
    draw.pick(&names)
}

/// Replaces the value of a member, in its array when it repeats.
fn replace_one(object: &mut Object, draw: &mut Draw, wanted: impl Fn(&str) -> bool, with: Value) -> bool {
    let Some(name) = choose(object, draw, wanted).map(str::to_owned) else { return false };
    match object.get_mut(&name) {
        Some(Value::Array(items)) => match items.first_mut() {
            Some(first) => *first = with,
            None => return false,
        },
        Some(value) => *value = with,
        None => return false,
    }
    true
}
