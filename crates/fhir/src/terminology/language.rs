//! Which of a concept's displays to show.

use crate::tree::Object;

/// Whether a language tag answers to the one asked for: the same primary language will do.
#[must_use]
pub fn answers(written: &str, asked: &str) -> bool {
    let primary = |tag: &str| tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    primary(written) == primary(asked)
}

/// The designation of a concept in one of the languages of an `Accept-Language`-like list, the
/// first that has one. `None` leaves the display as it is.
#[must_use]
pub fn designation<'a>(designations: &'a [Object], languages: &str) -> Option<&'a str> {
    languages.split(',').find_map(|asked| {
        // What follows `;` is a weight; the order says enough.
        let asked = asked.split(';').next()?.trim();
        designations
            .iter()
            .find(|designation| designation.str("language").is_some_and(|written| answers(written, asked)))
            .and_then(|designation| designation.str("value"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn a_region_makes_no_difference() {
        assert!(answers("fr", "fr-FR") && answers("fr-CA", "FR") && !answers("en", "fr"));
    }

    #[test]
    fn the_first_language_that_has_a_designation_wins() {
        let both = [
            object! { "language" => "en", "value" => "Nurse" },
            object! { "language" => "de", "value" => "Krankenpfleger" },
        ];
        assert_eq!(designation(&both, "fr-FR, de;q=0.8, en;q=0.5"), Some("Krankenpfleger"));
        assert_eq!(designation(&both, "fr"), None);
    }
}
