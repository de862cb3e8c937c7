//! Which language a reader prefers (RFC 9110, section 12.5.4).

/// The languages of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The default: the people who use the server are in France.
    French,
    /// For everybody else.
    English,
}

impl Language {
    /// The BCP 47 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }

    /// The best of ours for an `Accept-Language` header: by weight, the first named among equals.
    /// A language refused with `q=0` is never chosen through `*`.
    pub fn accepted(header: &str) -> Self {
        let ranges: Vec<(&str, f32)> = header.split(',').filter_map(range).collect();
        let weight = |code: &str| ranges.iter().find(|(name, _)| *name == code).map(|(_, weight)| *weight);
        let refused = |language: &Self| weight(language.code()) == Some(0.0);
        let best = ranges
            .iter()
            .filter(|(_, weight)| *weight > 0.0)
            .filter_map(|(name, weight)| match *name {
                "fr" => Some((Self::French, weight)),
                "en" => Some((Self::English, weight)),
                "*" => [Self::French, Self::English].into_iter().find(|l| !refused(l)).map(|l| (l, weight)),
                _ => None,
            })
            // `max_by` gives the last of equals, so the header is walked backwards.
            .rev()
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or(Self::French, |(language, _)| language)
    }
}

/// The primary subtag and the weight of one range: `fr-CH;q=0.9` is `("fr", 0.9)`.
fn range(text: &str) -> Option<(&str, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?;
    let primary = tag.split('-').next()?;
    let code = ["fr", "en", "*"].into_iter().find(|code| primary.eq_ignore_ascii_case(code)).unwrap_or(primary);
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        Some(digits) => digits.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
        None => 1.0,
    };
    Some((code, weight))
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, French};

    fn check(header: &str, expected: Language) {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }

    #[test]
    fn the_heaviest_wins_and_the_first_among_equals() {
        check("en", English);
        check("fr", French);
        check("EN-gb", English);
        check("fr;q=0.5, en;q=0.8", English);
        check("en;q=0.5, fr;q=0.8", French);
        check("en, fr", English);
        check("fr, en", French);
        check("de, en;q=0.3", English);
    }

    #[test]
    fn what_says_nothing_of_ours_is_french() {
        check("", French);
        check("de-AT, nl;q=0.5", French);
        check("*", French);
        check("en;q=0", French);
        check("en;q=lots", French);
        check("en;q=7", French);
    }

    #[test]
    fn a_refused_language_is_not_chosen_through_the_star() {
        check("fr;q=0, *", English);
        check("en;q=0, *;q=0.1", French);
    }
}
