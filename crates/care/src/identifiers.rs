//! National identifiers: recognised by system and type, checked, and made comparable.
//!
//! Nothing here changes a stored value and nothing refuses one: official examples carry numbers
//! that fail their own rule. Faults are warnings, comparisons happen on a normalised copy.
//! See `docs/decisions/0010-national-identifiers.md`.

pub mod checksum;
pub mod findings;
pub mod finess;
pub mod ins;
pub mod professional;
pub mod sirene;
pub mod structure;

use liaison_fhir::{
    outcome::Text,
    terminology::systems::canonical_system,
    text,
    tree::{Object, Value},
};

/// The system of the INS that is a NIR; shared with the number of the insured person.
pub const INS_NIR: &str = "urn:oid:1.2.250.1.213.1.4.8";
/// The system of the INS that waits for a NIR.
pub const INS_NIA: &str = "urn:oid:1.2.250.1.213.1.4.9";
/// The system of test INS.
pub const INS_NIR_TEST: &str = "urn:oid:1.2.250.1.213.1.4.10";
/// The system of demonstration INS.
pub const INS_NIR_DEMO: &str = "urn:oid:1.2.250.1.213.1.4.11";
/// The system of the calculated INS, abandoned.
pub const INS_C: &str = "urn:oid:1.2.250.1.213.1.4.2";
/// The system of the INS that was never deployed; the 2017 examples use it.
pub const INS_A: &str = "urn:oid:1.2.250.1.213.1.4.1";
/// The system of RPPS numbers; `PractitionerRole.identifier` uses it for something else.
pub const RPPS: &str = "https://rpps.esante.gouv.fr";
/// The system of the national identifiers of professionals, with their leading type.
pub const IDNPS: &str = "urn:oid:1.2.250.1.71.4.2.1";
/// The system of FINESS numbers, geographic and legal.
pub const FINESS: &str = "https://finess.esante.gouv.fr";
/// The system of SIREN and SIRET alike.
pub const SIRENE: &str = "https://sirene.fr";
/// The system of practices known by their ADELI number.
pub const ADELI_RANK: &str = "https://adelirang.esante.gouv.fr";
/// The system of practices known by their RPPS number.
pub const RPPS_RANK: &str = "https://rppsrang.esante.gouv.fr";
/// The system of the national identifiers of structures, with their leading type.
pub const IDNST: &str = "urn:oid:1.2.250.1.71.4.2.2";
/// The French identifier types.
pub const FRENCH_TYPES: &str = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203";
/// HL7's identifier types.
pub const HL7_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

/// The kinds of national identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the identifiers")]
pub enum Kind {
    InsNir,
    InsNia,
    InsNirTest,
    InsNirDemo,
    InsC,
    InsA,
    /// A NIR as social security number: that of the insured person, who may be a parent.
    SocialSecurity,
    Rpps,
    Idnps,
    Adeli,
    /// FINESS of a geographic entity, or of one that is not said.
    FinessGeographic,
    FinessLegal,
    Siren,
    Siret,
    AdeliRank,
    RppsRank,
    Idnst,
}

/// A national identifier as it stands in a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct National<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its value as written.
    pub value: &'a str,
}

/// What is wrong with a national identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has another length than its rule says.
    Length {
        /// The lengths the rule knows.
        expected: &'static str,
    },
    /// It holds characters that its rule does not know.
    Characters,
    /// Its key should be this one.
    Key {
        /// The key computed from the rest.
        expected: String,
    },
    /// The sum of its digits (Luhn) does not come out.
    Digits,
    /// Its leading type is none that is known.
    Prefix,
    /// It is a number of another kind, put under this system.
    Misplaced {
        /// What it looks like.
        looks_like: Kind,
    },
}

/// Recognises an `Identifier`: by its system, by its type where one system serves several kinds,
/// and by its French type alone when the system is missing or local (an INS always needs its own).
#[must_use]
pub fn recognise(identifier: &Object) -> Option<National<'_>> {
    let value = identifier.str("value").filter(|value| !value.trim().is_empty())?;
    let system = canonical_system(identifier.str("system").unwrap_or_default(), None);
    let kind = match system.as_ref() {
        INS_NIR if has_type(identifier, HL7_TYPES, "NH") => Kind::SocialSecurity,
        INS_NIR => Kind::InsNir,
        INS_NIA => Kind::InsNia,
        INS_NIR_TEST => Kind::InsNirTest,
        INS_NIR_DEMO => Kind::InsNirDemo,
        INS_C => Kind::InsC,
        INS_A => Kind::InsA,
        RPPS => Kind::Rpps,
        IDNPS if has_type(identifier, FRENCH_TYPES, "RPPS") && compact(value).len() == 11 => Kind::Rpps,
        IDNPS => Kind::Idnps,
        FINESS if has_type(identifier, FRENCH_TYPES, "FINEJ") => Kind::FinessLegal,
        FINESS => Kind::FinessGeographic,
        SIRENE if has_type(identifier, FRENCH_TYPES, "SIREN") => Kind::Siren,
        SIRENE if has_type(identifier, FRENCH_TYPES, "SIRET") => Kind::Siret,
        SIRENE if compact(value).len() <= 9 => Kind::Siren,
        SIRENE => Kind::Siret,
        ADELI_RANK => Kind::AdeliRank,
        RPPS_RANK => Kind::RppsRank,
        IDNST => Kind::Idnst,
        _ => TYPES_THAT_SUFFICE.iter().find(|(code, _)| has_type(identifier, FRENCH_TYPES, code))?.1,
    };
    Some(National { kind, value })
}

const TYPES_THAT_SUFFICE: [(&str, Kind); 8] = [
    ("RPPS", Kind::Rpps),
    ("ADELI", Kind::Adeli),
    ("IDNPS", Kind::Idnps),
    ("FINEG", Kind::FinessGeographic),
    ("FINEJ", Kind::FinessLegal),
    ("SIREN", Kind::Siren),
    ("SIRET", Kind::Siret),
    ("IDNST", Kind::Idnst),
];

impl National<'_> {
    /// What is wrong with it, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let value = compact(self.value);
        match self.kind {
            Kind::InsNir | Kind::InsNia | Kind::InsNirTest | Kind::InsNirDemo | Kind::SocialSecurity => {
                ins::fault(&value)
            }
            Kind::InsC => ins::calculated_fault(&value),
            // Never deployed: its rule is not known, and the one value ever printed follows none.
            Kind::InsA => (value.len() != 22).then_some(Fault::Length { expected: "22" }),
            Kind::Rpps => professional::rpps_fault(&value),
            Kind::Idnps => professional::idnps_fault(&value),
            Kind::Adeli => (value.len() != 9).then_some(Fault::Length { expected: "9" }),
            Kind::FinessGeographic | Kind::FinessLegal => finess::fault(&value),
            Kind::Siren => sirene::siren_fault(&value),
            Kind::Siret => sirene::siret_fault(&value),
            Kind::AdeliRank => structure::adeli_rank_fault(&value),
            Kind::RppsRank => structure::rpps_rank_fault(&value),
            Kind::Idnst => structure::idnst_fault(&value),
        }
    }

    /// The kind and value it is compared under: an IDNPS that carries an RPPS is that RPPS, a
    /// structure number that carries a FINESS is that FINESS, an INS is its first 13 characters.
    #[must_use]
    pub fn comparable(&self) -> (Kind, String) {
        let value = compact(self.value);
        match self.kind {
            Kind::InsNir | Kind::InsNia | Kind::InsNirTest | Kind::InsNirDemo => (self.kind, ins::comparable(value)),
            Kind::Rpps | Kind::Idnps => professional::comparable(self.kind, value),
            Kind::Idnst => structure::comparable(value),
            kind => (kind, value),
        }
    }
}

impl Kind {
    /// Its name, the same in both languages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InsNir => "INS-NIR",
            Self::InsNia => "INS-NIA",
            Self::InsNirTest => "INS-NIR-TEST",
            Self::InsNirDemo => "INS-NIR-DEMO",
            Self::InsC => "INS-C",
            Self::InsA => "INS-A",
            Self::SocialSecurity => "NIR",
            Self::Rpps => "RPPS",
            Self::Idnps => "IDNPS",
            Self::Adeli => "ADELI",
            Self::FinessGeographic | Self::FinessLegal => "FINESS",
            Self::Siren => "SIREN",
            Self::Siret => "SIRET",
            Self::AdeliRank => "ADELI-rang",
            Self::RppsRank => "RPPS-rang",
            Self::Idnst => "idNat_Struct",
        }
    }
}

impl Fault {
    /// The sentence that says so. It does not repeat the number: it may name a person.
    #[must_use]
    pub fn text(&self, kind: Kind) -> Text {
        let name = kind.name();
        match self {
            Self::Length { expected } => text!(
                en: "This {name} number does not have the length of one ({expected} characters); it is kept as it is. Check it at its source.",
                fr: "Ce numéro {name} n'a pas la longueur attendue ({expected} caractères) ; il est gardé tel quel. Vérifiez-le à sa source."
            ),
            Self::Characters => text!(
                en: "This {name} number holds characters that such numbers do not have; it is kept as it is. Check it at its source.",
                fr: "Ce numéro {name} contient des caractères qu'un tel numéro n'a pas ; il est gardé tel quel. Vérifiez-le à sa source."
            ),
            Self::Key { expected } => text!(
                en: "The key of this {name} number is wrong: its other digits call for {expected}. It is kept as it is; check it at its source.",
                fr: "La clé de ce numéro {name} est fausse : ses autres chiffres donnent {expected}. Il est gardé tel quel ; vérifiez-le à sa source."
            ),
            Self::Digits => text!(
                en: "The check digit of this {name} number is wrong. It is kept as it is; check it at its source.",
                fr: "Le chiffre de contrôle de ce numéro {name} est faux. Il est gardé tel quel ; vérifiez-le à sa source."
            ),
            Self::Prefix => text!(
                en: "This {name} identifier does not begin with a known type of identifier (TRE_G07, TRE_G08); it is kept as it is.",
                fr: "Cet identifiant {name} ne commence pas par un type d'identifiant connu (TRE_G07, TRE_G08) ; il est gardé tel quel."
            ),
            Self::Misplaced { looks_like } => {
                let other = looks_like.name();
                text!(
                    en: "What stands here under the system of {name} looks like an {other} identifier; give it under its own system.",
                    fr: "Ce qui figure ici sous le système {name} ressemble à un identifiant {other} ; donnez-le sous son propre système."
                )
            }
        }
    }
}

/// Whether the identifier's type holds that code of that system.
#[must_use]
pub fn has_type(identifier: &Object, system: &str, code: &str) -> bool {
    let codings = identifier.object("type").map(|t| t.items("coding")).unwrap_or_default();
    codings.iter().filter_map(Value::as_object).any(|coding| {
        coding.str("code").map(str::trim) == Some(code)
            && coding.str("system").is_none_or(|s| canonical_system(s, Some(code)) == system)
    })
}

/// The value without blanks, letters in upper case: the form that is compared.
#[must_use]
pub fn compact(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests;
