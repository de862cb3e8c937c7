//! The people of the demonstration: invented, with identifiers and telephone numbers of the ranges
//! kept for demonstrations.

use liaison_fhir::{
    array, object,
    tree::{Object, Value},
};

/// Somebody or something that notes are about or by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// Lives at home after a fall; the most detailed notebook.
    Jeanne,
    /// Lives with a memory disorder, at home with his wife; the second notebook.
    Lucien,
    /// Four more persons, each with a note or two.
    Yvonne,
    /// See above.
    Ahmed,
    /// See above.
    Simone,
    /// See above.
    Theo,
    /// The nurse, as a person and in her practice.
    Nurse,
    /// See above: a note names both.
    NurseRole,
    /// The general practitioner.
    Doctor,
    /// See above.
    DoctorRole,
    /// The home help.
    Aide,
    /// See above.
    AideRole,
    /// Jeanne's daughter.
    Daughter,
    /// The home nursing service.
    Service,
    /// The pill dispenser in Jeanne's kitchen.
    Dispenser,
}

use Member::{
    Ahmed, Aide, AideRole, Daughter, Dispenser, Doctor, DoctorRole, Jeanne, Lucien, Nurse, NurseRole, Service, Simone,
    Theo, Yvonne,
};

/// All of them, in an order in which each refers only to those before it.
pub const ALL: [Member; 15] = [
    Jeanne, Lucien, Yvonne, Ahmed, Simone, Theo, Service, Nurse, NurseRole, Doctor, DoctorRole, Aide, AideRole,
    Daughter, Dispenser,
];

/// The system of the identifiers that the demonstration gives itself.
pub const OWN_SYSTEM: &str = "https://demo.liaison.example/identifiants";
/// INS numbers of demonstrations.
pub const INS_DEMO: &str = "urn:oid:1.2.250.1.213.1.4.11";
pub const RPPS: &str = "https://rpps.esante.gouv.fr";
const FINESS: &str = "https://finess.esante.gouv.fr";
const IDENTIFIER_TYPES: &str = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203";
const HEALTH_PROFESSIONS: &str = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";
const SOCIAL_PROFESSIONS: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R94-ProfessionSocial/FHIR/TRE-R94-ProfessionSocial";
const ROLE_CLASS: &str = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass";
const ROLE_CODE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode";
const BIRTH_NAMES: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name";

/// The name, the sex and the home of a person taken care of.
struct Person {
    ins: &'static str,
    family: &'static str,
    given: &'static str,
    gender: &'static str,
    born: &'static str,
    phone: &'static str,
    street: &'static str,
    city: &'static str,
    postal_code: &'static str,
}

impl Member {
    /// The resource type.
    pub const fn resource_type(self) -> &'static str {
        match self {
            Jeanne | Lucien | Yvonne | Ahmed | Simone | Theo => "Patient",
            Nurse | Doctor | Aide => "Practitioner",
            NurseRole | DoctorRole | AideRole => "PractitionerRole",
            Daughter => "RelatedPerson",
            Service => "Organization",
            Dispenser => "Device",
        }
    }

    /// Its identifier: system and value, by which it is found again.
    pub fn identifier(self) -> (&'static str, &'static str) {
        match self {
            Jeanne | Lucien | Yvonne | Ahmed | Simone | Theo => (INS_DEMO, self.person().ins),
            Nurse => (RPPS, "99900000011"),
            Doctor => (RPPS, "99900000029"),
            Service => (FINESS, "990000010"),
            Aide => (OWN_SYSTEM, "aide-1"),
            NurseRole => (OWN_SYSTEM, "exercice-infirmiere"),
            DoctorRole => (OWN_SYSTEM, "exercice-medecin"),
            AideRole => (OWN_SYSTEM, "exercice-aide"),
            Daughter => (OWN_SYSTEM, "fille-1"),
            Dispenser => (OWN_SYSTEM, "pilulier-1"),
        }
    }

    /// How references name it inside one bundle.
    pub fn full_url(self) -> String {
        format!("urn:uuid:00000000-0000-4000-8000-{:012}", self as u8 + 1)
    }

    /// A reference to it inside the bundle, with its name for readers.
    pub fn reference(self) -> Object {
        object! { "reference" => self.full_url(), "display" => self.display() }
    }

    /// Its name, for readers.
    pub fn display(self) -> String {
        match self {
            Jeanne | Lucien | Yvonne | Ahmed | Simone | Theo => {
                let person = self.person();
                format!("{} {}", person.given, person.family)
            }
            Nurse | NurseRole => "Claire Dubreuil (infirmière)".into(),
            Doctor | DoctorRole => "Dr Paul Kervella (médecin traitant)".into(),
            Aide | AideRole => "Nadia Ferrand (auxiliaire de vie)".into(),
            Daughter => "Sophie Morel (fille)".into(),
            Service => "SSIAD Les Ajoncs".into(),
            Dispenser => "Pilulier connecté".into(),
        }
    }

    /// The code of its profession (TRE_G15, TRE_R94), of those who have one.
    pub const fn profession(self) -> Option<&'static str> {
        match self {
            Nurse | NurseRole => Some("60"),
            Doctor | DoctorRole => Some("10"),
            Aide | AideRole => Some("42"),
            _ => None,
        }
    }

    /// The resource, in R4.
    pub fn resource(self) -> Object {
        let (system, value) = self.identifier();
        match self {
            Jeanne | Lucien | Yvonne | Ahmed | Simone | Theo => patient(&self.person()),
            Nurse => practitioner("RPPS", system, value, "Dubreuil", "Claire", "0639980001"),
            Doctor => practitioner("RPPS", system, value, "Kervella", "Paul", "0261910002"),
            Aide => practitioner("INTRN", system, value, "Ferrand", "Nadia", "0639980003"),
            NurseRole => self.role(Nurse, HEALTH_PROFESSIONS, "60", "Infirmier"),
            DoctorRole => self.role(Doctor, HEALTH_PROFESSIONS, "10", "Médecin"),
            AideRole => self.role(Aide, SOCIAL_PROFESSIONS, "42", "Auxiliaire de vie sociale"),
            Daughter => daughter(system, value),
            Service => service(system, value),
            Dispenser => object! {
                "resourceType" => "Device",
                "identifier" => array![object! { "system" => system, "value" => value }],
                "status" => "active",
                "deviceName" => array![object! { "name" => "Pilulier connecté", "type" => "user-friendly-name" }],
                "patient" => Jeanne.reference(),
            },
        }
    }

    fn role(self, person: Self, system: &str, code: &str, display: &str) -> Object {
        let (own, value) = self.identifier();
        let mut role = object! {
            "resourceType" => "PractitionerRole",
            "identifier" => array![object! { "system" => own, "value" => value }],
            "active" => true,
            "practitioner" => person.reference(),
        };
        if self != DoctorRole {
            role.set("organization", Service.reference());
        }
        role.set("code", array![concept(system, code, display)]);
        role
    }

    fn person(self) -> Person {
        let of = |ins, (family, given, gender, born), phone, (street, city, postal_code)| Person {
            ins,
            family,
            given,
            gender,
            born,
            phone,
            street,
            city,
            postal_code,
        };
        match self {
            Lucien => of(
                "147072211302456",
                ("Arnaud", "Lucien", "male", "1947-07-22"),
                "0261910011",
                ("4 allée des Tilleuls", "Saint-Brieuc", "22000"),
            ),
            Yvonne => of(
                "238042901904106",
                ("Castel", "Yvonne", "female", "1938-04-09"),
                "0261910012",
                ("7 quai du Léon", "Brest", "29200"),
            ),
            Ahmed => of(
                "152129935000830",
                ("Benali", "Ahmed", "male", "1952-12-01"),
                "0261910013",
                ("15 rue de Fougères", "Rennes", "35000"),
            ),
            Simone => of(
                "245117511403257",
                ("Vidal", "Simone", "female", "1945-11-30"),
                "0199000014",
                ("9 rue des Petits-Champs", "Paris", "75002"),
            ),
            Theo => of(
                "103033523805652",
                ("Garnier", "Théo", "male", "2003-03-18"),
                "0639980015",
                ("2 place de la Mairie", "Vitré", "35500"),
            ),
            // The first person of the circle; no other member is a person taken care of.
            _ => of(
                "241035626001756",
                ("Morel", "Jeanne", "female", "1941-03-12"),
                "0261910010",
                ("12 rue du Port", "Vannes", "56000"),
            ),
        }
    }
}

/// A coded concept with one coding.
pub fn concept(system: &str, code: &str, display: &str) -> Object {
    object! { "coding" => array![object! { "system" => system, "code" => code, "display" => display }] }
}

/// The care circles, which name who takes part; written last.
pub fn care_teams(since: &str) -> [Object; 2] {
    let team = |value: &str, person: Member, members: &[(Member, &str, &str)]| {
        let participants = members.iter().map(|(member, code, display)| {
            Value::from(object! {
                "role" => array![concept(ROLE_CLASS, code, display)],
                "member" => member.reference(),
                "period" => object! { "start" => since },
            })
        });
        object! {
            "resourceType" => "CareTeam",
            "meta" => object! {
                "profile" => array!["https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-ihe-careteam"],
            },
            "identifier" => array![object! { "system" => OWN_SYSTEM, "value" => value }],
            "status" => "active",
            "name" => format!("Cercle de soins de {}", person.display()),
            "subject" => person.reference(),
            "period" => object! { "start" => since },
            "participant" => participants.collect::<Vec<_>>(),
            "managingOrganization" => array![Service.reference()],
        }
    };
    let professional = "Professionnel de santé";
    [
        team(
            "cercle-jeanne",
            Jeanne,
            &[
                (NurseRole, "PROV", professional),
                (DoctorRole, "PROV", professional),
                (AideRole, "CAREGIVER", "Aidant"),
                (Daughter, "NOK", "Personne de confiance"),
                (Service, "PROV", professional),
            ],
        ),
        team(
            "cercle-lucien",
            Lucien,
            &[(NurseRole, "PROV", professional), (DoctorRole, "PROV", professional), (AideRole, "CAREGIVER", "Aidant")],
        ),
    ]
}

fn patient(person: &Person) -> Object {
    let Person { ins, family, given, gender, born, phone, street, city, postal_code } = *person;
    object! {
        "resourceType" => "Patient",
        "meta" => object! { "profile" => array!["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient"] },
        "identifier" => array![object! {
            "use" => "official",
            "type" => object! { "coding" => array![object! { "system" => IDENTIFIER_TYPES, "code" => "INS-NIR-DEMO" }] },
            "system" => INS_DEMO,
            "value" => ins,
        }],
        "active" => true,
        "name" => array![object! {
            "extension" => array![object! { "url" => BIRTH_NAMES, "valueString" => given }],
            "use" => "official",
            "family" => family,
            "given" => array![given],
        }],
        "telecom" => array![phone_number(phone)],
        "gender" => gender,
        "birthDate" => born,
        "address" => array![object! {
            "use" => "home",
            "line" => array![street],
            "city" => city,
            "postalCode" => postal_code,
            "country" => "FRA",
        }],
    }
}

fn practitioner(kind: &str, system: &str, value: &str, family: &str, given: &str, phone: &str) -> Object {
    object! {
        "resourceType" => "Practitioner",
        "identifier" => array![object! {
            "type" => object! { "coding" => array![object! { "system" => IDENTIFIER_TYPES, "code" => kind }] },
            "system" => system,
            "value" => value,
        }],
        "active" => true,
        "name" => array![object! { "use" => "official", "family" => family, "given" => array![given] }],
        "telecom" => array![phone_number(phone)],
    }
}

fn daughter(system: &str, value: &str) -> Object {
    object! {
        "resourceType" => "RelatedPerson",
        "identifier" => array![object! { "system" => system, "value" => value }],
        "active" => true,
        "patient" => Jeanne.reference(),
        "relationship" => array![
            concept(ROLE_CLASS, "NOK", "Personne de confiance"),
            concept(ROLE_CODE, "DAUC", "Fille"),
        ],
        "name" => array![object! { "use" => "usual", "family" => "Morel", "given" => array!["Sophie"] }],
        "telecom" => array![phone_number("0639980004")],
    }
}

fn service(system: &str, value: &str) -> Object {
    object! {
        "resourceType" => "Organization",
        "identifier" => array![object! {
            "type" => object! { "coding" => array![object! { "system" => IDENTIFIER_TYPES, "code" => "FINEG" }] },
            "system" => system,
            "value" => value,
        }],
        "active" => true,
        "name" => "SSIAD Les Ajoncs",
        "telecom" => array![phone_number("0261910005")],
        "address" => array![object! { "line" => array!["1 rue des Ajoncs"], "city" => "Vannes", "postalCode" => "56000" }],
    }
}

fn phone_number(digits: &str) -> Object {
    object! { "system" => "phone", "value" => digits }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, Member};

    #[test]
    fn everybody_is_there_once_and_can_be_found_again() {
        let urls: BTreeSet<String> = ALL.iter().map(|member| member.full_url()).collect();
        let identifiers: BTreeSet<_> = ALL.iter().map(|member| member.identifier()).collect();
        assert_eq!((urls.len(), identifiers.len()), (ALL.len(), ALL.len()));
        for member in ALL {
            let resource = member.resource();
            assert_eq!(resource.resource_type(), Some(member.resource_type()));
            let value = resource.objects("identifier").next().and_then(|identifier| identifier.str("value"));
            assert_eq!(value, Some(member.identifier().1), "{member:?}");
        }
    }

    #[test]
    fn a_person_is_named_as_the_notebook_names_them() {
        assert_eq!(Member::Theo.display(), "Théo Garnier");
        assert_eq!(Member::Jeanne.person().born, "1941-03-12");
    }
}
