//! What stands where the target requires an element and the source says nothing.
//!
//! Every such element carries `data-absent-reason`, which is what FHIR has for it, and by which the
//! way back knows it and takes it out.

use super::{
    items::{Form, Item, write},
    plan::{form, is_nested},
    rules::Scene,
    shapes::money::CURRENCIES,
};
use crate::{
    array, object,
    release::{Content, Element, Release, TypeRef},
    tree::{Object, Value},
};

const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// The extension that says that the source did not tell.
pub(super) fn unknown() -> Object {
    object! { "url" => DATA_ABSENT_REASON, "valueCode" => "unknown" }
}

/// An element, or primitive sibling, that says only that nothing is known.
pub(super) fn nothing() -> Object {
    object! { "extension" => array![unknown()] }
}

/// The members that stand for a required element of `structure` that the source does not say.
pub(super) fn fill(structure: &str, element: &Element, release: &'static Release, scene: &Scene<'_>) -> Object {
    let mut members = Object::new();
    let usual = match structure {
        // An address that is not said would be none (eld-12).
        "ElementDefinition.binding" => "Reference",
        _ => "CodeableConcept",
    };
    let Some(type_ref) = element.types.iter().find(|t| t.code == usual).or_else(|| element.types.first()) else {
        return members;
    };
    let mut item = nothing_of(type_ref, release, scene);
    match (structure, element.name) {
        // The unsaid default of STU3.
        ("ConceptMap.group.element.target", "equivalence") => item.value = Some("equivalent".into()),
        // A code of a required list has to be one of the list, also where nobody knows which.
        ("Bundle.entry.request", "method") => item.value = Some("PUT".into()),
        ("Bundle.entry.request", "url") => item.value = Some(address_in_request(scene.node).into()),
        ("CapabilityStatement.messaging.supportedMessage", "mode") => item.value = Some("receiver".into()),
        // This server refuses what it does not know.
        ("CapabilityStatement", "acceptUnknown") => item.value = Some("no".into()),
        // STU3 knows consents about privacy only.
        ("Consent", "scope") => {
            if let Some(Value::Object(scope)) = &mut item.value {
                let coding = object! {
                    "system" => "http://terminology.hl7.org/CodeSystem/consentscope", "code" => "patient-privacy",
                };
                scope.push("coding", array![coding]);
            }
        }
        // What it would be if the element were new here.
        ("ElementDefinition", "base") => {
            if let Some(Value::Object(base)) = &mut item.value {
                for name in ["path", "min", "max"] {
                    if let Some(said) = scene.node.get(name) {
                        base.remove(&format!("_{name}"));
                        base.push(name, said.clone());
                    }
                }
            }
        }
        // From where the codes are is not known either.
        ("ValueSet.compose", "include") => {
            if let Some(Value::Object(include)) = &mut item.value {
                include.push("_system", nothing());
            }
        }
        ("DocumentReference", "indexed") => item.value = scene.last_updated.map(Value::from),
        _ => {}
    }
    write(&mut members, &element.json_name(type_ref), vec![item], form(element));
    if (structure, element.name) == ("Money", "code") {
        // A code has a system (qty-3), and that of money is always the same.
        members.push("system", CURRENCIES);
    }
    members
}

/// Where a request to write what an entry holds would go.
fn address_in_request(entry: &Object) -> String {
    let resource = entry.object("resource");
    let name = resource.and_then(Object::resource_type).unwrap_or("Resource");
    match resource.and_then(|resource| resource.str("id")) {
        Some(id) => format!("{name}/{id}"),
        None => name.to_owned(),
    }
}

fn nothing_of(type_ref: &TypeRef, release: &'static Release, scene: &Scene<'_>) -> Item {
    let Content::Structure(id) = type_ref.content else {
        return Item { value: None, sibling: Some(nothing().into()) };
    };
    let structure = release.structure(id);
    let mut object = nothing();
    if is_nested(type_ref) {
        // What is required inside is required of this one too.
        for element in structure.elements.iter().filter(|e| e.min > 0) {
            for (name, value) in fill(structure.path, element, release, scene).into_members() {
                object.push(name, value);
            }
        }
    }
    Item::from(Value::from(object))
}

/// Whether members are exactly what [`fill`] puts there.
pub(super) fn is_fill(
    members: &Object,
    structure: &str,
    element: &Element,
    release: &'static Release,
    scene: &Scene<'_>,
) -> bool {
    !members.is_empty() && super::items::same(members, &fill(structure, element, release, scene))
}

/// A primitive that is filled, with or without a value to stand in.
pub(super) fn fill_primitive(members: &mut Object, name: &str, stand_in: Option<&str>) {
    let item = Item { value: stand_in.map(Value::from), sibling: Some(nothing().into()) };
    write(members, name, vec![item], Form::One);
}
