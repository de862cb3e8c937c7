//! `ElementDefinition.type`: STU3 repeats a type for each of its profiles, R4 has each type once and
//! its profiles in lists (eld-13). The values of primitive types have a type of FHIRPath in R4
//! (`http://hl7.org/fhirpath/System.String`) and none in STU3, which tells how they are written
//! instead (sdf-19).

use super::structure_definition::is_logical;
use crate::{
    convert::{
        fill::nothing,
        items::{Form, Item, read, write},
        rules::Scene,
    },
    tree::{Object, Value},
};

/// What the addresses of the types of FHIRPath begin with.
const SYSTEM: &str = "http://hl7.org/fhirpath/System.";
/// The types of FHIRPath, and those of FHIR that have such values.
const SYSTEM_TYPES: &[(&str, &str)] = &[
    ("Boolean", "boolean"),
    ("Date", "date"),
    ("DateTime", "dateTime"),
    ("Decimal", "decimal"),
    ("Integer", "integer"),
    ("Quantity", "Quantity"),
    ("String", "string"),
    ("Time", "time"),
];
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const JSON_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-json-type";
const XML_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-xml-type";

/// Each type once.
pub(in crate::convert) fn merged(part: &Object, _: &Scene<'_>) -> Object {
    let mut types: Vec<Type> = Vec::new();
    for said in part.objects("type") {
        let mut new = Type::of(said, Form::One);
        new.name_for_r4();
        match types.iter_mut().find(|t| t.code().is_some() && t.code() == new.code()) {
            Some(same) => {
                same.profiles.append(&mut new.profiles);
                same.targets.append(&mut new.targets);
            }
            None => types.push(new),
        }
    }
    written(types.into_iter().map(|mut one| {
        if !matches!(one.code(), Some("Reference" | "canonical")) {
            // eld-17
            one.targets.clear();
        }
        one.write(Form::Many)
    }))
}

/// A type for each of its profiles.
pub(in crate::convert) fn one_by_one(part: &Object, scene: &Scene<'_>) -> Object {
    let is_root = scene.node.str("path").is_some_and(|path| !path.contains('.'));
    if is_root && scene.within == "StructureDefinition.differential" {
        // sdf-15a, in STU3 also for logical models.
        return Object::new();
    }
    let mut types: Vec<Type> = Vec::new();
    for said in part.objects("type") {
        let mut whole = Type::of(said, Form::Many);
        whole.name_for_stu3(scene);
        if whole.code() != Some("Reference") {
            // eld-4
            whole.aggregation = Object::new();
        }
        let (profiles, targets) = (std::mem::take(&mut whole.profiles), std::mem::take(&mut whole.targets));
        let count = profiles.len().max(targets.len()).max(1);
        for at in 0..count {
            let nth = |items: &[Item]| items.get(at).or_else(|| items.first()).cloned().into_iter().collect();
            let one = Type { profiles: nth(&profiles), targets: nth(&targets), ..whole.clone() };
            if !types.iter().any(|t| t.is_like(&one)) {
                types.push(one);
            }
            // What is beside the type itself stands there once.
            whole.own = Object::new();
        }
    }
    written(types.into_iter().map(|one| one.write(Form::One)))
}

fn written(types: impl Iterator<Item = Object>) -> Object {
    let types: Vec<Value> = types.map(Value::from).collect();
    let mut result = Object::new();
    if !types.is_empty() {
        result.push("type", types);
    }
    result
}

/// One type of an element.
#[derive(Clone, Debug, Default)]
struct Type {
    /// Its id and extensions.
    own: Object,
    code: Item,
    profiles: Vec<Item>,
    targets: Vec<Item>,
    aggregation: Object,
    /// `versioning` and whatever else there may be.
    rest: Object,
}

impl Type {
    fn of(said: &Object, form: Form) -> Self {
        let items = |name| read(said, name, form).unwrap_or_default();
        let mut result = Self { profiles: items("profile"), targets: items("targetProfile"), ..Self::default() };
        for (name, value) in said.iter() {
            match name {
                "id" | "_id" | "extension" => result.own.push(name, value.clone()),
                "code" => result.code.value = Some(value.clone()),
                "_code" => result.code.sibling = Some(value.clone()),
                "profile" | "_profile" | "targetProfile" | "_targetProfile" => {}
                "aggregation" | "_aggregation" => result.aggregation.push(name, value.clone()),
                _ => result.rest.push(name, value.clone()),
            }
        }
        result
    }

    fn write(self, form: Form) -> Object {
        let mut result = self.own;
        write(&mut result, "code", vec![self.code], Form::One);
        // Without an item there is no list.
        if !self.profiles.is_empty() {
            write(&mut result, "profile", self.profiles, form);
        }
        if !self.targets.is_empty() {
            write(&mut result, "targetProfile", self.targets, form);
        }
        for (name, value) in self.aggregation.into_members().into_iter().chain(self.rest.into_members()) {
            result.push(name, value);
        }
        result
    }

    fn code(&self) -> Option<&str> {
        self.code.value.as_ref().and_then(Value::as_str)
    }

    /// Whether both are the same to STU3 (eld-13).
    fn is_like(&self, other: &Self) -> bool {
        let texts =
            |items: &[Item]| items.first().and_then(|i| i.value.as_ref()).and_then(Value::as_str).map(str::to_owned);
        self.code() == other.code()
            && texts(&self.profiles) == texts(&other.profiles)
            && texts(&self.targets) == texts(&other.targets)
    }

    fn name_for_r4(&mut self) {
        let named = match self.code() {
            None => self.code.sibling.as_ref().and_then(Value::as_object).and_then(system_type_of_form),
            Some(code) if has_extension(&self.own, FHIR_TYPE) => {
                SYSTEM_TYPES.iter().find(|(_, of_fhir)| *of_fhir == code).map(|(system, _)| *system)
            }
            Some(_) => None,
        };
        if let Some(system) = named {
            self.code.value = Some(Value::from(format!("{SYSTEM}{system}")));
        }
    }

    fn name_for_stu3(&mut self, scene: &Scene<'_>) {
        let Some(code) = self.code() else { return };
        let is_name = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_name(code) {
            return;
        }
        let beside = self.code.sibling.as_ref().and_then(Value::as_object);
        if beside.and_then(system_type_of_form).is_some_and(|system| code.strip_prefix(SYSTEM) == Some(system)) {
            self.code.value = None;
            return;
        }
        let of_system = code.strip_prefix(SYSTEM);
        let of_fhir = SYSTEM_TYPES.iter().find(|(system, _)| of_system == Some(*system)).map(|(_, of_fhir)| *of_fhir);
        match of_fhir {
            Some(name) => self.code.value = Some(name.into()),
            None if is_logical(scene.resource) => {}
            None => {
                self.code.value = None;
                self.code.sibling.get_or_insert_with(|| nothing().into());
            }
        }
    }
}

/// The type of FHIRPath of a value by how STU3 says it is written.
fn system_type_of_form(beside: &Object) -> Option<&'static str> {
    let said = |url| {
        let mut extensions = beside.objects("extension");
        extensions.find(|e| e.str("url") == Some(url)).and_then(|e| e.str("valueString"))
    };
    let of_xml = |name: &str| said(XML_TYPE).is_some_and(|xml| xml.split(" OR ").any(|one| one == name));
    Some(match said(JSON_TYPE)? {
        "boolean" => "Boolean",
        "number" if of_xml("xsd:decimal") => "Decimal",
        "number" => "Integer",
        _ if of_xml("xsd:dateTime") => "DateTime",
        _ if of_xml("xsd:date") => "Date",
        _ if of_xml("xsd:time") => "Time",
        _ => "String",
    })
}

fn has_extension(object: &Object, url: &str) -> bool {
    object.objects("extension").any(|e| e.str("url") == Some(url))
}
