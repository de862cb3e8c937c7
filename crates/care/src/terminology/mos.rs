//! Where FHIR puts the attributes of the business classes, as concept maps: one for each release.

use liaison_fhir::{
    array, object,
    tree::{Object, Value},
};

use super::maps::OWN;

/// The concept maps from the classes to the elements of R4 and of STU3.
#[must_use]
pub fn maps() -> Vec<Object> {
    vec![map("mos-r4", "4.0.1", Attribute::in_r4), map("mos-stu3", "3.0.2", Attribute::in_stu3)]
}

/// An attribute of a class and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attribute {
    source: &'static str,
    class: &'static str,
    name: &'static str,
    volet: &'static str,
    r4: &'static str,
    stu3: &'static str,
}

impl Attribute {
    /// An option like that of the other release, so that a map can be made with either.
    const fn in_r4(&self) -> Option<&'static str> {
        Some(self.r4)
    }

    fn in_stu3(&self) -> Option<&'static str> {
        match self.stu3 {
            "=" => Some(self.r4),
            "-" => None,
            other => Some(other),
        }
    }
}

fn attributes() -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let (mut source, mut class) = ("", "");
    for line in include_str!("../../data/mos.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let mut column = || columns.next().unwrap_or_default();
        if let Some(opened) = line.strip_prefix("= ") {
            (source, class) = opened.split_once('\t').unwrap_or_default();
        } else {
            attributes.push(Attribute { source, class, name: column(), volet: column(), r4: column(), stu3: column() });
        }
    }
    attributes
}

fn map(id: &str, version: &str, element: fn(&Attribute) -> Option<&'static str>) -> Object {
    // A group has one source and one target: a class, and the type its elements are in.
    let mut rows: Vec<(Attribute, &'static str, &'static str)> = attributes()
        .into_iter()
        .filter_map(|attribute| {
            let element = element(&attribute)?;
            Some((attribute, element.split('.').next()?, element))
        })
        .collect();
    rows.sort_by_key(|(attribute, target, _)| (attribute.source, attribute.class, *target));
    let same = |one: &(Attribute, &str, &str), other: &(Attribute, &str, &str)| {
        (one.0.source, one.0.class, one.1) == (other.0.source, other.0.class, other.1)
    };
    let groups: Vec<Value> = rows
        .chunk_by(same)
        .filter_map(|rows| {
            let (first, target, _) = rows.first()?;
            let elements: Vec<Value> =
                rows.iter().map(|(attribute, _, element)| element_of(attribute, element)).collect();
            Some(
                object! {
                    "source" => first.source,
                    "target" => format!("http://hl7.org/fhir/StructureDefinition/{target}"),
                    "targetVersion" => version,
                    "element" => elements,
                }
                .into(),
            )
        })
        .collect();
    object! {
        "resourceType" => "ConceptMap",
        "id" => id,
        "language" => "fr",
        "url" => format!("{OWN}/ConceptMap/{id}"),
        "name" => id.replace('-', "_"),
        "title" => format!("Modèle des objets de santé vers FHIR {version}"),
        "status" => "active",
        "group" => groups,
    }
}

fn element_of(attribute: &Attribute, element: &str) -> Value {
    let mut own = object! { "code" => format!("{}.{}", attribute.class, attribute.name) };
    if attribute.volet != "-" {
        own.push("display", attribute.volet);
    }
    own.push("target", array![object! { "code" => element, "equivalence" => "equivalent" }]);
    own.into()
}

#[cfg(test)]
mod tests {
    use liaison_fhir::release::{Content, Release, r4, stu3};

    use super::*;

    /// Whether the tables of a release have an element, slices and extensions by their names left out.
    fn is_element(release: &Release, element: &str) -> bool {
        let mut names = element.split('.').map(|name| name.split(':').next().unwrap_or(name));
        let Some(mut structure) = names.next().and_then(|name| release.type_named(name)) else { return false };
        for name in names {
            let Some(member) = structure.member(name) else { return false };
            if let Content::Structure(id) = member.type_ref.content {
                structure = release.structure(id);
            }
        }
        true
    }

    #[test]
    fn every_element_exists_in_its_release() {
        for attribute in attributes() {
            for (release, element) in [(r4(), attribute.in_r4()), (stu3(), attribute.in_stu3())] {
                if let Some(element) = element {
                    // The tag of the author's own identifier goes through a reference.
                    let element =
                        element.strip_suffix("author.identifier").map_or(element, |_| "DocumentReference.author");
                    assert!(is_element(release, element), "{element}");
                }
            }
        }
        assert!(!is_element(stu3(), "DocumentReference.date"));
    }

    #[test]
    fn a_class_and_the_type_it_goes_to_are_one_group() {
        for map in maps() {
            let groups: Vec<_> = map
                .objects("group")
                .map(|group| {
                    let class =
                        group.objects("element").next().unwrap().str("code").unwrap().split('.').next().unwrap();
                    (group.str("source").unwrap(), class, group.str("target").unwrap())
                })
                .collect();
            let mut apart = groups.clone();
            apart.sort_unstable();
            apart.dedup();
            assert_eq!(apart.len(), groups.len(), "{groups:#?}");
            let note = map.objects("group").find(|g| g.str("source").unwrap().ends_with("/NoteLiaison")).unwrap();
            assert_eq!(note.items("element").len(), 8);
        }
    }

    #[test]
    fn an_attribute_is_shown_as_the_volets_call_it_if_they_do() {
        let map = &maps()[0];
        let shown = |code: &str| {
            let mut elements = map.objects("group").flat_map(|group| group.objects("element"));
            elements.find(|e| e.str("code") == Some(code)).unwrap().str("display").map(str::to_owned)
        };
        assert_eq!(shown("NoteLiaison.typeNote").as_deref(), Some("Note.type"));
        assert_eq!(shown("PersonnePhysique.nomUsage"), None);
    }

    #[test]
    fn a_notes_date_is_another_element_in_each_release() {
        let to = |id: &str| {
            let map = maps().into_iter().find(|map| map.str("id") == Some(id)).unwrap();
            let elements: Vec<Object> =
                map.objects("group").flat_map(|g| g.objects("element").cloned().collect::<Vec<_>>()).collect();
            let own = elements.iter().find(|e| e.str("code") == Some("NoteLiaison.dateHeureCreation")).unwrap();
            own.objects("target").next().unwrap().str("code").unwrap().to_owned()
        };
        assert_eq!(to("mos-r4"), "DocumentReference.date");
        assert_eq!(to("mos-stu3"), "DocumentReference.created");
    }
}
