//! Profiles and extensions as `StructureDefinition` resources: their rules as a differential.

use liaison_fhir::{
    array, object,
    outcome::Severity,
    release::{self, Content},
    tree::{Object, Value},
};

use crate::profiles::{
    element::Condition,
    table::{Binding, Profile, Row, base_type},
};

/// A profile as a resource.
#[must_use]
pub fn resource(profile: &Profile) -> Object {
    let kind = if profile.base == "Extension" { "complex-type" } else { "resource" };
    let mut definition = object! {
        "resourceType" => "StructureDefinition",
        "id" => profile.id,
        "language" => "fr",
        "url" => profile.url,
        "version" => profile.version,
        "name" => name(profile.id),
        "title" => profile.title,
        "status" => "active",
        "publisher" => profile.publisher,
        "fhirVersion" => release::view().id.version(),
        "kind" => kind,
        "abstract" => false,
    };
    if let Some(context) = profile.context {
        definition.push("context", array![object! { "type" => "element", "expression" => context }]);
    }
    definition.push("type", profile.base);
    definition.push("baseDefinition", profile.parent);
    definition.push("derivation", "constraint");
    definition.push("differential", object! { "element" => elements(profile) });
    definition
}

/// A name for programs: letters, digits and underscores, a capital first.
fn name(id: &str) -> String {
    id.split('-')
        .map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>())
        .collect()
}

fn elements(profile: &Profile) -> Vec<Value> {
    let mut elements: Vec<Object> = vec![object! { "id" => profile.base, "path" => profile.base }];
    for row in &profile.rows {
        if let Some((Some(condition), base)) = row.as_slice() {
            announce_slices(&mut elements, base, condition);
        }
        elements.push(element(row, profile));
        if let Some((Some(condition), _)) = row.as_slice() {
            elements.extend(discriminating(row.id, condition));
        }
    }
    in_base_order(&mut elements);
    elements.into_iter().map(Value::from).collect()
}

/// A differential follows the order of what it constrains, each element before what is inside it and
/// before its slices; the tables follow what their readers look for.
fn in_base_order(elements: &mut [Object]) {
    let ids: Vec<String> = elements.iter().filter_map(|element| element.str("id").map(str::to_owned)).collect();
    elements.sort_by_cached_key(|element| element.str("id").map(|id| place(id, &ids)));
}

/// Where an element stands: for each step its position in the definition, and that of its slice among
/// those of the profile (0 for the element itself).
fn place(id: &str, ids: &[String]) -> Vec<(usize, usize)> {
    let mut steps = id.split('.');
    let mut walked = steps.next().unwrap_or_default().to_owned();
    let mut structure = release::view().type_named(&walked);
    let mut place = Vec::new();
    for step in steps {
        let name = step.split(':').next().unwrap_or(step).trim_end_matches("[x]");
        let position = structure.and_then(|s| s.elements.iter().position(|element| element.name == name));
        let element = structure.and_then(|s| s.element(name));
        structure = element.and_then(|element| match element.types.first().map(|t| t.content) {
            Some(Content::Structure(id)) => Some(release::view().structure(id)),
            _ => None,
        });
        walked = format!("{walked}.{step}");
        // A slice is never the first of a profile: that is the type itself.
        let slice = ids.iter().position(|id| *id == walked).filter(|_| step.contains(':'));
        place.push((position.unwrap_or_default(), slice.unwrap_or_default()));
    }
    place
}

impl Row {
    /// For a row about a slice: its condition, and the id of the element that is sliced.
    fn as_slice(&self) -> Option<(Option<Condition>, &'static str)> {
        let last = self.steps.last()?;
        last.slice?;
        let (base, _) = self.id.rsplit_once(':')?;
        Some((last.when, base))
    }
}

/// Says of an element how its slices are told apart.
fn announce_slices(elements: &mut Vec<Object>, base: &str, condition: Condition) {
    let own = elements.iter().position(|element| element.str("id") == Some(base));
    let own = own.unwrap_or_else(|| {
        elements.push(object! { "id" => base, "path" => path_of(base) });
        elements.len() - 1
    });
    let Some(own) = elements.get_mut(own).filter(|own| !own.contains("slicing")) else { return };
    let (kind, path) = match condition.path {
        "resource.resourceType" => ("type", "resource"),
        path => ("value", path),
    };
    let slicing = object! {
        "discriminator" => array![object! { "type" => kind, "path" => path }],
        "rules" => "open",
    };
    own.insert_at(2, "slicing", slicing);
}

/// The element inside a slice whose value makes it one. Extensions and types speak for themselves.
fn discriminating(id: &str, condition: Condition) -> Option<Object> {
    let fixed = match condition.path {
        "url" | "resource.resourceType" => return None,
        path if path.ends_with("system") => "fixedUri",
        _ => "fixedCode",
    };
    let id = format!("{id}.{}", condition.path);
    Some(object! { "id" => id.as_str(), "path" => path_of(&id), fixed => condition.value })
}

/// The path of an element id: without the names of slices.
fn path_of(id: &str) -> String {
    id.split('.').map(|step| step.split(':').next().unwrap_or(step)).collect::<Vec<_>>().join(".")
}

fn element(row: &Row, profile: &Profile) -> Object {
    let mut element = object! { "id" => row.id, "path" => path_of(row.id) };
    if let Some(slice) = row.steps.last().and_then(|step| step.slice) {
        element.push("sliceName", slice);
    }
    if let Some(min) = row.min {
        element.push("min", Value::Number(compact_str::format_compact!("{min}")));
    }
    if let Some(max) = row.max_text {
        element.push("max", max);
    }
    if let Some(types) = row.types {
        element.push("type", types_of(types));
    }
    let fixed = match row.binding {
        Some(Binding::Fixed(value)) => Some(("fixedUri", value)),
        Some(Binding::Codes(code)) if !code.contains(',') => Some(("fixedCode", code)),
        _ => None,
    };
    if let Some((member, value)) = fixed {
        element.push(member, value);
    }
    if let Some(Binding::Codes(codes)) = row.binding
        && codes.contains(',')
    {
        element.push("constraint", array![one_of(row, codes, profile.severity)]);
    }
    if row.must_support {
        element.push("mustSupport", true);
    }
    if let Some(Binding::Required(value_set)) = row.binding {
        element.push("binding", object! { "strength" => "required", "valueSet" => value_set });
    }
    element
}

fn one_of(row: &Row, codes: &str, severity: Severity) -> Object {
    let list = codes.split(',').map(|code| format!("'{code}'")).collect::<Vec<_>>().join(" | ");
    let key = row.steps.last().map(|step| step.name).unwrap_or_default();
    object! {
        "key" => format!("codes-{key}"),
        "severity" => severity.code(),
        "human" => format!("L'un de : {}.", codes.replace(',', ", ")),
        "expression" => format!("$this in ({list})"),
    }
}

fn types_of(types: &str) -> Value {
    let inner = |prefix: &str| types.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    if let Some(targets) = inner("Reference(") {
        let targets: Vec<Value> = targets.split('|').map(Value::from).collect();
        return array![object! { "code" => "Reference", "targetProfile" => targets }];
    }
    if let Some(profile) = inner("Extension(") {
        return array![object! { "code" => "Extension", "profile" => array![profile] }];
    }
    match base_type(types) {
        Some(base) => array![object! { "code" => base, "profile" => array![types] }],
        None => array![object! { "code" => types }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::table::all;

    fn definition(id: &str) -> Object {
        resource(all().iter().find(|profile| profile.id == id).unwrap())
    }

    fn element_of(definition: &Object, id: &str) -> Object {
        let differential = definition.object("differential").unwrap();
        let found = differential.objects("element").find(|element| element.str("id") == Some(id));
        found.unwrap_or_else(|| panic!("no {id}")).clone()
    }

    #[test]
    fn the_profile_of_notes_says_what_a_note_is() {
        let note = definition("cdl-document-reference");
        assert_eq!(note.str("name"), Some("CdlDocumentReference"));
        let kind = element_of(&note, "DocumentReference.type");
        assert_eq!((kind.get("min"), kind.str("max")), (Some(&Value::Number("1".into())), Some("1")));
        assert_eq!(kind.object("binding").unwrap().str("strength"), Some("required"));
        assert_eq!(element_of(&note, "DocumentReference.docStatus").str("max"), Some("0"));
        let authors = element_of(&note, "DocumentReference.author");
        assert_eq!(authors.objects("type").next().unwrap().items("targetProfile").len(), 6);
        let urgency = element_of(&note, "DocumentReference.extension:isEmergency");
        assert_eq!(
            (urgency.str("path"), urgency.str("sliceName")),
            (Some("DocumentReference.extension"), Some("isEmergency"))
        );
    }

    #[test]
    fn slices_are_announced_before_all_that_is_said_of_their_element() {
        for profile in all() {
            let definition = resource(profile);
            let elements: Vec<&Object> = definition.object("differential").unwrap().objects("element").collect();
            for (index, element) in elements.iter().enumerate() {
                let Some((base, _)) =
                    element.str("id").unwrap().rsplit_once(':').filter(|(_, slice)| !slice.contains('.'))
                else {
                    continue;
                };
                let announced = elements.iter().position(|e| e.str("id") == Some(base) && e.contains("slicing"));
                assert!(announced.is_some_and(|at| at < index), "{} {base}", profile.id);
            }
            let mut ids: Vec<_> = elements.iter().map(|e| e.str("id").unwrap()).collect();
            ids.sort_unstable();
            let all = ids.len();
            ids.dedup();
            assert_eq!(ids.len(), all, "{}", profile.id);
        }
    }

    #[test]
    fn elements_stand_in_the_order_of_what_they_constrain() {
        let ids = |id| {
            let definition = definition(id);
            let elements = definition.object("differential").unwrap().objects("element");
            elements.map(|element| element.str("id").unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            ids("isUrgent"),
            ["Extension", "Extension.extension", "Extension.url", "Extension.value[x]"],
            "the table has the address first"
        );
        let patient = ids("fr-core-patient-ins");
        let at = |id: &str| patient.iter().position(|other| other == id).unwrap_or_else(|| panic!("no {id}"));
        assert!(at("Patient.extension:birthPlace") < at("Patient.identifier"));
        assert!(at("Patient.extension:birthPlace.value[x]") < at("Patient.extension:identityReliability"));
        assert!(at("Patient.identifier:INS-NIR.type.coding.code") < at("Patient.identifier:INS-NIA"));
        assert!(at("Patient.name") < at("Patient.name:officialName.use"));
        assert!(at("Patient.name:officialName.use") < at("Patient.name:officialName.given"));
    }

    #[test]
    fn what_is_inside_an_element_follows_the_order_of_its_type() {
        let mut elements: Vec<Object> = ["Patient", "Patient.name.period", "Patient.name.family", "Patient.identifier"]
            .map(|id| object! { "id" => id })
            .into();
        in_base_order(&mut elements);
        let ids: Vec<_> = elements.iter().filter_map(|element| element.str("id")).collect();
        assert_eq!(ids, ["Patient", "Patient.identifier", "Patient.name.family", "Patient.name.period"]);
    }

    #[test]
    fn one_value_is_fixed_by_its_type_and_one_of_several_is_a_constraint() {
        let url = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";
        assert_eq!(element_of(&definition("cdl-ext-is-emergency"), "Extension.url").str("fixedUri"), Some(url));
        let role = element_of(&definition("as-practitioner"), "Practitioner.identifier:rpps.system");
        assert_eq!(role.str("fixedUri"), Some("https://rpps.esante.gouv.fr"));
        let creation = definition("cdl-bundle-creation-note");
        let kind = element_of(&creation, "Bundle.type");
        assert_eq!((kind.str("fixedCode"), kind.contains("constraint")), (Some("transaction"), false));
        let method = element_of(&creation, "Bundle.entry.request.method");
        assert_eq!((method.contains("fixedCode"), method.items("constraint").len()), (false, 1));
    }

    #[test]
    fn what_a_reader_must_support_is_said() {
        let note = definition("cdl-document-reference");
        assert_eq!(
            element_of(&note, "DocumentReference.masterIdentifier").get("mustSupport"),
            Some(&Value::Bool(true))
        );
        assert!(!element_of(&note, "DocumentReference.docStatus").contains("mustSupport"));
    }

    #[test]
    fn a_slice_says_which_value_makes_it_one() {
        let patient = definition("fr-core-patient-ins");
        let kind = element_of(&patient, "Patient.identifier:INS-NIR.type.coding.code");
        assert_eq!(
            (kind.str("path"), kind.str("fixedCode")),
            (Some("Patient.identifier.type.coding.code"), Some("INS-NIR"))
        );
        let gender = element_of(&patient, "Patient.gender");
        assert_eq!(
            gender.objects("constraint").next().unwrap().str("expression"),
            Some("$this in ('male' | 'female' | 'unknown')")
        );
    }

    #[test]
    fn an_extension_says_where_it_stands_and_what_it_holds() {
        let urgency = definition("cdl-ext-is-emergency");
        assert_eq!(urgency.str("kind"), Some("complex-type"));
        assert_eq!(urgency.objects("context").next().unwrap().str("expression"), Some("DocumentReference"));
        let value = element_of(&urgency, "Extension.value[x]");
        assert_eq!(value.objects("type").next().unwrap().str("code"), Some("boolean"));
    }
}
