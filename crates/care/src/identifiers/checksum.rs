//! The two arithmetic rules that national identifiers rely on.

/// Whether the digits satisfy Luhn's rule: from the right, every second digit is doubled (minus 9
/// above 9), and the sum is a multiple of 10. False when something else than digits is there.
#[must_use]
pub fn luhn(digits: &str) -> bool {
    let mut sum = 0_u32;
    for (position, character) in digits.chars().rev().enumerate() {
        let Some(digit) = character.to_digit(10) else { return false };
        sum += match position % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        };
    }
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The two digits that complete a number under the rule `97 - (number mod 97)`, from 1 to 97.
/// `None` when something else than digits is there.
#[must_use]
pub fn complement_97(digits: &str) -> Option<u8> {
    let rest = digits.chars().try_fold(0_u32, |rest, c| Some((rest * 10 + c.to_digit(10)?) % 97))?;
    u8::try_from(97 - rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_accepts_published_numbers_and_refuses_their_neighbours() {
        for number in ["01234567897", "750803447", "732829320", "73282932000074"] {
            assert!(luhn(number), "{number}");
            let (head, last) = number.split_at(number.len() - 1);
            let neighbour = format!("{head}{}", (last.parse::<u8>().unwrap() + 1) % 10);
            assert!(!luhn(&neighbour), "{neighbour}");
        }
    }

    #[test]
    fn luhn_refuses_what_is_not_digits() {
        for text in ["", "7508O3447", " 750803447", "-"] {
            assert!(!luhn(text), "{text:?}");
        }
    }

    #[test]
    fn the_complement_goes_from_1_to_97() {
        assert_eq!(complement_97("0"), Some(97));
        assert_eq!(complement_97("96"), Some(1));
        assert_eq!(complement_97("15411873874774855624"), Some(88));
        assert_eq!(complement_97("12A"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_changed_digit_always_breaks_luhn(digits in "[0-9]{4,20}", at in 0_usize..4, by in 1_u32..10) {
            let changed: String = digits
                .chars()
                .enumerate()
                .map(|(i, c)| if i == at { char::from_digit((c.to_digit(10).unwrap() + by) % 10, 10).unwrap() } else { c })
                .collect();
            proptest::prop_assert!(!(luhn(&digits) && luhn(&changed)));
        }
    }
}
