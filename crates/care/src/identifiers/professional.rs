//! Professionals: RPPS numbers, and the IDNPS that carries one after its leading type.

use super::{Fault, Kind, checksum::luhn};

/// What is wrong with an RPPS number: 11 digits, Luhn.
#[must_use]
pub fn rpps_fault(value: &str) -> Option<Fault> {
    if rpps_inside(value).is_some() {
        return Some(Fault::Misplaced { looks_like: Kind::Idnps });
    }
    if value.len() != 11 {
        return Some(Fault::Length { expected: "11" });
    }
    digits_fault(value)
}

/// What is wrong with an IDNPS: a type of TRE_G08, then a number of that type. Only the types whose
/// shape is published are looked into; the directory asks not to interpret the others.
#[must_use]
pub fn idnps_fault(value: &str) -> Option<Fault> {
    let number = |prefix: &str| value.strip_prefix(prefix).unwrap_or_default();
    // The address of type 10 is looked for first: it begins like type 1.
    if value.starts_with("10") && value.contains('@') {
        return None;
    }
    match value.chars().next()? {
        '0' if number("0").len() == 9 => None,
        '0' => Some(Fault::Length { expected: "1 + 9" }),
        '8' if number("8").len() == 11 => digits_fault(number("8")),
        '8' => Some(Fault::Length { expected: "1 + 11" }),
        '1' | '3' | '4' | '5' | '6' if value.contains('/') => None,
        '3' if value.starts_with("30") => None,
        '9' => None,
        _ => Some(Fault::Prefix),
    }
}

/// An IDNPS of type 8 is its RPPS number, under whichever of the two systems it stands.
pub(super) fn comparable(kind: Kind, value: String) -> (Kind, String) {
    match rpps_inside(&value) {
        Some(rpps) => (Kind::Rpps, rpps.to_owned()),
        None => (kind, value),
    }
}

/// The RPPS number after the leading 8 of a whole IDNPS.
fn rpps_inside(value: &str) -> Option<&str> {
    value.strip_prefix('8').filter(|rest| rest.len() == 11 && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn digits_fault(value: &str) -> Option<Fault> {
    match value {
        v if !v.bytes().all(|b| b.is_ascii_digit()) => Some(Fault::Characters),
        v if luhn(v) => None,
        _ => Some(Fault::Digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_is_valid_in_both_forms() {
        assert_eq!(rpps_fault("01234567897"), None);
        assert_eq!(idnps_fault("801234567897"), None);
    }

    #[test]
    fn official_examples_that_fail_luhn_say_so() {
        for value in ["80123456789", "10003461033", "10000000800", "10102727017", "10005678901"] {
            assert_eq!(rpps_fault(value), Some(Fault::Digits), "{value}");
        }
    }

    #[test]
    fn letters_are_told_from_a_wrong_sum() {
        assert_eq!(rpps_fault("0123456789A"), Some(Fault::Characters));
        assert_eq!(idnps_fault("80123456789A"), Some(Fault::Characters));
    }

    #[test]
    fn an_idnps_under_the_rpps_system_is_told_and_compared_as_its_rpps() {
        assert_eq!(rpps_fault("801234567897"), Some(Fault::Misplaced { looks_like: Kind::Idnps }));
        let expected = (Kind::Rpps, "01234567897".to_owned());
        for (kind, value) in [(Kind::Rpps, "801234567897"), (Kind::Idnps, "801234567897"), (Kind::Rpps, "01234567897")]
        {
            assert_eq!(comparable(kind, value.to_owned()), expected, "{kind:?} {value}");
        }
    }

    #[test]
    fn the_idnps_of_2017_is_neither_an_idnps_nor_an_rpps() {
        assert_eq!(idnps_fault("80123456789"), Some(Fault::Length { expected: "1 + 11" }));
        assert_eq!(comparable(Kind::Idnps, "80123456789".to_owned()), (Kind::Idnps, "80123456789".to_owned()));
    }

    #[test]
    fn shapes_of_the_business_model_are_accepted() {
        for value in ["0123456789", "112345678901/00001", "3750803447/42", "10prenom.nom@mssante.fr", "900012345"] {
            assert_eq!(idnps_fault(value), None, "{value}");
        }
        assert_eq!(idnps_fault("30ABC"), None, "type 30 has no slash");
        // Types 1, 3, 4, 5 and 6 name the structure, then the person in it; type 10 is an address.
        for value in ["7123", "XYZ", "31ABC", "3750803447", "10prenom.nom", "3prenom@mssante.fr"] {
            assert_eq!(idnps_fault(value), Some(Fault::Prefix), "{value}");
        }
        assert_eq!(idnps_fault("012345"), Some(Fault::Length { expected: "1 + 9" }));
    }
}
