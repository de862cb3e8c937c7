//! Rules on `Timing.repeat`.

use super::{Broken, Rule, has, holds_any};
use crate::{text, tree::Object};

pub(super) fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "tim-1" => |r| needs(r, "duration", "durationUnit"),
        "tim-2" => |r| needs(r, "period", "periodUnit"),
        "tim-4" => |r| not_negative(r, "duration"),
        "tim-5" => |r| not_negative(r, "period"),
        "tim-6" => |r| needs(r, "periodMax", "period"),
        "tim-7" => |r| needs(r, "durationMax", "duration"),
        "tim-8" => |r| needs(r, "countMax", "count"),
        "tim-9" => offset_is_from_an_event,
        "tim-10" => time_of_day_or_event,
        _ => return None,
    })
}

fn needs(repeat: &Object, name: &str, other: &str) -> Option<Broken> {
    (has(repeat, name) && !has(repeat, other)).then(|| {
        Broken::here(text!(
            en: "With \"{name}\" there must be \"{other}\"",
            fr: "Avec « {name} » il faut « {other} »",
        ))
    })
}

fn not_negative(repeat: &Object, name: &str) -> Option<Broken> {
    let digits = repeat.get(name)?.as_number()?;
    let is_negative = digits.starts_with('-') && digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    is_negative.then(|| {
        Broken::at(name, text!(en: "\"{name}\" must not be negative", fr: "« {name} » ne doit pas être négatif"))
    })
}

fn offset_is_from_an_event(repeat: &Object) -> Option<Broken> {
    let no_event = !has(repeat, "when") || holds_any(repeat, "when", &["C", "CM", "CD", "CV"]);
    (has(repeat, "offset") && no_event).then(|| {
        Broken::at(
            "offset",
            text!(
                en: "An offset needs a \"when\" other than a meal in general (C, CM, CD, CV)",
                fr: "Un décalage demande un « when » autre qu'un repas en général (C, CM, CD, CV)",
            ),
        )
    })
}

fn time_of_day_or_event(repeat: &Object) -> Option<Broken> {
    (has(repeat, "timeOfDay") && has(repeat, "when")).then(|| {
        Broken::here(text!(
            en: "Either \"timeOfDay\" or \"when\", not both",
            fr: "Soit « timeOfDay », soit « when », pas les deux",
        ))
    })
}
