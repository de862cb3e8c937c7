//! The built-in resources, for the terminology operations.

use std::sync::{Arc, LazyLock};

use liaison_fhir::{
    release,
    terminology::{
        base_lists,
        definitions::Definitions,
        systems::{canonical_system, oid},
    },
    tree::Object,
};

use super::{maps, mos, tables, trees};

/// The nomenclatures, the concept maps, and the value sets of R4 that required bindings name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

/// Every built-in terminology resource, in R4.
#[must_use]
pub fn resources() -> &'static [Arc<Object>] {
    &RESOURCES
}

static RESOURCES: LazyLock<Vec<Arc<Object>>> = LazyLock::new(|| {
    let tables = tables::all().iter().map(trees::resource);
    tables.chain(trees::fragments()).chain(maps::all()).chain(mos::maps()).map(Arc::new).collect()
});

impl Definitions for Builtin {
    fn code_system(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        find("CodeSystem", url, version).or_else(|| find("CodeSystem", &canonical_system(url, None), version))
    }

    fn value_set(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        find("ValueSet", url, version).or_else(|| {
            let base = release::view();
            let listed = base_lists::value_set(base, url)?;
            version.is_none_or(|version| version == base.id.version()).then(|| Arc::new(listed))
        })
    }

    fn concept_map(&self, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
        find("ConceptMap", url, version)
    }

    fn concept_maps_from(&self, _system: &str) -> Vec<Arc<Object>> {
        RESOURCES.iter().filter(|resource| resource.resource_type() == Some("ConceptMap")).map(Arc::clone).collect()
    }
}

/// The resource of that type with that URL, or with that OID as identifier.
fn find(resource_type: &str, url: &str, version: Option<&str>) -> Option<Arc<Object>> {
    let identifier = oid(url).map(|oid| format!("urn:oid:{oid}"));
    let is_named = |resource: &Object| {
        resource.str("url") == Some(url)
            || identifier.as_deref().is_some_and(|oid| {
                let identifiers = resource.get("identifier").map(liaison_fhir::tree::Value::each).unwrap_or_default();
                identifiers.iter().filter_map(|i| i.as_object()).any(|i| i.str("value") == Some(oid))
            })
    };
    RESOURCES
        .iter()
        .find(|resource| {
            resource.resource_type() == Some(resource_type)
                && is_named(resource)
                && version.is_none_or(|version| resource.str("version") == Some(version))
        })
        .cloned()
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{
        outcome::Language,
        terminology::{Circumstances, Operation, inputs::Inputs},
        tree::Value,
    };

    use super::*;

    fn run(operation: Operation, pairs: &[(&str, &str)]) -> Object {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let circumstances =
            Circumstances { timestamp: "2026-01-01T00:00:00Z", identifier: "urn:uuid:1", language: Language::French };
        operation.run(None, &Inputs::from_query(&pairs), &Builtin, &circumstances).unwrap()
    }

    const J23: &str =
        "https://mos.esante.gouv.fr/NOS/JDV_J23-TypeNoteCahierLiaison-CISIS/FHIR/JDV-J23-TypeNoteCahierLiaison-CISIS";
    const R234: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";

    fn first<'a>(answer: &'a Object, name: &str) -> &'a Value {
        let parameter = answer.objects("parameter").find(|p| p.str("name") == Some(name)).unwrap();
        parameter.iter().last().unwrap().1
    }

    #[test]
    fn the_types_of_notes_are_expanded_by_url_and_by_oid() {
        for url in [J23, "urn:oid:1.2.250.1.213.1.1.5.98"] {
            let expanded = run(Operation::Expand, &[("url", url), ("filter", "generale"), ("displayLanguage", "fr")]);
            let found: Vec<_> = expanded.object("expansion").unwrap().objects("contains").collect();
            assert_eq!(found.iter().map(|c| c.str("code").unwrap()).collect::<Vec<_>>(), ["GEN"]);
            assert_eq!(found[0].str("system"), Some(R234));
        }
    }

    #[test]
    fn every_built_in_value_set_expands_and_validates_each_of_its_codes() {
        for table in tables::all().iter().filter(|table| table.kind == tables::Kind::ValueSet) {
            let expanded = run(Operation::Expand, &[("url", table.url)]);
            assert_eq!(
                expanded.object("expansion").unwrap().objects("contains").count(),
                table.codes().count(),
                "{}",
                table.id
            );
            let group = &table.groups[0];
            let asked = [
                ("url", table.url),
                ("system", group.system),
                ("code", group.rows[0].code),
                ("display", group.rows[0].display),
            ];
            // Some codes of the formats have no display in their source.
            let asked = if group.rows[0].display.is_empty() { &asked[..3] } else { &asked };
            assert_eq!(first(&run(Operation::ValidateInValueSet, asked), "result"), &Value::Bool(true), "{}", table.id);
        }
    }

    #[test]
    fn every_code_of_a_built_in_code_system_can_be_looked_up_under_its_oid() {
        for table in tables::all().iter().filter(|table| table.kind == tables::Kind::CodeSystem) {
            let system = if table.oid.is_empty() { table.url.to_owned() } else { format!("urn:oid:{}", table.oid) };
            let row = table.groups[0].rows[0];
            let answer = run(Operation::Lookup, &[("system", &system), ("code", row.code)]);
            assert_eq!(first(&answer, "display").as_str(), Some(row.display), "{}", table.id);
        }
    }

    #[test]
    fn codes_of_2017_become_those_of_today_and_back() {
        for (system, code, today) in [
            ("urn:oid:1.2.250.1.213.1.1.4.12", "OBS", R234),
            (
                "urn:oid:1.2.250.1.71.4.2.7",
                "60",
                "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
            ),
            (
                "urn:oid:2.16.840.1.113883.5.25",
                "N",
                "https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality",
            ),
        ] {
            let found = |answer: &Object, wanted: &str| {
                answer.objects("parameter").filter(|p| p.str("name") == Some("match")).any(|found| {
                    found
                        .objects("part")
                        .filter_map(|part| part.object("valueCoding"))
                        .any(|coding| coding.str("system") == Some(wanted) && coding.str("code") == Some(code))
                })
            };
            assert!(found(&run(Operation::Translate, &[("system", system), ("code", code)]), today), "{system}");
            let back = run(Operation::Translate, &[("system", today), ("code", code), ("reverse", "true")]);
            assert!(found(&back, system), "{system} back");
        }
    }

    #[test]
    fn the_national_maps_translate() {
        let event = "https://mos.esante.gouv.fr/NOS/TRE_R254-TypeEvenement/FHIR/TRE-R254-TypeEvenement";
        assert_eq!(
            first(&run(Operation::Translate, &[("system", event), ("code", "NOT")]), "result"),
            &Value::Bool(true)
        );
        let template = [("system", "urn:ietf:rfc:3986"), ("code", "urn:oid:1.2.250.1.213.1.1.1.5.1")];
        assert_eq!(first(&run(Operation::Translate, &template), "result"), &Value::Bool(true));
    }

    #[test]
    fn the_lists_of_the_base_release_are_there_too() {
        let genders = run(Operation::Expand, &[("url", "http://hl7.org/fhir/ValueSet/administrative-gender")]);
        assert_eq!(genders.object("expansion").unwrap().objects("contains").count(), 4);
    }

    #[test]
    fn a_version_is_the_one_asked_for_or_none() {
        let gender = "http://hl7.org/fhir/ValueSet/administrative-gender";
        assert!(
            Builtin.value_set(gender, Some("4.0.1")).is_some() && Builtin.value_set(gender, Some("5.0.0")).is_none()
        );
        let types = Builtin.value_set(J23, None).unwrap();
        assert_eq!(Builtin.value_set(J23, types.str("version")), Some(types));
        assert_eq!(Builtin.value_set(J23, Some("19990101000000")), None);
    }

    #[test]
    fn concept_maps_are_found_by_url() {
        let url = format!("{}/ConceptMap/2017-note-type", maps::OWN);
        assert_eq!(Builtin.concept_map(&url, None).unwrap().str("url"), Some(url.as_str()));
        assert_eq!(Builtin.concept_map(J23, None), None);
    }

    #[test]
    fn ended_professions_are_told_from_the_others() {
        let profession = ("url", "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante");
        let answer = run(Operation::ValidateInCodeSystem, &[profession, ("code", "93")]);
        assert_eq!(first(&answer, "result"), &Value::Bool(true));
        assert!(first(&answer, "message").as_str().unwrap().contains("plus en usage"));
    }
}
