//! What this server knows of the CI-SIS, as FHIR resources: profiles and extensions, nomenclatures,
//! concept maps, identifier systems, search parameters. They are read, searched and used like stored ones, and cannot
//! be changed. All in R4; the other release gets them converted like anything else.

pub mod naming_system;
pub mod operation_definition;
pub mod search_parameter;
pub mod structure_definition;

use std::sync::{Arc, LazyLock};

use liaison_fhir::{release, tree::Object};

use crate::{profiles::table, terminology::builtin};

/// A built-in resource.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// Its type.
    pub resource_type: &'static str,
    /// Its id, the same in every version of this server.
    pub id: String,
    /// It, in R4, without `meta`.
    pub resource: Arc<Object>,
}

/// Every built-in resource.
#[must_use]
pub fn resources() -> &'static [Artefact] {
    &RESOURCES
}

/// The built-in resource of that type and id.
#[must_use]
pub fn resource(resource_type: &str, id: &str) -> Option<&'static Artefact> {
    RESOURCES.iter().find(|artefact| artefact.resource_type == resource_type && artefact.id == id)
}

static RESOURCES: LazyLock<Vec<Artefact>> = LazyLock::new(|| {
    let profiles = table::all().iter().map(|profile| Arc::new(structure_definition::resource(profile)));
    let systems = naming_system::all().into_iter().map(Arc::new);
    let terminology = builtin::resources().iter().cloned();
    let parameters = search_parameter::added(release::view()).into_iter().map(Arc::new);
    let operations = operation_definition::all().into_iter().map(Arc::new);
    profiles.chain(systems).chain(operations).chain(terminology).chain(parameters).filter_map(artefact).collect()
});

fn artefact(resource: Arc<Object>) -> Option<Artefact> {
    const TYPES: [&str; 7] = [
        "StructureDefinition",
        "NamingSystem",
        "OperationDefinition",
        "CodeSystem",
        "ValueSet",
        "ConceptMap",
        "SearchParameter",
    ];
    let resource_type = TYPES.into_iter().find(|known| resource.resource_type() == Some(known))?;
    let id = resource.str("id")?.to_owned();
    Some(Artefact { resource_type, id, resource })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use liaison_fhir::{
        convert::{to_r4, to_stu3},
        json::Limits,
        outcome::refused,
        primitive::is_id,
        release::{r4, stu3},
        validate::validate,
        xml,
    };

    use super::*;

    #[test]
    fn every_artefact_has_an_id_and_a_url_of_its_own() {
        let (mut ids, mut urls) = (HashSet::new(), HashSet::new());
        for artefact in resources() {
            assert!(is_id(&artefact.id), "{}", artefact.id);
            assert!(ids.insert((artefact.resource_type, &artefact.id)), "{} {}", artefact.resource_type, artefact.id);
            if let Some(url) = artefact.resource.str("url") {
                assert!(urls.insert((artefact.resource_type, url.to_owned())), "{url}");
            }
        }
        assert!(resources().len() > 100);
    }

    #[test]
    fn every_table_profile_and_map_is_among_them() {
        for (resource_type, id) in [
            ("StructureDefinition", "cdl-document-reference"),
            ("StructureDefinition", "isUrgent"),
            ("ValueSet", "JDV-J23-TypeNoteCahierLiaison-CISIS"),
            ("CodeSystem", "TRE-R234-TypeNote"),
            ("ConceptMap", "2017-note-type"),
            ("ConceptMap", "mos-stu3"),
            ("NamingSystem", "rpps"),
            ("OperationDefinition", "Patient-emergency-access"),
            ("SearchParameter", "DocumentReference-urgent"),
        ] {
            let found = resource(resource_type, id).unwrap_or_else(|| panic!("no {resource_type}/{id}"));
            assert_eq!((found.resource_type, found.id.as_str()), (resource_type, id));
            assert_eq!((found.resource.resource_type(), found.resource.str("id")), (Some(resource_type), Some(id)));
        }
    }

    #[test]
    fn an_id_is_one_of_its_type() {
        for (resource_type, id) in [("ValueSet", "TRE-R234-TypeNote"), ("CodeSystem", "nothing"), ("Patient", "rpps")] {
            assert!(resource(resource_type, id).is_none(), "{resource_type}/{id}");
        }
    }

    #[test]
    fn every_artefact_is_valid_r4() {
        for artefact in resources() {
            let issues = validate(&artefact.resource, r4());
            assert!(!refused(&issues), "{}/{}: {issues:#?}", artefact.resource_type, artefact.id);
        }
    }

    #[test]
    fn every_artefact_has_a_valid_form_in_the_other_release_and_comes_back_from_it() {
        for artefact in resources() {
            let converted = to_stu3(&artefact.resource);
            let issues = validate(&converted, stu3());
            assert!(!refused(&issues), "{}/{}: {issues:#?}", artefact.resource_type, artefact.id);
            assert_eq!(to_r4(&converted), *artefact.resource, "{}/{}", artefact.resource_type, artefact.id);
        }
    }

    #[test]
    fn every_artefact_goes_through_xml_and_back() {
        for artefact in resources() {
            let written = xml::write(&artefact.resource, r4()).unwrap();
            let read = xml::read(&written, r4(), &Limits::default()).unwrap();
            assert_eq!(xml::write(&read, r4()).unwrap(), written, "{}", artefact.id);
            assert_eq!(read.len(), artefact.resource.len(), "{}", artefact.id);
        }
    }
}
