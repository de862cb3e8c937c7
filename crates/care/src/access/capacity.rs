//! In which capacity somebody stands towards a notebook.

use liaison_fhir::{terminology::systems::canonical_system, tree::Object};

/// A capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// The person the notebook is about.
    Person,
    /// Who acts for the person by law: a parent of a minor, a guardian, a curator.
    LegalRepresentative,
    /// A relative or carer: the *personne tierce* of JDV_J110.
    Relative,
    /// A health professional: a profession of TRE_G15.
    HealthProfessional,
    /// A social professional: a profession of TRE_R94.
    SocialProfessional,
    /// A professional who is neither: users of a title (TRE_R95), actors known by their role (TRE_R291).
    OtherProfessional,
    /// An establishment as such, when no professional of it is named.
    Establishment,
    /// A device.
    Device,
}

impl Capacity {
    /// All of them, in the order they are told in.
    pub const ALL: [Self; 8] = [
        Self::Person,
        Self::LegalRepresentative,
        Self::Relative,
        Self::HealthProfessional,
        Self::SocialProfessional,
        Self::OtherProfessional,
        Self::Establishment,
        Self::Device,
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::LegalRepresentative => 1 << 1,
            Self::Relative => 1 << 2,
            Self::HealthProfessional => 1 << 3,
            Self::SocialProfessional => 1 << 4,
            Self::OtherProfessional => 1 << 5,
            Self::Establishment => 1 << 6,
            Self::Device => 1 << 7,
        }
    }

    /// The capacity of a professional, by one profession as it is coded.
    #[must_use]
    pub fn of_profession(system: &str, code: &str) -> Self {
        match canonical_system(system, Some(code)).as_ref() {
            HEALTH => Self::HealthProfessional,
            SOCIAL => Self::SocialProfessional,
            _ => Self::OtherProfessional,
        }
    }
}

/// Professions of health (TRE_G15).
pub const HEALTH: &str = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";
/// Professions of social care (TRE_R94).
pub const SOCIAL: &str = "https://mos.esante.gouv.fr/NOS/TRE_R94-ProfessionSocial/FHIR/TRE-R94-ProfessionSocial";

/// The codes that make a related person a legal representative: HL7's role of a guardian (TRE_R260)
/// and the measures of protection (TRE_R217, also in JDV_J11).
const LEGAL: [&str; 4] = ["GUARD", "TUTEUR", "CURATEUR", "MSVG"];

/// The capacity of a related person, by what is said of the relation in the `RelatedPerson` or of the
/// role in the circle; either suffices to be a legal representative.
#[must_use]
pub fn of_related_person(relations: &[&Object]) -> Capacity {
    let mut codings = relations.iter().flat_map(|concept| concept.objects("coding"));
    match codings.any(|coding| coding.str("code").is_some_and(|code| LEGAL.contains(&code.trim()))) {
        true => Capacity::LegalRepresentative,
        false => Capacity::Relative,
    }
}

/// Some capacities, as a small set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capacities(u8);

impl Capacities {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These.
    #[must_use]
    pub const fn of(these: &[Capacity]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < these.len() {
            bits |= these[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// From the bits that [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// As bits, for those who keep them.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether some are in both.
    #[must_use]
    pub const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl From<Capacity> for Capacities {
    fn from(one: Capacity) -> Self {
        Self(one.bit())
    }
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;

    #[test]
    fn a_nurse_is_a_health_professional_and_a_home_aide_a_social_one() {
        assert_eq!(Capacity::of_profession(HEALTH, "60"), Capacity::HealthProfessional);
        assert_eq!(Capacity::of_profession("urn:oid:1.2.250.1.71.1.2.7", "60"), Capacity::HealthProfessional);
        assert_eq!(Capacity::of_profession(SOCIAL, "211"), Capacity::SocialProfessional);
        let titles = "https://mos.esante.gouv.fr/NOS/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre";
        assert_eq!(Capacity::of_profession(titles, "71"), Capacity::OtherProfessional);
        assert_eq!(Capacity::of_profession("", "60"), Capacity::OtherProfessional, "a number alone is no profession");
    }

    #[test]
    fn a_guardian_is_a_legal_representative_and_a_daughter_a_relative() {
        let relation = |code: &str| object! { "coding" => array![object! { "code" => code }] };
        for code in LEGAL {
            assert_eq!(of_related_person(&[&relation("DAUC"), &relation(code)]), Capacity::LegalRepresentative);
        }
        assert_eq!(of_related_person(&[&relation("DAUC"), &relation("CAREGIVER")]), Capacity::Relative);
        assert_eq!(of_related_person(&[]), Capacity::Relative);
    }

    #[test]
    fn each_capacity_is_a_set_of_its_own() {
        for one in Capacity::ALL {
            for other in Capacity::ALL {
                assert_eq!(Capacities::from(one).meets(other.into()), one == other);
            }
        }
        assert_eq!(Capacities::of(&Capacity::ALL).bits(), u8::MAX);
        assert!(!Capacities::of(&Capacity::ALL).meets(Capacities::NONE));
    }
}
