//! Resources that define something: capability statements, operations, parameters, structures.

use super::{Drawing, drop_all, drop_form, has};
use crate::{
    array, object,
    release::ReleaseId,
    tree::{Object, Value},
};

impl Drawing {
    pub(super) fn mend_definition(&mut self, path: &str, object: &mut Object) {
        match path {
            "CapabilityStatement" => self.capabilities(object),
            "CapabilityStatement.rest" => different(object, "resource", "type", &["Patient", "Basic", "Slot"]),
            "CapabilityStatement.rest.resource" => different(object, "searchParam", "name", &["a", "b", "c"]),
            "CapabilityStatement.messaging" => {
                drop_all(object, &["endpoint", "event"]);
                if !has(object, "supportedMessage") {
                    let definition = "http://example.org/fhir/MessageDefinition/relecture";
                    let message = match self.release.id {
                        ReleaseId::Stu3 => {
                            object! { "mode" => "sender", "definition" => object! { "reference" => definition } }
                        }
                        ReleaseId::R4 => object! { "mode" => "sender", "definition" => definition },
                    };
                    object.push("supportedMessage", array![message]);
                }
            }
            "CompartmentDefinition" => self.plain_name(object),
            "OperationDefinition" => self.plain_name(object),
            "OperationDefinition.parameter" => {
                drop_all(object, &["targetProfile", "profile", "type", "searchType"]);
                object.push("type", "string");
            }
            "SearchParameter" => {
                self.plain_name(object);
                drop_all(object, &["xpath", "xpathUsage", "chain"]);
            }
            "StructureDefinition" => self.structure(object),
            "StructureDefinition.mapping" if !has(object, "name") => object.push("name", "volet"),
            "ElementDefinition" => element(object),
            _ => {}
        }
    }

    fn capabilities(&mut self, statement: &mut Object) {
        self.plain_name(statement);
        drop_all(statement, &["kind", "software", "implementation", "description"]);
        statement.push("kind", "requirements");
        statement.push("description", "Ce qui est demandé");
        if !has(statement, "rest") {
            statement.push("rest", array![object! { "mode" => "server" }]);
        }
        for name in ["rest", "document"] {
            if let Some(Value::Array(items)) = statement.get_mut(name) {
                items.truncate(1);
            }
        }
    }

    /// A profile of a type: what a structure may say depends on what it is.
    fn structure(&mut self, structure: &mut Object) {
        self.plain_name(structure);
        let mine = [
            "kind",
            "abstract",
            "type",
            "baseDefinition",
            "derivation",
            "context",
            "contextType",
            "contextInvariant",
            "snapshot",
            "differential",
        ];
        drop_all(structure, &mine);
        let base = self.pick(&["Patient", "DocumentReference", "Basic"]).unwrap_or("Basic");
        structure.push("kind", "resource");
        structure.push("abstract", false);
        structure.push("type", base);
        structure.push("baseDefinition", format!("http://hl7.org/fhir/StructureDefinition/{base}"));
        structure.push("derivation", "constraint");
        let root = object! { "id" => base, "path" => base, "short" => self.phrase() };
        let id = object! { "id" => format!("{base}.id"), "path" => format!("{base}.id"), "min" => 1_u64 };
        structure.push("differential", object! { "element" => array![root, id] });
    }
}

/// Keeps as many of the items as there are names, and gives each its own.
fn different(object: &mut Object, list: &str, member: &str, names: &[&str]) {
    let Some(Value::Array(items)) = object.get_mut(list) else { return };
    items.truncate(names.len());
    for (item, name) in items.iter_mut().filter_map(Value::as_object_mut).zip(names) {
        item.set(member, *name);
    }
}

/// An element that says nothing of its values.
fn element(element: &mut Object) {
    for choice in ["defaultValue", "fixed", "pattern", "minValue", "maxValue"] {
        drop_form(element, choice);
    }
    drop_all(
        element,
        &[
            "contentReference",
            "sliceName",
            "sliceIsConstraining",
            "slicing",
            "min",
            "max",
            "type",
            "binding",
            "constraint",
        ],
    );
    drop_all(element, &["path", "example", "isModifier", "meaningWhenMissing"]);
    element.push("path", "Basic.code");
}
