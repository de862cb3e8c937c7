//! Made-up resources for tests: valid in their release, random but repeatable.
//!
//! [`resource`] draws a resource of any type from the tables alone, so it knows no type by name but
//! where FHIR has a rule that the tables do not tell (an extension has a value or extensions, a
//! quantity with a code has a system…). The same release, type and seed give the same resource.
//! All people in it are made up.
//!
//! With the feature `sample` other crates can use it in their tests:
//!
//! ```ignore
//! let note = sample::resource(release::r4(), "DocumentReference", 7);
//! ```

mod primitives;
mod rules;

use crate::{
    array, object,
    release::{Content, Element, Primitive, Release, Structure, TypeRef, XmlForm},
    tree::{Object, Value},
};

/// About how many elements a resource has at most; past it, only what is required is drawn.
const BUDGET: u32 = 250;

/// Resources that stand inside others.
const INSIDE: &[&str] = &["Organization", "Practitioner", "Patient", "Basic", "RelatedPerson"];

/// What the resources that are drawn may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What nobody disputes.
    Agreed,
    /// Also what only the constraints of the one release allow, for conversion to the other.
    OneRelease,
}

/// A valid resource of a type, with an id. The seed chooses which.
///
/// # Panics
/// When the release has no tables for the type: tests name types that exist.
#[must_use]
pub fn resource(release: &'static Release, type_name: &str, seed: u64) -> Object {
    resource_within(Reach::Agreed, release, type_name, seed)
}

/// As [`resource`], of what may be said in such a reach.
///
/// # Panics
/// As [`resource`].
#[must_use]
#[expect(clippy::panic, reason = "made for tests: a type that does not exist is a mistake in the test")]
pub fn resource_within(reach: Reach, release: &'static Release, type_name: &str, seed: u64) -> Object {
    let Some(structure) = release.resource(type_name) else {
        panic!("{type_name} is no resource type of {}", release.id.version());
    };
    let mut drawing = Drawing { release, reach, state: seed ^ 0x9e37_79b9_7f4a_7c15, left: BUDGET };
    drawing.resource(structure, Place::Alone)
}

/// Where a resource stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Alone,
    Entry,
    Contained,
}

/// A drawing under way.
struct Drawing {
    release: &'static Release,
    reach: Reach,
    state: u64,
    left: u32,
}

impl Drawing {
    /// Whether what only this release allows is drawn too.
    fn is_wide(&self) -> bool {
        self.reach == Reach::OneRelease
    }

    /// The next random number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        let at = self.below(from.len());
        from.get(at).copied()
    }

    fn resource(&mut self, structure: &'static Structure, place: Place) -> Object {
        let mut resource = object! { "resourceType" => structure.path };
        let id = if place == Place::Contained { "inside".to_owned() } else { self.id() };
        resource.push("id", id);
        self.members(structure, 0, &mut resource, |name| match name {
            "id" | "contained" | "implicitRules" => false,
            "meta" | "text" => place != Place::Contained,
            _ => true,
        });
        if place == Place::Alone
            && structure.element("contained").is_some()
            && self.chance(20)
            && let Some(inside) = self.pick(INSIDE).and_then(|name| self.release.resource(name))
        {
            let inside = self.resource(inside, Place::Contained);
            resource.push("contained", array![inside]);
            // What is contained must be referred to.
            let link = object! {
                "url" => "http://example.org/fhir/StructureDefinition/inside",
                "valueReference" => object! { "reference" => "#inside" },
            };
            let mut extensions = resource.items("extension").to_vec();
            extensions.push(link.into());
            resource.set("extension", extensions);
        }
        resource
    }

    /// Draws the members of an object, those that `wanted` holds for.
    fn members(
        &mut self,
        structure: &'static Structure,
        depth: usize,
        object: &mut Object,
        wanted: impl Fn(&str) -> bool,
    ) {
        for element in structure.elements.iter().filter(|e| wanted(e.name)) {
            if element.min == 0 && !self.takes(element, depth) {
                continue;
            }
            self.element(element, depth, object);
        }
        self.mend(structure, object);
    }

    /// Whether an optional element is drawn: ever more rarely the deeper it stands.
    fn takes(&mut self, element: &Element, depth: usize) -> bool {
        if self.left == 0 {
            return false;
        }
        let percent = match (element.name, depth) {
            ("extension" | "modifierExtension", 0..=3) => 8,
            ("id", 1..) => 5,
            (_, 0) => 45,
            (_, 1) => 30,
            (_, 2) => 18,
            (_, 3) => 8,
            _ => 2,
        };
        self.chance(percent)
    }

    fn element(&mut self, element: &'static Element, depth: usize, object: &mut Object) {
        self.left = self.left.saturating_sub(1);
        let at = self.below(element.types.len());
        let Some(type_ref) = element.types.get(at) else { return };
        let name = element.json_name(type_ref);
        if !element.repeats() {
            let value = self.value(element, type_ref, depth);
            object.push(name.as_str(), value);
            if let Some(sibling) = self.sibling(element, type_ref, depth) {
                object.push(format!("_{name}"), sibling);
            }
            return;
        }
        let count = 1 + self.below(3);
        let values: Vec<Value> = (0..count).map(|_| self.value(element, type_ref, depth)).collect();
        let siblings: Vec<Value> =
            (0..count).map(|_| self.sibling(element, type_ref, depth).unwrap_or(Value::Null)).collect();
        object.push(name.as_str(), values);
        if siblings.iter().any(|s| !matches!(s, Value::Null)) {
            object.push(format!("_{name}"), siblings);
        }
    }

    fn value(&mut self, element: &Element, type_ref: &'static TypeRef, depth: usize) -> Value {
        match type_ref.content {
            Content::Primitive(primitive) => self.primitive(element, primitive),
            Content::Resource => {
                let name = self.pick(INSIDE).unwrap_or("Basic");
                match self.release.resource(name) {
                    Some(structure) => self.resource(structure, Place::Entry).into(),
                    None => Value::from(object! { "resourceType" => name }),
                }
            }
            Content::Structure(id) => {
                let structure = self.release.structure(id);
                match structure.path {
                    "Extension" => self.extension(depth).into(),
                    "Reference" => self.reference(structure, type_ref, depth).into(),
                    _ => {
                        let mut object = Object::new();
                        self.members(structure, depth + 1, &mut object, |_| true);
                        if is_hollow(&object) {
                            self.at_least_one(structure, depth, &mut object);
                        }
                        object.into()
                    }
                }
            }
        }
    }

    /// FHIR has no empty objects.
    fn at_least_one(&mut self, structure: &'static Structure, depth: usize, object: &mut Object) {
        let wanted: Vec<&Element> =
            structure.elements.iter().filter(|e| !matches!(e.name, "id" | "extension" | "modifierExtension")).collect();
        for _ in 0..8 {
            let Some(element) = self.pick(&wanted) else { return };
            self.element(element, depth + 1, object);
            self.mend(structure, object);
            if !is_hollow(object) {
                return;
            }
        }
        if let Some(extension) = structure.element("extension") {
            self.element(extension, depth + 1, object);
        }
    }

    /// What stands beside a primitive, now and then.
    fn sibling(&mut self, element: &Element, type_ref: &TypeRef, depth: usize) -> Option<Value> {
        let Content::Primitive(primitive) = type_ref.content else { return None };
        let takes_none = primitive == Primitive::Xhtml || element.xml_form == XmlForm::Attribute;
        if takes_none || depth > 2 || !self.chance(4) {
            return None;
        }
        let mut sibling = Object::new();
        if self.chance(40) {
            sibling.push("id", self.id());
        }
        if sibling.is_empty() || self.chance(60) {
            sibling.push("extension", array![self.extension(depth + 1)]);
        }
        Some(sibling.into())
    }

    fn extension(&mut self, depth: usize) -> Object {
        const ADDRESSES: &[&str] = &[
            "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent",
            "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency",
            "http://example.org/fhir/StructureDefinition/colour",
            "http://example.org/fhir/StructureDefinition/mood",
        ];
        if self.is_wide() && self.chance(20) {
            return self.place_of_birth(depth);
        }
        let url = self.pick(ADDRESSES).unwrap_or_default();
        let mut extension = object! { "url" => url };
        if url.ends_with("Urgent") || url.ends_with("emergency") {
            extension.push("valueBoolean", self.chance(50));
            return extension;
        }
        if depth < 2 && self.chance(25) {
            let inside: Vec<Value> = (0..=self.below(2)).map(|_| self.extension(depth + 1).into()).collect();
            extension.push("extension", inside);
            return extension;
        }
        if let Some(value) = self.release.type_named("Extension").and_then(|s| s.element("value")) {
            self.element(value, depth.max(2) + 1, &mut extension);
        }
        extension
    }

    /// An extension with another address in each release.
    fn place_of_birth(&mut self, depth: usize) -> Object {
        let name = self.pick(&["birthPlace", "patient-birthPlace"]).unwrap_or_default();
        let mut address = object! { "city" => self.phrase() };
        if depth < 2 && self.chance(50) {
            address.push("extension", array![self.extension(depth + 1)]);
        }
        object! { "url" => format!("http://hl7.org/fhir/StructureDefinition/{name}"), "valueAddress" => address }
    }

    fn reference(&mut self, structure: &'static Structure, type_ref: &'static TypeRef, depth: usize) -> Object {
        let stored = self.release.resources();
        let target = match self.pick(&type_ref.targets) {
            Some("Resource" | "Any") | None => self.pick(&stored).unwrap_or("Patient"),
            Some(target) => target,
        };
        let mut reference = Object::new();
        match self.below(10) {
            0 => {}
            1 => reference.push("reference", format!("http://example.org/fhir/{target}/{}", self.id())),
            2 => reference.push("reference", format!("urn:uuid:{}", self.uuid())),
            3 => reference.push("reference", format!("{target}/{}/_history/{}", self.id(), 1 + self.below(9))),
            _ => reference.push("reference", format!("{target}/{}", self.id())),
        }
        let has_address = !reference.is_empty();
        if structure.element("type").is_some() && self.chance(15) {
            reference.push("type", target);
        }
        self.members(structure, depth + 1, &mut reference, |name| !matches!(name, "reference" | "type" | "display"));
        if !has_address && !reference.contains("identifier") || self.chance(30) {
            reference.push("display", self.phrase());
        }
        reference
    }
}

/// Whether an element has nothing in it: an id alone is nothing.
fn is_hollow(object: &Object) -> bool {
    object.iter().all(|(name, _)| name == "id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Issue,
        release::{r4, stu3},
        validate::validate,
    };

    #[test]
    fn every_type_is_drawn_valid() {
        for release in [stu3(), r4()] {
            for name in release.resources() {
                for (seed, reach) in (0..40).zip([Reach::Agreed, Reach::OneRelease].into_iter().cycle()) {
                    let issues = validate(&resource_within(reach, release, name, seed), release);
                    assert!(!issues.iter().any(Issue::refuses), "{name} {seed} {reach:?}: {issues:#?}");
                }
            }
        }
    }

    #[test]
    fn the_seed_alone_chooses() {
        assert_eq!(resource(r4(), "Patient", 7), resource(r4(), "Patient", 7));
        assert_ne!(resource(r4(), "Patient", 7), resource(r4(), "Patient", 8));
    }
}
