//! The hardest documents the tables allow, for the property tests of readers, writers and checks:
//! primitives without value beside extensions, arrays padded with null, texts full of what XML and
//! JSON escape, resources in resources. Members come in the order XML gives them. (For resources
//! that look like real ones, see [`sample`](crate::sample).)

use proptest::prelude::*;

use crate::{
    release::{BindingStrength, Content, Element, Primitive, Release, Structure, TypeRef, XmlForm},
    tree::{Object, Value},
};

/// A random resource of any type of the release.
pub(crate) fn any_resource(release: &'static Release) -> impl Strategy<Value = Object> {
    any::<u64>().prop_map(move |seed| {
        let mut dice = Dice(seed);
        let types = release.resources();
        resource(release, types[dice.below(types.len())], &mut dice, 4)
    })
}

struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn resource(release: &'static Release, name: &'static str, dice: &mut Dice, depth: usize) -> Object {
    let structure = release.resource(name).unwrap();
    let mut object = Object::new();
    object.push("resourceType", name);
    fill(release, structure, dice, depth, &mut object);
    object
}

fn fill(release: &'static Release, structure: &Structure, dice: &mut Dice, depth: usize, object: &mut Object) {
    let complex_extension = structure.path == "Extension" && depth > 1 && dice.one_in(4);
    // Attributes come first, as XML reads them.
    let (attributes, elements): (Vec<_>, Vec<_>) =
        structure.elements.iter().partition(|e| e.xml_form == XmlForm::Attribute);
    for element in attributes.into_iter().chain(elements) {
        let wanted = match (structure.path, element.name) {
            ("Extension", "extension") => complex_extension,
            ("Extension", "value") => !complex_extension,
            ("Reference", "reference") => true,
            ("Reference", "type") => false,
            // Text and narrative rules want more than a random walk gives.
            (_, "contained") => depth > 3 && dice.one_in(8),
            _ => element.min > 0 || depth > 0 && dice.one_in(if depth > 2 { 4 } else { 8 }),
        };
        if wanted {
            put(release, structure, element, dice, depth, object);
        }
    }
}

fn put(
    release: &'static Release,
    structure: &Structure,
    element: &Element,
    dice: &mut Dice,
    depth: usize,
    object: &mut Object,
) {
    let shallow = element.types.iter().filter(|t| matches!(t.content, Content::Primitive(_))).collect::<Vec<_>>();
    let type_ref = if depth <= 1 && !shallow.is_empty() {
        shallow[dice.below(shallow.len())]
    } else {
        &element.types[dice.below(element.types.len())]
    };
    let name = element.json_name(type_ref);
    let count = if element.repeats() { 1 + dice.below(3) } else { 1 };
    let mut values = Vec::new();
    let mut siblings = Vec::new();
    for _ in 0..count {
        let is_plain = element.xml_form == XmlForm::Attribute || matches!(structure.path, "Narrative" | "Extension");
        let with_sibling =
            matches!(type_ref.content, Content::Primitive(_)) && !is_plain && depth > 0 && dice.one_in(6);
        let without_value = with_sibling && element.name != "reference" && dice.one_in(2);
        values.push(if without_value { Value::Null } else { value(release, element, type_ref, dice, depth) });
        siblings.push(if with_sibling { sibling(release, dice, depth) } else { Value::Null });
    }
    for (name, side) in [(name.clone(), values), (format!("_{name}"), siblings)] {
        if side.iter().all(|v| *v == Value::Null) {
            continue;
        }
        if element.repeats() {
            object.push(name, side);
        } else {
            object.push(name, side.into_iter().next().unwrap());
        }
    }
}

fn sibling(release: &'static Release, dice: &mut Dice, depth: usize) -> Value {
    let mut object = Object::new();
    if dice.one_in(3) {
        object.push("id", "e1");
    }
    let mut extension = Object::new();
    fill(release, release.type_named("Extension").unwrap(), dice, depth.saturating_sub(1), &mut extension);
    object.push("extension", vec![Value::Object(extension)]);
    Value::Object(object)
}

fn value(release: &'static Release, element: &Element, type_ref: &TypeRef, dice: &mut Dice, depth: usize) -> Value {
    match type_ref.content {
        Content::Primitive(primitive) => primitive_value(release, element, primitive, dice),
        Content::Structure(id) if type_ref.code == "Reference" => {
            let mut object = Object::new();
            let targets = if type_ref.targets.is_empty() { vec!["Patient"] } else { type_ref.targets.clone() };
            object.push("reference", format!("{}/{}", dice.pick(&targets), dice.below(1000)));
            if dice.one_in(2) {
                object.push("display", text(dice));
            }
            debug_assert_eq!(release.structure(id).path, "Reference");
            Value::Object(object)
        }
        Content::Structure(id) => {
            let mut object = Object::new();
            let mut tries = 0;
            while object.iter().all(|(name, _)| name == "id") {
                // A structure of optional elements must not stay empty, and an id alone is nothing.
                object = Object::new();
                fill(release, release.structure(id), dice, depth.saturating_sub(1) + tries, &mut object);
                tries += 1;
            }
            Value::Object(object)
        }
        Content::Resource => {
            let name = dice.pick(&["Basic", "Patient", "Organization", "Binary"]);
            let mut inner = resource(release, name, dice, depth.min(2).saturating_sub(1));
            if element.name == "contained" {
                inner.remove("id");
                inner.insert_at(1, "id", format!("c{}", dice.roll()));
            }
            Value::Object(inner)
        }
    }
}

fn primitive_value(release: &'static Release, element: &Element, primitive: Primitive, dice: &mut Dice) -> Value {
    if let Some(binding) = element.binding.filter(|b| b.strength == BindingStrength::Required) {
        if let Some(list) = release.code_list(binding.value_set) {
            let mut codes = list.codes().collect::<Vec<_>>();
            codes.sort_unstable();
            return dice.pick(&codes).into();
        }
        return if binding.value_set.contains("currencies") { "EUR" } else { "text/plain" }.into();
    }
    match primitive {
        Primitive::Boolean => Value::Bool(dice.one_in(2)),
        Primitive::Integer => Value::Number(dice.pick(&["0", "-5", "2147483647"]).into()),
        Primitive::UnsignedInt => Value::Number(dice.pick(&["0", "7"]).into()),
        Primitive::PositiveInt => Value::Number(dice.pick(&["1", "12"]).into()),
        Primitive::Decimal => Value::Number(dice.pick(&["1.50", "-0.00", "1e5", "12345678901234567.8"]).into()),
        Primitive::String | Primitive::Markdown => text(dice).into(),
        Primitive::Code => dice.pick(&["fr", "en"]).into(),
        Primitive::Id => format!("id-{}", dice.below(1000)).into(),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => {
            dice.pick(&["http://example.org/é?a=b&c", "urn:oid:1.2.3", "https://example.org/x"]).into()
        }
        Primitive::Oid => "urn:oid:1.2.250.1".into(),
        Primitive::Uuid => "urn:uuid:c757873d-ec9a-4326-a141-556f43239520".into(),
        Primitive::Base64Binary => dice.pick(&["QUJD", "QQ=="]).into(),
        Primitive::Instant => dice.pick(&["2024-05-01T10:00:00.123+02:00", "2024-05-01T10:00:00Z"]).into(),
        Primitive::Date => dice.pick(&["1950", "1950-02", "2024-02-29"]).into(),
        Primitive::DateTime => dice.pick(&["1950", "2024-02-29", "2024-05-01T10:00:00+02:00"]).into(),
        Primitive::Time => "10:30:00".into(),
        Primitive::Xhtml => dice
            .pick(&[
                "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a &amp; b<br/>\n <b id=\"x\">é</b></p></div>",
                "<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"fr\">ok</div>",
            ])
            .into(),
    }
}

fn text(dice: &mut Dice) -> &'static str {
    dice.pick(&["a", "É & <b> \"c\" 'd'", "a\nb\tc\r", " blanks  kept ", "𝄞œ", "]]>"])
}
