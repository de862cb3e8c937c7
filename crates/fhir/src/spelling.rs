//! "Did you mean…": the known name closest to a mistyped one.

/// The candidate that takes the fewest keystrokes to make from `name`, when it takes few enough to
/// be a slip: one for short names, two from five letters, three from ten. Case counts for nothing.
/// Of equals the first in alphabetical order.
#[must_use]
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// No name of FHIR is longer; comparing longer texts would only cost time.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let allowed = match name.chars().count() {
        0..=4 => 1,
        5..=9 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 2 * allowed)
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b = b.chars().collect::<Vec<_>>();
    let mut before = vec![0; b.len() + 1];
    let mut last = (0..=b.len()).collect::<Vec<_>>();
    let mut previous = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, cb) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(ca != *cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(*cb) && b[j - 1] == ca {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        previous = Some(ca);
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = ["birthDate", "name", "gender", "managingOrganization", "id"];
        for (slip, meant) in [
            ("birthdate", Some("birthDate")),
            ("brithDate", Some("birthDate")),
            ("nmae", Some("name")),
            ("names", Some("name")),
            ("managingOrganisation", Some("managingOrganization")),
            ("telecom", None),
            ("", None),
            ("ix", Some("id")),
        ] {
            assert_eq!(closest(slip, names), meant, "{slip}");
        }
        assert_eq!(closest(&"name".repeat(1_000_000), names), None);
    }

    #[test]
    fn distances() {
        for (a, b, steps) in [("", "", 0), ("a", "", 1), ("abc", "acb", 1), ("kitten", "sitting", 3), ("é", "e", 1)] {
            assert_eq!(distance(a, b), steps, "{a} {b}");
            assert_eq!(distance(b, a), steps, "{b} {a}");
        }
    }
}
