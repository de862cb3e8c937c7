//! Evaluating an expression on a resource, guided by the tables of its release.

use crate::{
    release::{Choice, Content, Element, Release, Structure, TypeRef},
    tree::{Object, Value},
};

use super::{Expression, Literal};

/// Something an expression selects.
#[derive(Clone, Copy, Debug)]
pub enum Item<'t> {
    /// An element of the resource, or the resource itself.
    Node(Node<'t>),
    /// What a reference points to: only its type is known.
    Target(&'t str),
    /// A truth value that was computed.
    Truth(bool),
    /// A literal of the expression.
    Literal(&'t Literal),
}

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
    /// The object, when the element has members of its own.
    #[must_use]
    pub const fn object(&self) -> Option<&'t Object> {
        match self.content {
            NodeContent::Object(object) => Some(object),
            NodeContent::Primitive { .. } => None,
        }
    }

    /// The text of the value, when the element is a primitive with a value.
    #[must_use]
    pub fn text(&self) -> Option<&'t str> {
        match self.content {
            NodeContent::Primitive { value, .. } => value.and_then(Value::primitive_text),
            NodeContent::Object(_) => None,
        }
    }
}

/// Whether a result counts as true where a condition is wanted.
#[must_use]
pub fn holds(items: &[Item<'_>]) -> bool {
    match items {
        [] => false,
        [one] => truth(one).unwrap_or(true),
        _ => true,
    }
}

fn truth(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Truth(truth) | Item::Literal(Literal::Truth(truth)) => Some(*truth),
        Item::Node(node) => match node.content {
            NodeContent::Primitive { value: Some(Value::Bool(truth)), .. } => Some(*truth),
            _ => None,
        },
        Item::Target(_) | Item::Literal(_) => None,
    }
}

/// An evaluation under way.
pub(super) struct Evaluation<'t> {
    release: &'static Release,
    resource: &'t Object,
    here: Item<'t>,
}

impl<'t> Evaluation<'t> {
    pub(super) fn of(resource: &'t Object, release: &'static Release) -> Self {
        let here = Item::Node(resource_node(resource, release));
        Self { release, resource, here }
    }

    pub(super) fn all(&self, expression: &'t Expression) -> Vec<Item<'t>> {
        match expression {
            Expression::Here => vec![self.here],
            Expression::Root(name) => {
                let root = resource_node(self.resource, self.release);
                let fits = root.type_code == &**name || matches!(&**name, "Resource" | "DomainResource");
                if fits { vec![Item::Node(root)] } else { Vec::new() }
            }
            Expression::Member(on, name) => self.flat(on, |node, found| self.member(node, name, found)),
            Expression::Extension(on, url) => self.flat(on, |node, found| {
                let mut extensions = Vec::new();
                self.member(node, "extension", &mut extensions);
                extensions.retain(|item| {
                    matches!(item, Item::Node(node)
                        if node.object().and_then(|object| object.str("url")) == Some(&**url))
                });
                found.append(&mut extensions);
            }),
            Expression::Index(on, position) => self.all(on).into_iter().skip(*position).take(1).collect(),
            Expression::Where(on, condition) => {
                let mut items = self.all(on);
                items.retain(|item| {
                    let inner = Self { release: self.release, resource: self.resource, here: *item };
                    holds(&inner.all(condition))
                });
                items
            }
            Expression::Resolve(on) => self.flat(on, |node, found| found.extend(self.resolve(node))),
            Expression::OfType(on, name) => {
                let mut items = self.all(on);
                items.retain(|item| is_of_type(item, name));
                items
            }
            Expression::Is(on, name) => match self.all(on).as_slice() {
                [] => Vec::new(),
                items => vec![Item::Truth(items.iter().all(|item| is_of_type(item, name)))],
            },
            Expression::Exists(on) => vec![Item::Truth(!self.all(on).is_empty())],
            Expression::Not(on) => match self.all(on).as_slice() {
                [] => Vec::new(),
                items => vec![Item::Truth(!holds(items))],
            },
            Expression::Union(left, right) => {
                let mut items = self.all(left);
                items.extend(self.all(right));
                items
            }
            Expression::Equal(left, right) => equal(&self.all(left), &self.all(right)),
            Expression::And(left, right) => {
                vec![Item::Truth(holds(&self.all(left)) && holds(&self.all(right)))]
            }
            Expression::Or(left, right) => {
                vec![Item::Truth(holds(&self.all(left)) || holds(&self.all(right)))]
            }
            Expression::Literal(literal) => vec![Item::Literal(literal)],
        }
    }

    fn flat(&self, on: &'t Expression, mut each: impl FnMut(Node<'t>, &mut Vec<Item<'t>>)) -> Vec<Item<'t>> {
        let mut found = Vec::new();
        for item in self.all(on) {
            if let Item::Node(node) = item {
                each(node, &mut found);
            }
        }
        found
    }

    fn member(&self, node: Node<'t>, name: &str, found: &mut Vec<Item<'t>>) {
        match node.content {
            NodeContent::Object(object) => {
                let Some(element) = node.structure.and_then(|structure| structure.element(name)) else { return };
                match element.choice {
                    Choice::Single => {
                        if let Some(type_ref) = element.types.first() {
                            self.elements(object, name, type_ref, found);
                        }
                    }
                    Choice::OfTypes => {
                        for type_ref in &element.types {
                            self.elements(object, &Element::json_name(element, type_ref), type_ref, found);
                        }
                    }
                }
            }
            // Primitives have no members but those of their sibling.
            NodeContent::Primitive { sibling: Some(sibling), .. } if name == "extension" => {
                let structure = self.release.type_named("Extension");
                found.extend(sibling.objects("extension").map(|extension| {
                    Item::Node(Node { type_code: "Extension", content: NodeContent::Object(extension), structure })
                }));
            }
            NodeContent::Primitive { .. } => {}
        }
    }

    fn elements(&self, object: &'t Object, json_name: &str, type_ref: &'static TypeRef, found: &mut Vec<Item<'t>>) {
        let values = object.get(json_name).map(Value::each).unwrap_or_default();
        if matches!(type_ref.content, Content::Primitive(_)) {
            let siblings = object.get(&format!("_{json_name}")).map(Value::each).unwrap_or_default();
            for position in 0..values.len().max(siblings.len()) {
                let value = values.get(position).filter(|value| value.primitive_text().is_some());
                let sibling = siblings.get(position).and_then(Value::as_object);
                if value.is_some() || sibling.is_some() {
                    let content = NodeContent::Primitive { value, sibling };
                    found.push(Item::Node(Node { type_code: type_ref.code, content, structure: None }));
                }
            }
            return;
        }
        for object in values.iter().filter_map(Value::as_object) {
            let node = match type_ref.content {
                Content::Structure(id) => Node {
                    type_code: type_ref.code,
                    content: NodeContent::Object(object),
                    structure: Some(self.release.structure(id)),
                },
                Content::Resource | Content::Primitive(_) => resource_node(object, self.release),
            };
            found.push(Item::Node(node));
        }
    }

    fn resolve(&self, node: Node<'t>) -> Option<Item<'t>> {
        match node.content {
            NodeContent::Object(reference) => pointed_type(reference, self.resource).map(Item::Target),
            NodeContent::Primitive { .. } => None,
        }
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

fn resource_node<'t>(resource: &'t Object, release: &'static Release) -> Node<'t> {
    let structure = resource.resource_type().and_then(|name| release.resource(name));
    Node {
        type_code: structure.map_or("Resource", |structure| structure.path),
        content: NodeContent::Object(resource),
        structure,
    }
}

/// Types are compared without case: STU3 writes `DateTime` where it means `dateTime`.
fn is_of_type(item: &Item<'_>, name: &str) -> bool {
    match item {
        Item::Node(node) => node.type_code.eq_ignore_ascii_case(name),
        Item::Target(type_name) => *type_name == name,
        Item::Truth(_) | Item::Literal(Literal::Truth(_)) => name.eq_ignore_ascii_case("boolean"),
        Item::Literal(Literal::Text(_)) => name.eq_ignore_ascii_case("string"),
        Item::Literal(Literal::Number(_)) => name.eq_ignore_ascii_case("decimal"),
    }
}

/// Equality of FHIRPath: nothing when a side is empty; otherwise the same items in the same order.
fn equal<'t>(left: &[Item<'t>], right: &[Item<'t>]) -> Vec<Item<'t>> {
    if left.is_empty() || right.is_empty() {
        return Vec::new();
    }
    let same = left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right));
    vec![Item::Truth(same)]
}

fn same(left: &Item<'_>, right: &Item<'_>) -> bool {
    if let (Some(left), Some(right)) = (truth(left), truth(right)) {
        return left == right;
    }
    if let (Item::Node(left), Item::Node(right)) = (left, right)
        && let (Some(left), Some(right)) = (left.object(), right.object())
    {
        return left == right;
    }
    match (text(left), text(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn text<'t>(item: &Item<'t>) -> Option<&'t str> {
    match item {
        Item::Node(node) => node.text(),
        Item::Target(type_name) => Some(type_name),
        Item::Truth(truth) | Item::Literal(Literal::Truth(truth)) => Some(if *truth { "true" } else { "false" }),
        Item::Literal(Literal::Text(text) | Literal::Number(text)) => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::{array, object, path::Path, release::r4, tree::Object};

    use super::Item;

    fn texts(path: &str, resource: &Object) -> Vec<String> {
        let path = Path::parse(path).unwrap();
        path.evaluate(resource, r4())
            .iter()
            .map(|item| match item {
                Item::Node(node) => node.text().map_or_else(|| node.type_code.to_owned(), str::to_owned),
                other => super::text(other).unwrap().to_owned(),
            })
            .collect()
    }

    fn patient() -> Object {
        object! {
            "resourceType" => "Patient",
            "name" => array![
                object! { "use" => "official", "family" => "ROUBINOWITZ", "given" => array!["Michel", "Paul"] },
                object! { "use" => "usual", "given" => array!["Michou"] },
            ],
            "deceasedBoolean" => false,
            "_birthDate" => object! { "extension" => array![
                object! { "url" => "http://example.org/why", "valueString" => "unknown" },
            ] },
            "generalPractitioner" => array![
                object! { "reference" => "Practitioner/1" },
                object! { "reference" => "https://example.org/fhir/Organization/2/_history/3" },
                object! { "reference" => "#cabinet" },
                object! { "type" => "PractitionerRole", "display" => "Dr Martin" },
            ],
            "contained" => array![object! { "resourceType" => "Organization", "id" => "cabinet" }],
        }
    }

    #[test]
    fn members_run_through_arrays_in_order() {
        assert_eq!(texts("Patient.name.given", &patient()), ["Michel", "Paul", "Michou"]);
        assert_eq!(texts("Patient.name.given[1]", &patient()), ["Paul"]);
        assert_eq!(texts("Patient.name.where(use = 'usual').given.first()", &patient()), ["Michou"]);
        assert_eq!(texts("Practitioner.name.given", &patient()), [""; 0]);
        assert_eq!(texts("Patient.noSuchElement", &patient()), [""; 0]);
    }

    #[test]
    fn a_choice_is_found_under_the_name_of_its_type() {
        assert_eq!(texts("Patient.deceased", &patient()), ["false"]);
        assert_eq!(texts("Patient.deceased as dateTime", &patient()), [""; 0]);
        assert_eq!(texts("Patient.deceased.as(Boolean)", &patient()), ["false"]);
        let rule = Path::parse("Patient.deceased.exists() and Patient.deceased != false").unwrap();
        assert!(!rule.holds(&patient(), r4()));
    }

    #[test]
    fn extensions_of_primitives_are_reached() {
        let value = "Patient.birthDate.extension('http://example.org/why').value";
        assert_eq!(texts(value, &patient()), ["unknown"]);
        assert_eq!(texts("Patient.birthDate.exists()", &patient()), ["true"]);
        assert_eq!(texts("Patient.gender.exists()", &patient()), ["false"]);
    }

    #[test]
    fn references_resolve_to_the_type_they_name() {
        let of = |name: &str| {
            let path = format!("Patient.generalPractitioner.where(resolve() is {name})");
            texts(&path, &patient()).len()
        };
        assert_eq!((of("Practitioner"), of("Organization"), of("PractitionerRole")), (1, 2, 1));
    }
}
