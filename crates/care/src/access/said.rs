//! Whom a person or a relative is said to be, as far as access rests on it: the numbers they carry, by which somebody
//! who asks is found to be them, and whether they act for the person by law.

use liaison_fhir::tree::Object;

use super::{
    belonging::Party,
    capacity::{self, Capacity},
    identity::Identity,
    rules::{Office, Owner, Reason, Standing, Verdict},
};

/// Whom somebody is said to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The numbers they carry.
    pub numbers: Vec<Party>,
    /// Whether they act for the person by law.
    pub by_law: bool,
}

impl Said {
    /// What a `Patient` or a `RelatedPerson` says in its R4 form; nothing for any other type.
    #[must_use]
    pub fn of(resource: &Object) -> Self {
        let relations: Vec<&Object> = match resource.resource_type() {
            Some("Patient") => Vec::new(),
            Some("RelatedPerson") => resource.objects("relationship").collect(),
            _ => return Self::default(),
        };
        Self {
            numbers: resource.objects("identifier").filter_map(Party::identified).collect(),
            by_law: capacity::of_related_person(&relations) == Capacity::LegalRepresentative,
        }
    }

    /// Whether somebody may say this instead of what was said before: nobody makes themselves somebody else by
    /// writing their own number there, and who acts for the person by law is for those who keep the circle
    /// (`keep` is whether they may change it). Who runs the server answers for both.
    #[must_use]
    pub fn instead_of(&self, before: &Self, by: &Identity, standing: Standing, keep: Verdict) -> Verdict {
        if standing.office == Office::Operator {
            return Verdict::Granted;
        }
        let mut new = self.numbers.iter().filter(|number| !before.numbers.contains(number));
        if standing.owner == Owner::Others && new.any(|number| by.parties.contains(number)) {
            return Verdict::Refused(Reason::NotOfTheKind);
        }
        if self.by_law && !before.by_law { keep } else { Verdict::Granted }
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::{
        access::{Acting, Capacities, Keeping},
        identifiers::{IDNPS, RPPS},
    };

    fn number(system: &str, value: &str) -> Object {
        object! { "system" => system, "value" => value }
    }

    fn relative(code: &str, numbers: &[(&str, &str)]) -> Said {
        let numbers: Vec<_> = numbers.iter().map(|(system, value)| number(system, value).into()).collect();
        Said::of(&object! {
            "resourceType" => "RelatedPerson",
            "identifier" => liaison_fhir::tree::Value::Array(numbers),
            "relationship" => array![object! { "coding" => array![object! { "code" => code }] }],
        })
    }

    fn says(after: &Said, before: &Said, owner: Owner, office: Office, keep: Verdict) -> Verdict {
        let by = Identity {
            name: "nurse".into(),
            shown: None,
            parties: Party::identified(&number(RPPS, "10000000001")).into_iter().collect(),
            structures: Vec::new(),
            nature: Capacities::NONE,
            acting: Acting::ForOneself,
            office,
        };
        let (nature, in_notebook) = (Capacities::NONE, Capacities::NONE);
        after.instead_of(before, &by, Standing { nature, in_notebook, keeping: Keeping::Member, owner, office }, keep)
    }

    const NO: Verdict = Verdict::Refused(Reason::NotAKeeper);

    #[test]
    fn who_acts_by_law_is_said_by_who_keeps_the_circle_and_taken_back_by_others_too() {
        let (daughter, guardian) = (relative("DAUC", &[]), relative("GUARD", &[]));
        for owner in [Owner::Oneself, Owner::Others] {
            assert_eq!(says(&guardian, &daughter, owner, Office::None, NO), NO);
            assert_eq!(says(&guardian, &daughter, owner, Office::None, Verdict::Granted), Verdict::Granted);
            assert_eq!(says(&guardian, &guardian, owner, Office::None, NO), Verdict::Granted);
            assert_eq!(says(&daughter, &guardian, owner, Office::None, NO), Verdict::Granted);
        }
        assert_eq!(says(&guardian, &daughter, Owner::Others, Office::Operator, NO), Verdict::Granted);
    }

    #[test]
    fn nobody_writes_their_own_number_on_somebody_else_in_either_way_it_is_written() {
        let before = relative("DAUC", &[(RPPS, "10000000002")]);
        for own in [(RPPS, "10000000001"), (IDNPS, "810000000001")] {
            let after = relative("DAUC", &[(RPPS, "10000000002"), own]);
            let asked = |owner, office| says(&after, &before, owner, office, Verdict::Granted);
            assert_eq!(asked(Owner::Others, Office::None), Verdict::Refused(Reason::NotOfTheKind));
            assert_eq!(asked(Owner::Oneself, Office::None), Verdict::Granted);
            assert_eq!(asked(Owner::Others, Office::Operator), Verdict::Granted);
            assert_eq!(says(&after, &after, Owner::Others, Office::None, NO), Verdict::Granted);
        }
        let other = relative("DAUC", &[(RPPS, "10000000003")]);
        assert_eq!(says(&other, &before, Owner::Others, Office::None, NO), Verdict::Granted);
    }
}
