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
            "CapabilityStatement.rest" => {
                let types = match (self.is_wide(), self.release.id) {
                    (false, _) => ["Patient", "Basic", "Slot"],
                    // Types that the other release has not, or has as one.
                    (true, ReleaseId::Stu3) => ["ProcedureRequest", "ReferralRequest", "Patient"],
                    (true, ReleaseId::R4) => ["BiologicallyDerivedProduct", "Patient", "CatalogEntry"],
                };
                different(object, "resource", "type", &types);
            }
            "CapabilityStatement.messaging" if self.is_wide() && has(object, "event") => {
                drop_all(object, &["endpoint", "supportedMessage"]);
            }
            "CapabilityStatement.messaging" if self.is_wide() && self.release.id == ReleaseId::R4 => {
                drop_all(object, &["endpoint"]);
            }
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
        let is_wide = self.is_wide();
        let kinds: &[&str] = if is_wide { &["requirements", "capability", "instance"] } else { &["requirements"] };
        let kind = kinds.get(if is_wide { self.below(3) } else { 0 }).copied().unwrap_or("requirements");
        statement.push("kind", kind);
        statement.push("description", "Ce qui est demandé");
        let is_r4 = self.release.id == ReleaseId::R4;
        if kind == "capability" && is_r4 {
            statement.push("software", object! { "name" => self.phrase() });
        }
        if kind == "instance" && is_r4 {
            statement.push("implementation", object! { "description" => self.phrase() });
        }
        if !has(statement, "rest") {
            statement.push("rest", array![object! { "mode" => "server" }]);
        }
        let once: &[&str] = if is_r4 && is_wide { &["document"] } else { &["rest", "document"] };
        for name in once {
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
        if !self.is_wide() {
            structure.push("differential", object! { "element" => array![root, id] });
            return;
        }
        let path = format!("{base}.code");
        let whole = object! {
            "id" => path.as_str(), "path" => path.as_str(), "definition" => self.phrase(), "min" => 0_u64, "max" => "1",
        };
        if self.release.id == ReleaseId::Stu3 && self.chance(50) {
            let first = object! {
                "id" => base, "path" => base, "definition" => self.phrase(), "min" => 0_u64, "max" => "*",
            };
            structure.push("snapshot", object! { "element" => array![first, whole.clone()] });
        }
        let element = self.told(whole);
        structure.push("differential", object! { "element" => array![root, element] });
    }

    /// An element of which more is told: what the releases tell in different ways.
    fn told(&mut self, mut element: Object) -> Object {
        const TARGETS: &[&str] = &["Patient", "Group", "Practitioner"];
        let is_r4 = self.release.id == ReleaseId::R4;
        if self.chance(50) {
            let name = self.pick(if is_r4 { &["a", "a[x]", "@a"] } else { &["a", "b/c"] }).unwrap_or("a");
            element.push("sliceName", name);
        }
        let targets = TARGETS.iter().map(|t| format!("http://hl7.org/fhir/StructureDefinition/{t}"));
        let targets: Vec<Value> = targets.take(self.below(4)).map(Value::from).collect();
        let mut types: Vec<Value> = Vec::new();
        if is_r4 {
            let mut reference = object! { "code" => "Reference" };
            if !targets.is_empty() {
                reference.push("targetProfile", targets);
            }
            types.push(reference.into());
            if self.chance(50) {
                types.push(object! { "code" => "http://hl7.org/fhirpath/System.String" }.into());
            }
        } else {
            let to = |target| object! { "code" => "Reference", "targetProfile" => target }.into();
            types.extend(targets.into_iter().map(to));
            types.push(object! { "code" => "Quantity" }.into());
        }
        element.push("type", types);
        if self.chance(50) {
            element.push("isModifier", true);
            if is_r4 {
                element.push("isModifierReason", self.phrase());
            }
        }
        if self.chance(50) {
            let mut binding = object! { "strength" => "example" };
            match (is_r4, self.below(3)) {
                (true, 0) => binding.push("description", self.phrase()),
                (true, _) => binding.push("valueSet", "http://example.org/fhir/ValueSet/colours"),
                (false, 0) => binding.push("valueSetUri", "http://example.org/fhir/ValueSet/colours"),
                (false, _) => binding.push("valueSetReference", object! { "reference" => "ValueSet/colours" }),
            }
            element.push("binding", binding);
        }
        element
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
