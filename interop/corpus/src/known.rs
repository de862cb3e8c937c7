//! Resources as drawn say things that the HL7 validator looks up beyond the definitions of the base:
//! code systems, attachments and their hashes, expressions. Here these are made plain, so that what
//! is not broken on purpose is not broken.

use liaison_fhir::{
    array, object,
    release::{Content, Release, Structure},
    tree::{Object, Value},
};

/// The same resource, with nothing to look up.
pub fn only(mut resource: Object, release: &'static Release) -> Object {
    if let Some(structure) = resource.resource_type().and_then(|name| release.resource(name)) {
        walk(&mut resource, structure, release);
    }
    resource
}

fn walk(object: &mut Object, structure: &'static Structure, release: &'static Release) {
    plain(object, structure.path);
    for (name, value) in object.iter_mut() {
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        // Beside a primitive there are extensions too.
        let content = match name.strip_prefix('_') {
            Some(_) => release.structure_id("Element").map(Content::Structure),
            None => structure.member(name).map(|member| member.type_ref.content),
        };
        let Some(content) = content else { continue };
        for inner in items.iter_mut().filter_map(Value::as_object_mut) {
            match content {
                Content::Structure(id) => walk(inner, release.structure(id), release),
                Content::Resource => {
                    if let Some(structure) = inner.resource_type().and_then(|name| release.resource(name)) {
                        walk(inner, structure, release);
                    }
                }
                Content::Primitive(_) => {}
            }
        }
    }
    object.retain(|_, value| !value.as_object().is_some_and(Object::is_empty));
}

fn plain(object: &mut Object, path: &str) {
    match path {
        "Attachment" => {
            drop(object, &["hash", "size"]);
            if object.is_empty() || object.len() == 1 && object.contains("id") {
                object.push("title", "vide");
            }
        }
        "OperationDefinition" => drop(object, &["inputProfile", "outputProfile"]),
        "Meta" => drop(object, &["profile", "security", "tag"]),
        "SearchParameter" => {
            drop(object, &["expression", "component", "derivedFrom"]);
            object.push("expression", "id");
        }
        "CodeSystem" => drop(object, &["count", "property"]),
        "CodeSystem.concept" => drop(object, &["property"]),
        "StructureDefinition" => drop(object, &["fhirVersion"]),
        // Relative references need to know where the bundle comes from.
        "Bundle" => drop(object, &["identifier", "signature"]),
        "Expression" => {
            object.set("language", "text/fhirpath");
        }
        "Patient.communication" => {
            object.set("language", french());
        }
        "Practitioner" if object.contains("communication") => {
            object.set("communication", array![french()]);
        }
        _ => {}
    }
    if object
        .str("system")
        .is_some_and(|system| system.starts_with("http://hl7.org/") || system.starts_with("http://terminology"))
    {
        object.set("system", "http://example.org/codes");
    }
}

fn french() -> Object {
    object! { "coding" => array![object! { "system" => "urn:ietf:bcp:47", "code" => "fr" }] }
}

fn drop(object: &mut Object, names: &[&str]) {
    for name in names {
        object.remove(name);
        object.remove(&format!("_{name}"));
    }
}
