//! The writer: the inverse of the reader.

use super::{FHIR, Judged, narrative, refusal};
use crate::{
    json::Limits,
    outcome::Issue,
    place::Place,
    release::{Content, Member, Primitive, Release, Structure, StructureKind, XmlForm},
    text,
    tree::{Object, Value},
};

/// How elements are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One after the other.
    Compact,
    /// Each on a line, indented by its depth.
    Pretty,
}

/// What a line begins with, once for each element it stands in.
const INDENT: &str = "  ";

pub(super) fn resource(object: &Object, release: &'static Release, layout: Layout) -> Judged<Vec<u8>> {
    let element = release.type_named("Element");
    let (out, depth_left) = (String::with_capacity(4096), 2 * Limits::DEEPEST);
    let mut writer = Writer { release, element, out, depth_left, layout, inside: 0 };
    writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let name = object.resource_type().unwrap_or_default();
    writer.resource(object, Place::root(name), Some(FHIR))?;
    writer.line();
    Ok(writer.out.into_bytes())
}

struct Writer {
    release: &'static Release,
    /// What ids and extensions of primitives are made of.
    element: Option<&'static Structure>,
    out: String,
    depth_left: usize,
    layout: Layout,
    /// Elements that are open here.
    inside: usize,
}

/// A member ready to be written: its place in the definition, its value, and its `_` sibling.
struct Ready<'a> {
    member: Member<'a>,
    name: &'a str,
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
}

impl Writer {
    fn resource(&mut self, object: &Object, place: Place<'_>, namespace: Option<&str>) -> Judged<()> {
        let name = object.resource_type().unwrap_or_default();
        let Some(structure) = self.release.resource(name) else {
            let name = name.escape_debug();
            return Err(refusal(
                place,
                text!(
                    en: "\"{name}\" is not a resource type of this release.",
                    fr: "« {name} » n'est pas un type de ressource de cette version de FHIR.",
                ),
            ));
        };
        self.open(name);
        if let Some(namespace) = namespace {
            self.attribute("xmlns", namespace, place)?;
        }
        self.content(name, object, structure, place)
    }

    /// What follows the name in the start tag, the elements inside, and the end tag.
    fn content(&mut self, name: &str, object: &Object, structure: &Structure, place: Place<'_>) -> Judged<()> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return Err(refusal(
                place,
                text!(en: "The resource is nested too deep.", fr: "La ressource est trop imbriquée."),
            ));
        };
        self.depth_left = left;
        let members = ready(object, structure, place)?;
        let is_attribute = |ready: &&Ready<'_>| ready.member.element.xml_form == XmlForm::Attribute;
        for ready in members.iter().filter(is_attribute) {
            let place = place.child(ready.name);
            match ready.value.and_then(Value::primitive_text) {
                Some(value) => self.attribute(ready.name, value, place)?,
                None => return Err(misshapen(place)),
            }
        }
        let mut elements = members.iter().filter(|ready| !is_attribute(ready)).peekable();
        if elements.peek().is_none() {
            self.out.push_str("/>");
        } else {
            self.enter();
            for ready in elements {
                self.member(ready, place)?;
            }
            self.close(name);
        }
        self.depth_left = left + 1;
        Ok(())
    }

    fn member(&mut self, ready: &Ready<'_>, parent: Place<'_>) -> Judged<()> {
        let place = parent.child(ready.member.element.name);
        if !ready.member.element.repeats() {
            return self.item(ready, ready.value, ready.sibling, place);
        }
        let values = items(ready.value, place)?;
        let siblings = items(ready.sibling, place)?;
        for index in 0..values.len().max(siblings.len()) {
            self.item(ready, values.get(index), siblings.get(index), place.item(index))?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        ready: &Ready<'_>,
        value: Option<&Value>,
        sibling: Option<&Value>,
        place: Place<'_>,
    ) -> Judged<()> {
        match (ready.member.type_ref.content, value) {
            (Content::Primitive(Primitive::Xhtml), Some(Value::String(div))) if sibling.is_none() => {
                self.narrative(div, place)
            }
            (Content::Primitive(primitive), _) if primitive != Primitive::Xhtml => {
                self.primitive(ready.name, value, sibling, place)
            }
            (Content::Structure(id), Some(Value::Object(object))) if sibling.is_none() => {
                self.open(ready.name);
                self.content(ready.name, object, self.release.structure(id), place)
            }
            (Content::Resource, Some(Value::Object(object))) if sibling.is_none() => {
                self.open(ready.name);
                self.enter();
                self.resource(object, place, None)?;
                self.close(ready.name);
                Ok(())
            }
            _ => Err(misshapen(place)),
        }
    }

    fn primitive(
        &mut self,
        name: &str,
        value: Option<&Value>,
        sibling: Option<&Value>,
        place: Place<'_>,
    ) -> Judged<()> {
        let text = match value {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.primitive_text().ok_or_else(|| misshapen(place))?),
        };
        let sibling = match sibling {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => return Err(misshapen(place)),
        };
        self.open(name);
        if let Some(text) = text {
            self.attribute("value", text, place)?;
        }
        match (sibling, self.element) {
            (Some(sibling), Some(element)) => self.content(name, sibling, element, place),
            _ => {
                self.out.push_str("/>");
                Ok(())
            }
        }
    }

    fn narrative(&mut self, div: &str, place: Place<'_>) -> Judged<()> {
        if !narrative::is_div(div) {
            return Err(refusal(
                place,
                text!(
                    en: "The narrative is not one well-formed XHTML div with its namespace.",
                    fr: "Le texte n'est pas un unique div XHTML bien formé avec son espace de noms.",
                ),
            ));
        }
        self.line();
        self.out.push_str(div);
        Ok(())
    }

    /// Begins a line where lines are wanted.
    fn line(&mut self) {
        if self.layout == Layout::Pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(INDENT, self.inside));
        }
    }

    fn open(&mut self, name: &str) {
        self.line();
        self.out.push('<');
        self.out.push_str(name);
    }

    /// Ends a start tag that elements follow.
    fn enter(&mut self) {
        self.out.push('>');
        self.inside += 1;
    }

    fn close(&mut self, name: &str) {
        self.inside = self.inside.saturating_sub(1);
        self.line();
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str, place: Place<'_>) -> Judged<()> {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        // Base64 can be many megabytes: one look that runs on vectors.
        let is_plain = |b: u8| (b' '..=b'~').contains(&b) && !matches!(b, b'"' | b'&' | b'<' | b'>');
        if value.bytes().fold(true, |plain, b| plain & is_plain(b)) {
            self.out.push_str(value);
            self.out.push('"');
            return Ok(());
        }
        if let Some(illegal) = value.chars().find(|c| !is_xml_character(*c)) {
            let code = u32::from(illegal);
            return Err(refusal(
                place,
                text!(
                    en: "The value holds the character U+{code:04X}, which XML cannot carry.",
                    fr: "La valeur contient le caractère U+{code:04X}, que XML ne peut pas porter.",
                ),
            ));
        }
        narrative::escape(value, &mut self.out);
        self.out.push('"');
        Ok(())
    }
}

/// The members in the order of the definition, each with its sibling.
fn ready<'a>(object: &'a Object, structure: &'a Structure, place: Place<'_>) -> Judged<Vec<Ready<'a>>> {
    let mut members: Vec<Ready<'a>> = Vec::with_capacity(object.len());
    for (name, value) in object.iter() {
        let plain = name.strip_prefix('_').unwrap_or(name);
        if name == "resourceType" && structure.kind == StructureKind::Resource {
            continue;
        }
        let Some(member) = structure.member(plain) else {
            let path = structure.path;
            return Err(refusal(
                place.child(name),
                text!(
                    en: "The element \"{name}\" is unknown in {path}.",
                    fr: "L'élément « {name} » est inconnu dans {path}.",
                ),
            ));
        };
        let (value, sibling) = if plain.len() == name.len() { (Some(value), None) } else { (None, Some(value)) };
        match members.iter_mut().find(|ready| ready.name == plain) {
            Some(there) => {
                there.value = there.value.or(value);
                there.sibling = there.sibling.or(sibling);
            }
            None => members.push(Ready { member, name: plain, value, sibling }),
        }
    }
    members.sort_by_key(|ready| ready.member.index);
    Ok(members)
}

fn items<'a>(value: Option<&'a Value>, place: Place<'_>) -> Judged<&'a [Value]> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(misshapen(place)),
    }
}

fn misshapen(place: Place<'_>) -> Box<Issue> {
    refusal(
        place,
        text!(
            en: "The element does not have the shape the definition asks for.",
            fr: "L'élément n'a pas la forme que demande la définition.",
        ),
    )
}

/// The characters of XML 1.0.
const fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
