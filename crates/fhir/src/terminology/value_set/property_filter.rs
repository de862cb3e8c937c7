//! The filters of a value set's definition: which concepts of a code system they keep.

use crate::{
    outcome::{Issue, IssueKind},
    terminology::code_system::Place,
    text,
    tree::{Object, Value},
};

/// Whether a filter keeps a concept.
///
/// # Errors
/// When the operator is one that is not supported (`regex`, and what FHIR may add).
pub fn keeps(filter: &Object, concept: &Place<'_>, place: &str) -> Result<bool, Vec<Issue>> {
    let text = |name: &str| filter.str(name).map(str::trim).unwrap_or_default();
    let (property, value) = (text("property"), text("value"));
    let code = concept.object.str("code").unwrap_or_default();
    let below = concept.ancestors.contains(&value);
    let within = || value.split(',').map(str::trim);
    Ok(match text("op") {
        "=" => has_value(concept, property, |own| own == value),
        "in" => has_value(concept, property, |own| within().any(|one| one == own)),
        "not-in" => !has_value(concept, property, |own| within().any(|one| one == own)),
        "exists" => has_value(concept, property, |_| true) == (value == "true"),
        "is-a" => code == value || below,
        "descendent-of" => below,
        "is-not-a" => code != value && !below,
        "generalizes" => code == value || is_above(concept.object, value),
        other => {
            return Err(vec![Issue::error(
                IssueKind::NotSupported,
                format!("{place}.op"),
                text!(
                    en: "Filters with the operator \"{other}\" are not supported by this server.",
                    fr: "Les filtres avec l'opérateur « {other} » ne sont pas pris en charge par ce serveur."
                ),
            )]);
        }
    })
}

fn has_value(concept: &Place<'_>, property: &str, fits: impl Fn(&str) -> bool) -> bool {
    match property {
        "code" | "concept" => concept.object.str("code").is_some_and(fits),
        "display" | "definition" => concept.object.str(property).is_some_and(fits),
        "parent" => concept.ancestors.last().is_some_and(|parent| fits(parent)),
        "child" => concept.object.objects("concept").filter_map(|child| child.str("code")).any(fits),
        _ => concept
            .object
            .objects("property")
            .filter(|own| own.str("code") == Some(property))
            .filter_map(|own| own.iter().find(|(name, _)| name.starts_with("value")))
            .filter_map(|(_, value)| value.primitive_text().or_else(|| value.as_object()?.str("code")))
            .any(fits),
    }
}

fn is_above(concept: &Object, code: &str) -> bool {
    let mut waiting: Vec<&Value> = concept.items("concept").iter().collect();
    while let Some(child) = waiting.pop().and_then(Value::as_object) {
        if child.str("code") == Some(code) {
            return true;
        }
        waiting.extend(child.items("concept"));
    }
    false
}
