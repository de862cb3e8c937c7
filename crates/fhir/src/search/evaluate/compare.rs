//! The prefixes of FHIR search, on ranges.

use crate::search::query::Comparison;

/// Whether a value's range compares to the range searched as asked.
pub(super) fn ranges<T: PartialOrd + Copy>(comparison: Comparison, value: (T, T), searched: (T, T)) -> bool {
    let within = searched.0 <= value.0 && value.1 <= searched.1;
    match comparison {
        Comparison::Within => within,
        Comparison::NotWithin => !within,
        Comparison::Greater => value.1 > searched.1,
        Comparison::Less => value.0 < searched.0,
        Comparison::GreaterOrWithin => value.1 > searched.1 || within,
        Comparison::LessOrWithin => value.0 < searched.0 || within,
        Comparison::After => value.0 >= searched.1,
        Comparison::Before => value.1 <= searched.0,
        Comparison::Overlaps => value.0 < searched.1 && value.1 > searched.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_compares_with_its_month() {
        use Comparison::*;
        let (day, month) = ((10, 11), (0, 31));
        let holding = |value, searched| {
            [Within, NotWithin, Greater, Less, GreaterOrWithin, LessOrWithin, After, Before, Overlaps]
                .into_iter()
                .filter(|comparison| ranges(*comparison, value, searched))
                .collect::<Vec<_>>()
        };
        assert_eq!(holding(day, month), [Within, GreaterOrWithin, LessOrWithin, Overlaps]);
        assert_eq!(holding(month, day), [NotWithin, Greater, Less, GreaterOrWithin, LessOrWithin, Overlaps]);
        assert_eq!(holding((31, 32), month), [NotWithin, Greater, GreaterOrWithin, After]);
        assert_eq!(holding((-2, 0), month), [NotWithin, Less, LessOrWithin, Before]);
    }
}
