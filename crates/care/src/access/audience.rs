//! From whom the labels of a resource hide it.

use liaison_fhir::{terminology::systems::canonical_system, tree::Object};

use super::capacity::{Capacities, Capacity};
use crate::note::label::CONFIDENTIALITY;

/// The codes of TRE_A07, of which JDV_J110 is made.
const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";

/// From whom something is hidden. Its author sees it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Audience {
    hidden_from: Capacities,
}

use Capacity::{
    Device, Establishment, HealthProfessional, LegalRepresentative, OtherProfessional, Person, Relative,
    SocialProfessional,
};

/// What each code hides, and from whom. Who is neither a health nor a social professional, or both, is
/// held from what either of them is. The confidentiality codes are those of 2017: *restricted* leaves
/// the person, who acts for the person, and health professionals; *very restricted* the person alone.
const HIDDEN: [(&str, &str, &[Capacity]); 7] = [
    (VISIBILITY, "INVISIBLE_PATIENT", &[Person]),
    (VISIBILITY, "INVISIBLE_REPRESENTANTS_LEGAUX", &[LegalRepresentative]),
    (VISIBILITY, "MASQUE_PS", &[HealthProfessional, OtherProfessional, Establishment]),
    (VISIBILITY, "MASQUE_PSOCIAL", &[SocialProfessional, OtherProfessional, Establishment]),
    (VISIBILITY, "MASQUE_PT", &[Relative]),
    (CONFIDENTIALITY, "R", &[Relative, SocialProfessional, OtherProfessional, Establishment]),
    (
        CONFIDENTIALITY,
        "V",
        &[LegalRepresentative, Relative, HealthProfessional, SocialProfessional, OtherProfessional, Establishment],
    ),
];

impl Audience {
    /// What bears no label: a device sees nothing but what it wrote, everybody else sees it.
    pub const OPEN: Self = Self { hidden_from: Capacities::of(&[Device]) };

    /// From the bits that [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self { hidden_from: Capacities::from_bits(bits) }
    }

    /// As bits, for those who keep them.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.hidden_from.bits()
    }

    /// The audience that the labels of a resource leave: `securityLabel` of a document, `meta.security`
    /// of anything. Each label narrows it; labels of other systems say nothing here.
    #[must_use]
    pub fn of(resource: &Object) -> Self {
        let labels = resource.objects("securityLabel").flat_map(|label| label.objects("coding"));
        let tags = resource.object("meta").into_iter().flat_map(|meta| meta.objects("security"));
        labels.chain(tags).fold(Self::OPEN, |audience, coding| audience.narrowed(coding))
    }

    fn narrowed(self, coding: &Object) -> Self {
        let Some(code) = coding.str("code").map(str::trim) else { return self };
        let system = canonical_system(coding.str("system").unwrap_or_default(), Some(code));
        let hidden = HIDDEN.iter().find(|(its, label, _)| *its == system && *label == code);
        hidden.map_or(self, |(_, _, from)| Self { hidden_from: self.hidden_from.and(Capacities::of(from)) })
    }

    /// Whether somebody in these capacities is held from it. Who stands in several is held from what is
    /// hidden from any of them: a guardian who is also listed as a relative reads nothing that is hidden
    /// from guardians.
    #[must_use]
    pub const fn hides_from(self, capacities: Capacities) -> bool {
        self.hidden_from.meets(capacities)
    }
}

/// The labels, as system and code, that hide something from somebody in these capacities.
pub(super) fn hiding(capacities: Capacities) -> impl Iterator<Item = (&'static str, &'static str)> {
    let from = move |those: &[Capacity]| Capacities::of(those).meets(capacities);
    HIDDEN.iter().filter(move |(_, _, those)| from(those)).map(|(system, code, _)| (*system, *code))
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    fn labelled(system: &str, code: &str) -> Audience {
        Audience::of(&object! {
            "securityLabel" => array![object! { "coding" => array![object! { "system" => system, "code" => code }] }]
        })
    }

    fn sees(audience: Audience) -> Vec<Capacity> {
        Capacity::ALL.into_iter().filter(|one| !audience.hides_from((*one).into())).collect()
    }

    #[test]
    fn each_label_hides_from_those_it_names_by_url_or_oid() {
        for system in [VISIBILITY, "urn:oid:1.2.250.1.213.1.1.4.13"] {
            assert!(!sees(labelled(system, "INVISIBLE_PATIENT")).contains(&Person));
            assert!(!sees(labelled(system, "INVISIBLE_REPRESENTANTS_LEGAUX")).contains(&LegalRepresentative));
            assert!(!sees(labelled(system, "MASQUE_PT")).contains(&Relative));
        }
    }

    #[test]
    fn a_profession_between_two_fields_is_held_from_what_either_is() {
        let (health, social) = (labelled(VISIBILITY, "MASQUE_PS"), labelled(VISIBILITY, "MASQUE_PSOCIAL"));
        for both in [OtherProfessional, Establishment] {
            assert!(health.hides_from(both.into()) && social.hides_from(both.into()), "{both:?}");
        }
        assert!(!health.hides_from(SocialProfessional.into()) && !social.hides_from(HealthProfessional.into()));
    }

    #[test]
    fn labels_add_up() {
        let note = object! {
            "meta" => object! { "security" => array![object! { "system" => VISIBILITY, "code" => "MASQUE_PT" }] },
            "securityLabel" => array![object! {
                "coding" => array![object! { "system" => VISIBILITY, "code" => "INVISIBLE_PATIENT" }]
            }]
        };
        let audience = Audience::of(&note);
        assert!(audience.hides_from(Relative.into()) && audience.hides_from(Person.into()));
        assert!(!audience.hides_from(HealthProfessional.into()));
    }

    #[test]
    fn confidentiality_of_2017_restricts_and_normal_does_not() {
        let of_2017 = |code| sees(labelled("urn:oid:2.16.840.1.113883.5.25", code));
        assert_eq!(of_2017("N"), sees(Audience::OPEN));
        assert_eq!(of_2017("R"), [Person, LegalRepresentative, HealthProfessional]);
        assert_eq!(of_2017("V"), [Person]);
    }

    #[test]
    fn what_bears_no_label_or_another_systems_is_open_to_all_but_devices() {
        assert_eq!(Audience::of(&object! {}), Audience::OPEN);
        assert_eq!(labelled("http://example.org/labels", "MASQUE_PS"), Audience::OPEN);
        assert_eq!(sees(Audience::OPEN).len(), Capacity::ALL.len() - 1);
        assert!(Audience::OPEN.hides_from(Device.into()));
    }

    #[test]
    fn who_stands_in_two_capacities_is_held_from_what_is_hidden_from_either() {
        let both = Capacities::of(&[LegalRepresentative, Relative]);
        assert!(labelled(VISIBILITY, "INVISIBLE_REPRESENTANTS_LEGAUX").hides_from(both));
        assert!(labelled(VISIBILITY, "MASQUE_PT").hides_from(both));
    }

    #[test]
    fn an_audience_survives_its_bits() {
        let audience = labelled(VISIBILITY, "MASQUE_PS");
        assert_eq!(Audience::from_bits(audience.bits()), audience);
    }
}
