//! Numbers with the precision their digits claim: `100` is `[99.5, 100.5)`, `1.50` is
//! `[1.495, 1.505)`.

/// The range a decimal stands for; `None` when it is not one, or is beyond what can be compared.
#[must_use]
pub fn range(text: &str) -> Option<(f64, f64)> {
    let number = Digits::read(text)?;
    // Half of the last place, computed on the digits so that the same bound is always the same
    // floating-point number.
    let bound = |sign: i128| {
        let digits = number.digits.checked_mul(10)?.checked_add(sign * 5)?;
        finite(&format!("{digits}e{}", number.exponent - 1))
    };
    Some((bound(-1)?, bound(1)?))
}

/// The number itself.
#[must_use]
pub fn exact(text: &str) -> Option<f64> {
    Digits::read(text)?;
    finite(text)
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

struct Digits {
    digits: i128,
    exponent: i32,
}

impl Digits {
    /// Reads `-12.50e3` as digits and exponent; at most 30 digits, exponents within ±300.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, unsigned) = match mantissa.strip_prefix('-') {
            Some(unsigned) => (-1, unsigned),
            None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let point_ends = unsigned.ends_with('.');
        if whole.is_empty() || point_ends || !all_digits(whole) || !all_digits(fraction) || unsigned.len() > 30 {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        ((-300..=300).contains(&exponent)).then_some(Self { digits: sign * digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_claim_their_precision() {
        assert_eq!(range("100"), Some((99.5, 100.5)));
        assert_eq!(range("100.00"), Some((99.995, 100.005)));
        assert_eq!(range("1e2"), Some((50.0, 150.0)));
        assert_eq!(range("-1.5"), Some((-1.55, -1.45)));
        assert_eq!(range("0"), Some((-0.5, 0.5)));
        assert_eq!(exact("3"), Some(3.0));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".5", "5.", "1e", "1e999", "NaN", "inf", "1,5", "0x10", "12a", "é"] {
            assert_eq!((range(text), exact(text)), (None, None), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_range_holds_its_number(whole in -1_000_000_i64..1_000_000, places in 0_usize..6) {
            let text = format!("{whole}.{}", "7".repeat(places + 1));
            let (low, high) = range(&text).unwrap();
            let number = exact(&text).unwrap();
            prop_assert!(low < number && number < high);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _ = (range(&text), exact(&text));
        }
    }
}
