//! The identity of persons: INS (NIR or NIA) and the calculated INS it replaced.

use super::{Fault, checksum::complement_97};

/// What is wrong with an INS: 13 characters, then a key of two digits which may be left out.
#[must_use]
pub fn fault(value: &str) -> Option<Fault> {
    let Some((number, key)) = split(value) else {
        let known = value.chars().all(|c| c.is_ascii_digit() || matches!(c, 'A' | 'B'));
        return Some(if known { Fault::Length { expected: "13, 15" } } else { Fault::Characters });
    };
    let Some(expected) = key_of(number) else { return Some(Fault::Characters) };
    match key {
        "" => None,
        written if written.parse() == Ok(expected) => None,
        _ => Some(Fault::Key { expected: format!("{expected:02}") }),
    }
}

/// The key of the 13 characters of a NIR: Corsica's `2A` counts as 19 and `2B` as 18.
#[must_use]
pub fn key_of(number: &str) -> Option<u8> {
    let (before, rest) = number.split_at_checked(5)?;
    let (department, after) = rest.split_at_checked(2)?;
    let department = match department {
        "2A" => "19",
        "2B" => "18",
        digits => digits,
    };
    complement_97(&format!("{before}{department}{after}"))
}

/// What is wrong with a calculated INS: 20 digits and a key of two.
#[must_use]
pub fn calculated_fault(value: &str) -> Option<Fault> {
    match value.split_at_checked(20) {
        Some((number, key)) if value.len() == 22 => match complement_97(number) {
            None => Some(Fault::Characters),
            Some(expected) if key.parse() == Ok(expected) => None,
            Some(expected) => Some(Fault::Key { expected: format!("{expected:02}") }),
        },
        _ => Some(Fault::Length { expected: "22" }),
    }
}

/// The first 13 characters: two writings of one INS may differ in whether they carry the key.
/// What has not the shape of an INS is compared whole.
pub(super) fn comparable(value: String) -> String {
    match split(&value) {
        Some((number, _)) => number.to_owned(),
        None => value,
    }
}

fn split(value: &str) -> Option<(&str, &str)> {
    let shaped = |v: &str| v.bytes().all(|b| b.is_ascii_alphanumeric());
    (shaped(value) && matches!(value.len(), 13 | 15)).then(|| value.split_at_checked(13)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_test_vectors() {
        for (number, key) in
            [("2790351215189", 89), ("180022A004012", 73), ("299052B033999", 26), ("1800233004012", 83)]
        {
            assert_eq!(key_of(number), Some(key), "{number}");
            assert_eq!(fault(&format!("{number}{key}")), None, "{number}");
            assert_eq!(fault(number), None, "the key may be left out: {number}");
        }
    }

    #[test]
    fn corsica_counts_as_its_published_equivalent() {
        // The letter as 0, minus one million for A and two for B, is the other way to say it.
        let equivalent = |number: &str, minus: u64| {
            let digits: u64 = number.replace(['A', 'B'], "0").parse().unwrap();
            u8::try_from(97 - (digits - minus) % 97).unwrap()
        };
        assert_eq!(key_of("180022A004012"), Some(equivalent("180022A004012", 1_000_000)));
        assert_eq!(key_of("299052B033999"), Some(equivalent("299052B033999", 2_000_000)));
    }

    #[test]
    fn official_examples_fail_with_the_key_they_should_have() {
        for (value, expected) in [("123456789012244", "12"), ("224027511583555", "12"), ("180126978912536", "52")] {
            assert_eq!(fault(value), Some(Fault::Key { expected: expected.to_owned() }), "{value}");
        }
    }

    #[test]
    fn what_is_no_ins_says_why() {
        assert_eq!(fault("12345"), Some(Fault::Length { expected: "13, 15" }));
        assert_eq!(fault("27903512151é9"), Some(Fault::Characters));
        assert_eq!(fault("1800X33004012"), Some(Fault::Characters));
        assert_eq!(fault("18002A3004012"), Some(Fault::Characters), "the letter belongs to the department");
        assert_eq!(fault("2790351215189+7"), Some(Fault::Characters));
    }

    #[test]
    fn the_calculated_ins_has_a_key_of_its_own() {
        assert_eq!(calculated_fault("1541187387477485562488"), None);
        assert_eq!(calculated_fault("1541187387477485562487"), Some(Fault::Key { expected: "88".to_owned() }));
        assert_eq!(calculated_fault("154118738747748556248"), Some(Fault::Length { expected: "22" }));
    }

    #[test]
    fn with_and_without_key_are_compared_alike_and_odd_shapes_whole() {
        assert_eq!(comparable("279035121518989".to_owned()), comparable("2790351215189".to_owned()));
        assert_eq!(comparable("1234567890112345678901".to_owned()), "1234567890112345678901");
    }
}
