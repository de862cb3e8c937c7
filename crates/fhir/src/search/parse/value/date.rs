//! Dates: `2013-03-16`, `ge2017-06`, `ap2020`.

use crate::{
    outcome::Issue,
    primitive::date_range,
    search::{
        parse::{chain::Lowering, level::Leaf, refusal, split},
        query::{Comparison, DateTest},
    },
};

use super::{PREFIXES, Prefix, prefix};

impl<'r> Lowering<'r> {
    pub(super) fn date(&self, leaf: &Leaf<'r>, value: &str) -> Result<DateTest, Issue> {
        let value = split::unescape(value);
        let Ok((prefix, text)) = prefix(&value) else {
            return Err(refusal::bad_value(leaf.whole, &value, PREFIXES));
        };
        let context = self.request.context;
        let Some((low, high)) = date_range(&with_plus(text), context.zone) else {
            let wanted = (
                "a date is written 2024, 2024-05, 2024-05-31 or 2024-05-31T10:30:00+02:00",
                "une date s'écrit 2024, 2024-05, 2024-05-31 ou 2024-05-31T10:30:00+02:00",
            );
            return Err(refusal::bad_value(leaf.whole, &value, wanted));
        };
        Ok(match prefix {
            None => DateTest { comparison: Comparison::Within, low, high },
            Some(Prefix::Compares(comparison)) => DateTest { comparison, low, high },
            // A tenth of the way from there to now, on both sides.
            Some(Prefix::Approximately) => {
                let margin = context.now.saturating_sub(low).saturating_abs() / 10;
                DateTest {
                    comparison: Comparison::Overlaps,
                    low: low.saturating_sub(margin),
                    high: high.saturating_add(margin),
                }
            }
        })
    }
}

/// A `+` that nobody encoded arrives as a blank: only a zone can stand there.
fn with_plus(text: &str) -> String {
    match text.split_once(' ') {
        Some((before, zone)) if before.contains('T') => format!("{before}+{zone}"),
        _ => text.to_owned(),
    }
}
