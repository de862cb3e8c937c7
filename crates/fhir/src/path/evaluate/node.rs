//! An element of a resource with its type, and the way to those inside it.

use std::ops::ControlFlow;

use crate::{
    release::{Choice, Content, Element, Primitive, Release, Structure, TypeRef},
    tree::{Object, Value},
};

use super::{Flow, Item, Taker};

/// An element of a resource with its type.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    /// The code of its type: `HumanName`, `dateTime`, `BackboneElement`, `Patient`.
    pub type_code: &'static str,
    /// Its content.
    pub content: NodeContent<'t>,
    structure: Option<&'static Structure>,
}

/// The content of an element.
#[derive(Clone, Copy, Debug)]
pub enum NodeContent<'t> {
    /// Members of its own.
    Object(&'t Object),
    /// A primitive: its value, and its `_` sibling (id and extensions).
    Primitive {
        /// The value, unless there are only extensions.
        value: Option<&'t Value>,
        /// The sibling.
        sibling: Option<&'t Object>,
    },
}

impl<'t> Node<'t> {
    /// A resource.
    #[must_use]
    pub fn of_resource(resource: &'t Object, release: &'static Release) -> Self {
        let name = resource.resource_type().unwrap_or_default();
        let structure = release.resource(name);
        let type_code = structure.map(|structure| structure.path).or_else(|| release.resource_name(name));
        Self { type_code: type_code.unwrap_or("Resource"), content: NodeContent::Object(resource), structure }
    }

    /// An element with members of its own.
    #[must_use]
    pub const fn of_structure(object: &'t Object, type_code: &'static str, structure: &'static Structure) -> Self {
        Self { type_code, content: NodeContent::Object(object), structure: Some(structure) }
    }

    /// An element of that type; none when its content cannot be of it.
    #[must_use]
    pub fn of_element(value: &'t Value, type_ref: &'static TypeRef, release: &'static Release) -> Option<Self> {
        match (type_ref.content, value) {
            (Content::Structure(id), Value::Object(object)) => {
                Some(Self::of_structure(object, type_ref.code, release.structure(id)))
            }
            (Content::Resource, Value::Object(object)) => Some(Self::of_resource(object, release)),
            (Content::Primitive(_), _) if value.primitive_text().is_some() => {
                Some(Self::of_value(value, type_ref.code))
            }
            _ => None,
        }
    }

    /// A primitive with a value.
    #[must_use]
    pub const fn of_value(value: &'t Value, type_code: &'static str) -> Self {
        Self { type_code, content: NodeContent::Primitive { value: Some(value), sibling: None }, structure: None }
    }

    /// The object, when the element has members of its own.
    #[must_use]
    pub const fn object(&self) -> Option<&'t Object> {
        match self.content {
            NodeContent::Object(object) => Some(object),
            NodeContent::Primitive { .. } => None,
        }
    }

    /// The value, when the element is a primitive that has one.
    #[must_use]
    pub const fn value(&self) -> Option<&'t Value> {
        match self.content {
            NodeContent::Primitive { value, .. } => value,
            NodeContent::Object(_) => None,
        }
    }

    /// The text of the value, when the element is a primitive with a value.
    #[must_use]
    pub fn text(&self) -> Option<&'t str> {
        self.value().and_then(Value::primitive_text)
    }

    /// Whether it is a date, a time of day, or both.
    pub(super) fn is_moment(&self) -> bool {
        matches!(self.type_code, "date" | "dateTime" | "instant")
    }

    /// Whether an element of that name is there, in whatever form.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self.content {
            NodeContent::Object(object) => object.iter().any(|(member, value)| {
                let there = || !matches!(value, Value::Array(items) if items.is_empty());
                let plain = member.strip_prefix('_').unwrap_or(member);
                match plain.strip_prefix(name) {
                    Some("") => there(),
                    Some(_) => self.form_of(plain).is_some_and(|(element, _)| element.name == name) && there(),
                    None => false,
                }
            }),
            NodeContent::Primitive { sibling, .. } => sibling.is_some_and(|sibling| sibling.contains(name)),
        }
    }

    /// The choice that a member is a form of (`valueString`), with its type.
    fn form_of(&self, member: &str) -> Option<(&'static Element, &'static TypeRef)> {
        let member = self.structure?.member(member)?;
        (member.element.choice == Choice::OfTypes).then_some((member.element, member.type_ref))
    }

    /// Hands on the elements of that name.
    pub(super) fn member(&self, name: &str, release: &'static Release, taker: Taker<'_, 't>) -> Flow {
        match self.content {
            NodeContent::Object(object) => {
                let Some(structure) = self.structure else { return Flow::Continue(()) };
                if let Some(member) = structure.member(name)
                    && member.element.choice == Choice::Single
                {
                    return elements(object, name, member.type_ref, release, taker);
                }
                let Some(element) = structure.element(name) else { return Flow::Continue(()) };
                self.choice(object, element, release, taker)
            }
            // Primitives have no members but those of their sibling.
            NodeContent::Primitive { sibling: Some(sibling), .. } => in_sibling(sibling, name, release, taker),
            NodeContent::Primitive { .. } => Flow::Continue(()),
        }
    }

    /// Hands on all elements.
    pub(super) fn children(&self, release: &'static Release, taker: Taker<'_, 't>) -> Flow {
        match self.content {
            NodeContent::Object(object) => {
                for element in self.structure.map_or(&[][..], |structure| &structure.elements) {
                    match element.choice {
                        Choice::Single => {
                            if let Some(type_ref) = element.types.first() {
                                elements(object, element.name, type_ref, release, taker)?;
                            }
                        }
                        Choice::OfTypes => self.choice(object, element, release, taker)?,
                    }
                }
                Flow::Continue(())
            }
            NodeContent::Primitive { sibling: Some(sibling), .. } => {
                in_sibling(sibling, "id", release, taker)?;
                in_sibling(sibling, "extension", release, taker)
            }
            NodeContent::Primitive { .. } => Flow::Continue(()),
        }
    }

    /// A choice: the form that is there.
    fn choice(&self, object: &'t Object, element: &Element, release: &'static Release, taker: Taker<'_, 't>) -> Flow {
        for (member, _) in object.iter() {
            let plain = member.strip_prefix('_').unwrap_or(member);
            // A value and its sibling are one element.
            let beside = plain.len() != member.len() && object.contains(plain);
            if beside || !plain.starts_with(element.name) {
                continue;
            }
            if let Some((form, type_ref)) = self.form_of(plain)
                && form.name == element.name
            {
                elements(object, plain, type_ref, release, taker)?;
            }
        }
        Flow::Continue(())
    }

    /// The type of what a reference points to, in a container.
    pub(super) fn target(&self, container: &'t Object) -> Option<Item<'t>> {
        pointed_type(self.object()?, container).map(Item::Target)
    }
}

/// The type of what a reference in a resource points to: as its text says, as the contained resource
/// is, or else as its `type` says.
pub(crate) fn pointed_type<'t>(reference: &'t Object, resource: &'t Object) -> Option<&'t str> {
    let text = reference.str("reference").unwrap_or_default();
    let named = match text.strip_prefix('#') {
        Some(id) => resource
            .objects("contained")
            .find(|contained| contained.str("id") == Some(id))
            .and_then(Object::resource_type),
        None => target_type(text),
    };
    named.or_else(|| reference.str("type"))
}

/// Id and extensions of a primitive.
fn in_sibling<'t>(sibling: &'t Object, name: &str, release: &'static Release, taker: Taker<'_, 't>) -> Flow {
    match name {
        "extension" => {
            for extension in sibling.objects("extension") {
                let structure = release.type_named("Extension");
                let content = NodeContent::Object(extension);
                taker(Item::Node(Node { type_code: "Extension", content, structure }))?;
            }
            Flow::Continue(())
        }
        "id" => match sibling.get("id") {
            Some(id) => taker(Item::Node(Node::of_value(id, "string"))),
            None => Flow::Continue(()),
        },
        _ => Flow::Continue(()),
    }
}

fn elements<'t>(
    object: &'t Object,
    json_name: &str,
    type_ref: &'static TypeRef,
    release: &'static Release,
    taker: Taker<'_, 't>,
) -> Flow {
    let values = object.get(json_name).map(Value::each).unwrap_or_default();
    if let Content::Primitive(primitive) = type_ref.content {
        return primitives(object, json_name, values, type_ref.code, primitive, taker);
    }
    for object in values.iter().filter_map(Value::as_object) {
        let node = match type_ref.content {
            Content::Structure(id) => Node::of_structure(object, type_ref.code, release.structure(id)),
            Content::Resource | Content::Primitive(_) => Node::of_resource(object, release),
        };
        taker(Item::Node(node))?;
    }
    Flow::Continue(())
}

fn primitives<'t>(
    object: &'t Object,
    json_name: &str,
    values: &'t [Value],
    type_code: &'static str,
    primitive: Primitive,
    taker: Taker<'_, 't>,
) -> Flow {
    let sibling = object.iter().find(|(name, _)| name.strip_prefix('_') == Some(json_name)).map(|(_, value)| value);
    let siblings = if primitive == Primitive::Xhtml { &[] } else { sibling.map(Value::each).unwrap_or_default() };
    for position in 0..values.len().max(siblings.len()) {
        let value = values.get(position).filter(|value| value.primitive_text().is_some());
        let sibling = siblings.get(position).and_then(Value::as_object);
        if value.is_some() || sibling.is_some() {
            let content = NodeContent::Primitive { value, sibling };
            taker(Item::Node(Node { type_code, content, structure: None }))?;
        }
    }
    ControlFlow::Continue(())
}

/// The resource type a literal reference names: `…/Patient/1`, `…/Patient/1/_history/2`.
#[must_use]
pub fn target_type(reference: &str) -> Option<&str> {
    if reference.starts_with("urn:") {
        return None;
    }
    let mut segments = reference.rsplit('/');
    let mut id = segments.next()?;
    let mut name = segments.next()?;
    if name == "_history" {
        id = segments.next()?;
        name = segments.next()?;
    }
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphabetic());
    (is_type && !id.is_empty()).then_some(name)
}
