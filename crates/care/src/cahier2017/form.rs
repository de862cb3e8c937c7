//! Lists and single values, texts and numbers: the shape that the STU3 tables give each element.

use compact_str::CompactString;
use liaison_fhir::{
    outcome::{Issue, Text},
    place::Place,
    release::{Content, Primitive, Release, Structure, TypeRef},
    text,
    tree::{Object, Value},
};

use super::{note, text as primitive_text, vocabulary};

/// A resource being read.
pub(super) struct Reader {
    release: &'static Release,
    /// What was read otherwise than it was written.
    pub issues: Vec<Issue>,
}

impl Reader {
    pub(super) fn new(release: &'static Release) -> Self {
        Self { release, issues: Vec::new() }
    }

    /// A resource on its own. Its type names the place of what is inside.
    pub(super) fn root(&mut self, resource: Object) -> Object {
        let name = type_member(&resource).and_then(|member| resource.str(member)).unwrap_or("Resource").trim();
        let name = name.to_owned();
        self.resource(resource, &Place::root(&name))
    }

    fn resource(&mut self, mut resource: Object, place: &Place<'_>) -> Object {
        let Some(member) = type_member(&resource).map(str::to_owned) else { return resource };
        if member != "resourceType" {
            resource.rename(&member, "resourceType");
            self.say(
                &place.child("resourceType"),
                text!(
                    en: "The member that names the type of a resource is written resourceType.",
                    fr: "Le membre qui donne le type d'une ressource s'écrit resourceType."
                ),
            );
        }
        let Some(written) = resource.resource_type().map(str::to_owned) else { return resource };
        let name = written.trim();
        if name != written {
            resource.set("resourceType", name);
            self.say(&place.child("resourceType"), primitive_text::blanks_removed());
        }
        let Some(structure) = self.release.resource(name) else { return resource };
        let mut resource = self.element(resource, structure, place);
        if name == "DocumentReference"
            && let Some(at) = note::name_urgency(&mut resource)
        {
            self.say(&place.child("extension").item(at).child("url"), note::urgency_named());
        }
        resource
    }

    fn element(&mut self, element: Object, structure: &'static Structure, place: &Place<'_>) -> Object {
        let mut result = Object::with_capacity(element.len());
        let told = reshaped_with_siblings(&element, structure);
        for (name, value) in element.into_members() {
            let base = name.strip_prefix('_');
            let Some(member) = structure.member(base.unwrap_or(&name)) else {
                result.push(name, value);
                continue;
            };
            let here = place.child(&name);
            let part = match base {
                None => Part::Value,
                Some(base) if told.contains(&base.into()) => Part::SiblingOfReshaped,
                Some(_) => Part::Sibling,
            };
            let value = if member.element.repeats() {
                self.list(value, member.type_ref, part, &here)
            } else {
                self.single(value, member.type_ref, part, &here)
            };
            result.push(name, value);
        }
        match structure.path {
            "CodeableConcept" => {
                if let Some(system) = vocabulary::add_meant_coding(&mut result) {
                    self.say(&place.child("coding"), vocabulary::meant(&system));
                }
            }
            "Reference" => {
                let trimmed = result.str("reference").map(|r| (r.trim().to_owned(), r.len()));
                if let Some((trimmed, _)) = trimmed.filter(|(t, length)| t.len() != *length) {
                    result.set("reference", trimmed);
                    self.say(&place.child("reference"), primitive_text::blanks_removed());
                }
            }
            _ => {}
        }
        result
    }

    /// An element that STU3 writes as a list.
    fn list(&mut self, value: Value, type_ref: &'static TypeRef, part: Part, place: &Place<'_>) -> Value {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return Value::Null,
            one => {
                if part != Part::SiblingOfReshaped {
                    self.say(
                        place,
                        text!(
                            en: "This element is a list: the one value sent was read as a list of one.",
                            fr: "Cet élément est une liste : la valeur envoyée a été lue comme une liste d'un élément."
                        ),
                    );
                }
                vec![one]
            }
        };
        let read = |(at, item)| if part == Part::Value { self.content(item, type_ref, &place.item(at)) } else { item };
        Value::Array(items.into_iter().enumerate().map(read).collect())
    }

    /// An element that STU3 writes as one value.
    fn single(&mut self, value: Value, type_ref: &'static TypeRef, part: Part, place: &Place<'_>) -> Value {
        let value = match value {
            Value::Array(mut items) if is_one(&items) => {
                if part != Part::SiblingOfReshaped {
                    self.say(
                        place,
                        text!(
                            en: "This element is not a list: the list of one sent was read as its one value.",
                            fr: "Cet élément n'est pas une liste : la liste d'un élément a été lue comme sa valeur."
                        ),
                    );
                }
                items.remove(0)
            }
            other => other,
        };
        if part == Part::Value { self.content(value, type_ref, place) } else { value }
    }

    fn content(&mut self, value: Value, type_ref: &'static TypeRef, place: &Place<'_>) -> Value {
        match (type_ref.content, value) {
            (Content::Structure(id), Value::Object(object)) => {
                self.element(object, self.release.structure(id), place).into()
            }
            (Content::Resource, Value::Object(object)) => self.resource(object, place).into(),
            (Content::Primitive(primitive), value) => self.primitive(value, primitive, place),
            (_, value) => value,
        }
    }

    fn primitive(&mut self, value: Value, primitive: Primitive, place: &Place<'_>) -> Value {
        let Value::String(text) = &value else { return value };
        match primitive_text::read(text, primitive) {
            Some((read, explanations)) => {
                for explanation in explanations {
                    self.say(place, explanation);
                }
                read
            }
            None => value,
        }
    }

    fn say(&mut self, place: &Place<'_>, text: Text) {
        self.issues.push(Issue::information(place, text));
    }
}

/// Which of the two members of an element is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The one that has its name.
    Value,
    /// That of the ids and extensions of a primitive (`_status`).
    Sibling,
    /// As [`Part::Sibling`], when the value is told of already: they change together.
    SiblingOfReshaped,
}

/// The elements with a sibling whose value does not have the shape that STU3 gives it.
fn reshaped_with_siblings(element: &Object, structure: &Structure) -> Vec<CompactString> {
    let siblings = element.iter().filter_map(|(name, _)| name.strip_prefix('_'));
    let is_reshaped = |base: &&str| match (structure.member(base), element.get(base)) {
        (Some(member), Some(Value::Array(items))) => !member.element.repeats() && is_one(items),
        (Some(member), Some(value)) => member.element.repeats() && *value != Value::Null,
        _ => false,
    };
    siblings.filter(|base| structure.member(base).is_some()).filter(is_reshaped).map(CompactString::from).collect()
}

/// Whether a list can be read as one value.
fn is_one(items: &[Value]) -> bool {
    matches!(items, [item] if !matches!(item, Value::Null | Value::Array(_)))
}

/// The member that names the type of a resource, whatever its letters.
fn type_member(resource: &Object) -> Option<&str> {
    let names = || resource.iter().filter(|(_, value)| value.as_str().is_some()).map(|(name, _)| name);
    let of_any_letters = || names().find(|name| name.eq_ignore_ascii_case("resourceType"));
    names().find(|name| *name == "resourceType").or_else(of_any_letters)
}
