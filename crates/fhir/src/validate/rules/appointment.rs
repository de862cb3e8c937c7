//! Rules on appointments and answers to them.

use super::{Broken, Rule, has};
use crate::{text, tree::Object};

pub(super) fn rule(key: &str) -> Option<Rule> {
    Some(match key {
        "app-1" => participant_is_said,
        "app-2" => both_ends_or_none,
        "app-3" => |a| undated(a, &["proposed", "cancelled", "waitlist"]),
        "app-3-loose" => |a| undated(a, &["proposed", "cancelled"]),
        "app-4" => reason_of_a_cancelled_one,
        "apr-1" => answerer_is_said,
        _ => return None,
    })
}

fn participant_is_said(participant: &Object) -> Option<Broken> {
    (!has(participant, "type") && !has(participant, "actor")).then(|| {
        Broken::here(text!(
            en: "A participant is said by an actor or at least a type",
            fr: "Un participant est dit par un acteur ou au moins un type",
        ))
    })
}

fn both_ends_or_none(appointment: &Object) -> Option<Broken> {
    (has(appointment, "start") != has(appointment, "end")).then(|| {
        Broken::here(text!(
            en: "Either both start and end are given, or neither",
            fr: "Soit le début et la fin sont donnés, soit aucun des deux",
        ))
    })
}

fn undated(appointment: &Object, statuses: &[&str]) -> Option<Broken> {
    let dated = has(appointment, "start") && has(appointment, "end");
    let may_be_undated = appointment.str("status").is_some_and(|status| statuses.contains(&status));
    (!dated && !may_be_undated).then(|| {
        let statuses = statuses.join(", ");
        Broken::here(text!(
            en: "An appointment without start and end must have one of the statuses {statuses}",
            fr: "Un rendez-vous sans début ni fin doit avoir l'un des statuts {statuses}",
        ))
    })
}

fn reason_of_a_cancelled_one(appointment: &Object) -> Option<Broken> {
    let over = matches!(appointment.str("status"), Some("cancelled" | "noshow"));
    (has(appointment, "cancelationReason") && !over).then(|| {
        Broken::at(
            "cancelationReason",
            text!(
                en: "Only an appointment cancelled or not honoured has a reason of cancelling",
                fr: "Seul un rendez-vous annulé ou non honoré a un motif d'annulation",
            ),
        )
    })
}

fn answerer_is_said(response: &Object) -> Option<Broken> {
    (!has(response, "participantType") && !has(response, "actor")).then(|| {
        Broken::here(text!(
            en: "An answer says who answers, by an actor or a participant type",
            fr: "Une réponse dit qui répond, par un acteur ou un type de participant",
        ))
    })
}
