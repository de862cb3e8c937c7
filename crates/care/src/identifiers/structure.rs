//! Structures known by the practice of a professional, and the national identifier that carries
//! any structure number after its leading type.

use super::{Fault, Kind, checksum::luhn, finess, sirene};

/// What is wrong with an ADELI-rang: an ADELI number of 9 characters and a rank of 2.
#[must_use]
pub fn adeli_rank_fault(value: &str) -> Option<Fault> {
    (value.chars().count() != 11).then_some(Fault::Length { expected: "11" })
}

/// What is wrong with an RPPS-rang: RPPS, rank of 2 and Luhn's digit (14); without that digit (13)
/// in the older description.
#[must_use]
pub fn rpps_rank_fault(value: &str) -> Option<Fault> {
    if !value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Fault::Characters);
    }
    match value.len() {
        14 if !luhn(value) => Some(Fault::Digits),
        13 | 14 => None,
        _ => Some(Fault::Length { expected: "13, 14" }),
    }
}

/// What is wrong with a national identifier of structures: a type of TRE_G07, then its number.
#[must_use]
pub fn idnst_fault(value: &str) -> Option<Fault> {
    // Types 40 and 41 begin like type 4, whose number may begin with 0 or 1.
    if (value.starts_with("40") || value.starts_with("41")) && rpps_rank_fault(rest(value)).is_some() {
        return None;
    }
    match value.chars().next()? {
        '0' => adeli_rank_fault(rest(value)),
        '1' | '5' | '6' => finess::fault(rest(value)),
        '2' => sirene::siren_fault(rest(value)),
        '3' => sirene::siret_fault(rest(value)),
        '4' => rpps_rank_fault(rest(value)),
        _ => Some(Fault::Prefix),
    }
}

/// The number inside is what is compared, when it has the length its type calls for.
pub(super) fn comparable(value: String) -> (Kind, String) {
    let inside = rest(&value);
    let kind = match (value.chars().next(), inside.chars().count()) {
        (Some('0'), 11) => Kind::AdeliRank,
        (Some('1' | '6'), 9) => Kind::FinessGeographic,
        (Some('5'), 9) => Kind::FinessLegal,
        (Some('2'), 9) => Kind::Siren,
        (Some('3'), 14) => Kind::Siret,
        (Some('4'), 13 | 14) => Kind::RppsRank,
        _ => return (Kind::Idnst, value),
    };
    (kind, inside.to_owned())
}

fn rest(value: &str) -> &str {
    let mut letters = value.chars();
    letters.next();
    letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_inside_is_what_is_checked_and_compared() {
        assert_eq!(idnst_fault("1750803447"), None);
        assert_eq!(comparable("1750803447".to_owned()), (Kind::FinessGeographic, "750803447".to_owned()));
        assert_eq!(comparable("373282932000074".to_owned()), (Kind::Siret, "73282932000074".to_owned()));
        assert_eq!(comparable("2732829320".to_owned()), (Kind::Siren, "732829320".to_owned()));
        assert_eq!(idnst_fault("1750803448"), Some(Fault::Digits));
    }

    #[test]
    fn each_type_has_the_rule_and_the_name_of_its_number() {
        for (value, expected) in [
            ("012345678901", (Kind::AdeliRank, "12345678901")),
            ("1750803447", (Kind::FinessGeographic, "750803447")),
            ("2732829320", (Kind::Siren, "732829320")),
            ("373282932000074", (Kind::Siret, "73282932000074")),
            ("401234567897016", (Kind::RppsRank, "01234567897016")),
            ("40123456789701", (Kind::RppsRank, "0123456789701")),
            ("5750803447", (Kind::FinessLegal, "750803447")),
            ("6750803447", (Kind::FinessGeographic, "750803447")),
        ] {
            assert_eq!(idnst_fault(value), None, "{value}");
            assert_eq!(comparable(value.to_owned()), (expected.0, expected.1.to_owned()), "{value}");
        }
        for (value, expected) in [
            ("01234", Fault::Length { expected: "11" }),
            ("2732829321", Fault::Digits),
            ("373282932000075", Fault::Digits),
            ("4212", Fault::Length { expected: "13, 14" }),
            ("5750803448", Fault::Digits),
        ] {
            assert_eq!(idnst_fault(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_not_understood_is_compared_whole() {
        for value in ["40ABC", "7123", "175080344"] {
            assert_eq!(comparable(value.to_owned()), (Kind::Idnst, value.to_owned()));
        }
        assert_eq!(idnst_fault("7123"), Some(Fault::Prefix));
    }

    #[test]
    fn newer_types_are_known() {
        for value in ["40123456", "41LOCAL-7"] {
            assert_eq!(idnst_fault(value), None, "{value}");
        }
    }

    #[test]
    fn practices_have_a_rank_after_their_number() {
        assert_eq!(adeli_rank_fault("12345678901"), None);
        assert_eq!(adeli_rank_fault("123456789"), Some(Fault::Length { expected: "11" }));
        assert_eq!(rpps_rank_fault("0123456789701"), None);
        assert_eq!(rpps_rank_fault("01234567897016"), None);
        assert_eq!(rpps_rank_fault("01234567897017"), Some(Fault::Digits));
        assert_eq!(rpps_rank_fault("01234567897"), Some(Fault::Length { expected: "13, 14" }));
    }
}
