//! Whom a note is hidden from: its security label.

use std::collections::HashSet;

use liaison_fhir::{
    outcome::{Issue, IssueKind},
    terminology::systems::canonical_system,
    text,
    tree::{Object, Value},
};

use crate::{
    note::form::Form,
    profiles::constraint::{is_member, must_be_one_of},
    terminology::tables::{self, Kind},
};

/// The restrictions of audience.
pub const VALUE_SET: &str = "https://mos.esante.gouv.fr/NOS/JDV_J110-StatutVisibiliteDocument-CISIS/FHIR/JDV-J110-StatutVisibiliteDocument-CISIS";
/// The confidentiality codes, which the form of 2017 puts in the same place.
pub const CONFIDENTIALITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality";

/// When a note is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Occasion<'a> {
    /// It is new here.
    Creation,
    /// It replaces this version, given in the same release.
    Update(&'a Object),
}

/// What the labels of a note break. In R4 only the restrictions of audience can stand there; a
/// confidentiality code that a note already carries (written through the 2017 form) may stay.
#[must_use]
pub fn check(note: &Object, form: Form, occasion: Occasion<'_>) -> Vec<Issue> {
    let Some(table) = tables::find(Kind::ValueSet, VALUE_SET) else { return Vec::new() };
    let before: HashSet<&str> = match occasion {
        Occasion::Creation => HashSet::new(),
        Occasion::Update(before) => before.items("securityLabel").iter().flat_map(confidentiality_codes).collect(),
    };
    let mut issues = Vec::new();
    for (index, label) in note.items("securityLabel").iter().enumerate() {
        if is_member(label, table) {
            continue;
        }
        let place = format!("DocumentReference.securityLabel[{index}]");
        let confidentiality = confidentiality_codes(label);
        match form {
            Form::Of2017 if !confidentiality.is_empty() => {}
            Form::Today if !confidentiality.is_empty() && confidentiality.iter().any(|code| before.contains(code)) => {
                issues.push(Issue::warning(IssueKind::CodeInvalid, place, text!(
                    en: "This confidentiality code comes from the 2017 form and is kept: R leaves the person, legal representatives and health professionals, V the person; N restricts nobody.",
                    fr: "Ce code de confidentialité vient de la forme de 2017 et est gardé : R laisse voir la personne, ses représentants légaux et les professionnels de santé, V la personne ; N ne restreint personne."
                )));
            }
            _ if confidentiality.contains(&"N") => {
                issues.push(Issue::error(IssueKind::CodeInvalid, place, text!(
                    en: "N (normal) is no restriction of audience: leave securityLabel out, or give a code of JDV_J110.",
                    fr: "N (normal) n'est pas une restriction d'audience : omettez securityLabel, ou donnez un code du JDV_J110."
                )));
            }
            _ => issues.push(Issue::error(IssueKind::CodeInvalid, place, must_be_one_of(table))),
        }
    }
    issues
}

/// The confidentiality codes of a label: normal, restricted, very restricted.
fn confidentiality_codes(label: &Value) -> Vec<&str> {
    let codings = label.as_object().map(|label| label.items("coding")).unwrap_or_default();
    codings
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|coding| Some((coding.str("system")?, coding.str("code")?.trim())))
        .filter(|(system, code)| canonical_system(system, Some(code)) == CONFIDENTIALITY)
        .map(|(_, code)| code)
        .filter(|code| matches!(*code, "N" | "R" | "V"))
        .collect()
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object, outcome::Severity};

    use super::*;
    use crate::note::tests::coding;

    const VISIBILITY: &str =
        "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";

    fn labelled(system: &str, code: &str) -> Object {
        object! { "securityLabel" => array![coding(system, code)] }
    }

    fn severities(note: &Object, form: Form, occasion: Occasion<'_>) -> Vec<Severity> {
        check(note, form, occasion).into_iter().map(|issue| issue.severity).collect()
    }

    #[test]
    fn restrictions_of_audience_are_fine_by_url_or_oid() {
        for system in [VISIBILITY, "urn:oid:1.2.250.1.213.1.1.4.13"] {
            for code in
                ["INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS", "MASQUE_PSOCIAL", "MASQUE_PT"]
            {
                for form in [Form::Today, Form::Of2017] {
                    assert_eq!(severities(&labelled(system, code), form, Occasion::Creation), [], "{code}");
                }
            }
        }
    }

    #[test]
    fn confidentiality_is_the_way_of_2017_not_of_today() {
        for code in ["N", "R", "V"] {
            let note = labelled("urn:oid:2.16.840.1.113883.5.25", code);
            assert_eq!(severities(&note, Form::Of2017, Occasion::Creation), []);
            assert_eq!(severities(&note, Form::Today, Occasion::Creation), [Severity::Error], "{code}");
        }
    }

    #[test]
    fn who_says_normal_is_told_that_it_needs_no_label() {
        let advice = |code: &str| {
            let note = labelled("urn:oid:2.16.840.1.113883.5.25", code);
            let [issue] = check(&note, Form::Today, Occasion::Creation).try_into().unwrap();
            issue.text.en.contains("leave securityLabel out")
        };
        assert!(advice("N"));
        assert!(!advice("R"), "a restriction that was meant must not be dropped");
    }

    #[test]
    fn a_confidentiality_that_was_there_may_stay_under_any_name() {
        let before = labelled("urn:oid:2.16.840.1.113883.5.25", "R");
        let after = labelled("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R");
        assert_eq!(severities(&after, Form::Today, Occasion::Update(&before)), [Severity::Warning]);
        let raised = labelled("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "V");
        assert_eq!(severities(&raised, Form::Today, Occasion::Update(&before)), [Severity::Error]);
    }

    #[test]
    fn other_codes_are_refused_in_both_forms() {
        for form in [Form::Today, Form::Of2017] {
            assert_eq!(severities(&labelled(VISIBILITY, "MASQUE"), form, Occasion::Creation), [Severity::Error]);
            let unsure = labelled("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "U");
            assert_eq!(severities(&unsure, form, Occasion::Creation), [Severity::Error]);
        }
    }
}
