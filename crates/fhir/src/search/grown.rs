//! Resources grown at random along the search parameters of their type, for properties.

use crate::{
    release::{Choice, view},
    tree::{Object, Value},
};

use super::parameters;

/// Random choices that shrink well: bytes read one after the other, then zeros.
pub(super) struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        usize::from(*first) % n.max(1)
    }

    pub(super) fn of<T: Copy>(&mut self, pool: &[T]) -> T {
        pool[self.below(pool.len())]
    }

    pub(super) const fn are_left(&self) -> bool {
        !self.bytes.is_empty()
    }
}

pub(super) const TYPES: [&str; 12] = [
    "DocumentReference",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "CareTeam",
    "Location",
    "Encounter",
    "ValueSet",
    "Schedule",
    "CommunicationRequest",
    "AuditEvent",
];
pub(super) const TEXTS: [&str; 7] =
    ["Dupont", "dupond", "Élodie", "MARIE  Anne", "10 Rue de l'Église", "d'Œuf", "Du,pont"];
pub(super) const CODES: [&str; 9] = ["OBS", "GEN", "current", "true", "60", "NH", " OBS ", "a|b", ""];
pub(super) const SYSTEMS: [&str; 6] = [
    "http://a.example",
    "urn:oid:1.2.250.1.213.1.1.4.334",
    "urn:oid1.2.250.1.213.1.1.4.12",
    "1.2.3",
    " http://a.example ",
    "",
];
pub(super) const DATES: [&str; 9] = [
    "2024",
    "2024-03",
    "2024-03-31",
    "2024-03-31T02:30:00+01:00",
    "2024-03-31T02:30:00",
    "2017-06-14T23:11:33.5Z",
    "2024-02-30",
    "hier",
    "2025-01-01T00:00:00+14:00",
];
pub(super) const REFERENCES: [&str; 12] = [
    "Patient/1",
    "Patient/2",
    "Practitioner/1",
    "PractitionerRole/1",
    "Organization/2",
    "DocumentReference/1",
    "https://liaison.example/fhir/r4/Patient/1",
    "Practitioner/2/_history/3",
    "urn:uuid:1",
    "#c",
    "https://other.example/Patient/1",
    "Schedule/1",
];
pub(super) const NUMBERS: [&str; 6] = ["1", "1.50", "-3", "2e1", "48.85", "2.35"];
pub(super) const URIS: [&str; 5] =
    ["http://x.example/a", "http://x.example/a/b", "http://x.example/a|1.0", "urn:oid:1.2", " "];

/// A resource of that type and id; what is in it depends on the choices.
pub(super) fn resource(resource_type: &str, id: &str, choices: &mut Choices<'_>) -> Object {
    let mut resource = crate::object! { "resourceType" => resource_type, "id" => id };
    let parameters = parameters::indexed(resource_type);
    for _ in 0..choices.below(9) {
        let parameter = parameters[choices.below(parameters.len())];
        if parameter.routes.is_empty() {
            continue;
        }
        let (route, _) = &parameter.routes[choices.below(parameter.routes.len())];
        let steps: Vec<_> = route.steps.iter().map(|step| (&*step.member, step.only.as_ref())).collect();
        let value = value(route.type_code, choices);
        plant(&mut resource, &steps, value, choices);
    }
    resource
}

type Condition<'a> = Option<&'a (Box<str>, Box<str>)>;

fn plant(object: &mut Object, steps: &[(&str, Condition<'_>)], value: Value, choices: &mut Choices<'_>) {
    let Some((&(member, only), rest)) = steps.split_first() else { return };
    let mut item = if rest.is_empty() {
        value
    } else {
        let mut below = Object::new();
        plant(&mut below, rest, value, choices);
        Value::Object(below)
    };
    if let (Some((name, text)), Value::Object(item)) = (only, &mut item)
        && choices.below(4) > 0
    {
        item.set(name, &**text);
    }
    match (object.get_mut(member), choices.below(2)) {
        (Some(Value::Array(items)), _) => items.push(item),
        (Some(there), 1) => *there = Value::Array(vec![std::mem::replace(there, Value::Null), item]),
        (Some(_), _) => {}
        (None, 1) => object.push(member, Value::Array(vec![item])),
        (None, _) => object.push(member, item),
    }
}

/// A value of a type, seldom something else.
fn value(type_code: &str, choices: &mut Choices<'_>) -> Value {
    if choices.below(20) == 19 {
        return [Value::Null, Value::Bool(true), Value::from("junk"), Value::from(7_u64), Value::Object(Object::new())]
            [choices.below(5)]
        .clone();
    }
    let text = |choices: &mut Choices<'_>, pool: &[&str]| Value::from(choices.of(pool));
    match type_code {
        "boolean" => Value::Bool(choices.below(2) == 1),
        "decimal" | "integer" | "unsignedInt" | "positiveInt" => Value::Number(choices.of(&NUMBERS).into()),
        "date" | "dateTime" | "instant" => text(choices, &DATES),
        "uri" | "url" | "canonical" | "oid" | "uuid" => text(choices, &URIS),
        "code" | "id" => text(choices, &CODES),
        "string" | "markdown" => text(choices, &TEXTS),
        other => Value::Object(complex(other, choices)),
    }
}

/// A data type with some of its elements.
fn complex(type_code: &str, choices: &mut Choices<'_>) -> Object {
    let mut object = Object::new();
    if type_code == "BackboneElement" {
        object.push("latitude", Value::Number(choices.of(&NUMBERS).into()));
        object.push("longitude", Value::Number(choices.of(&NUMBERS).into()));
        return object;
    }
    let Some(structure) = view().type_named(type_code) else { return object };
    for element in &structure.elements {
        if !choices.are_left() || matches!(element.name, "id" | "extension" | "assigner") || choices.below(3) == 0 {
            continue;
        }
        let type_ref = &element.types[choices.below(element.types.len())];
        let name = match element.choice {
            Choice::Single => element.name.to_owned(),
            Choice::OfTypes => element.json_name(type_ref),
        };
        let value = match (type_code, element.name) {
            ("Reference", "reference") => Value::from(choices.of(&REFERENCES)),
            ("Reference", "type") => Value::from(choices.of(&TYPES)),
            ("Identifier", "value") => Value::from(choices.of(&CODES)),
            (_, "system") => Value::from(choices.of(&SYSTEMS)),
            (_, "comparator") => Value::from(choices.of(&["<", ">=", "?"])),
            _ if type_ref.code == type_code => continue,
            _ => value(type_ref.code, choices),
        };
        object.push(name.as_str(), if element.repeats() { Value::Array(vec![value]) } else { value });
    }
    object
}
