//! The reader: one walk over the parsed document, guided by the table.

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::{FHIR, Judged, XHTML, XSI, extent, narrative, refusal, unreadable};
use crate::{
    json::{self, Limits},
    outcome::{Issue, IssueKind},
    place::Place,
    primitive,
    release::{Content, Element, Member, Primitive, Release, Structure, XmlForm},
    spelling, text,
    tree::{Object, Value},
};

pub(super) fn resource(bytes: &[u8], release: &'static Release, limits: &Limits) -> Judged<Object> {
    if bytes.len() > limits.bytes {
        let (size, limit) = (bytes.len(), limits.bytes);
        return Err(unreadable(
            IssueKind::TooLong,
            text!(
                en: "The document has {size} bytes; the limit is {limit}.",
                fr: "Le document fait {size} octets ; la limite est de {limit}.",
            ),
        ));
    }
    let text = simdutf8::basic::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).map_err(|_| {
        unreadable(
            IssueKind::Structure,
            text!(en: "The document is not valid UTF-8.", fr: "Le document n'est pas de l'UTF-8 valide."),
        )
    })?;
    extent::check(text, limits)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.nodes).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        unreadable(
            IssueKind::Structure,
            text!(
                en: "The document is not well-formed XML: {error}.",
                fr: "Le document n'est pas du XML bien formé : {error}.",
            ),
        )
    })?;
    let root = document.root_element();
    let mut reader =
        Reader { release, element: release.type_named("Element"), depth_left: limits.depth.min(Limits::DEEPEST) };
    reader.resource(root, Place::root(root.tag_name().name()), Nesting::Root)
}

struct Reader {
    release: &'static Release,
    /// What ids and extensions of primitives are made of.
    element: Option<&'static Structure>,
    /// How many levels the tree may still gain: the same document as JSON must be readable too.
    depth_left: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Root,
    Inside,
}

impl Reader {
    /// An element that is a resource: `<Patient>…</Patient>`.
    fn resource(&mut self, node: Node<'_, '_>, place: Place<'_>, nesting: Nesting) -> Judged<Object> {
        let name = node.tag_name().name();
        if node.tag_name().namespace() != Some(FHIR) {
            return Err(refusal(
                place,
                text!(
                    en: "The element \"{name}\" is not in the namespace {FHIR}.",
                    fr: "L'élément « {name} » n'est pas dans l'espace de noms {FHIR}.",
                ),
            ));
        }
        let Some(structure) = self.release.resource(name) else {
            return Err(Box::new(self.unknown_resource(name, place)));
        };
        let mut object = Object::with_capacity(8);
        object.push("resourceType", name);
        for attribute in node.attributes() {
            let is_schema_location = attribute.namespace() == Some(XSI) && nesting == Nesting::Root;
            if !is_schema_location {
                return Err(unknown_attribute(attribute.name(), place));
            }
        }
        self.children(node, structure, place, &mut object)?;
        Ok(object)
    }

    fn unknown_resource(&self, name: &str, place: Place<'_>) -> Issue {
        if self.release.resource_name(name).is_some() {
            return Issue::error(
                IssueKind::NotSupported,
                place,
                text!(
                    en: "The resource type {name} exists in FHIR, but this server does not hold it.",
                    fr: "Le type de ressource {name} existe dans FHIR, mais ce serveur ne le gère pas.",
                ),
            );
        }
        let (en, fr) = suggestion(name, self.release.resources());
        *refusal(
            place,
            text!(
                en: "\"{name}\" is not a resource type.{en}",
                fr: "« {name} » n'est pas un type de ressource.{fr}",
            ),
        )
    }

    /// The attributes and elements of a data type or nested element.
    fn structure(&mut self, node: Node<'_, '_>, structure: &Structure, place: Place<'_>) -> Judged<Object> {
        let mut object = Object::with_capacity(4);
        for attribute in node.attributes() {
            self.attribute(attribute, structure, place, &mut object)?;
        }
        self.children(node, structure, place, &mut object)?;
        Ok(object)
    }

    fn attribute(
        &self,
        attribute: roxmltree::Attribute<'_, '_>,
        structure: &Structure,
        place: Place<'_>,
        object: &mut Object,
    ) -> Judged<()> {
        let name = attribute.name();
        let member = structure.member(name).filter(|m| m.element.xml_form == XmlForm::Attribute);
        match member {
            Some(member) if attribute.namespace().is_none() => {
                object.push(member.element.name, attribute.value());
                Ok(())
            }
            _ => Err(unknown_attribute(name, place)),
        }
    }

    fn children(
        &mut self,
        node: Node<'_, '_>,
        structure: &Structure,
        place: Place<'_>,
        object: &mut Object,
    ) -> Judged<()> {
        let mut elements = Elements::of(node.first_child(), place);
        let mut reached = None::<(usize, &'static str)>;
        while let Some(first) = elements.next()? {
            let name = first.tag_name().name();
            let Some(member) = structure.member(name).filter(|m| m.element.xml_form == XmlForm::Element) else {
                let path = structure.path;
                let known = structure.elements.iter().filter(|e| e.xml_form == XmlForm::Element);
                let (en, fr) = suggestion(name, known.map(|e| e.name));
                return Err(refusal(
                    place.child(name),
                    text!(
                        en: "The element \"{name}\" is unknown in {path}.{en}",
                        fr: "L'élément « {name} » est inconnu dans {path}.{fr}",
                    ),
                ));
            };
            check_order(&mut reached, &member, place)?;
            check_namespace(first, &member, place)?;
            let mut collected = Collected::default();
            self.collect(first, &member, place, &mut collected)?;
            while let Some(next) = elements.next_named(first)? {
                if !member.element.repeats() {
                    return Err(refusal(
                        place.child(member.element.name),
                        text!(
                            en: "The element \"{name}\" may occur only once here.",
                            fr: "L'élément « {name} » ne peut figurer qu'une fois ici.",
                        ),
                    ));
                }
                self.collect(next, &member, place, &mut collected)?;
            }
            collected.put(name, member.element, object);
        }
        Ok(())
    }

    /// Reads one repetition of an element.
    fn collect(
        &mut self,
        node: Node<'_, '_>,
        member: &Member<'_>,
        parent: Place<'_>,
        collected: &mut Collected,
    ) -> Judged<()> {
        let mut place = parent.child(member.element.name);
        if member.element.repeats() {
            place = place.item(collected.values.len());
        }
        let levels = 1 + usize::from(member.element.repeats());
        let Some(left) = self.depth_left.checked_sub(levels) else {
            return Err(unreadable(
                IssueKind::TooCostly,
                text!(en: "Elements are nested too deep.", fr: "Les éléments sont imbriqués trop profondément."),
            ));
        };
        self.depth_left = left;
        let (value, sibling) = match member.type_ref.content {
            Content::Primitive(Primitive::Xhtml) => (Some(narrative::div_text(node).into()), None),
            Content::Primitive(primitive) => self.primitive(node, primitive, place)?,
            Content::Structure(id) => (Some(self.structure(node, self.release.structure(id), place)?.into()), None),
            Content::Resource => (Some(self.nested_resource(node, place)?.into()), None),
        };
        self.depth_left = left + levels;
        collected.values.push(value);
        collected.siblings.push(sibling);
        Ok(())
    }

    /// The value of a primitive, and its id and extensions.
    fn primitive(
        &mut self,
        node: Node<'_, '_>,
        primitive: Primitive,
        place: Place<'_>,
    ) -> Judged<(Option<Value>, Option<Object>)> {
        let mut value = None;
        let mut sibling = Object::new();
        for attribute in node.attributes() {
            if attribute.name() == "value" && attribute.namespace().is_none() {
                value = Some(typed(attribute.value(), primitive, place)?);
            } else if let Some(element) = self.element {
                self.attribute(attribute, element, place, &mut sibling)?;
            }
        }
        if let Some(element) = self.element {
            self.children(node, element, place, &mut sibling)?;
        }
        if value.is_none() && sibling.is_empty() {
            return Err(refusal(
                place,
                text!(
                    en: "The element is empty: it has neither a value nor extensions.",
                    fr: "L'élément est vide : il n'a ni valeur ni extension.",
                ),
            ));
        }
        Ok((value, Some(sibling).filter(|s| !s.is_empty())))
    }

    /// `contained` and `Bundle.entry.resource` hold exactly one resource.
    fn nested_resource(&mut self, node: Node<'_, '_>, place: Place<'_>) -> Judged<Object> {
        if let Some(attribute) = node.attributes().next() {
            return Err(unknown_attribute(attribute.name(), place));
        }
        let mut elements = Elements::of(node.first_child(), place);
        match (elements.next()?, elements.next()?) {
            (Some(only), None) => self.resource(only, place, Nesting::Inside),
            _ => Err(refusal(
                place,
                text!(
                    en: "The element must hold exactly one resource.",
                    fr: "L'élément doit contenir exactement une ressource.",
                ),
            )),
        }
    }
}

/// The repetitions of one element: values, and ids and extensions, side by side.
#[derive(Default)]
struct Collected {
    values: Vec<Option<Value>>,
    siblings: Vec<Option<Object>>,
}

impl Collected {
    /// Puts them into the object as FHIR's JSON does: arrays padded with nulls, left out when they
    /// would hold nothing.
    fn put(self, name: &str, element: &Element, object: &mut Object) {
        let siblings = self.siblings.into_iter().map(|s| s.map(Value::Object)).collect::<Vec<_>>();
        for (prefix, side) in [("", self.values), ("_", siblings)] {
            if side.iter().all(Option::is_none) {
                continue;
            }
            let name = compact_str::format_compact!("{prefix}{name}");
            if element.repeats() {
                object.push(name, side.into_iter().map(|v| v.unwrap_or(Value::Null)).collect::<Vec<_>>());
            } else if let Some(value) = side.into_iter().flatten().next() {
                object.push(name, value);
            }
        }
    }
}

/// The elements among the children of a node; anything else but comments and blanks is refused.
struct Elements<'a, 'input, 'p> {
    next: Option<Node<'a, 'input>>,
    place: Place<'p>,
}

impl<'a, 'input, 'p> Elements<'a, 'input, 'p> {
    const fn of(first: Option<Node<'a, 'input>>, place: Place<'p>) -> Self {
        Self { next: first, place }
    }

    fn next(&mut self) -> Judged<Option<Node<'a, 'input>>> {
        let found = self.peek()?;
        self.next = found.and_then(|node| node.next_sibling());
        Ok(found)
    }

    /// The next element when it has the name of that one.
    fn next_named(&mut self, like: Node<'_, '_>) -> Judged<Option<Node<'a, 'input>>> {
        match self.peek()? {
            Some(node) if node.tag_name() == like.tag_name() => self.next(),
            _ => Ok(None),
        }
    }

    fn peek(&mut self) -> Judged<Option<Node<'a, 'input>>> {
        while let Some(node) = self.next {
            match node.node_type() {
                NodeType::Element => return Ok(Some(node)),
                NodeType::Text if node.text().is_some_and(|t| !t.trim_ascii().is_empty()) => {
                    return Err(refusal(
                        self.place,
                        text!(
                            en: "There is text between the elements; FHIR writes values in the attribute \"value\".",
                            fr: "Il y a du texte entre les éléments ; FHIR écrit les valeurs dans l'attribut « value ».",
                        ),
                    ));
                }
                _ => self.next = node.next_sibling(),
            }
        }
        Ok(None)
    }
}

/// Elements come in the order of the definition.
fn check_order(reached: &mut Option<(usize, &'static str)>, member: &Member<'_>, place: Place<'_>) -> Judged<()> {
    let name = member.element.name;
    match *reached {
        Some((index, later)) if member.index < index => Err(refusal(
            place.child(name),
            text!(
                en: "The element \"{name}\" must come before \"{later}\", its repetitions one after the other.",
                fr: "L'élément « {name} » doit précéder « {later} », ses répétitions l'une après l'autre.",
            ),
        )),
        _ => {
            *reached = Some((member.index, name));
            Ok(())
        }
    }
}

fn check_namespace(node: Node<'_, '_>, member: &Member<'_>, place: Place<'_>) -> Judged<()> {
    let wanted = match member.type_ref.content {
        Content::Primitive(Primitive::Xhtml) => XHTML,
        _ => FHIR,
    };
    if node.tag_name().namespace() == Some(wanted) {
        return Ok(());
    }
    let name = node.tag_name().name();
    Err(refusal(
        place.child(member.element.name),
        text!(
            en: "The element \"{name}\" is not in the namespace {wanted}.",
            fr: "L'élément « {name} » n'est pas dans l'espace de noms {wanted}.",
        ),
    ))
}

/// The JSON value of an attribute `value`: a boolean or number where the type is one.
fn typed(value: &str, primitive: Primitive, place: Place<'_>) -> Judged<Value> {
    if !primitive.is_number() && primitive != Primitive::Boolean {
        return Ok(value.into());
    }
    let wrong = |text| Box::new(Issue::error(IssueKind::Value, place, text));
    primitive::check(primitive, value).map_err(wrong)?;
    // The same bounds on digits and exponents as in JSON.
    json::read_value(value.as_bytes(), &Limits::default())
        .map_err(|_| wrong(text!(en: "The number is beyond all measure.", fr: "Le nombre dépasse toute mesure.")))
}

fn unknown_attribute(name: &str, place: Place<'_>) -> Box<Issue> {
    refusal(
        place,
        text!(
            en: "The attribute \"{name}\" is not allowed on this element.",
            fr: "L'attribut « {name} » n'est pas permis sur cet élément.",
        ),
    )
}

/// " Did you mean…", in English and French, or nothing.
fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> (String, String) {
    match spelling::closest(name, known) {
        Some(close) => (format!(" Did you mean \"{close}\"?"), format!(" Vouliez-vous dire « {close} » ?")),
        None => (String::new(), String::new()),
    }
}
