//! What the claims of a provider say of who its bearers are.

use liaison_care::{
    access::{Acting, Capacities, Capacity, Identity, Office, Party, capacity},
    identifiers::{FINESS, IDNPS, IDNST, INS_NIR, RPPS},
    terminology::tables::{self, Kind},
};
use liaison_fhir::{
    object,
    search::{extract, index::Target},
};

use crate::claims::Claims;

/// How claims are read. The default reads what SMART (`fhirUser`) and Pro Santé Connect say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Claims that hold an identifier of the bearer, each with the system of the identifier.
    pub identifiers: Vec<Numbered>,
    /// Claims that name the resource of the bearer, as a reference or a whole address.
    pub resources: Vec<String>,
    /// Claims that hold codes of the bearer's professions (TRE_G15, TRE_R94).
    pub professions: Vec<String>,
    /// Claims that hold identifiers of the structures that the bearer works for.
    pub structures: Vec<Numbered>,
    /// Claims that hold a name to show; all of them together, in this order.
    pub names: Vec<String>,
    /// What every bearer is, when the provider is for one kind of people only.
    pub nature: Option<Capacity>,
    /// A claim and the value of it that only those who run the server have.
    pub operator: Option<(String, String)>,
    /// The software that calls without a user, by the name of its client.
    pub software: Vec<Software>,
}

/// A claim that holds identifiers of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The path of the claim.
    pub claim: String,
    /// The system of what stands there.
    pub system: String,
}

/// Software that calls without a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// The name of its client at the provider.
    pub client: String,
    /// The structure it belongs to: system and value of an identifier.
    pub structure: Option<(String, String)>,
    /// In whose name it may write.
    pub acting: Acting,
    /// Whether it runs the server.
    pub office: Office,
}

/// Claims that name the client of a token, the usual one first (RFC 9068, OpenID).
const CLIENT: [&str; 2] = ["client_id", "azp"];

impl Default for Mapping {
    fn default() -> Self {
        let numbered = |claim: &str, system: &str| Numbered { claim: claim.to_owned(), system: system.to_owned() };
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            identifiers: vec![
                // Pro Santé Connect gives the national identifier with its leading type.
                numbered("SubjectNameID", IDNPS),
                numbered("rpps", RPPS),
                numbered("ins", INS_NIR),
            ],
            resources: named(&["fhirUser"]),
            professions: named(&["SubjectRefPro.exercices.codeProfession", "profession"]),
            structures: vec![
                numbered("SubjectOrganizationID", IDNST),
                numbered("SubjectRefPro.exercices.activities.numeroFinessSite", FINESS),
                numbered("finess", FINESS),
            ],
            names: named(&["given_name", "family_name"]),
            nature: None,
            operator: None,
            software: Vec::new(),
        }
    }
}

/// Why claims say of nobody known who they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nobody {
    /// They have no subject.
    #[error("the token does not say whose it is")]
    NoSubject,
    /// Nothing in them is an identifier, a resource or a client known here.
    #[error("nothing in the token says who its bearer is in a way that is known here")]
    Unmapped,
}

impl Mapping {
    /// Who the claims of an issuer are about; `bases` are those of this server, for resources named in full.
    ///
    /// # Errors
    /// When they say it in no way that is known.
    pub fn identity(&self, issuer: &str, claims: &Claims, bases: &[String]) -> Result<Identity, Nobody> {
        let subject = claims.text("sub").ok_or(Nobody::NoSubject)?;
        let name = format!("{issuer}#{subject}");
        if let Some(software) = self.software(claims) {
            return Ok(software.identity(name));
        }
        let mut parties: Vec<Party> = numbers(&self.identifiers, claims);
        let mut nature = self.nature.map(Capacities::from).unwrap_or_default();
        for reference in self.resources.iter().flat_map(|claim| claims.texts(claim)) {
            if let Some(Target::Local { resource_type, id }) = extract::target(&reference, bases) {
                nature = nature.and(Identity::nature_of(&resource_type));
                parties.push(Party::Resource { resource_type, id });
            }
        }
        let professions = self.professions.iter().flat_map(|claim| claims.texts(claim));
        let professions = professions.fold(Capacities::NONE, |all, code| all.and(of_code(&code).into()));
        if !professions.is_none() {
            // What is known of the profession is more than what the type of the resource tells.
            nature = professions;
        }
        if nature.is_none() {
            nature = parties.iter().fold(Capacities::NONE, |all, party| all.and(of_number(party)));
        }
        let office = match &self.operator {
            Some((claim, value)) if claims.texts(claim).contains(value) => Office::Operator,
            _ => Office::None,
        };
        if parties.is_empty() && office == Office::None {
            return Err(Nobody::Unmapped);
        }
        let names: Vec<String> = self.names.iter().flat_map(|claim| claims.texts(claim)).collect();
        Ok(Identity {
            name,
            shown: (!names.is_empty()).then(|| names.join(" ")),
            parties,
            structures: numbers(&self.structures, claims),
            nature,
            acting: Acting::ForOneself,
            office,
        })
    }

    /// The paths of all claims that say who a person is. Those that would say that it is software are not
    /// among them: behind a browser is a person.
    pub fn of_people(&self) -> impl Iterator<Item = &str> {
        let numbered = self.identifiers.iter().chain(&self.structures).map(|numbered| numbered.claim.as_str());
        let named = [&self.resources, &self.professions, &self.names].into_iter().flatten().map(String::as_str);
        let operator = self.operator.iter().map(|(claim, _)| claim.as_str());
        ["sub"].into_iter().chain(numbered).chain(named).chain(operator).filter(|claim| !CLIENT.contains(claim))
    }

    /// The software that a token was given to without a user: its subject is the client itself.
    fn software(&self, claims: &Claims) -> Option<&Software> {
        let client = CLIENT.iter().find_map(|claim| claims.text(claim))?;
        let alone = claims.text("sub") == Some(client.clone())
            // Keycloak gives clients a user of their own, whose name begins so.
            || claims.text("preferred_username") == Some(format!("service-account-{}", client.to_lowercase()));
        self.software.iter().find(|software| alone && software.client == client)
    }
}

impl Software {
    /// Who it is, under a name.
    #[must_use]
    pub fn identity(&self, name: String) -> Identity {
        let structure = self.structure.as_ref().and_then(|(system, value)| identified(system, value));
        Identity {
            name,
            shown: Some(self.client.clone()),
            nature: structure.as_ref().map(|_| Capacity::Establishment.into()).unwrap_or_default(),
            structures: structure.iter().cloned().collect(),
            parties: structure.into_iter().collect(),
            acting: self.acting,
            office: self.office,
        }
    }
}

fn numbers(claims_with: &[Numbered], claims: &Claims) -> Vec<Party> {
    let found = claims_with.iter().flat_map(|numbered| {
        claims.texts(&numbered.claim).into_iter().filter_map(|value| identified(&numbered.system, &value))
    });
    let mut parties = Vec::new();
    for party in found {
        if !parties.contains(&party) {
            parties.push(party);
        }
    }
    parties
}

fn identified(system: &str, value: &str) -> Option<Party> {
    Party::identified(&object! { "system" => system, "value" => value })
}

/// What somebody is by a code of profession that comes without its system: professions of health first,
/// then of social care; the two share no code.
fn of_code(code: &str) -> Capacity {
    for system in [capacity::HEALTH, capacity::SOCIAL] {
        if tables::find(Kind::CodeSystem, system).is_some_and(|table| table.contains(None, code)) {
            return Capacity::of_profession(system, code);
        }
    }
    Capacity::OtherProfessional
}

/// What somebody is by an identifier alone: an INS is a person's, the rest professionals'.
fn of_number(party: &Party) -> Capacities {
    match party {
        Party::Identified { kind, .. } if kind.starts_with("INS") => Capacity::Person.into(),
        Party::Identified { kind, .. } if matches!(kind.as_str(), "RPPS" | "IDNPS" | "ADELI") => {
            Capacity::OtherProfessional.into()
        }
        _ => Capacities::NONE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://idp.example";

    fn read(mapping: &Mapping, claims: Value) -> Result<Identity, Nobody> {
        let claims = Claims::new(claims.as_object().unwrap().clone());
        mapping.identity(ISSUER, &claims, &["https://liaison.example/fhir/r4/".to_owned()])
    }

    fn software() -> Mapping {
        let software = Software {
            client: "HomeCare".to_owned(),
            structure: Some((FINESS.to_owned(), "750803447".to_owned())),
            acting: Acting::ForItsStaff,
            office: Office::None,
        };
        Mapping { software: vec![software], ..Mapping::default() }
    }

    #[test]
    fn a_professional_of_pro_sante_connect_is_known_by_rpps_profession_and_structure() {
        let nurse = json!({
            "sub": "f:550dc1c8:810005678901", "SubjectNameID": "810005678901",
            "given_name": "Awa", "family_name": "Diallo",
            "SubjectOrganizationID": "1750803447",
            "SubjectRefPro": { "exercices": [{ "codeProfession": "60", "activities": [
                { "numeroFinessSite": "750803447" }, { "numeroFinessSite": "" }
            ] }] }
        });
        let identity = read(&Mapping::default(), nurse).unwrap();
        assert_eq!(identity.parties, [identified(RPPS, "10005678901").unwrap()]);
        assert_eq!(identity.nature, Capacity::HealthProfessional.into());
        assert_eq!(identity.structures, [identified(FINESS, "750803447").unwrap()], "the same in both forms, once");
        assert_eq!(identity.shown.as_deref(), Some("Awa Diallo"));
        assert_eq!(identity.name, "https://idp.example#f:550dc1c8:810005678901");
    }

    #[test]
    fn a_social_worker_is_told_by_the_code_alone() {
        let claims = json!({ "sub": "a", "rpps": "10005678901", "profession": ["211"] });
        assert_eq!(read(&Mapping::default(), claims).unwrap().nature, Capacity::SocialProfessional.into());
        let claims = json!({ "sub": "a", "rpps": "10005678901", "profession": "999" });
        assert_eq!(read(&Mapping::default(), claims).unwrap().nature, Capacity::OtherProfessional.into());
    }

    #[test]
    fn smart_names_the_resource_of_the_user() {
        for (reference, nature) in [
            ("Patient/jeanne", Capacity::Person),
            ("https://liaison.example/fhir/r4/RelatedPerson/lea", Capacity::Relative),
            ("Practitioner/p", Capacity::OtherProfessional),
        ] {
            let identity = read(&Mapping::default(), json!({ "sub": "a", "fhirUser": reference })).unwrap();
            assert_eq!((identity.parties.len(), identity.nature), (1, nature.into()), "{reference}");
        }
    }

    #[test]
    fn who_is_known_elsewhere_only_is_nobody_here() {
        for claims in [
            json!({ "sub": "a" }),
            json!({ "sub": "a", "fhirUser": "https://other.example/fhir/Practitioner/p" }),
            json!({ "sub": "a", "SubjectNameID": " " }),
        ] {
            assert_eq!(read(&Mapping::default(), claims.clone()), Err(Nobody::Unmapped), "{claims}");
        }
        assert_eq!(read(&Mapping::default(), json!({ "rpps": "10005678901" })), Err(Nobody::NoSubject));
    }

    #[test]
    fn software_is_known_by_its_client_when_no_user_stands_behind() {
        for claims in [
            json!({ "sub": "HomeCare", "client_id": "HomeCare" }),
            json!({ "sub": "1c7f", "azp": "HomeCare", "preferred_username": "service-account-homecare" }),
        ] {
            let identity = read(&software(), claims).unwrap();
            assert_eq!(identity.nature, Capacity::Establishment.into());
            assert_eq!(identity.acting, Acting::ForItsStaff);
        }
        // A person who uses that software is that person, with nothing of what the software may do.
        let user = json!({ "sub": "1c7f", "azp": "HomeCare", "rpps": "10005678901" });
        let identity = read(&software(), user).unwrap();
        assert_eq!(identity.acting, Acting::ForOneself);
        assert_eq!(identity.nature, Capacity::OtherProfessional.into());
        assert_eq!(read(&software(), json!({ "sub": "Other", "client_id": "Other" })), Err(Nobody::Unmapped));
    }

    #[test]
    fn who_runs_the_server_is_told_by_a_claim_of_their_own() {
        let mapping =
            Mapping { operator: Some(("roles".to_owned(), "liaison-operator".to_owned())), ..Mapping::default() };
        let identity = read(&mapping, json!({ "sub": "a", "roles": ["user", "liaison-operator"] })).unwrap();
        assert_eq!((identity.office, identity.nature), (Office::Operator, Capacities::NONE));
        assert_eq!(read(&mapping, json!({ "sub": "a", "roles": ["user"] })), Err(Nobody::Unmapped));
        let unset = read(&Mapping::default(), json!({ "sub": "a", "roles": ["liaison-operator"] }));
        assert_eq!(unset, Err(Nobody::Unmapped), "nobody is an operator unless it is set up");
    }
}
