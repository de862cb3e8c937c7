//! Booleans, integers and decimals.

use super::shown;
use crate::{outcome::Text, text};

pub(super) fn check_boolean(value: &str) -> Result<(), Text> {
    match value {
        "true" | "false" => Ok(()),
        _ => {
            let value = shown(value);
            Err(text!(
                en: "\"{value}\" is not a boolean; it must be true or false.",
                fr: "« {value} » n'est pas un booléen ; attendu : true ou false.",
            ))
        }
    }
}

/// An integer of 32 bits, at least `least`.
pub(super) fn check_integer(value: &str, least: i32) -> Result<(), Text> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let canonical = is_digits(digits) && (!digits.starts_with('0') || value == "0");
    match value.parse::<i32>() {
        Ok(number) if canonical && number >= least => Ok(()),
        _ => {
            let (value, most) = (shown(value), i32::MAX);
            Err(text!(
                en: "\"{value}\" is not an integer from {least} to {most}, without sign, point or exponent.",
                fr: "« {value} » n'est pas un entier de {least} à {most}, sans signe +, point ni exposant.",
            ))
        }
    }
}

/// A decimal: JSON's grammar of numbers. Its precision is kept, whatever it is.
pub(super) fn check_decimal(value: &str) -> Result<(), Text> {
    if is_decimal(value) {
        return Ok(());
    }
    let value = shown(value);
    Err(text!(
        en: "\"{value}\" is not a decimal number.",
        fr: "« {value} » n'est pas un nombre décimal.",
    ))
}

fn is_decimal(value: &str) -> bool {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}
