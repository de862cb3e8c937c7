//! That the tables are loaded whole, and say what the specification says.

use super::*;

fn table(release: &Release) -> &'static str {
    match release.id {
        ReleaseId::Stu3 => include_str!("../../data/stu3/structures.tsv"),
        ReleaseId::R4 => include_str!("../../data/r4/structures.tsv"),
    }
}

/// The types an element may have.
fn types_of(structure: &Structure, element: &str) -> Vec<&'static str> {
    structure.element(element).unwrap().types.iter().map(|t| t.code).collect()
}

#[test]
fn every_row_and_every_type_of_it_is_loaded() {
    for release in [r4(), stu3()] {
        let mut rows_seen = 0;
        for line in rows(table(release)) {
            let columns = line.split('\t').collect::<Vec<_>>();
            let [path, min, max, types, ..] = columns[..] else { panic!("{line}") };
            rows_seen += 1;
            let Some((parent, name)) = path.rsplit_once('.') else {
                assert!(release.type_named(path).is_some(), "{path}");
                continue;
            };
            let parent = release.structures().find(|s| s.path == parent).unwrap_or_else(|| panic!("{path}"));
            let element = parent.element(name.trim_end_matches("[x]")).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(element.types.len(), types.split(',').count(), "{path}: {types}");
            assert_eq!(element.choice == Choice::OfTypes, name.ends_with("[x]"), "{path}");
            assert_eq!(element.repeats(), max == "*", "{path}");
            assert_eq!(element.min.to_string(), min, "{path}");
            assert!(element.types.len() == 1 || element.choice == Choice::OfTypes, "{path}");
        }
        let elements: usize = release.structures().map(|s| s.elements.len()).sum();
        let named = release.structures().filter(|s| s.kind != StructureKind::Nested).count();
        assert_eq!(rows_seen, elements + named);
    }
}

#[test]
fn the_counts_are_those_of_the_tables() {
    let counts = |release: &Release| (release.resources().len(), release.resource_names.len());
    assert_eq!(counts(r4()), (40, 146));
    assert_eq!(counts(stu3()), (40, 117));
    assert_eq!(r4().resource_name("Account"), Some("Account"));
    assert!(r4().resource("Account").is_none());
    assert_eq!(r4().resource_name("DeviceComponent"), None);
    assert_eq!(stu3().resource_name("DeviceComponent"), Some("DeviceComponent"));
    assert!(r4().resource("Resource").is_none() && r4().resource("HumanName").is_none());
}

#[test]
fn elements_are_in_the_order_of_the_definition() {
    let names = |path: &str| {
        r4().structures().find(|s| s.path == path).unwrap().elements.iter().map(|e| e.name).collect::<Vec<_>>()
    };
    assert_eq!(names("HumanName"), ["id", "extension", "use", "text", "family", "given", "prefix", "suffix", "period"]);
    assert_eq!(names("DocumentReference.content"), ["id", "extension", "modifierExtension", "attachment", "format"]);
    assert_eq!(names("Extension"), ["id", "extension", "url", "value"]);
    assert_eq!(names("Patient")[..5], ["id", "meta", "implicitRules", "language", "text"]);
}

#[test]
fn a_choice_is_a_member_for_each_type() {
    let extension = r4().type_named("Extension").unwrap();
    let member = extension.member("valueCodeableConcept").unwrap();
    assert_eq!((member.element.name, member.type_ref.code), ("value", "CodeableConcept"));
    assert_eq!(extension.element("value").unwrap().types.len(), 50);
    assert_eq!(
        extension.member("valueBase64Binary").unwrap().type_ref.content,
        Content::Primitive(Primitive::Base64Binary)
    );
    assert!(extension.member("value").is_none() && extension.member("valueUnknown").is_none());
    assert!(stu3().type_named("Extension").unwrap().member("valueCanonical").is_none());
    let deceased = r4().resource("Patient").unwrap().member("deceasedDateTime").unwrap();
    assert_eq!(deceased.element.json_name(deceased.type_ref), "deceasedDateTime");
}

#[test]
fn a_content_reference_is_the_structure_it_names() {
    for (path, element, target) in [
        ("Bundle.entry", "link", "Bundle.link"),
        ("Parameters.parameter", "part", "Parameters.parameter"),
        ("ValueSet.compose", "exclude", "ValueSet.compose.include"),
        ("CodeSystem.concept", "concept", "CodeSystem.concept"),
    ] {
        for release in [r4(), stu3()] {
            let structure = release.structures().find(|s| s.path == path).unwrap();
            let Content::Structure(id) = structure.element(element).unwrap().types[0].content else { panic!("{path}") };
            assert_eq!(release.structure(id).path, target);
        }
    }
}

#[test]
fn xml_attributes_are_the_ids_of_elements_and_the_address_of_extensions() {
    for release in [r4(), stu3()] {
        for structure in release.structures() {
            for element in &structure.elements {
                let is_resource_like = structure.kind == StructureKind::Resource
                    || matches!(structure.path, "Resource" | "DomainResource");
                let attribute =
                    element.name == "id" && !is_resource_like || (structure.path, element.name) == ("Extension", "url");
                assert_eq!(element.xml_form == XmlForm::Attribute, attribute, "{}.{}", structure.path, element.name);
            }
        }
    }
}

#[test]
fn references_say_what_they_may_point_to() {
    let note = r4().resource("DocumentReference").unwrap();
    let author = &note.element("author").unwrap().types[0];
    assert_eq!(author.code, "Reference");
    assert_eq!(
        author.targets,
        ["Practitioner", "PractitionerRole", "Organization", "Device", "Patient", "RelatedPerson"]
    );
    let any = &r4().resource("Basic").unwrap().element("subject").unwrap().types[0];
    assert!(any.targets.is_empty());
    for release in [r4(), stu3()] {
        for type_ref in release.structures().flat_map(|s| &s.elements).flat_map(|e| &e.types) {
            for target in type_ref.targets.iter().filter(|_| type_ref.code == "Reference") {
                assert!(release.resource_name(target).is_some(), "{target}");
            }
        }
    }
}

#[test]
fn what_is_required_and_ruled_is_known_to_the_structure() {
    let note = r4().resource("DocumentReference").unwrap();
    let required = note.required.iter().map(|i| note.elements[*i].name).collect::<Vec<_>>();
    assert_eq!(required, ["status", "content"]);
    let keys = |constraints: &[Constraint]| constraints.iter().map(|c| c.key).collect::<Vec<_>>();
    assert_eq!(keys(&r4().type_named("Attachment").unwrap().constraints), ["att-1"]);
    assert_eq!(keys(&r4().type_named("Organization").unwrap().element("telecom").unwrap().constraints), ["org-3"]);
    assert_eq!(r4().type_named("Narrative").unwrap().rules, ["txt-1", "txt-2"]);
    assert_eq!(types_of(note, "date"), ["instant"]);
    assert_eq!(types_of(stu3().resource("DocumentReference").unwrap(), "indexed"), ["instant"]);
}

#[test]
fn code_lists_hold_the_codes_of_required_bindings() {
    let list = r4().code_list("http://hl7.org/fhir/ValueSet/document-reference-status").unwrap();
    let mut codes = list.codes().collect::<Vec<_>>();
    codes.sort_unstable();
    assert_eq!(codes, ["current", "entered-in-error", "superseded"]);
    assert_eq!(list.get("current").unwrap().system, "http://hl7.org/fhir/document-reference-status");
    for release in [r4(), stu3()] {
        for binding in release.structures().flat_map(|s| &s.elements).filter_map(|e| e.binding) {
            let endless = binding.value_set.contains("mimetypes")
                || binding.value_set.contains("bcp13")
                || binding.value_set.contains("currencies");
            let required = binding.strength == BindingStrength::Required;
            assert!(!required || endless || release.code_list(binding.value_set).is_some(), "{}", binding.value_set);
        }
    }
}
