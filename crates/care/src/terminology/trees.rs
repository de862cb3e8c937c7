//! The tables as `CodeSystem`, `ValueSet` and `ConceptMap` resources, in R4.

use liaison_fhir::{
    array, object,
    tree::{Object, Value},
};

use super::tables::{Content, Group, Kind, Row, Table, all};

/// A table as a resource.
#[must_use]
pub fn resource(table: &Table) -> Object {
    let mut resource = head(table);
    match table.kind {
        Kind::CodeSystem => {
            let concepts: Vec<Value> = table
                .groups
                .iter()
                .flat_map(|group| &group.rows)
                .map(|row| code_system_concept(row.code, row.display, row.is_inactive()))
                .collect();
            code_system_body(&mut resource, table.content, concepts);
        }
        Kind::ValueSet => {
            let includes: Vec<Value> = table.groups.iter().map(include).collect();
            resource.push("compose", object! { "include" => includes });
        }
        Kind::ConceptMap => {
            let groups: Vec<Value> = table.groups.iter().map(map_group).collect();
            resource.push("group", groups);
        }
    }
    resource
}

/// Code systems that have no table of their own, as far as value sets list their codes: fragments.
/// Only those of the nomenclatures and of HL7 itself; others (LOINC…) have their own publishers.
#[must_use]
pub fn fragments() -> Vec<Object> {
    let mut fragments: Vec<Fragment> = Vec::new();
    for table in all().iter().filter(|table| table.kind == Kind::ValueSet) {
        for group in &table.groups {
            let has_table = all().iter().any(|other| other.kind == Kind::CodeSystem && other.url == group.system);
            if has_table || !PUBLISHERS.iter().any(|publisher| group.system.starts_with(publisher)) {
                continue;
            }
            let known = fragments.iter_mut().find(|fragment| fragment.system == group.system);
            match known {
                Some(fragment) => fragment.add(&group.rows),
                None => {
                    let mut fragment = Fragment { system: group.system, language: table.language, rows: Vec::new() };
                    fragment.add(&group.rows);
                    fragments.push(fragment);
                }
            }
        }
    }
    fragments.iter().map(Fragment::resource).collect()
}

/// The codes of a system that some value sets list.
struct Fragment {
    system: &'static str,
    language: &'static str,
    rows: Vec<Row>,
}

impl Fragment {
    fn add(&mut self, rows: &[Row]) {
        for row in rows {
            if !self.rows.iter().any(|own| own.code == row.code) {
                self.rows.push(*row);
            }
        }
    }

    fn resource(&self) -> Object {
        let id = self.system.rsplit('/').next().unwrap_or(self.system);
        let concepts = self.rows.iter().map(|row| code_system_concept(row.code, row.display, false)).collect();
        let mut resource = object! {
            "resourceType" => "CodeSystem",
            "id" => id,
            "language" => self.language,
            "url" => self.system,
            "name" => id.replace('-', "_"),
            "title" => id,
            "status" => "active",
        };
        code_system_body(&mut resource, Content::Fragment, concepts);
        resource
    }
}

const PUBLISHERS: [&str; 3] =
    ["https://mos.esante.gouv.fr/NOS/", "http://hl7.org/fhir/", "http://terminology.hl7.org/CodeSystem/"];

fn head(table: &Table) -> Object {
    let resource_type = match table.kind {
        Kind::CodeSystem => "CodeSystem",
        Kind::ValueSet => "ValueSet",
        Kind::ConceptMap => "ConceptMap",
    };
    let mut head = object! {
        "resourceType" => resource_type,
        "id" => table.id,
        "language" => table.language,
        "url" => table.url,
    };
    if !table.oid.is_empty() {
        let identifier = object! { "system" => "urn:ietf:rfc:3986", "value" => format!("urn:oid:{}", table.oid) };
        // A concept map has one identifier, the others any number.
        match table.kind {
            Kind::ConceptMap => head.push("identifier", identifier),
            _ => head.push("identifier", array![identifier]),
        }
    }
    if !table.version.is_empty() {
        head.push("version", table.version);
    }
    head.push("name", table.name);
    head.push("title", table.title);
    head.push("status", "active");
    if let Some(date) = date_of(table.version) {
        head.push("date", date);
    }
    head
}

/// The day in a version stamp of the nomenclatures (`20231215120000`).
fn date_of(version: &str) -> Option<String> {
    let stamp = version.len() == 14 && version.bytes().all(|b| b.is_ascii_digit());
    stamp.then(|| Some(format!("{}-{}-{}", version.get(..4)?, version.get(4..6)?, version.get(6..8)?)))?
}

fn code_system_body(resource: &mut Object, content: Content, concepts: Vec<Value>) {
    resource.push("caseSensitive", true);
    resource.push(
        "content",
        match content {
            Content::Complete => "complete",
            Content::Fragment => "fragment",
        },
    );
    resource.push("count", Value::Number(compact_str::format_compact!("{}", concepts.len())));
    resource.push(
        "property",
        array![object! {
            "code" => "inactive",
            "uri" => "http://hl7.org/fhir/concept-properties#inactive",
            "type" => "boolean",
        }],
    );
    resource.push("concept", concepts);
}

fn code_system_concept(code: &str, display: &str, inactive: bool) -> Value {
    let mut concept = concept(code, display);
    if inactive {
        concept.push("property", array![object! { "code" => "inactive", "valueBoolean" => true }]);
    }
    concept.into()
}

fn concept(code: &str, display: &str) -> Object {
    let mut concept = object! { "code" => code };
    if !display.is_empty() {
        concept.push("display", display);
    }
    concept
}

fn include(group: &Group) -> Value {
    let concepts: Vec<Value> = group.rows.iter().map(|row| concept(row.code, row.display).into()).collect();
    object! { "system" => group.system, "concept" => concepts }.into()
}

/// Rows of one source code, several targets of which follow one another, are one element.
fn map_group(group: &Group) -> Value {
    let elements: Vec<Value> = group
        .rows
        .chunk_by(|one, other| one.code == other.code)
        .filter_map(|rows| {
            let targets: Vec<Value> =
                rows.iter().map(|row| object! { "code" => row.last, "equivalence" => row.display }.into()).collect();
            Some(object! { "code" => rows.first()?.code, "target" => targets }.into())
        })
        .collect();
    object! { "source" => group.system, "target" => group.target, "element" => elements }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::tables::find;

    #[test]
    fn a_code_system_says_its_oid_its_day_and_which_codes_ended() {
        let professions = resource(find(Kind::CodeSystem, "urn:oid:1.2.250.1.71.1.2.7").unwrap());
        assert_eq!(professions.objects("identifier").next().unwrap().str("value"), Some("urn:oid:1.2.250.1.71.1.2.7"));
        assert_eq!(professions.str("date"), Some("2025-03-28"));
        assert_eq!(professions.str("content"), Some("complete"));
        let ended: Vec<_> =
            professions.objects("concept").filter(|c| c.contains("property")).filter_map(|c| c.str("code")).collect();
        assert_eq!(ended, ["35", "36", "37", "38", "39", "93"]);
    }

    #[test]
    fn only_a_stamp_is_a_day() {
        assert_eq!(date_of("20231215120000").as_deref(), Some("2023-12-15"));
        for version in ["2.0.1-ballot-3", "20231215", "4.0.1", ""] {
            assert_eq!(date_of(version), None, "{version}");
        }
    }

    #[test]
    fn a_value_set_lists_its_codes_by_system() {
        let professions = resource(find(Kind::ValueSet, "urn:oid:1.2.250.1.213.1.6.1.174").unwrap());
        let systems = professions.object("compose").unwrap().objects("include").filter_map(|i| i.str("system")).count();
        assert_eq!(systems, 4);
    }

    #[test]
    fn systems_known_through_value_sets_only_are_fragments() {
        let fragments = fragments();
        let competence = fragments.iter().find(|f| f.str("id") == Some("TRE-R39-Competence")).unwrap();
        assert_eq!(competence.str("content"), Some("fragment"));
        assert!(competence.objects("concept").count() > 10);
        assert!(!fragments.iter().any(|f| f.str("url").unwrap().contains("loinc")));
        let mut ids: Vec<_> = fragments.iter().filter_map(|f| f.str("id")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), fragments.len());
    }
}
