//! What a resource belongs to: whose notebook, of which class, by whom.

use compact_str::CompactString;
use liaison_fhir::{
    search::{
        extract,
        index::{IndexRow, IndexValue, Target},
    },
    terminology::systems::canonical_system,
    tree::Object,
};

use super::{audience::Audience, said::Said};
use crate::identifiers::{
    ADELI_RANK, FINESS, IDNPS, IDNST, INS_A, INS_C, INS_NIA, INS_NIR, INS_NIR_DEMO, INS_NIR_TEST, Kind, RPPS,
    RPPS_RANK, SIRENE, ins, recognise,
};

/// Somebody, as a resource refers to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// A resource of this server.
    Resource {
        /// Its type.
        resource_type: CompactString,
        /// Its id.
        id: CompactString,
    },
    /// Whoever carries this identifier.
    Identified {
        /// What kind of number: the name of a national one, the system of any other.
        kind: CompactString,
        /// The number, made comparable: an RPPS is the same alone and inside an IDNPS.
        number: CompactString,
    },
}

impl Party {
    /// A resource of this server.
    #[must_use]
    pub fn resource(resource_type: &str, id: &str) -> Self {
        Self::Resource { resource_type: resource_type.into(), id: id.into() }
    }

    /// Whoever carries an `Identifier`. `None` when it names nobody: no value, no system, a number that
    /// several people share (that of an insured person, a legal entity's), or one marked as old.
    #[must_use]
    pub fn identified(identifier: &Object) -> Option<Self> {
        if identifier.str("use") == Some("old") {
            return None;
        }
        if let Some(national) = recognise(identifier) {
            let (kind, number) = national.comparable();
            let shared = matches!(kind, Kind::SocialSecurity | Kind::Siren | Kind::FinessLegal);
            return (!shared).then(|| Self::Identified { kind: kind.name().into(), number: number.into() });
        }
        let system = identifier.str("system").map(str::trim).filter(|system| !system.is_empty())?;
        let number = identifier.str("value").map(str::trim).filter(|value| !value.is_empty())?;
        Some(Self::Identified { kind: canonical_system(system, None).as_ref().into(), number: number.into() })
    }

    /// Everybody whom a `Reference` names, all of them the same one: the resource it points to and the
    /// identifier beside it. What is contained in a resource is nobody: it has no identity of its own.
    #[must_use]
    pub fn all(reference: &Object, bases: &[String]) -> Vec<Self> {
        let target = reference.str("reference").and_then(|reference| extract::target(reference, bases));
        let resource = match target {
            Some(Target::Local { resource_type, id }) => Some(Self::Resource { resource_type, id }),
            _ => None,
        };
        resource.into_iter().chain(reference.object("identifier").and_then(Self::identified)).collect()
    }

    /// The ways in which the identifier of a party may be written, as system and value; none for a resource.
    #[must_use]
    pub fn written(&self) -> Vec<(String, String)> {
        let Self::Identified { kind, number } = self else { return Vec::new() };
        let whole = |system: &str| (system.to_owned(), number.to_string());
        let led = |system: &str, by: char| (system.to_owned(), format!("{by}{number}"));
        let ins = |system: &str| {
            let key = ins::key_of(number).map(|key| (system.to_owned(), format!("{number}{key:02}")));
            [whole(system)].into_iter().chain(key).collect()
        };
        match kind.as_str() {
            "INS-NIR" => ins(INS_NIR),
            "INS-NIA" => ins(INS_NIA),
            "INS-NIR-TEST" => ins(INS_NIR_TEST),
            "INS-NIR-DEMO" => ins(INS_NIR_DEMO),
            "INS-C" => vec![whole(INS_C)],
            "INS-A" => vec![whole(INS_A)],
            "RPPS" => vec![whole(RPPS), led(IDNPS, '8')],
            "IDNPS" => vec![whole(IDNPS)],
            "ADELI" => vec![led(IDNPS, '0')],
            "FINESS" => vec![whole(FINESS), led(IDNST, '1')],
            "SIRET" => vec![whole(SIRENE), led(IDNST, '3')],
            "ADELI-rang" => vec![whole(ADELI_RANK), led(IDNST, '0')],
            "RPPS-rang" => vec![whole(RPPS_RANK), led(IDNST, '4')],
            "idNat_Struct" => vec![whole(IDNST)],
            system => vec![whole(system)],
        }
    }
}

/// What kind of thing a resource is for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A note, or another document about a person: it has an audience and authors of its own.
    Note,
    /// Who is who in a notebook: the person, relatives.
    Identity,
    /// The circle.
    Circle,
    /// Anything else that is about one person.
    Record,
    /// Professionals, structures and what they offer: public data of the national directory.
    Directory,
    /// Definitions: nomenclatures, profiles, parameters.
    Definition,
    /// The rest: what is about nobody that can be told.
    Private,
}

impl Class {
    /// The class of the resources of a type; `notebook` tells whether this one is about a person of this
    /// server.
    #[must_use]
    pub fn of(resource_type: &str, notebook: Option<&str>) -> Self {
        match resource_type {
            "Practitioner"
            | "PractitionerRole"
            | "Organization"
            | "OrganizationAffiliation"
            | "Location"
            | "HealthcareService"
            | "Endpoint" => Self::Directory,
            "CapabilityStatement"
            | "CodeSystem"
            | "CompartmentDefinition"
            | "ConceptMap"
            | "DataElement"
            | "ExpansionProfile"
            | "GraphDefinition"
            | "ImplementationGuide"
            | "MessageDefinition"
            | "NamingSystem"
            | "OperationDefinition"
            | "SearchParameter"
            | "ServiceDefinition"
            | "StructureDefinition"
            | "StructureMap"
            | "TerminologyCapabilities"
            | "ValueSet" => Self::Definition,
            "Patient" => Self::Identity,
            _ if notebook.is_none() => Self::Private,
            "RelatedPerson" => Self::Identity,
            "CareTeam" => Self::Circle,
            "DocumentReference" => Self::Note,
            _ => Self::Record,
        }
    }
}

/// What a resource belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// What kind of thing it is.
    pub class: Class,
    /// The ids of the `Patient`s in whose notebooks it is: an appointment of two is in both.
    pub notebooks: Vec<String>,
    /// Who wrote it, by its own word.
    pub authors: Vec<Party>,
    /// From whom its labels hide it.
    pub audience: Audience,
    /// Whom it says somebody is.
    pub said: Said,
}

impl Belonging {
    /// Reads a resource in its R4 form; `index` are the rows it is found by.
    #[must_use]
    pub fn of(resource: &Object, index: &[IndexRow], bases: &[String]) -> Self {
        let resource_type = resource.resource_type().unwrap_or_default();
        let notebooks: Vec<String> = match resource_type {
            "Patient" => resource.str("id").map(str::to_owned).into_iter().collect(),
            _ => notebooks(index).map(str::to_owned).collect(),
        };
        let named = author_elements(resource_type).iter();
        let authors = named.flat_map(|element| resource.objects(element));
        Self {
            class: Class::of(resource_type, notebooks.first().map(String::as_str)),
            authors: authors.flat_map(|author| Party::all(author, bases)).collect(),
            audience: Audience::of(resource),
            said: Said::of(resource),
            notebooks,
        }
    }
}

/// The codes of the parameters by which a resource is about a person.
pub(super) const ABOUT: [&str; 2] = ["patient", "subject"];

/// The ids of the persons whom a resource is about, by the rows it is found by.
pub fn notebooks(index: &[IndexRow]) -> impl Iterator<Item = &str> {
    index.iter().filter_map(|row| match &row.value {
        IndexValue::Reference(Target::Local { resource_type, id })
            if *resource_type == "Patient" && ABOUT.contains(&row.param.code) =>
        {
            Some(id.as_str())
        }
        _ => None,
    })
}

/// Where a type says who wrote it.
pub(super) fn author_elements(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "DocumentReference" | "Composition" => &["author"],
        "Communication" | "CommunicationRequest" => &["sender"],
        "Observation" => &["performer"],
        "QuestionnaireResponse" => &["author", "source"],
        "Task" | "ServiceRequest" => &["requester"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object, search::index::Param};

    use super::*;
    use crate::identifiers::{IDNPS, INS_NIR, RPPS, SIRENE};

    const BASES: [&str; 1] = ["https://liaison.example/fhir/r4/"];

    fn bases() -> Vec<String> {
        BASES.map(str::to_owned).to_vec()
    }

    fn identified(system: &str, value: &str) -> Option<Party> {
        Party::identified(&object! { "system" => system, "value" => value })
    }

    fn row(base: &'static str, code: &'static str, resource_type: &str, id: &str) -> IndexRow {
        let target = Target::Local { resource_type: resource_type.into(), id: id.into() };
        IndexRow { param: Param { base, code }, value: IndexValue::Reference(target) }
    }

    #[test]
    fn a_professional_is_the_same_by_rpps_and_by_national_identifier() {
        assert_eq!(identified(RPPS, "10005678901"), identified(IDNPS, "810005678901"));
        assert_ne!(identified(RPPS, "10005678901"), identified(RPPS, "10005678902"));
    }

    #[test]
    fn a_person_is_the_same_with_or_without_the_key_of_the_ins() {
        assert_eq!(identified(INS_NIR, "279035121518989"), identified(INS_NIR, "2 79 03 51 215 189"));
    }

    #[test]
    fn what_several_share_or_nobody_holds_any_more_names_nobody() {
        assert_eq!(identified(SIRENE, "732829320"), None, "a legal entity has many establishments");
        assert_eq!(identified("", "7"), None);
        assert_eq!(identified("http://local", " "), None);
        let old = object! { "use" => "old", "system" => RPPS, "value" => "10005678901" };
        assert_eq!(Party::identified(&old), None);
        let insured = object! {
            "system" => INS_NIR,
            "value" => "279035121518989",
            "type" => object! { "coding" => array![
                object! { "system" => "http://terminology.hl7.org/CodeSystem/v2-0203", "code" => "NH" }
            ] }
        };
        assert_eq!(Party::identified(&insured), None, "the number of the insured may be a parent's");
    }

    #[test]
    fn a_reference_names_by_address_and_by_identifier_and_nobody_by_what_is_contained() {
        let named = |reference: Object| Party::all(&reference, &bases());
        let nurse = identified(RPPS, "10005678901").unwrap();
        assert_eq!(named(object! { "reference" => "#p" }), []);
        let both = object! {
            "reference" => "https://liaison.example/fhir/r4/Practitioner/7",
            "identifier" => object! { "system" => IDNPS, "value" => "810005678901" }
        };
        assert_eq!(named(both), [Party::resource("Practitioner", "7"), nurse]);
        assert_eq!(named(object! { "reference" => "https://other.example/Practitioner/7" }), []);
        assert_eq!(named(object! { "display" => "Mme Brooks" }), []);
    }

    #[test]
    fn every_way_an_identifier_is_written_names_the_same_one() {
        for (system, value, ways) in [
            (RPPS, "10005678901", 2),
            (INS_NIR, "279035121518989", 2),
            (FINESS, "750803447", 2),
            (SIRENE, "73282932000074", 2),
            ("http://local", "7", 1),
        ] {
            let party = identified(system, value).unwrap();
            let written = party.written();
            assert_eq!(written.len(), ways, "{system}");
            assert!(
                written.iter().all(|(system, value)| identified(system, value).as_ref() == Some(&party)),
                "{written:?}"
            );
        }
    }

    #[test]
    fn a_note_belongs_to_the_notebook_of_its_subject_and_to_its_authors() {
        let note = object! {
            "resourceType" => "DocumentReference",
            "author" => array![object! { "reference" => "PractitionerRole/a" }, object! { "reference" => "Device/b" }],
        };
        let index = [row("DocumentReference", "subject", "Patient", "jeanne")];
        let belonging = Belonging::of(&note, &index, &bases());
        assert_eq!(belonging.class, Class::Note);
        assert_eq!(belonging.notebooks, ["jeanne"]);
        assert_eq!(belonging.authors, [Party::resource("PractitionerRole", "a"), Party::resource("Device", "b")]);
        assert_eq!(belonging.audience, Audience::OPEN);
    }

    #[test]
    fn a_person_is_in_their_own_notebook_and_what_is_about_nobody_in_none() {
        let person = object! { "resourceType" => "Patient", "id" => "jeanne" };
        let belonging = Belonging::of(&person, &[], &bases());
        assert_eq!((belonging.class, belonging.notebooks), (Class::Identity, vec!["jeanne".to_owned()]));
        let list = object! { "resourceType" => "List" };
        assert_eq!(Belonging::of(&list, &[], &bases()).class, Class::Private);
        let group = [row("DocumentReference", "subject", "Group", "family")];
        let document = object! { "resourceType" => "DocumentReference" };
        assert_eq!(Belonging::of(&document, &group, &bases()).class, Class::Private);
    }

    #[test]
    fn the_directory_is_public_even_where_a_professional_is_somebodys() {
        for resource_type in ["Practitioner", "PractitionerRole", "Organization"] {
            assert_eq!(Class::of(resource_type, Some("jeanne")), Class::Directory);
        }
    }
}
