//! The invariants of `fr-core-patient-ins` that span several elements.

use liaison_fhir::{
    outcome::{Issue, IssueKind, Text},
    text,
    tree::{Object, Value},
};

use super::constraint::{Constraint, Finding};
use crate::identifiers::{Kind, recognise};

const RELIABILITY: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability";
/// The codes that say "validated": `VALI`, and `QUAL` since the national rules of 2.2 renamed it.
const VALIDATED: [&str; 2] = ["VALI", "QUAL"];

/// fr-core-1 and fr-core-2 (a validated identity has an INS, and exactly one official identifier),
/// and the rules of 2.2 on doubtful and fictitious identities.
#[must_use]
pub fn check(patient: &Object) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |place: &str, text: Text| {
        let issue = Issue::warning(IssueKind::Invariant, place, text);
        findings.push(Finding { element: "Patient", constraint: Constraint::Invariant, issue });
    };
    let statuses = codes_of(patient, "identityStatus");
    let comments = codes_of(patient, "comment");
    let has = |codes: &[&str], code: &str| codes.contains(&code);
    if VALIDATED.iter().any(|code| has(&statuses, code)) {
        let identifiers: Vec<&Object> = patient.objects("identifier").collect();
        let is_ins = |kind| matches!(kind, Kind::InsNir | Kind::InsNia | Kind::InsNirTest | Kind::InsNirDemo);
        if !identifiers.iter().any(|i| recognise(i).is_some_and(|national| is_ins(national.kind))) {
            add(
                "Patient.identifier",
                text!(
                    en: "A validated identity carries an INS (INS-NIR or INS-NIA); this one has none.",
                    fr: "Une identité validée porte un INS (INS-NIR ou INS-NIA) ; celle-ci n'en a pas."
                ),
            );
        }
        if identifiers.iter().filter(|i| i.str("use") == Some("official")).count() != 1 {
            add(
                "Patient.identifier",
                text!(
                    en: "A validated identity has exactly one official identifier.",
                    fr: "Une identité validée a un et un seul identifiant officiel."
                ),
            );
        }
    }
    let (doubtful, fictitious) = (has(&comments, "DOUT"), has(&comments, "FICT"));
    if doubtful && fictitious {
        add(
            "Patient.extension",
            text!(
                en: "An identity is doubtful (DOUT) or fictitious (FICT), not both.",
                fr: "Une identité est douteuse (DOUT) ou fictive (FICT), pas les deux."
            ),
        );
    }
    if (doubtful || fictitious) && !has(&statuses, "PROV") {
        add(
            "Patient.extension",
            text!(
                en: "A doubtful or fictitious identity stays provisional (PROV).",
                fr: "Une identité douteuse ou fictive reste provisoire (PROV)."
            ),
        );
    }
    findings
}

/// The codes of a part of the identity's reliability, whether a coding or a concept.
fn codes_of<'a>(patient: &'a Object, part: &str) -> Vec<&'a str> {
    let parts = patient
        .objects("extension")
        .filter(|extension| extension.str("url") == Some(RELIABILITY))
        .flat_map(|extension| extension.objects("extension"))
        .filter(|inner| inner.str("url") == Some(part));
    let mut codes = Vec::new();
    for inner in parts {
        codes.extend(inner.object("valueCoding").and_then(|coding| coding.str("code")));
        let concept = inner.object("valueCodeableConcept").map(|c| c.items("coding")).unwrap_or_default();
        codes.extend(concept.iter().filter_map(Value::as_object).filter_map(|coding| coding.str("code")));
    }
    codes
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::identifiers::INS_NIR;

    fn patient(status: &str, comments: &[&str], identifiers: Value) -> Object {
        let mut parts =
            vec![Value::from(object! { "url" => "identityStatus", "valueCoding" => object! { "code" => status } })];
        parts.extend(comments.iter().map(|comment| {
            let concept = object! { "coding" => array![object! { "code" => *comment }] };
            Value::from(object! { "url" => "comment", "valueCodeableConcept" => concept })
        }));
        object! {
            "resourceType" => "Patient",
            "extension" => array![object! { "url" => RELIABILITY, "extension" => parts }],
            "identifier" => identifiers,
        }
    }

    fn official_ins() -> Value {
        array![object! { "use" => "official", "system" => INS_NIR, "value" => "279035121518989" }]
    }

    #[test]
    fn a_validated_identity_has_an_ins_that_is_its_only_official_identifier() {
        for status in VALIDATED {
            assert_eq!(check(&patient(status, &[], official_ins())), []);
            assert_eq!(check(&patient(status, &[], array![])).len(), 2);
        }
        assert_eq!(check(&patient("PROV", &[], array![])), []);
    }

    #[test]
    fn doubtful_and_fictitious_exclude_each_other_and_stay_provisional() {
        assert_eq!(check(&patient("PROV", &["DOUT"], array![])), []);
        assert_eq!(check(&patient("PROV", &["DOUT", "FICT"], array![])).len(), 1);
        assert_eq!(check(&patient("VALI", &["FICT"], official_ins())).len(), 1);
    }
}
