//! Who one can be in the demonstration, as a provider of identity would say it of them.

use liaison_identity::{
    claims::Claims,
    mapping::{Mapping, Numbered},
};
use liaison_web::people::Invented;
use serde_json::{Map, Value};

use super::circle::{self, Member};
use crate::signing_in::Cast;

/// Whose word it is: the demonstration's own.
const ISSUER: &str = "urn:liaison:demonstration";
/// Claims of the demonstration: a number of its own, and the INS of a demonstration.
const OWN: &str = "demo";
const INS: &str = "ins_demo";

/// One of each kind who takes part in Jeanne's notebook, and one who has a notebook and no circle.
const SHOWN: [Member; 6] =
    [Member::Nurse, Member::Doctor, Member::Aide, Member::Daughter, Member::Jeanne, Member::Yvonne];

/// Those whom one can be.
pub fn cast() -> Cast {
    let numbered = |claim: &str, system: &str| Numbered { claim: claim.to_owned(), system: system.to_owned() };
    let mut mapping = Mapping::default();
    mapping.identifiers.extend([numbered(OWN, circle::OWN_SYSTEM), numbered(INS, circle::INS_DEMO)]);
    Cast { issuer: ISSUER.to_owned(), mapping, invented: SHOWN.map(invented).into() }
}

/// What they are called, in one line.
pub fn names() -> String {
    SHOWN.map(Member::display).join(", ")
}

fn invented(member: Member) -> Invented {
    let (system, number) = member.identifier();
    let name = member.display();
    let claim = match system {
        circle::RPPS => "rpps",
        circle::INS_DEMO => INS,
        _ => OWN,
    };
    let key = format!("{member:?}").to_lowercase();
    let mut claims = Map::new();
    let mut say = |claim: &str, value: &str| claims.insert(claim.to_owned(), Value::String(value.to_owned()));
    say("sub", &key);
    say("given_name", &name);
    say(claim, number);
    if let Some(profession) = member.profession() {
        say("profession", profession);
    }
    Invented { key, name, issuer: ISSUER.to_owned(), claims: Claims::new(claims) }
}

#[cfg(test)]
mod tests {
    use liaison_care::access::{Capacities, Capacity};

    use super::*;

    #[test]
    fn everybody_one_can_be_is_known_as_what_they_are() {
        let cast = cast();
        let natures = cast.invented.iter().map(|one| {
            let identity = cast.mapping.identity(ISSUER, &one.claims, &[]).unwrap();
            assert_eq!(identity.shown.as_deref(), Some(one.name.as_str()));
            assert!(!identity.parties.is_empty());
            identity.nature
        });
        let of = |capacity: Capacity| Capacities::from(capacity);
        let person = natures.collect::<Vec<_>>();
        assert_eq!(
            person[..3],
            [of(Capacity::HealthProfessional), of(Capacity::HealthProfessional), of(Capacity::SocialProfessional)]
        );
    }
}
