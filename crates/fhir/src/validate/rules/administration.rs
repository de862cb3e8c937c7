//! Rules on people, organisations, consents, traces and parameters.

use super::{Broken, Rule, has, has_choice, items};
use crate::{text, tree::Object};

pub(super) fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "pat-1" => contact_has_content,
        "org-1" => organization_is_said,
        "org-2" => |o| no_home(o, "address"),
        "org-3" => |o| no_home(o, "telecom"),
        "ctm-1" => only_practitioners_act_for_others,
        "ppc-1" => consent_has_a_policy,
        "sev-1" => name_or_query,
        "inv-1" => parameter_has_one_content,
        _ => return None,
    })
}

fn contact_has_content(contact: &Object) -> Option<Broken> {
    let any = ["name", "telecom", "address", "organization"].iter().any(|name| has(contact, name));
    (!any).then(|| {
        Broken::here(text!(
            en: "A contact has at least a name, a telecom, an address or an organization",
            fr: "Un contact a au moins un nom, une coordonnée, une adresse ou une organisation",
        ))
    })
}

fn organization_is_said(organization: &Object) -> Option<Broken> {
    (!has(organization, "identifier") && !has(organization, "name")).then(|| {
        Broken::here(text!(
            en: "An organization has at least a name or an identifier",
            fr: "Une organisation a au moins un nom ou un identifiant",
        ))
    })
}

fn no_home(organization: &Object, name: &str) -> Option<Broken> {
    let (index, _) = items(organization, name).find(|(_, item)| item.str("use") == Some("home"))?;
    Some(Broken::at(
        format!("{name}[{index}].use"),
        text!(en: "An organization is never at home", fr: "Une organisation n'a pas de domicile"),
    ))
}

/// What a reference does not tell, it is believed.
fn only_practitioners_act_for_others(participant: &Object) -> Option<Broken> {
    let member = participant.object("member");
    let told = member.and_then(|m| m.str("type").or_else(|| m.str("reference")?.rsplit('/').nth(1)));
    let other = told.is_some_and(|name| name != "Practitioner" && name.starts_with(|c: char| c.is_ascii_uppercase()));
    (has(participant, "onBehalfOf") && (member.is_none() || other)).then(|| {
        Broken::at(
            "onBehalfOf",
            text!(
                en: "Only a Practitioner takes part on behalf of an organization",
                fr: "Seul un Practitioner participe au nom d'une organisation",
            ),
        )
    })
}

fn consent_has_a_policy(consent: &Object) -> Option<Broken> {
    (!has(consent, "policy") && !has(consent, "policyRule")).then(|| {
        Broken::here(text!(
            en: "A consent names a policy or a policyRule",
            fr: "Un consentement nomme une politique (policy ou policyRule)",
        ))
    })
}

fn name_or_query(entity: &Object) -> Option<Broken> {
    (has(entity, "name") && has(entity, "query")).then(|| {
        Broken::here(text!(
            en: "Either a name or a query, not both",
            fr: "Soit un nom, soit une requête, pas les deux",
        ))
    })
}

fn parameter_has_one_content(parameter: &Object) -> Option<Broken> {
    let contents = [has(parameter, "part"), has(parameter, "resource"), has_choice(parameter, "value")];
    (contents.iter().filter(|there| **there).count() != 1).then(|| {
        Broken::here(text!(
            en: "A parameter has exactly one of value, resource and part",
            fr: "Un paramètre a exactement l'un de value, resource et part",
        ))
    })
}
