//! What is said of a search that is not understood.

use crate::{
    outcome::{Issue, IssueKind},
    primitive::fold,
    release::{ReleaseId, view},
    search::parameters::{self, Offer},
    text,
};

/// Why something is so, in English and in French.
pub(super) type Why = (&'static str, &'static str);

pub(super) fn unknown_type(place: &str, name: &str) -> Issue {
    let (known, name) = (view().resources().join(", "), shown(name));
    Issue::error(
        IssueKind::NotSupported,
        place,
        text!(
            en: "\"{name}\" is not a resource type of this server. It has: {known}.",
            fr: "« {name} » n'est pas un type de ressource de ce serveur. Types connus : {known}."
        ),
    )
}

/// A parameter that some of these types lack.
pub(super) fn unknown_parameter(release: ReleaseId, whole: &str, name: &str, types: &[&'static str]) -> Issue {
    let left_out = |of: &&'static str| parameters::reason_left_out(release, of, name).map(|reason| (*of, reason));
    if let Some((of, reason)) = types.iter().find_map(left_out) {
        let name = shown(name);
        let text = text!(
            en: "The search parameter \"{name}\" is not offered for {of}: {reason}.",
            fr: "Le paramètre de recherche « {name} » n'est pas offert pour {of} ({reason})."
        );
        return Issue::error(IssueKind::NotSupported, place(whole), text);
    }
    let (first, others) = types.split_first().map_or(("", types), |(first, others)| (*first, others));
    let of_all = |name: &str| others.iter().all(|other| parameters::offer(release, other, name).is_some());
    let offers = parameters::parameters_of(release, first).iter().map(|offer| offer.name);
    let known: Vec<&str> = offers.filter(|name| of_all(name)).collect();
    let of = if types.len() > 3 { format!("{first}…") } else { types.join(", ") };
    let (close, name, known) = (closest(name, &known), shown(name), known.join(", "));
    let text = match close {
        Some(close) => text!(
            en: "{of}: there is no search parameter \"{name}\". Did you mean \"{close}\"? Known: {known}.",
            fr: "{of} : pas de paramètre de recherche « {name} ». Vouliez-vous dire « {close} » ? Connus : {known}."
        ),
        None => text!(
            en: "{of}: there is no search parameter \"{name}\". Known: {known}.",
            fr: "{of} : pas de paramètre de recherche « {name} ». Connus : {known}."
        ),
    };
    Issue::error(IssueKind::NotSupported, place(whole), text)
}

pub(super) fn unknown_modifier(whole: &str, modifier: &str, offer: &Offer) -> Issue {
    let (modifier, kind) = (shown(modifier), offer.kind.code());
    let mut known: Vec<String> = offer.modifiers().iter().map(|modifier| format!(":{modifier}")).collect();
    if offer.reference().is_some() {
        known.extend(offer.targets().iter().map(|target| format!(":{target}")));
    }
    let known = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
    Issue::error(
        IssueKind::NotSupported,
        place(whole),
        text!(
            en: "The modifier \":{modifier}\" is not supported on this parameter of type {kind}. Supported: {known}.",
            fr: "Le modificateur « :{modifier} » n'est pas pris en charge sur ce paramètre de type {kind}. Pris en charge : {known}."
        ),
    )
}

pub(super) fn not_a_reference(whole: &str, name: &str) -> Issue {
    let name = shown(name);
    Issue::error(
        IssueKind::NotSupported,
        place(whole),
        text!(
            en: "\"{name}\" is not a reference to a stored resource: nothing can be chained to it.",
            fr: "« {name} » n'est pas une référence vers une ressource conservée : rien ne peut y être enchaîné."
        ),
    )
}

pub(super) fn wrong_target(whole: &str, name: &str, target: &str, targets: &[&'static str]) -> Issue {
    let (name, target, targets) = (shown(name), shown(target), targets.join(", "));
    Issue::error(
        IssueKind::Value,
        place(whole),
        text!(
            en: "\"{name}\" never refers to \"{target}\". It may refer to: {targets}.",
            fr: "« {name} » ne désigne jamais « {target} ». Types possibles : {targets}."
        ),
    )
}

pub(super) fn bad_has(whole: &str) -> Issue {
    let text = text!(
        en: "_has is written _has:Type:reference:parameter, as in _has:DocumentReference:subject:type.",
        fr: "_has s'écrit _has:Type:référence:paramètre, comme _has:DocumentReference:subject:type."
    );
    Issue::error(IssueKind::Value, place(whole), text)
}

pub(super) fn empty_value(whole: &str) -> Issue {
    let name = shown(whole);
    Issue::error(
        IssueKind::Value,
        place(whole),
        text!(
            en: "\"{name}\" has an empty value; give one or leave the parameter out.",
            fr: "« {name} » a une valeur vide ; en donner une ou retirer le paramètre."
        ),
    )
}

/// A value that does not fit; `wanted` says what does.
pub(super) fn bad_value(whole: &str, value: &str, wanted: Why) -> Issue {
    let (name, value, (en, fr)) = (shown(whole), shown(value), wanted);
    Issue::error(
        IssueKind::Value,
        place(whole),
        text!(
            en: "\"{value}\" is not a value of \"{name}\": {en}.",
            fr: "« {value} » n'est pas une valeur de « {name} » : {fr}."
        ),
    )
}

pub(super) fn not_supported(whole: &str, why: Why) -> Issue {
    let (name, (en, fr)) = (shown(whole), why);
    Issue::error(
        IssueKind::NotSupported,
        place(whole),
        text!(en: "\"{name}\" is not supported: {en}.", fr: "« {name} » n'est pas pris en charge : {fr}."),
    )
}

/// Something that was put right.
pub(super) fn repaired(whole: &str, what: Why) -> Issue {
    let (en, fr) = what;
    Issue::information(place(whole), text!(en: "{en}", fr: "{fr}"))
}

pub(super) fn too_many_pairs(limit: usize) -> Issue {
    let text = text!(en: "A search has at most {limit} parameters.", fr: "Une recherche a au plus {limit} paramètres.");
    Issue::error(IssueKind::TooCostly, "http", text)
}

pub(super) fn too_long(whole: &str, limit: usize) -> Issue {
    let text = text!(
        en: "The name and the value of a parameter have at most {limit} bytes each.",
        fr: "Le nom et la valeur d'un paramètre ont au plus {limit} octets chacun."
    );
    Issue::error(IssueKind::TooLong, place(whole), text)
}

pub(super) fn too_many_values(whole: &str, limit: usize) -> Issue {
    let text = text!(
        en: "A parameter has at most {limit} values separated by commas.",
        fr: "Un paramètre a au plus {limit} valeurs séparées par des virgules."
    );
    Issue::error(IssueKind::TooCostly, place(whole), text)
}

pub(super) fn too_many_includes(whole: &str, limit: usize) -> Issue {
    let text = text!(
        en: "A search has at most {limit} _include and _revinclude.",
        fr: "Une recherche a au plus {limit} _include et _revinclude."
    );
    Issue::error(IssueKind::TooCostly, place(whole), text)
}

pub(super) fn page_too_large(limit: u32) -> Issue {
    let text = text!(en: "A page has at most {limit} matches.", fr: "Une page a au plus {limit} résultats.");
    Issue::error(IssueKind::TooCostly, place("_count"), text)
}

pub(super) fn chain_too_deep(whole: &str, limit: usize) -> Issue {
    let text = text!(en: "A chain has at most {limit} links.", fr: "Une chaîne a au plus {limit} maillons.");
    Issue::error(IssueKind::TooCostly, place(whole), text)
}

pub(super) fn too_many_clauses(whole: &str) -> Issue {
    let text = text!(
        en: "The search comes to too many conditions. Name the types in its chains, as in subject:Patient.identifier.",
        fr: "La recherche donne trop de conditions. Nommer les types dans ses chaînes, comme subject:Patient.identifier."
    );
    Issue::error(IssueKind::TooCostly, place(whole), text)
}

/// Limits hold whatever the handling: what goes beyond is not left out, it is refused.
pub(super) fn is_limit(issue: &Issue) -> bool {
    matches!(issue.kind, IssueKind::TooCostly | IssueKind::TooLong)
}

/// The beginning of what was sent, for a sentence.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().escape_debug()),
    }
}

fn place(name: &str) -> String {
    format!("http.{}", shown(name))
}

/// The name most like another, when one is like enough to have been meant.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| fold(name).replace(['-', '_', '.'], "");
    let meant = plain(name);
    let distances = known.iter().map(|known| (distance(&meant, &plain(known)), *known));
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 2).map(|(_, known)| known)
}

/// How many letters must change, come or go between two words; for words of very different
/// lengths, more than anyone would accept.
fn distance(left: &str, right: &str) -> usize {
    const FAR: usize = 99;
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > 2 {
        return FAR;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.iter().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let mut next = vec![before];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(letter != other)).min(above + 1).min(before + 1);
            next.push(before);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = ["security-label", "status", "subject", "date"];
        assert_eq!(closest("securityLabel", &known), Some("security-label"));
        assert_eq!(closest("statut", &known), Some("status"));
        assert_eq!(closest("auteur", &known), None);
        assert_eq!(closest("dates", &known), Some("date"));
        assert_eq!(closest("birthdate", &known), None);
    }

    #[test]
    fn distances_are_those_of_letters() {
        assert_eq!(distance("date", "date"), 0);
        assert_eq!(distance("date", "dates"), 1);
        assert_eq!(distance("naem", "name"), 2);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
