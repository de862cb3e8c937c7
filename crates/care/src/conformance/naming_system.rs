//! The systems of national identifiers as `NamingSystem` resources.

use liaison_fhir::{
    array, object,
    tree::{Object, Value},
};

use crate::identifiers::FRENCH_TYPES;

/// The day the table of identifier systems was last changed.
const CHANGED: &str = "2026-11-22";

/// Every national identifier system.
#[must_use]
pub fn all() -> Vec<Object> {
    let table = include_str!("../../data/naming-systems.tsv");
    table.lines().filter(|line| !line.starts_with('#')).filter_map(resource).collect()
}

fn resource(line: &str) -> Option<Object> {
    let mut columns = line.split('\t');
    let mut column = || Some(columns.next()?).filter(|text| *text != "-");
    let (id, name, title, oid, uri, kind, description) =
        (column()?, column()?, column()?, column(), column(), column(), column());
    let mut system = object! {
        "resourceType" => "NamingSystem",
        "id" => id,
        "language" => "fr",
        "name" => name,
        "status" => "active",
        "kind" => "identifier",
        "date" => CHANGED,
    };
    if let Some(kind) = kind {
        system.push("type", object! { "coding" => array![object! { "system" => FRENCH_TYPES, "code" => kind }] });
    }
    let description = description.map_or_else(|| title.to_owned(), |text| format!("{title}. {text}"));
    system.push("description", description);
    system.push(
        "jurisdiction",
        array![object! {
            "coding" => array![object! { "system" => "urn:iso:std:iso:3166", "code" => "FR" }],
        }],
    );
    let mut unique: Vec<Value> = Vec::new();
    if let Some(oid) = oid {
        unique.push(object! { "type" => "oid", "value" => oid }.into());
        unique.push(object! { "type" => "uri", "value" => format!("urn:oid:{oid}"), "preferred" => true }.into());
    }
    if let Some(uri) = uri {
        unique.push(object! { "type" => "uri", "value" => uri, "preferred" => true }.into());
    }
    system.push("uniqueId", unique);
    Some(system)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers;

    #[test]
    fn every_system_that_the_program_knows_is_described() {
        let described: Vec<String> = all()
            .iter()
            .flat_map(|system| {
                system.objects("uniqueId").filter_map(|id| id.str("value").map(str::to_owned)).collect::<Vec<_>>()
            })
            .collect();
        for known in [
            identifiers::INS_NIR,
            identifiers::INS_NIA,
            identifiers::INS_NIR_TEST,
            identifiers::INS_NIR_DEMO,
            identifiers::INS_C,
            identifiers::INS_A,
            identifiers::RPPS,
            identifiers::IDNPS,
            identifiers::FINESS,
            identifiers::SIRENE,
            identifiers::ADELI_RANK,
            identifiers::RPPS_RANK,
            identifiers::IDNST,
        ] {
            assert!(described.iter().any(|own| own == known), "{known}");
        }
    }

    #[test]
    fn each_has_exactly_one_preferred_name() {
        for system in all() {
            let preferred = system.objects("uniqueId").filter(|id| id.contains("preferred")).count();
            assert_eq!(preferred, 1, "{:?}", system.str("id"));
        }
    }
}
