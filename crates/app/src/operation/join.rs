//! Bringing a relative into a circle: who they are, and that they are in it, in one transaction. It is done as
//! whoever keeps the circle would do it themselves, by the same rules.

use std::sync::Arc;

use liaison_fhir::{
    array, object,
    outcome::{Issue, IssueKind},
    release,
    search::parse::Handling,
    text,
    tree::{Object, Value},
};

use crate::{
    audit::AuditRecord,
    bundle::answer::EntryAnswer,
    clock,
    error::{AppError, Refusal},
    face::Face,
    operation::{
        Operation, Stage,
        search::{Found, Search},
        transaction::Transaction,
    },
    policy::{Action, Interaction},
};

/// Brings a relative into the circle of a person.
#[derive(Clone, Debug)]
pub struct Join {
    /// The id of the `Patient`.
    pub person: String,
    /// The relative.
    pub relative: Relative,
    /// The addresses under which this server's own resources are named.
    pub bases: Arc<[String]>,
}

/// A relative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// First name.
    pub given: String,
    /// Last name.
    pub family: String,
    /// What they are to the person.
    pub relation: Relation,
}

/// What a relative is to the person (TRE_R216). None of them acts for the person by law: that is for those
/// who have seen the judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Relation {
    Spouse,
    Daughter,
    Son,
    Parent,
    Sibling,
    OtherFamily,
    Friend,
    Neighbour,
}

impl Relation {
    /// All of them, in the order they are offered in.
    pub const ALL: [Self; 8] = [
        Self::Spouse,
        Self::Daughter,
        Self::Son,
        Self::Parent,
        Self::Sibling,
        Self::OtherFamily,
        Self::Friend,
        Self::Neighbour,
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Spouse => "SPS",
            Self::Daughter => "DAUC",
            Self::Son => "SONC",
            Self::Parent => "PRN",
            Self::Sibling => "SIB",
            Self::OtherFamily => "FAMMEMB",
            Self::Friend => "FRND",
            Self::Neighbour => "NBOR",
        }
    }

    /// The one of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.code() == code)
    }
}

const ROLE_CODE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode";
const ROLE_CLASS: &str = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass";
/// Who takes care of the person without doing so for a living.
const CARER: &str = "CAREGIVER";
const NEW: &str = "urn:uuid:00000000-0000-4000-8000-000000000001";

impl Operation for Join {
    /// The id of the `RelatedPerson`.
    type Answer = String;

    fn action(&self) -> Action {
        Action::on(Interaction::Update, "CareTeam")
    }

    fn audit(&self) -> AuditRecord {
        AuditRecord { interaction: Interaction::Transaction, entity: "CareTeam".to_owned() }
    }

    async fn run(self, stage: Stage) -> Result<String, AppError> {
        let base = self.bases.first().map_or("", String::as_str);
        let face = Face { release: release::view(), base: base.into(), bases: Arc::clone(&self.bases) };
        let pairs = [("patient", self.person.as_str()), ("status", "active"), ("_count", "1")];
        let search = Search {
            face: face.clone(),
            resource_type: Some("CareTeam"),
            pairs: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            handling: Handling::Strict,
            write: |found: Found| Ok(found.matches),
        };
        let found = search.run(stage.clone()).await?;
        let Some(team) = found.first() else { return Err(no_circle()) };
        let version = team.version();
        let id = team.name().id.to_string();
        let since = clock::now().to_zoned(stage.app.settings().zone.clone()).date().to_string();
        let team = with_member(team.tree(&face)?, &since);
        let entries = array![
            entry(NEW, self.relative.resource(&self.person), object! { "method" => "POST", "url" => "RelatedPerson" }),
            entry(
                &format!("{base}CareTeam/{id}"),
                team,
                object! { "method" => "PUT", "url" => format!("CareTeam/{id}"), "ifMatch" => format!("W/\"{version}\"") }
            ),
        ];
        let bundle = object! { "resourceType" => "Bundle", "type" => "transaction", "entry" => entries };
        let answer = Transaction { face, bundle, idempotency_key: None }.run(stage).await?;
        match answer.entries.into_iter().next() {
            Some(Ok(EntryAnswer::Written(written))) => Ok(written.resource.name().id.to_string()),
            Some(Err(error)) => Err(error),
            _ => Err(no_circle()),
        }
    }
}

impl Relative {
    fn resource(&self, person: &str) -> Object {
        object! {
            "resourceType" => "RelatedPerson",
            "active" => true,
            "patient" => object! { "reference" => format!("Patient/{person}") },
            "relationship" => array![concept(ROLE_CODE, self.relation.code())],
            "name" => array![object! {
                "use" => "usual", "family" => self.family.as_str(), "given" => array![self.given.as_str()]
            }],
        }
    }
}

/// The circle with the new one in it, from today.
fn with_member(mut team: Object, since: &str) -> Object {
    let mut members: Vec<Value> = team.items("participant").to_vec();
    members.push(
        object! {
            "role" => array![concept(ROLE_CLASS, CARER)],
            "member" => object! { "reference" => NEW },
            "period" => object! { "start" => since },
        }
        .into(),
    );
    team.set("participant", members);
    team
}

fn concept(system: &str, code: &str) -> Object {
    object! { "coding" => array![object! { "system" => system, "code" => code }] }
}

fn entry(full_url: &str, resource: Object, request: Object) -> Object {
    object! { "fullUrl" => full_url, "resource" => resource, "request" => request }
}

fn no_circle() -> AppError {
    let text = text!(
        en: "There is no circle to bring anybody into.",
        fr: "Il n'y a pas de cercle où faire entrer quelqu'un.",
    );
    AppError::new(Refusal::Conflict, Issue::error(IssueKind::Conflict, "CareTeam", text))
}

#[cfg(test)]
mod tests {
    use liaison_care::access::{Capacity, capacity};

    use super::*;

    #[test]
    fn nobody_who_is_invited_acts_for_the_person_by_law() {
        for relation in Relation::ALL {
            assert_eq!(Relation::of(relation.code()), Some(relation));
            let concepts = [concept(ROLE_CODE, relation.code()), concept(ROLE_CLASS, CARER)];
            let said: Vec<&Object> = concepts.iter().collect();
            assert_eq!(capacity::of_related_person(&said), Capacity::Relative, "{relation:?}");
        }
        assert_eq!(Relation::of("GUARD"), None);
    }

    #[test]
    fn a_circle_keeps_those_who_were_in_it() {
        let team =
            object! { "participant" => array![object! { "member" => object! { "reference" => "Practitioner/a" } }] };
        let team = with_member(team, "2026-03-04");
        let members: Vec<&str> =
            team.objects("participant").filter_map(|one| one.object("member")?.str("reference")).collect();
        assert_eq!(members, ["Practitioner/a", NEW]);
    }
}
