//! Who is in a person's circle, since when and until when: read from a `CareTeam`.
//!
//! Cercle de soins 2.0.1 §2: one circle a person; a member may leave and come back, as several
//! participants with periods of their own.

use jiff::tz::TimeZone;
use liaison_fhir::{
    primitive::date_range,
    search::{extract, index::Target},
    tree::Object,
};

use super::{
    belonging::Party,
    capacity::{self, Capacities, Capacity},
};

/// A circle that may give access, at some moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The id of the `Patient` it is of.
    pub person: String,
    /// Its members; the same one as often as there are periods.
    pub members: Vec<Member>,
}

/// A member, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who: a reference and an identifier may both say it.
    pub who: Vec<Party>,
    /// What the role in the circle says of the capacity, beside what is known of the member.
    pub role: Capacities,
    /// Whether the circle is theirs to keep.
    pub keeping: Keeping,
    /// From this instant, in microseconds since 1970 UTC, included.
    pub from: i64,
    /// Until this one, left out.
    pub until: i64,
}

/// Whether a member may change the circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keeping {
    /// They may: the attending physician, the organisation in charge.
    Keeper,
    /// They may not.
    Member,
}

/// What reading a circle needs to know of the world.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The zone of days without one.
    pub zone: &'a TimeZone,
    /// The bases of this server, for references that are written in full.
    pub bases: &'a [String],
}

/// The role of the attending physician (HL7 ParticipationFunction, TRE_R259).
const ATTENDING: &str = "PCP";

impl Circle {
    /// The circle that a `CareTeam` in its R4 form describes; `None` when it gives no access at any time:
    /// it is not `active`, or not about a person of this server.
    #[must_use]
    pub fn of(team: &Object, setting: Setting<'_>) -> Option<Self> {
        if team.str("status") != Some("active") {
            return None;
        }
        let subject = team.object("subject")?.str("reference")?;
        let Some(Target::Local { resource_type, id }) = extract::target(subject, setting.bases) else { return None };
        if resource_type != "Patient" {
            return None;
        }
        let (opened, closed) = team.object("period").map_or(ALWAYS, |period| span(period, setting.zone));
        let members = team.objects("participant").filter_map(|participant| {
            let who = Party::all(participant.object("member")?, setting.bases);
            let roles: Vec<&Object> = participant.objects("role").collect();
            let (from, until) = participant.object("period").map_or(ALWAYS, |period| span(period, setting.zone));
            let (from, until) = (from.max(opened), until.min(closed));
            (from < until && !who.is_empty()).then(|| Member {
                role: match capacity::of_related_person(&roles) {
                    Capacity::LegalRepresentative => Capacity::LegalRepresentative.into(),
                    _ => Capacities::NONE,
                },
                keeping: if is_attending(&roles) { Keeping::Keeper } else { Keeping::Member },
                who,
                from,
                until,
            })
        });
        let charge = team.objects("managingOrganization").filter_map(|organization| {
            let who = Party::all(organization, setting.bases);
            (opened < closed && !who.is_empty()).then_some(Member {
                who,
                role: Capacities::NONE,
                keeping: Keeping::Keeper,
                from: opened,
                until: closed,
            })
        });
        Some(Self { person: id.to_string(), members: members.chain(charge).collect() })
    }

    /// Those who are members at a moment, in microseconds since 1970 UTC.
    pub fn at(&self, moment: i64) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.from <= moment && moment < member.until)
    }

    /// The next moment after this one at which somebody enters or leaves; `i64::MAX` when nobody does.
    #[must_use]
    pub fn next_change(&self, after: i64) -> i64 {
        let edges = self.members.iter().flat_map(|member| [member.from, member.until]);
        edges.filter(|edge| *edge > after).min().unwrap_or(i64::MAX)
    }
}

const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

/// The instants of a `Period`, both of whose days are part of it. A period that cannot be read is empty:
/// it gives no access.
fn span(period: &Object, zone: &TimeZone) -> (i64, i64) {
    let edge = |name: &str, open: i64| match period.str(name) {
        Some(date) => date_range(date, zone),
        None => Some((open, open)),
    };
    match (edge("start", i64::MIN), edge("end", i64::MAX)) {
        (Some((from, _)), Some((_, until))) => (from, until),
        _ => (0, 0),
    }
}

fn is_attending(roles: &[&Object]) -> bool {
    let mut codings = roles.iter().flat_map(|role| role.objects("coding"));
    codings.any(|coding| coding.str("code").map(str::trim) == Some(ATTENDING))
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object, primitive::parse_instant};

    use super::*;

    fn team(status: &str, period: Object, participants: Vec<Object>) -> Object {
        let participants: Vec<liaison_fhir::tree::Value> = participants.into_iter().map(Into::into).collect();
        object! {
            "resourceType" => "CareTeam",
            "status" => status,
            "subject" => object! { "reference" => "Patient/jeanne" },
            "period" => period,
            "participant" => participants,
        }
    }

    fn participant(member: &str, period: Option<Object>) -> Object {
        let mut participant = object! { "member" => object! { "reference" => member } };
        if let Some(period) = period {
            participant.push("period", period);
        }
        participant
    }

    fn since(start: &str) -> Object {
        object! { "start" => start }
    }

    fn between(start: &str, end: &str) -> Object {
        object! { "start" => start, "end" => end }
    }

    fn read(team: &Object) -> Option<Circle> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        Circle::of(team, Setting { zone: &zone, bases: &["https://liaison.example/fhir/r4/".to_owned()] })
    }

    fn members_at(circle: &Circle, moment: &str) -> Vec<String> {
        circle.at(parse_instant(moment).unwrap()).map(|member| format!("{:?}", member.who)).collect()
    }

    #[test]
    fn only_an_active_circle_gives_access() {
        for status in ["proposed", "suspended", "inactive", "entered-in-error"] {
            assert_eq!(read(&team(status, since("2024-01-01"), vec![participant("PractitionerRole/a", None)])), None);
        }
        let circle = read(&team("active", since("2024-01-01"), vec![participant("PractitionerRole/a", None)])).unwrap();
        assert_eq!(circle.person, "jeanne");
        assert_eq!(circle.members.len(), 1);
    }

    #[test]
    fn a_member_enters_with_the_first_moment_of_a_day_and_leaves_with_the_last_in_the_zone_of_the_server() {
        let nurse = participant("PractitionerRole/a", Some(between("2024-05-10", "2024-05-12")));
        let circle = read(&team("active", since("2024-01-01"), vec![nurse])).unwrap();
        assert!(members_at(&circle, "2024-05-09T21:59:59.999999Z").is_empty());
        assert_eq!(members_at(&circle, "2024-05-09T22:00:00Z").len(), 1);
        assert_eq!(members_at(&circle, "2024-05-12T21:59:59.999999Z").len(), 1);
        assert!(members_at(&circle, "2024-05-12T22:00:00Z").is_empty());
    }

    #[test]
    fn nobody_is_a_member_before_the_circle_opens_or_after_it_closes() {
        let circle = team("active", between("2024-02", "2024-03"), vec![participant("RelatedPerson/b", None)]);
        let circle = read(&circle).unwrap();
        assert!(members_at(&circle, "2024-01-31T12:00:00Z").is_empty());
        assert_eq!(members_at(&circle, "2024-03-31T12:00:00Z").len(), 1);
        assert!(members_at(&circle, "2024-04-01T12:00:00Z").is_empty());
    }

    #[test]
    fn who_left_and_came_back_was_away_in_between() {
        let twice = vec![
            participant("PractitionerRole/a", Some(between("2024-01-01", "2024-01-31"))),
            participant("PractitionerRole/a", Some(since("2024-03-01"))),
        ];
        let circle = read(&team("active", since("2024-01-01"), twice)).unwrap();
        assert!(members_at(&circle, "2024-02-15T00:00:00Z").is_empty());
        assert_eq!(members_at(&circle, "2030-01-01T00:00:00Z").len(), 1);
    }

    #[test]
    fn a_period_that_cannot_be_read_or_ends_before_it_begins_gives_no_access() {
        for period in [since("soon"), between("2024-05-10", "2024-05-01")] {
            let member = participant("PractitionerRole/a", Some(period));
            assert_eq!(read(&team("active", since("2024-01-01"), vec![member])).unwrap().members, []);
        }
    }

    #[test]
    fn the_attending_physician_and_the_organisation_in_charge_keep_the_circle() {
        let mut physician = participant("PractitionerRole/gp", None);
        physician.push("role", array![object! { "coding" => array![object! { "code" => "PCP" }] }]);
        let nurse = participant("PractitionerRole/nurse", None);
        let mut circle = team("active", since("2024-01-01"), vec![physician, nurse]);
        circle.push("managingOrganization", array![object! { "reference" => "Organization/ssiad" }]);
        let keeping: Vec<_> = read(&circle).unwrap().members.into_iter().map(|member| member.keeping).collect();
        assert_eq!(keeping, [Keeping::Keeper, Keeping::Member, Keeping::Keeper]);
    }

    #[test]
    fn a_guardian_may_be_one_by_the_role_in_the_circle() {
        let mut guardian = participant("RelatedPerson/b", None);
        guardian.push("role", array![object! { "coding" => array![object! { "code" => "GUARD" }] }]);
        let circle = read(&team("active", since("2024-01-01"), vec![guardian])).unwrap();
        assert_eq!(circle.members[0].role, Capacity::LegalRepresentative.into());
    }

    #[test]
    fn a_circle_about_somebody_elsewhere_gives_no_access_here() {
        let mut elsewhere = team("active", since("2024-01-01"), vec![participant("PractitionerRole/a", None)]);
        elsewhere.set("subject", object! { "reference" => "https://other.example/fhir/Patient/jeanne" });
        assert_eq!(read(&elsewhere), None);
        elsewhere.set("subject", object! { "reference" => "https://liaison.example/fhir/r4/Patient/jeanne" });
        assert!(read(&elsewhere).is_some());
        elsewhere.set("subject", object! { "reference" => "Group/family" });
        assert_eq!(read(&elsewhere), None);
    }
}
