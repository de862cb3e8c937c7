//! What codes of 2017 are called today, as concept maps made from the aliases of code systems.

use liaison_fhir::{
    array, object,
    terminology::systems::{aliases, canonical_system},
    tree::{Object, Value},
};

use super::tables::{Kind, Table, find};

/// Where the artefacts that are this server's own have their canonical URLs.
pub const OWN: &str = "https://example.org/liaison/fhir";

/// The concept maps from former names of code systems to those of today.
#[must_use]
pub fn all() -> Vec<Object> {
    let mut confidentiality = vec![];
    confidentiality.extend(no_restriction());
    vec![
        map("2017-note-type", "Types de note de 2017 vers ceux d'aujourd'hui", &[NOTE_TYPES], Vec::new()),
        map("2017-confidentiality", "Confidentialité de 2017 vers aujourd'hui", &[CONFIDENTIALITY], confidentiality),
        map("2017-profession", "Professions de 2017 vers celles d'aujourd'hui", &PROFESSIONS, Vec::new()),
    ]
}

const NOTE_TYPES: &str = "urn:oid:1.2.250.1.213.1.1.4.334";
const CONFIDENTIALITY: &str = "urn:oid:2.16.840.1.113883.5.25";
/// Health professions, title holders, social professions, other professions.
const PROFESSIONS: [&str; 4] = [
    "urn:oid:1.2.250.1.71.1.2.7",
    "urn:oid:1.2.250.1.213.1.6.1.109",
    "urn:oid:1.2.250.1.213.1.6.1.4",
    "urn:oid:1.2.250.1.213.1.6.1.140",
];

fn map(id: &str, title: &str, systems: &[&str], more: Vec<Value>) -> Object {
    let tables = systems.iter().filter_map(|system| find(Kind::CodeSystem, system));
    let mut groups: Vec<Value> = tables.flat_map(groups_of).collect();
    groups.extend(more);
    object! {
        "resourceType" => "ConceptMap",
        "id" => id,
        "language" => "fr",
        "url" => format!("{OWN}/ConceptMap/{id}"),
        "name" => format!("Map{}", id.replace('-', "_")),
        "title" => title,
        "status" => "active",
        "group" => groups,
    }
}

/// One group for each other name of a code system, with the codes that the name may be used for.
fn groups_of(table: &'static Table) -> impl Iterator<Item = Value> {
    aliases(table.url).map(|alias| {
        let rows = table.groups.iter().flat_map(|group| &group.rows);
        let elements: Vec<Value> = rows
            .filter(|row| canonical_system(&alias, Some(row.code)) == table.url)
            .map(|row| {
                let target = object! { "code" => row.code, "display" => row.display, "equivalence" => "equal" };
                object! { "code" => row.code, "display" => row.display, "target" => array![target] }.into()
            })
            .collect();
        object! { "source" => alias.as_ref(), "target" => table.url, "element" => elements }.into()
    })
}

/// Confidentiality is no restriction of audience: N restricts nothing, R and V have no counterpart.
fn no_restriction() -> Option<Value> {
    let confidentiality = find(Kind::CodeSystem, CONFIDENTIALITY)?;
    let visibility = find(Kind::CodeSystem, "urn:oid:1.2.250.1.213.1.1.4.13")?;
    let unmatched = |code: &str, comment: &str| {
        let target = object! { "equivalence" => "unmatched", "comment" => comment };
        Value::from(object! { "code" => code, "target" => array![target] })
    };
    Some(
        object! {
            "source" => confidentiality.url,
            "target" => visibility.url,
            "element" => array![
                unmatched("N", "Aucune restriction : pas de securityLabel."),
                unmatched("R", "Pas d'équivalent : garder le code d'origine."),
                unmatched("V", "Pas d'équivalent : garder le code d'origine."),
            ],
        }
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_wrong_oids_of_2017_are_translated_for_the_codes_they_were_used_with() {
        let maps = all();
        let codes = |id: &str, source: &str| -> Vec<String> {
            let map = maps.iter().find(|map| map.str("id") == Some(id)).unwrap();
            let group = map.objects("group").find(|group| group.str("source") == Some(source)).unwrap();
            group.objects("element").map(|e| e.str("code").unwrap().to_owned()).collect()
        };
        assert_eq!(
            codes("2017-note-type", "urn:oid:1.2.250.1.213.1.1.4.12"),
            ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"]
        );
        assert!(codes("2017-profession", "urn:oid:1.2.250.1.71.4.2.7").contains(&"60".to_owned()));
        assert_eq!(codes("2017-confidentiality", "urn:oid:2.16.840.1.113883.5.25"), ["N", "R", "V"]);
    }

    #[test]
    fn a_confidentiality_is_translated_into_no_restriction_of_audience() {
        let maps = all();
        let map = maps.iter().find(|map| map.str("id") == Some("2017-confidentiality")).unwrap();
        let visibility = find(Kind::CodeSystem, "urn:oid:1.2.250.1.213.1.1.4.13").unwrap();
        let group = map.objects("group").find(|group| group.str("target") == Some(visibility.url)).unwrap();
        let targets = |element: &Object| {
            element.objects("target").map(|t| t.str("equivalence").unwrap().to_owned()).collect::<Vec<_>>()
        };
        let elements: Vec<_> = group.objects("element").map(|e| (e.str("code").unwrap(), targets(e))).collect();
        assert_eq!(elements, ["N", "R", "V"].map(|code| (code, vec!["unmatched".to_owned()])));
    }

    #[test]
    fn no_group_is_empty() {
        for map in all() {
            assert!(map.objects("group").count() > 0);
            assert!(map.objects("group").all(|group| !group.items("element").is_empty()), "{:?}", map.str("id"));
        }
    }
}
