//! An element from the types, cardinality and codes of one release to those of the other.
//!
//! What does not fit is left out here; [`node`](super::node) sees that it would not come back and
//! keeps it beside.

use compact_str::CompactString;

use super::{
    codes,
    constraints::Demand,
    fill,
    items::{Item, read, write},
    plan::{both_nested, form, required_list},
    reference::may_point,
    rules::{Scene, Shape},
};
use crate::{
    array, object, primitive,
    release::{Choice, Content, Element, Primitive, Release, TypeRef},
    tree::{Object, Value},
    validate::is_media_type,
};

/// The system of codes and identifiers that are addresses.
pub(super) const URI_SYSTEM: &str = "urn:ietf:rfc:3986";

/// One end of an adaptation: an element, if the release has one, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub release: &'static Release,
    pub structure: &'static str,
    pub element: Option<&'static Element>,
    /// What constraints ask of the element.
    pub demand: Option<Demand>,
}

impl End {
    /// Whether the element has to be there.
    fn requires(self, scene: &Scene<'_>) -> bool {
        self.element.is_some_and(|e| e.min > 0) || self.demand.is_some_and(|demand| demand.requires(scene))
    }

    /// Whether the members of this end are nothing but what it was filled with, since the other end
    /// need not say it.
    pub(super) fn is_filled(self, members: &Object, other: Self, scene: &Scene<'_>) -> bool {
        let Some(element) = self.element.filter(|_| self.requires(scene) && !other.requires(scene)) else {
            return false;
        };
        fill::is_fill(members, self.structure, element, self.release, scene)
    }
}

/// The members of one end as members of the other.
pub(super) fn adapt(part: &Object, from: End, to: End, scene: &Scene<'_>) -> Object {
    let mut result = Object::new();
    if to.demand.is_some_and(|demand| demand.forbids(scene)) {
        return result;
    }
    let filled = from.is_filled(part, to, scene);
    if let (Some(source), Some(target), false) = (from.element, to.element, filled) {
        for source_type in &source.types {
            let items = read(part, &source.json_name(source_type), form(source)).unwrap_or_default();
            let fitting = items
                .into_iter()
                .filter_map(|item| fit(item, source_type, target, to.release))
                .filter(|(_, item)| to.demand.is_none_or(|demand| demand.admits(item.value.as_ref())));
            // All items of one element have one type: that of the first.
            let mut fitting = fitting.peekable();
            let Some(first_type) = fitting.peek().map(|(type_ref, _)| *type_ref) else { continue };
            let items: Vec<Item> = fitting.map(|(_, item)| item).collect();
            write(&mut result, &target.json_name(first_type), items, form(target));
            break;
        }
    }
    match to.element {
        Some(target) if result.is_empty() && (to.requires(scene) || is_missed(part, to)) => {
            fill::fill(to.structure, target, to.release, scene)
        }
        _ => result,
    }
}

/// The members of one end as a function of their own says them; what a constraint asks of the first
/// of the elements is filled in, and what was filled in is taken out.
pub(super) fn shaped(shape: Shape, part: &Object, from: End, to: End, scene: &Scene<'_>) -> Object {
    let is_asked = |end: End| end.demand.is_some_and(|demand| demand.requires(scene));
    let is_fill = |e| fill::is_fill(part, from.structure, e, from.release, scene);
    let crossed = match from.element {
        Some(element) if is_asked(from) && is_fill(element) => shape(&Object::new(), scene),
        _ => shape(part, scene),
    };
    match to.element {
        Some(element) if crossed.is_empty() && is_asked(to) => fill::fill(to.structure, element, to.release, scene),
        _ => crossed,
    }
}

/// Whether an element that did not fit leaves a gap although it is optional by the table: a parameter
/// has to have a value, a resource or parts.
fn is_missed(part: &Object, to: End) -> bool {
    to.structure == "Parameters.parameter" && !part.is_empty()
}

/// An item in the first of the target's types that holds it, the same type before any other.
fn fit(
    item: Item,
    from: &TypeRef,
    target: &'static Element,
    release: &'static Release,
) -> Option<(&'static TypeRef, Item)> {
    let mut types: Vec<&'static TypeRef> = target.types.iter().collect();
    types.sort_by_key(|t| distance(from, t));
    types.into_iter().find_map(|to| Some((to, into_type(item.clone(), from, to, target, release)?)))
}

/// How far a type is from another: the nearest one that holds a value is taken.
fn distance(from: &TypeRef, to: &TypeRef) -> u8 {
    match (from.code, to.code) {
        (a, b) if a == b => 0,
        // A choice between an address and a typed reference.
        ("canonical", "Reference") if !to.targets.is_empty() => 1,
        ("Reference", "canonical") => 1,
        ("string", "markdown") | ("markdown", "string") => 1,
        ("uri" | "url" | "canonical" | "uuid" | "oid", "uri") => 2,
        (_, "string") => 4,
        _ => 3,
    }
}

fn into_type(item: Item, from: &TypeRef, to: &TypeRef, target: &Element, release: &'static Release) -> Option<Item> {
    match (from.content, to.content) {
        (Content::Primitive(source), Content::Primitive(wanted)) => {
            into_primitive(item, source, wanted, target, release)
        }
        (Content::Structure(_), Content::Structure(_)) if from.code == to.code || both_nested(from, to) => Some(item),
        (Content::Resource, Content::Resource) => Some(item),
        _ => match item.value.as_ref()? {
            Value::Object(object) => from_object(object, from.code, to.code).map(Item::from),
            value => value.as_str().and_then(|text| from_text(text, from.code, to, release)).map(Item::from),
        },
    }
}

fn into_primitive(
    item: Item,
    from: Primitive,
    to: Primitive,
    target: &Element,
    release: &'static Release,
) -> Option<Item> {
    let Some(value) = &item.value else {
        // Only an extension: it says as much of any type.
        return is_akin(from, to).then_some(item);
    };
    let text = value.primitive_text()?;
    if from == Primitive::String && to == Primitive::Base64Binary {
        return Some(Item { value: Some(primitive::encode_base64(text.as_bytes()).into()), sibling: item.sibling });
    }
    let becomes_text = to == Primitive::String && target.choice == Choice::OfTypes;
    if !is_akin(from, to) && !becomes_text {
        return None;
    }
    let text = match required_list(target).and_then(|url| Some((url, release.code_list(url)?))) {
        Some((url, list)) if list.get(text).is_none() => codes::nearest(text, url, list, release.id)?,
        _ => text,
    };
    if required_list(target).is_some_and(|url| url.ends_with("/mimetypes")) && !is_media_type(text) {
        return None;
    }
    if from != to {
        primitive::check(to, text).ok()?;
    }
    let value = match value {
        Value::String(_) => Value::String(text.into()),
        Value::Number(_) | Value::Bool(_) if becomes_text && from != to => Value::String(text.into()),
        other => other.clone(),
    };
    Some(Item { value: Some(value), sibling: item.sibling })
}

/// Whether a value of one type may be one of the other.
fn is_akin(from: Primitive, to: Primitive) -> bool {
    use Primitive::{Canonical, Code, Id, Integer, Markdown, Oid, PositiveInt, String, UnsignedInt, Uri, Url, Uuid};
    from == to
        || matches!(
            (from, to),
            (Uri | Url | Canonical | Oid | Uuid | Code, Uri)
                | (Uri, Url | Canonical | Code)
                | (String | Id, Code)
                | (Code, Id | String)
                | (String, Markdown)
                | (Markdown, String)
                | (Integer, PositiveInt | UnsignedInt)
                | (PositiveInt | UnsignedInt, Integer)
        )
}

fn from_object(object: &Object, from: &str, to: &str) -> Option<Value> {
    Some(match (from, to) {
        ("Reference", "canonical" | "uri") => object.str("reference")?.into(),
        ("Reference", "Identifier") => match object.object("identifier") {
            Some(identifier) => identifier.clone().into(),
            None => match (object.str("reference"), object.str("display")) {
                (Some(reference), _) => object! { "system" => URI_SYSTEM, "value" => reference }.into(),
                (None, Some(display)) => object! { "value" => display }.into(),
                (None, None) => return None,
            },
        },
        ("Identifier", "Reference") => object! { "identifier" => object.clone() }.into(),
        ("Coding", "CodeableConcept") => object! { "coding" => array![object.clone()] }.into(),
        ("CodeableConcept", "Coding") => object.objects("coding").next()?.clone().into(),
        ("CodeableConcept", "string") => text_of(object)?.into(),
        ("Period", "dateTime") => object.str("start").or_else(|| object.str("end"))?.into(),
        _ => return None,
    })
}

fn text_of(concept: &Object) -> Option<&str> {
    concept.str("text").or_else(|| concept.objects("coding").find_map(|c| c.str("display").or_else(|| c.str("code"))))
}

fn from_text(text: &str, from: &str, to: &TypeRef, release: &'static Release) -> Option<Value> {
    let coded_address = || object! { "system" => URI_SYSTEM, "code" => text };
    Some(match (from, to.code) {
        ("canonical", "Reference") if may_point(text, &to.targets, release) => object! { "reference" => text }.into(),
        ("uri", "Reference") => {
            object! { "identifier" => object! { "system" => URI_SYSTEM, "value" => CompactString::from(text) } }.into()
        }
        ("uri", "Coding") => coded_address().into(),
        ("string", "CodeableConcept") => object! { "text" => text }.into(),
        ("dateTime", "Period") => object! { "start" => text, "end" => text }.into(),
        _ => return None,
    })
}
