//! Faults of shape: which members there are, and of which JSON form.

use liaison_fhir::{
    array, object,
    release::{Choice, Content, Primitive, Release, Structure, StructureKind, XmlForm},
    tree::{Object, Value},
};

use super::{choose, replace_one};
use crate::draw::Draw;

fn is_primitive(structure: &Structure, name: &str) -> bool {
    structure.member(name).is_some_and(|member| matches!(member.type_ref.content, Content::Primitive(_)))
}

fn is_complex(structure: &Structure, name: &str) -> bool {
    structure.member(name).is_some_and(|member| matches!(member.type_ref.content, Content::Structure(_)))
}

pub fn missing_required(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let required = |name: &str| structure.member(name).is_some_and(|member| member.element.min > 0);
    let Some(name) = choose(object, draw, required).map(str::to_owned) else { return false };
    object.remove(&format!("_{name}"));
    object.remove(&name);
    !(object.is_empty() || object.len() == 1 && object.contains("id"))
}

pub fn unknown_element(object: &mut Object, _: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    object.push("colour", "rouge");
    true
}

pub fn misspelled_element(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let optional = |name: &str| structure.member(name).is_some_and(|member| member.element.min == 0);
    let Some(name) = choose(object, draw, optional).map(str::to_owned) else { return false };
    let mut wrong = name.clone();
    wrong.push('s');
    structure.member(&wrong).is_none() && !object.contains(&format!("_{name}")) && object.rename(&name, &wrong)
}

pub fn one_as_array(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let single = |name: &str| structure.member(name).is_some_and(|member| !member.element.repeats());
    let Some(name) = choose(object, draw, single).map(str::to_owned) else { return false };
    let Some(value) = object.get(&name).cloned() else { return false };
    object.set(&name, array![value]);
    true
}

pub fn array_as_one(object: &mut Object, _: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let many: Vec<String> = object
        .iter()
        .filter(|(name, value)| value.as_array().is_some_and(|items| items.len() == 1) && !name.starts_with('_'))
        .map(|(name, _)| name.to_owned())
        .collect();
    let Some(at) = draw.pick(&(0..many.len()).collect::<Vec<_>>()) else { return false };
    let Some(name) = many.get(at) else { return false };
    let Some(one) = object.items(name).first().cloned() else { return false };
    object.set(name, one);
    true
}

pub fn object_for_primitive(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    replace_one(object, draw, |name| is_primitive(structure, name), object! { "value" => "x" }.into())
}

pub fn primitive_for_object(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    replace_one(object, draw, |name| is_complex(structure, name), "x".into())
}

pub fn number_as_string(object: &mut Object, _: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    respelled(object, draw, |value| value.as_number().map(Value::from))
}

pub fn string_as_number(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let free = |name: &str| {
        structure.member(name).is_some_and(|member| {
            matches!(member.type_ref.content, Content::Primitive(Primitive::String))
                && member.element.xml_form == XmlForm::Element
        })
    };
    replace_one(object, draw, free, Value::Number("12".into()))
}

pub fn boolean_as_string(object: &mut Object, _: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    respelled(object, draw, |value| value.as_bool().map(|truth| Value::from(if truth { "true" } else { "false" })))
}

/// Replaces a value by what `spell` makes of it.
fn respelled(object: &mut Object, draw: &mut Draw, spell: impl Fn(&Value) -> Option<Value>) -> bool {
    let found: Vec<(String, Value)> =
        object.iter().filter_map(|(name, value)| Some((name.to_owned(), spell(value)?))).collect();
    let Some(at) = draw.pick(&(0..found.len()).collect::<Vec<_>>()) else { return false };
    let Some((name, value)) = found.into_iter().nth(at) else { return false };
    object.set(&name, value);
    true
}

pub fn empty_object(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    replace_one(object, draw, |name| is_complex(structure, name), Object::new().into())
}

pub fn empty_array(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let missing: Vec<&str> = structure
        .elements
        .iter()
        .filter(|element| element.repeats() && element.choice == Choice::Single && element.min == 0)
        .map(|element| element.name)
        .filter(|name| !object.contains(name) && !object.contains(&format!("_{name}")))
        .collect();
    let Some(name) = draw.pick(&missing) else { return false };
    object.push(name, Vec::new());
    true
}

pub fn empty_string(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    replace_one(object, draw, |name| is_text(structure, name), "".into())
}

fn is_text(structure: &Structure, name: &str) -> bool {
    structure.member(name).is_some_and(|member| match member.type_ref.content {
        Content::Primitive(Primitive::Xhtml | Primitive::Boolean) => false,
        Content::Primitive(primitive) => !primitive.is_number() && member.element.xml_form == XmlForm::Element,
        Content::Structure(_) | Content::Resource => false,
    })
}

pub fn null_value(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let single = |name: &str| {
        is_primitive(structure, name) && structure.member(name).is_some_and(|member| !member.element.repeats())
    };
    replace_one(object, draw, single, Value::Null)
}

pub fn null_in_array(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let names: Vec<String> = object
        .iter()
        .filter(|(name, value)| value.as_array().is_some() && is_primitive(structure, name))
        .map(|(name, _)| name.to_owned())
        .collect();
    let Some(at) = draw.pick(&(0..names.len()).collect::<Vec<_>>()) else { return false };
    let Some(name) = names.get(at).filter(|name| !object.contains(&format!("_{name}"))) else { return false };
    if let Some(Value::Array(items)) = object.get_mut(name) {
        items.push(Value::Null);
    }
    true
}

pub fn two_of_a_choice(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let chosen = |name: &str| structure.member(name).filter(|member| member.element.choice == Choice::OfTypes);
    let Some(member) = object.iter().find_map(|(name, _)| chosen(name)) else { return false };
    let free = member.element.types.iter().find_map(|type_ref| {
        let value: Value = match type_ref.content {
            Content::Primitive(Primitive::String | Primitive::Code) => "autre".into(),
            Content::Primitive(Primitive::DateTime | Primitive::Date) => "2024-05-01".into(),
            Content::Primitive(Primitive::Boolean) => true.into(),
            Content::Primitive(Primitive::Uri | Primitive::Canonical) => "http://example.org/x".into(),
            _ if type_ref.code == "CodeableConcept" => object! { "text" => "autre" }.into(),
            _ if type_ref.code == "Reference" => object! { "display" => "autre" }.into(),
            _ => return None,
        };
        Some((member.element.json_name(type_ref), value)).filter(|(name, _)| !object.contains(name))
    });
    let Some((name, value)) = free else { return false };
    object.push(name, value);
    true
}

pub fn wrong_choice(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    let chosen: Option<(String, String)> = object.iter().find_map(|(name, _)| {
        let member = structure.member(name).filter(|member| member.element.choice == Choice::OfTypes)?;
        Some((name.to_owned(), format!("{}Narrative", member.element.name)))
    });
    let Some((name, wrong)) = chosen else { return false };
    object.remove(&format!("_{name}"));
    object.remove(&name);
    object.push(
        wrong,
        object! { "status" => "generated", "div" => "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>" },
    );
    true
}

pub fn sibling_of_object(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let single = |name: &str| {
        is_complex(structure, name) && structure.member(name).is_some_and(|member| !member.element.repeats())
    };
    let Some(name) = choose(object, draw, single).map(|name| format!("_{name}")) else { return false };
    object.push(name, object! { "id" => "a" });
    true
}

pub fn sibling_too_long(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let many = |name: &str| {
        is_primitive(structure, name) && structure.member(name).is_some_and(|member| member.element.repeats())
    };
    let Some(name) = choose(object, draw, many).map(str::to_owned) else { return false };
    let count = object.items(&name).len();
    let mut siblings = vec![Value::Null; count];
    siblings.push(object! { "id" => "a" }.into());
    object.set(&format!("_{name}"), siblings);
    // FHIR pads the shorter of the two with null; a sibling beyond the end is one without value.
    object.set(&name, object.items(&name).to_vec());
    true
}

pub fn sibling_empty(object: &mut Object, structure: &'static Structure, _: &Release, draw: &mut Draw) -> bool {
    let single = |name: &str| {
        structure.member(name).is_some_and(|member| {
            !member.element.repeats()
                && member.element.xml_form == XmlForm::Element
                && matches!(member.type_ref.content, Content::Primitive(primitive) if primitive != Primitive::Xhtml)
        })
    };
    let Some(name) = choose(object, draw, single).map(|name| format!("_{name}")) else { return false };
    object.set(&name, Object::new());
    true
}

pub fn resource_type_inside(object: &mut Object, structure: &'static Structure, _: &Release, _: &mut Draw) -> bool {
    if structure.kind == StructureKind::Resource {
        return false;
    }
    object.push("resourceType", "Patient");
    true
}
