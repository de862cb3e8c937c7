//! FINESS numbers of establishments and of the legal entities that run them.

use super::{Fault, checksum::luhn};

/// What is wrong with a FINESS number: 9 characters, Luhn. The letter of Corsica (`2A`, `2B`)
/// counts as 1 or 2: no source says so, but three known Corsican numbers come out with it.
#[must_use]
pub fn fault(value: &str) -> Option<Fault> {
    if value.chars().count() != 9 {
        return Some(Fault::Length { expected: "9" });
    }
    let digits = match (value.strip_prefix("2A"), value.strip_prefix("2B")) {
        (Some(rest), _) => format!("21{rest}"),
        (_, Some(rest)) => format!("22{rest}"),
        _ => value.to_owned(),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Fault::Characters);
    }
    (!luhn(&digits)).then_some(Fault::Digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_are_valid_corsican_ones_too() {
        for value in ["750803447", "750803454", "780004941", "540002698", "2A0000014", "2B0000020", "2B0004246"] {
            assert_eq!(fault(value), None, "{value}");
        }
    }

    #[test]
    fn official_examples_that_fail_luhn_say_so() {
        for value in ["120456789", "120459876", "458174839"] {
            assert_eq!(fault(value), Some(Fault::Digits), "{value}");
        }
    }

    #[test]
    fn what_is_no_finess_says_why() {
        assert_eq!(fault("75080344"), Some(Fault::Length { expected: "9" }));
        assert_eq!(fault("2C0000014"), Some(Fault::Characters));
    }
}
