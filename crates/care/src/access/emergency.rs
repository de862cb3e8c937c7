//! Emergency access: a health professional outside the circle opens it for a bounded time, saying why.
//!
//! What it leaves is a circle of its own: a `CareTeam` with one member, whose period ends by itself, and whose
//! reason the person and the whole circle read. So nothing else in the rules knows of emergencies, and who
//! keeps the circle closes it like any other.

use liaison_fhir::{
    array, object,
    outcome::{Issue, IssueKind},
    text,
    tree::{Object, Value},
};

use super::{
    belonging::Party,
    capacity::{Capacities, Capacity},
    identity::Identity,
};

/// The name of the operation, on `Patient`.
pub const OPERATION: &str = "emergency-access";

/// Fewer letters say nothing.
const SHORTEST_REASON: usize = 10;

/// More bytes are no sentence.
const LONGEST_REASON: usize = 1_000;

/// HL7's purpose of use for it (`ETREAT`, which STU3 knows as well as R4).
const PURPOSES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// About whom.
    pub person: Person,
    /// Why, in the words of who asks.
    pub reason: String,
}

/// About whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// The `Patient` with this reference.
    Reference(String),
    /// The one with this national identifier.
    Identified(Party),
}

/// Why it is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotGiven {
    /// To health professionals only.
    NotOfHealth,
    /// Who is in the circle needs none.
    InTheCircle,
}

/// Whether somebody may open the notebook of a person in an emergency.
///
/// # Errors
/// Why not.
pub const fn decide(identity: &Identity, in_notebook: Capacities) -> Result<(), NotGiven> {
    if !in_notebook.is_none() {
        return Err(NotGiven::InTheCircle);
    }
    if !identity.nature.meets(Capacities::of(&[Capacity::HealthProfessional])) {
        return Err(NotGiven::NotOfHealth);
    }
    Ok(())
}

impl Asked {
    /// Reads the `Parameters` of the operation: `reason`, and `patient` or `identifier`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(parameters: &Object) -> Result<Self, Vec<Issue>> {
        let mut issues = Vec::new();
        let (mut reason, mut person) = (None, None);
        for (at, parameter) in parameters.objects("parameter").enumerate() {
            let place = format!("Parameters.parameter[{at}]");
            match parameter.str("name") {
                Some("reason") if reason.is_none() => {
                    let said = parameter.str("valueString").unwrap_or_default().trim();
                    let letters = said.chars().filter(|letter| letter.is_alphabetic()).count();
                    if letters < SHORTEST_REASON || said.len() > LONGEST_REASON {
                        issues.push(Issue::error(IssueKind::Value, format!("{place}.value"), say_why()));
                    }
                    reason = Some(said.to_owned());
                }
                Some("patient") if person.is_none() => {
                    let reference = parameter.object("valueReference").and_then(|value| value.str("reference"));
                    person = reference.map(|reference| Person::Reference(reference.to_owned()));
                    if person.is_none() {
                        issues.push(Issue::error(IssueKind::Value, format!("{place}.value"), say_who()));
                    }
                }
                Some("identifier") if person.is_none() => {
                    person = parameter.object("valueIdentifier").and_then(Party::identified).map(Person::Identified);
                    if person.is_none() {
                        issues.push(Issue::error(IssueKind::Value, format!("{place}.value"), say_who()));
                    }
                }
                _ => issues.push(Issue::error(
                    IssueKind::NotSupported,
                    place,
                    text!(
                        en: "There are reason, and once patient or identifier.",
                        fr: "Il y a reason, et une fois patient ou identifier.",
                    ),
                )),
            }
        }
        let missing = |place: &str, text| Issue::error(IssueKind::Required, place, text);
        match (person, reason) {
            (Some(person), Some(reason)) if issues.is_empty() => Ok(Self { person, reason }),
            (person, reason) => {
                if issues.is_empty() && person.is_none() {
                    issues.push(missing("Parameters.parameter", say_who()));
                }
                if issues.is_empty() && reason.is_none() {
                    issues.push(missing("Parameters.parameter", say_why()));
                }
                Err(issues)
            }
        }
    }
}

fn say_why() -> liaison_fhir::outcome::Text {
    text!(
        en: "Say why in a sentence (reason, as valueString): the person reads it.",
        fr: "Dites pourquoi en une phrase (reason, en valueString) : la personne la lira.",
    )
}

fn say_who() -> liaison_fhir::outcome::Text {
    text!(
        en: "Say whose notebook: patient as valueReference, or identifier as valueIdentifier with a national identifier.",
        fr: "Dites de qui est le cahier : patient en valueReference, ou identifier en valueIdentifier avec un identifiant national.",
    )
}

/// The circle that it leaves, in its R4 form; instants as FHIR writes them.
#[must_use]
pub fn circle(person: &str, who: Value, reason: &str, from: &str, until: &str) -> Object {
    let period = || object! { "start" => from, "end" => until };
    object! {
        "resourceType" => "CareTeam",
        "status" => "active",
        "name" => "Accès en urgence",
        "subject" => object! { "reference" => format!("Patient/{person}") },
        "period" => period(),
        "participant" => array![object! { "member" => who, "period" => period() }],
        "reasonCode" => array![object! {
            "coding" => array![object! { "system" => PURPOSES, "code" => "ETREAT", "display" => "Emergency Treatment" }],
            "text" => reason,
        }],
    }
}

/// How somebody is named as its member: by a resource of this server when there is one, else by identifier.
#[must_use]
pub fn member(selves: &[Party], shown: Option<&str>) -> Option<Value> {
    let named = |resource_type: &str| {
        selves.iter().find_map(|party| match party {
            Party::Resource { resource_type: its, id } if its == resource_type => Some(format!("{its}/{id}")),
            _ => None,
        })
    };
    let mut who = match named("Practitioner").or_else(|| named("PractitionerRole")) {
        Some(reference) => object! { "reference" => reference },
        None => {
            let (system, value) = selves.iter().flat_map(Party::written).next()?;
            object! { "type" => "Practitioner", "identifier" => object! { "system" => system, "value" => value } }
        }
    };
    if let Some(shown) = shown {
        who.push("display", shown);
    }
    Some(who.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Acting, Office};

    fn somebody(nature: Capacities) -> Identity {
        Identity {
            name: "test#somebody".to_owned(),
            shown: None,
            parties: Vec::new(),
            structures: Vec::new(),
            nature,
            acting: Acting::ForOneself,
            office: Office::None,
        }
    }

    #[test]
    fn it_is_for_health_professionals_outside_the_circle() {
        for capacity in Capacity::ALL {
            let outside = decide(&somebody(capacity.into()), Capacities::NONE);
            assert_eq!(outside.is_ok(), capacity == Capacity::HealthProfessional, "{capacity:?}");
            assert_eq!(decide(&somebody(capacity.into()), capacity.into()), Err(NotGiven::InTheCircle));
        }
    }

    fn asked(parameters: Vec<Value>) -> Result<Asked, Vec<Issue>> {
        Asked::read(&object! { "resourceType" => "Parameters", "parameter" => parameters })
    }

    fn reason(said: &str) -> Value {
        object! { "name" => "reason", "valueString" => said }.into()
    }

    fn patient() -> Value {
        object! { "name" => "patient", "valueReference" => object! { "reference" => "Patient/jeanne" } }.into()
    }

    #[test]
    fn it_says_of_whom_and_why() {
        let read = asked(vec![patient(), reason(" Chute à domicile, personne inconsciente. ")]).unwrap();
        assert_eq!(read.person, Person::Reference("Patient/jeanne".to_owned()));
        assert_eq!(read.reason, "Chute à domicile, personne inconsciente.");
    }

    #[test]
    fn what_says_too_little_or_too_much_is_refused_with_its_place() {
        for (parameters, place) in [
            (vec![], "Parameters.parameter"),
            (vec![patient()], "Parameters.parameter"),
            (vec![reason("Malaise grave à domicile")], "Parameters.parameter"),
            (vec![patient(), reason("urgence !!! 112 112 112")], "Parameters.parameter[1].value"),
            (vec![patient(), reason(&"a".repeat(2_000))], "Parameters.parameter[1].value"),
            (vec![patient(), patient(), reason("Malaise grave à domicile")], "Parameters.parameter[1]"),
            (vec![object! { "name" => "identifier", "valueString" => "1" }.into()], "Parameters.parameter[0].value"),
            (vec![object! { "name" => "until", "valueDate" => "2030-01-01" }.into()], "Parameters.parameter[0]"),
        ] {
            let issues = asked(parameters.clone()).unwrap_err();
            assert_eq!(issues[0].place, place, "{parameters:?}");
        }
    }
}
