//! SIREN (legal entities) and SIRET (establishments), which share one system.

use super::{Fault, checksum::luhn};

/// The SIREN of La Poste, whose establishments follow a rule of their own.
const LA_POSTE: &str = "356000000";

/// What is wrong with a SIREN: 9 digits, Luhn.
#[must_use]
pub fn siren_fault(value: &str) -> Option<Fault> {
    fault(value, 9, "9")
}

/// What is wrong with a SIRET: 14 digits, Luhn; for La Poste a sum of digits that 5 divides will do.
#[must_use]
pub fn siret_fault(value: &str) -> Option<Fault> {
    let sum: u32 = value.chars().filter_map(|c| c.to_digit(10)).sum();
    fault(value, 14, "14")
        .filter(|fault| *fault != Fault::Digits || !value.starts_with(LA_POSTE) || !sum.is_multiple_of(5))
}

fn fault(value: &str, length: usize, expected: &'static str) -> Option<Fault> {
    if value.chars().count() != length {
        return Some(Fault::Length { expected });
    }
    if !value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Fault::Characters);
    }
    (!luhn(value)).then_some(Fault::Digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_valid() {
        for siren in ["732829320", "552100554", "356000000"] {
            assert_eq!(siren_fault(siren), None, "{siren}");
        }
        assert_eq!(siret_fault("73282932000074"), None);
    }

    #[test]
    fn the_establishments_of_la_poste_have_their_own_sum() {
        assert!(!luhn("35600000049837"));
        assert_eq!(siret_fault("35600000049837"), None);
        assert_eq!(siret_fault("35600000049838"), Some(Fault::Digits));
        assert_eq!(siret_fault("3560000001"), Some(Fault::Length { expected: "14" }), "the sum alone does not do");
        assert_eq!(siret_fault("73282932000079"), Some(Fault::Digits), "the sum of 5 is only for La Poste");
    }

    #[test]
    fn what_is_neither_says_why() {
        assert_eq!(siren_fault("73282932"), Some(Fault::Length { expected: "9" }));
        assert_eq!(siret_fault("7328293200007A"), Some(Fault::Characters));
        assert_eq!(siren_fault("732829321"), Some(Fault::Digits));
    }
}
