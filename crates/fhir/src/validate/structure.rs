//! Which elements there are, in which shape, and how many.

use super::{Around, Transaction, Walk, contained::Container};
use crate::{
    outcome::IssueKind,
    path::evaluate::Node,
    place::Place,
    release::{Choice, Content, Element, Member, Primitive, Structure, StructureKind, XmlForm},
    spelling, text,
    tree::{Object, Value},
};

/// Where a resource stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is what was sent.
    Outermost,
    /// It stands in a `Bundle` or `Parameters`, on its own feet.
    Entry,
    /// It stands in `contained`, part of another.
    Contained,
}

impl<'a> Walk<'a> {
    pub(super) fn resource(&mut self, object: &'a Object, place: Place<'_>, role: Role) {
        let Some(structure) = self.resource_structure(object, place) else { return };
        let around = self.around;
        self.around.resource = object;
        if role == Role::Contained {
            self.check_contained(object, place);
            self.object(object, structure, place, "");
            self.around = around;
            return;
        }
        self.around = Around { resource: object, container: object };
        let transaction = self.transaction;
        if structure.path == "Bundle" {
            self.transaction = match object.str("type") {
                Some("transaction" | "batch") => Transaction::Inside,
                _ => Transaction::Outside,
            };
        }
        self.containers.push(Container::of(object));
        self.check_contained_ids(object, place);
        self.object(object, structure, place, "");
        self.check_contained_used(place);
        self.containers.pop();
        self.around = around;
        self.transaction = transaction;
    }

    fn resource_structure(&mut self, object: &Object, place: Place<'_>) -> Option<&'static Structure> {
        let name = match object.get("resourceType") {
            Some(Value::String(name)) => name.as_str(),
            Some(_) => {
                self.error(
                    IssueKind::Structure,
                    place,
                    text!(en: "\"resourceType\" must be a string.", fr: "« resourceType » doit être une chaîne."),
                );
                return None;
            }
            None => {
                self.error(
                    IssueKind::Required,
                    place,
                    text!(
                        en: "\"resourceType\" is missing: it says what the resource is.",
                        fr: "« resourceType » manque : il dit ce qu'est la ressource.",
                    ),
                );
                return None;
            }
        };
        let release = self.release;
        let structure = release.resource(name);
        if structure.is_none() {
            let (kind, text) = match (release.resource_name(name), spelling::closest(name, release.resources())) {
                (Some(name), _) => (
                    IssueKind::NotSupported,
                    text!(
                        en: "The resource type {name} exists in FHIR, but this server does not hold it.",
                        fr: "Le type de ressource {name} existe dans FHIR, mais ce serveur ne le gère pas.",
                    ),
                ),
                (None, Some(close)) => (
                    IssueKind::Structure,
                    text!(
                        en: "There is no such resource type. Did you mean \"{close}\"?",
                        fr: "Ce type de ressource n'existe pas. Vouliez-vous dire « {close} » ?",
                    ),
                ),
                (None, None) => (
                    IssueKind::Structure,
                    text!(en: "There is no such resource type.", fr: "Ce type de ressource n'existe pas."),
                ),
            };
            self.error(kind, place, text);
        }
        structure
    }

    /// An object that must have that structure. `parent` is the path of the structure around it.
    pub(super) fn object(&mut self, object: &'a Object, structure: &'static Structure, place: Place<'_>, parent: &str) {
        let Some(left) = self.depth_left.checked_sub(1) else {
            self.error(
                IssueKind::TooCostly,
                place,
                text!(en: "Elements are nested too deep.", fr: "Les éléments sont imbriqués trop profondément."),
            );
            return;
        };
        self.depth_left = left;
        let is_resource = structure.kind == StructureKind::Resource;
        let mut seen = Seen::default();
        for (name, value) in object.iter() {
            if self.is_full() {
                break;
            }
            if is_resource && name == "resourceType" {
                continue;
            }
            let plain = name.strip_prefix('_').unwrap_or(name);
            let Some(member) = structure.member(plain) else {
                self.unknown(name, structure, place);
                continue;
            };
            if seen.mark(member.index) && member.element.choice == Choice::OfTypes {
                self.check_one_choice(object, structure, &member, plain, place);
            }
            if plain.len() == name.len() {
                self.member(object, plain, value, &member, structure, place);
            } else {
                self.sibling(object, plain, value, &member, place);
            }
        }
        for index in &structure.required {
            if !seen.has(*index) {
                self.missing(structure.elements.get(*index), place);
            }
        }
        if !is_resource && (object.is_empty() || object.len() == 1 && object.contains("id")) {
            self.error(
                IssueKind::Structure,
                place,
                text!(
                    en: "The object is empty; an element has a value or elements of its own.",
                    fr: "L'objet est vide ; un élément a une valeur ou des éléments à lui.",
                ),
            );
        }
        if !structure.constraints.is_empty() {
            let node = Node::of_structure(object, structure.path, structure);
            self.check_constraints(&structure.constraints, node, place);
        }
        match structure.path {
            "Extension" => self.check_extension_url(object, place, parent),
            "Bundle.entry" => self.check_full_url(object, place),
            _ => {}
        }
        self.depth_left = left + 1;
    }

    fn member(
        &mut self,
        object: &'a Object,
        name: &str,
        value: &'a Value,
        member: &Member<'static>,
        structure: &'static Structure,
        parent: Place<'_>,
    ) {
        let place = parent.child(member.element.name);
        match (member.element.repeats(), value) {
            (true, Value::Array(items)) => {
                if items.is_empty() {
                    self.empty_array(place);
                }
                for (index, item) in items.iter().enumerate() {
                    if self.is_full() {
                        break;
                    }
                    let place = place.item(index);
                    if *item == Value::Null && is_primitive(member) {
                        self.check_null(object, name, index, place);
                    } else {
                        self.content(item, member, structure, place);
                    }
                }
            }
            (true, _) => self.error(
                IssueKind::Structure,
                place,
                text!(
                    en: "\"{name}\" may repeat: JSON writes it as an array, even of one.",
                    fr: "« {name} » peut se répéter : JSON l'écrit comme un tableau, même d'un seul.",
                ),
            ),
            (false, Value::Array(_)) => self.error(
                IssueKind::Structure,
                place,
                text!(
                    en: "\"{name}\" occurs once at most: it must not be an array.",
                    fr: "« {name} » ne figure qu'une fois au plus : ce ne doit pas être un tableau.",
                ),
            ),
            (false, _) => self.content(value, member, structure, place),
        }
    }

    /// One occurrence of an element.
    fn content(&mut self, value: &'a Value, member: &Member<'static>, structure: &'static Structure, place: Place<'_>) {
        if !member.element.constraints.is_empty()
            && let Some(node) = Node::of_element(value, member.type_ref, self.release)
        {
            self.check_constraints(&member.element.constraints, node, place);
        }
        match (member.type_ref.content, value) {
            (Content::Primitive(primitive), _) => self.primitive(value, primitive, member.element, place),
            (Content::Structure(id), Value::Object(object)) => {
                if member.type_ref.code == "Reference" {
                    self.check_reference(object, member.type_ref, place);
                }
                self.object(object, self.release.structure(id), place, structure.path);
            }
            (Content::Resource, Value::Object(object)) => {
                let role = if member.element.name == "contained" { Role::Contained } else { Role::Entry };
                self.resource(object, place, role);
            }
            (Content::Structure(_) | Content::Resource, _) => {
                let code = member.type_ref.code;
                self.error(
                    IssueKind::Structure,
                    place,
                    text!(en: "An object ({code}) is expected here.", fr: "Un objet ({code}) est attendu ici."),
                );
            }
        }
    }

    /// The id and extensions of a primitive: `_birthDate`.
    fn sibling(
        &mut self,
        object: &'a Object,
        name: &str,
        value: &'a Value,
        member: &Member<'static>,
        parent: Place<'_>,
    ) {
        let place = parent.child(member.element.name);
        let takes_one = match member.type_ref.content {
            Content::Primitive(Primitive::Xhtml) | Content::Structure(_) | Content::Resource => false,
            Content::Primitive(_) => member.element.xml_form == XmlForm::Element,
        };
        if !takes_one {
            self.error(
                IssueKind::Structure,
                place,
                text!(
                    en: "\"_{name}\" does not exist: only primitive elements carry ids and extensions beside them.",
                    fr: "« _{name} » n'existe pas : seuls les éléments primitifs portent id et extensions à côté d'eux.",
                ),
            );
            return;
        }
        match (member.element.repeats(), value) {
            (false, Value::Object(sibling)) => self.sibling_object(sibling, object.contains(name), place),
            (true, Value::Array(items)) => {
                let values = object.get(name).and_then(Value::as_array);
                if items.is_empty() {
                    self.empty_array(place);
                }
                if values.is_some_and(|values| values.len() != items.len()) {
                    self.error(
                        IssueKind::Structure,
                        place,
                        text!(
                            en: "\"{name}\" and \"_{name}\" must be of the same length; fill up with null.",
                            fr: "« {name} » et « _{name} » doivent avoir la même longueur ; compléter par null.",
                        ),
                    );
                }
                for (index, item) in items.iter().enumerate() {
                    if self.is_full() {
                        break;
                    }
                    let place = place.item(index);
                    let has_value = values.and_then(|v| v.get(index)).is_some_and(|v| *v != Value::Null);
                    match item {
                        Value::Object(sibling) => self.sibling_object(sibling, has_value, place),
                        Value::Null if has_value => {}
                        // Where the array of values is there too, it already told of the null.
                        Value::Null if values.is_some() => {}
                        _ => self.wrong_sibling(name, place),
                    }
                }
            }
            _ => self.wrong_sibling(name, place),
        }
    }

    fn sibling_object(&mut self, sibling: &'a Object, has_value: bool, place: Place<'_>) {
        let Some(element) = self.release.type_named("Element") else { return };
        let only_id = sibling.len() == 1 && sibling.contains("id");
        if has_value && only_id {
            // An id beside a value is an element with something in it.
            if let (Some(member), Some(value)) = (element.member("id"), sibling.get("id")) {
                self.content(value, &member, element, place.child("id"));
            }
            return;
        }
        self.object(sibling, element, place, element.path);
    }

    fn wrong_sibling(&mut self, name: &str, place: Place<'_>) {
        self.error(
            IssueKind::Structure,
            place,
            text!(
                en: "\"_{name}\" must hold objects with an id or extensions, in an array if \"{name}\" repeats.",
                fr: "« _{name} » doit contenir des objets avec un id ou des extensions, dans un tableau si « {name} » se répète.",
            ),
        );
    }

    /// `null` in an array of primitives stands where there are only extensions.
    fn check_null(&mut self, object: &Object, name: &str, index: usize, place: Place<'_>) {
        let sibling = object.iter().find(|(n, _)| n.strip_prefix('_') == Some(name)).map(|(_, v)| v);
        if !matches!(sibling.and_then(Value::as_array).and_then(|s| s.get(index)), Some(Value::Object(_))) {
            self.error(
                IssueKind::Structure,
                place,
                text!(
                    en: "null stands only where \"_{name}\" has an object at the same position.",
                    fr: "null ne figure que là où « _{name} » a un objet à la même position.",
                ),
            );
        }
    }

    fn empty_array(&mut self, place: Place<'_>) {
        self.error(
            IssueKind::Structure,
            place,
            text!(
                en: "The array is empty; leave the element out instead.",
                fr: "Le tableau est vide ; omettre l'élément à la place.",
            ),
        );
    }

    fn unknown(&mut self, name: &str, structure: &Structure, place: Place<'_>) {
        let path = structure.path;
        let text = match spelling::closest(name, structure.member_names()) {
            Some(close) => text!(
                en: "The element \"{name}\" is unknown in {path}. Did you mean \"{close}\"?",
                fr: "L'élément « {name} » est inconnu dans {path}. Vouliez-vous dire « {close} » ?",
            ),
            None => text!(
                en: "The element \"{name}\" is unknown in {path}.",
                fr: "L'élément « {name} » est inconnu dans {path}.",
            ),
        };
        self.error(IssueKind::Structure, place.child(name), text);
    }

    fn missing(&mut self, element: Option<&Element>, place: Place<'_>) {
        let Some(element) = element else { return };
        let name = element.name;
        let any = if element.choice == Choice::OfTypes { "[x]" } else { "" };
        self.error(
            IssueKind::Required,
            place.child(name),
            text!(
                en: "The element \"{name}{any}\" is required.",
                fr: "L'élément « {name}{any} » est obligatoire.",
            ),
        );
    }

    /// A second member of a choice: right only as the `_` sibling of the first.
    fn check_one_choice(
        &mut self,
        object: &Object,
        structure: &Structure,
        member: &Member<'_>,
        name: &str,
        place: Place<'_>,
    ) {
        let first = object
            .iter()
            .map(|(n, _)| n.strip_prefix('_').unwrap_or(n))
            .find(|other| *other != name && structure.member(other).is_some_and(|m| m.index == member.index));
        if let Some(first) = first {
            self.error(
                IssueKind::Structure,
                place.child(member.element.name),
                text!(
                    en: "\"{first}\" and \"{name}\" are forms of one element; only one of them may be there.",
                    fr: "« {first} » et « {name} » sont des formes d'un même élément ; une seule peut figurer.",
                ),
            );
        }
    }
}

fn is_primitive(member: &Member<'_>) -> bool {
    matches!(member.type_ref.content, Content::Primitive(_))
}

/// Which elements of a structure are there. No structure of FHIR has more elements than bits.
#[derive(Default)]
struct Seen(u128);

impl Seen {
    /// Marks one and says whether it was marked before.
    fn mark(&mut self, index: usize) -> bool {
        let before = self.has(index);
        self.0 |= Self::bit(index);
        before
    }

    fn has(&self, index: usize) -> bool {
        self.0 & Self::bit(index) != 0
    }

    fn bit(index: usize) -> u128 {
        u32::try_from(index).ok().and_then(|shift| 1_u128.checked_shl(shift)).unwrap_or(0)
    }
}
