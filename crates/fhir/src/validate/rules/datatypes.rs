//! Rules on data types.

use jiff::tz::TimeZone;

use super::{Broken, Rule, has, has_choice};
use crate::{primitive, text, tree::Object};

pub(super) fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "att-1" => data_has_a_type,
        "cpt-2" => contact_has_a_system,
        "ext-1" => extension_has_one_content,
        "per-1" => period_runs_forward,
        "qty-3" => coded_unit_has_a_system,
        "rng-2" => range_runs_upward,
        "rat-1" => ratio_is_whole,
        _ => return None,
    })
}

fn data_has_a_type(attachment: &Object) -> Option<Broken> {
    (has(attachment, "data") && !has(attachment, "contentType")).then(|| {
        Broken::here(text!(
            en: "An attachment with data must say its contentType",
            fr: "Une pièce jointe avec des données doit dire son contentType",
        ))
    })
}

fn contact_has_a_system(contact: &Object) -> Option<Broken> {
    (has(contact, "value") && !has(contact, "system")).then(|| {
        Broken::here(text!(
            en: "A contact point with a value must say its system (phone, email…)",
            fr: "Une coordonnée avec une valeur doit dire son système (phone, email…)",
        ))
    })
}

fn extension_has_one_content(extension: &Object) -> Option<Broken> {
    (has(extension, "extension") == has_choice(extension, "value")).then(|| {
        Broken::here(text!(
            en: "An extension has either a value or extensions inside, not both and not neither",
            fr: "Une extension a soit une valeur, soit des extensions à l'intérieur, pas les deux ni aucune",
        ))
    })
}

/// Compared as far as both ends are known: a day without zone could be that of any zone.
fn period_runs_forward(period: &Object) -> Option<Broken> {
    /// The most that two places on Earth can differ in their time of day.
    const ANY_ZONE: i64 = 26 * 3600 * 1_000_000;
    let (start, end) = (period.str("start")?, period.str("end")?);
    let (first, _) = primitive::date_range(start, &TimeZone::UTC)?;
    let (_, last) = primitive::date_range(end, &TimeZone::UTC)?;
    let slack = if start.contains('T') == end.contains('T') { 0 } else { ANY_ZONE };
    (first >= last.saturating_add(slack)).then(|| {
        Broken::here(text!(
            en: "The period ends before it starts",
            fr: "La période se termine avant de commencer",
        ))
    })
}

fn coded_unit_has_a_system(quantity: &Object) -> Option<Broken> {
    (has(quantity, "code") && !has(quantity, "system")).then(|| {
        Broken::here(text!(
            en: "A quantity with a coded unit must say the system of the code",
            fr: "Une quantité dont l'unité est codée doit dire le système du code",
        ))
    })
}

fn ratio_is_whole(ratio: &Object) -> Option<Broken> {
    let (above, below) = (has(ratio, "numerator"), has(ratio, "denominator"));
    (above != below || (!above && !has(ratio, "extension"))).then(|| {
        Broken::here(text!(
            en: "A ratio has both a numerator and a denominator, or neither and an extension",
            fr: "Un ratio a un numérateur et un dénominateur, ou ni l'un ni l'autre et une extension",
        ))
    })
}

/// Compared only in one unit; what differs by less than a float can tell passes.
fn range_runs_upward(range: &Object) -> Option<Broken> {
    let (low, high) = (range.object("low")?, range.object("high")?);
    let in_one_unit = ["system", "code", "unit"].iter().all(|name| low.str(name) == high.str(name));
    let value = |end: &Object| end.get("value")?.as_number()?.parse::<f64>().ok();
    (in_one_unit && value(low)? > value(high)?).then(|| {
        Broken::here(text!(
            en: "The low end of the range is above the high one",
            fr: "La borne basse de l'intervalle est au-dessus de la borne haute",
        ))
    })
}
