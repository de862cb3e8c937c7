//! Faults of content: values that are of the right form and wrong.

use liaison_fhir::{
    array, object,
    release::{BindingStrength, Content, Primitive, Release, Structure, XmlForm},
    tree::{Object, Value},
};

use super::{choose, replace_one};
use crate::draw::Draw;

/// Replaces a primitive of one of these types.
fn replace(object: &mut Object, structure: &Structure, draw: &mut Draw, types: &[Primitive], with: Value) -> bool {
    let wanted = |name: &str| {
        structure.member(name).is_some_and(|member| {
            matches!(member.type_ref.content, Content::Primitive(primitive) if types.contains(&primitive))
                && member.element.xml_form == XmlForm::Element
        })
    };
    replace_one(object, draw, wanted, with)
}

macro_rules! replacing {
    ($($function:ident: $types:expr => $with:expr;)*) => {
        $(pub fn $function(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
            replace(object, structure, draw, $types, $with.into())
        })*
    };
}

fn number(digits: &str) -> Value {
    Value::Number(digits.into())
}

replacing! {
    code_with_spaces: &[Primitive::Code] => " a  b ";
    blank_string: &[Primitive::String] => "   ";
    control_character: &[Primitive::String] => "a\u{1}b";
    day_that_is_not: &[Primitive::Date, Primitive::DateTime] => "2023-02-30";
    month_that_is_not: &[Primitive::Date, Primitive::DateTime] => "2023-13-01";
    time_without_zone: &[Primitive::DateTime, Primitive::Instant] => "2023-05-01T10:00:00";
    french_date: &[Primitive::Date, Primitive::DateTime] => "01/05/2023";
    instant_without_seconds: &[Primitive::Instant] => "2023-05-01T10:00Z";
    bad_base64: &[Primitive::Base64Binary] => "AAA$";
    uri_with_space: &[Primitive::Uri, Primitive::Url, Primitive::Canonical] => "http://example.org/a b";
    bad_oid: &[Primitive::Oid] => "urn:oid:1.2.x";
    bad_uuid: &[Primitive::Uuid] => "urn:uuid:1234";
    zero_for_positive: &[Primitive::PositiveInt] => number("0");
    negative_unsigned: &[Primitive::UnsignedInt] => number("-1");
    integer_too_large: &[Primitive::Integer, Primitive::PositiveInt, Primitive::UnsignedInt] => number("2147483648");
    fraction_for_integer: &[Primitive::Integer, Primitive::PositiveInt, Primitive::UnsignedInt] => number("1.5");
}

pub fn unknown_code(object: &mut Object, structure: &'static Structure, release: &Release, draw: &mut Draw) -> bool {
    let bound = |name: &str| {
        structure.member(name).and_then(|member| member.element.binding).is_some_and(|binding| {
            binding.strength == BindingStrength::Required && release.code_list(binding.value_set).is_some()
        })
    };
    let Some(name) = choose(object, draw, bound).map(str::to_owned) else { return false };
    let wrong: Value = "no-such-code".into();
    let wrong = if object.items(&name).is_empty() { wrong } else { array![wrong] };
    object.set(&name, wrong);
    object.remove(&format!("_{name}"));
    true
}

/// The element of a reference that stands in this object, with what it may point to.
fn reference_in(object: &Object, structure: &'static Structure) -> Option<(String, &'static [&'static str])> {
    object.iter().find_map(|(name, _)| {
        let member = structure.member(name)?;
        (member.type_ref.code == "Reference" && !member.type_ref.targets.is_empty())
            .then(|| (name.to_owned(), member.type_ref.targets.as_slice()))
    })
}

fn point(object: &mut Object, name: &str, text: String) -> bool {
    let reference: Value = object! { "reference" => text }.into();
    let many = object.get(name).is_some_and(|value| value.as_array().is_some());
    object.set(name, if many { array![reference] } else { reference });
    true
}

pub fn wrong_target(object: &mut Object, structure: &'static Structure, release: &Release, _: &mut Draw) -> bool {
    let Some((name, targets)) = reference_in(object, structure) else { return false };
    let Some(wrong) = release.resources().into_iter().find(|other| !targets.contains(other)) else { return false };
    point(object, &name, format!("{wrong}/1"))
}

pub fn unknown_target(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let Some((name, _)) = reference_in(object, structure) else { return false };
    point(object, &name, "Unicorn/1".to_owned())
}

pub fn dangling_contained(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let Some((name, _)) = reference_in(object, structure) else { return false };
    point(object, &name, "#nowhere".to_owned())
}

pub fn not_a_reference(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let Some((name, _)) = reference_in(object, structure) else { return false };
    point(object, &name, "le docteur Martin".to_owned())
}

pub fn id_too_long(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    object.contains("id") && structure.path.starts_with(|c: char| c.is_ascii_uppercase()) && {
        let is_resource = object.resource_type().is_some();
        if is_resource {
            object.set("id", "a".repeat(65));
        }
        is_resource
    }
}

pub fn id_with_underscore(object: &mut Object, _: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let is_resource = object.resource_type().is_some() && object.contains("id");
    if is_resource {
        object.set("id", "a_b");
    }
    is_resource
}

pub fn extension_with_both(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let has_value = object.iter().any(|(name, _)| name.starts_with("value"));
    if structure.path != "Extension" || !has_value {
        return false;
    }
    let inside = object! { "url" => "http://example.org/fhir/StructureDefinition/colour", "valueString" => "rouge" };
    object.set("extension", array![inside]);
    true
}

pub fn extension_with_neither(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    if structure.path != "Extension" {
        return false;
    }
    object.retain(|name, _| name == "url");
    true
}

pub fn extension_without_url(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    structure.path == "Extension" && object.remove("url").is_some() && !object.is_empty()
}

pub fn extension_with_relative_url(
    object: &mut Object,
    structure: &'static Structure,
    _: &Release,
    _: &mut Draw,
) -> bool {
    if structure.path == "Extension" || !object.contains("extension") {
        return false;
    }
    let extension = object! { "url" => "colour", "valueString" => "rouge" };
    object.set("extension", array![extension]);
    true
}

pub fn period_backwards(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    if structure.path != "Period" {
        return false;
    }
    for name in ["_start", "_end"] {
        object.remove(name);
    }
    object.set("start", "2024-05-02");
    object.set("end", "2023-05-01");
    true
}

/// Puts another narrative in the place of the one that is there.
fn narrate(object: &mut Object, structure: &Structure, inside: &str) -> bool {
    structure.path == "Narrative" && object.set("div", inside).is_some()
}

macro_rules! narrating {
    ($($function:ident: $inside:expr;)*) => {
        $(pub fn $function(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
            narrate(object, structure, $inside)
        })*
    };
}

narrating! {
    narrative_script: "<div xmlns=\"http://www.w3.org/1999/xhtml\">a<script>alert(1)</script></div>";
    narrative_event: "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p onclick=\"alert(1)\">a</p></div>";
    narrative_not_closed: "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a</div>";
    narrative_empty: "<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>";
    narrative_without_namespace: "<div><p>a</p></div>";
    narrative_unknown_element: "<div xmlns=\"http://www.w3.org/1999/xhtml\"><video>a</video></div>";
    narrative_html_entity: "<div xmlns=\"http://www.w3.org/1999/xhtml\">a&nbsp;b</div>";
}
