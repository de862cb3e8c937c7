//! One rule of a profile against a resource.

use liaison_fhir::{
    outcome::{Issue, IssueKind, Severity, Text},
    place::Place,
    text,
    tree::{Object, Value},
};

use super::{
    element::{Found, Step, children, each_holder},
    table::{Binding, Profile, Row, base_type},
};
use crate::terminology::tables::{self, Kind};

/// A finding, with the rule it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The element id of the rule.
    pub element: &'static str,
    /// What the rule asks for.
    pub constraint: Constraint,
    /// What to say.
    pub issue: Issue,
}

/// What a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// That the element be there.
    Needed,
    /// That it not be there at all.
    Forbidden,
    /// That it not be there more often.
    AtMost,
    /// That it have a certain type, or point to one.
    Type,
    /// That its value be one of some.
    Binding,
    /// A rule over several elements.
    Invariant,
}

/// What a resource does not do of what a row asks for.
#[must_use]
pub fn check(resource: &Object, row: &Row, profile: &Profile) -> Vec<Finding> {
    let Some((last, before)) = row.steps.split_last() else { return Vec::new() };
    let mut findings = Vec::new();
    each_holder(resource, &Place::root(profile.base), before, &mut |holder, place| {
        check_in(holder, place, last, resource, row, profile, &mut findings);
    });
    findings
}

fn check_in(
    holder: &Object,
    place: &Place<'_>,
    last: &Step,
    resource: &Object,
    row: &Row,
    profile: &Profile,
    findings: &mut Vec<Finding>,
) {
    let title = profile.title;
    let mut add = |constraint, kind, place: Place<'_>, text: Text| {
        let issue = Issue { severity: profile.severity, kind, text, place: place.to_string() };
        findings.push(Finding { element: row.id, constraint, issue });
    };
    let (mut count, mut surplus) = (0, None);
    for found in children(holder, last) {
        if row.max == Some(count) {
            surplus = Some(found);
        }
        count += 1;
    }
    let own_place = place.child(last.name);
    if row.min.is_some_and(|min| count < min) {
        let name = row.label();
        return add(
            Constraint::Needed,
            IssueKind::Required,
            own_place,
            text!(
                en: "{name} is missing: \"{title}\" needs it. Add it.",
                fr: "{name} manque : « {title} » le demande. Ajoutez-le."
            ),
        );
    }
    if let (Some(max), Some(surplus)) = (row.max, surplus) {
        let (name, surplus) = (row.label(), surplus.place(place, last));
        return match max {
            0 => add(
                Constraint::Forbidden,
                IssueKind::BusinessRule,
                surplus,
                text!(
                    en: "\"{title}\" has no {name}. Take it out.",
                    fr: "« {title} » n'a pas de {name}. Retirez-le."
                ),
            ),
            max => add(
                Constraint::AtMost,
                IssueKind::BusinessRule,
                surplus,
                text!(
                    en: "\"{title}\" has {max} {name} at most. Take the others out.",
                    fr: "« {title} » a au plus {max} {name}. Retirez les autres."
                ),
            ),
        };
    }
    if row.types.is_none() && row.binding.is_none() {
        return;
    }
    for element in children(holder, last) {
        if let Some(text) = row.types.and_then(|types| type_fault(resource, &element, types)) {
            add(Constraint::Type, IssueKind::Value, element.place(place, last), text);
        }
        if let Some(text) = row.binding.and_then(|binding| binding_fault(element.value, binding)) {
            add(Constraint::Binding, IssueKind::CodeInvalid, element.place(place, last), text);
        }
    }
}

impl Row {
    /// How sentences call the element: its name, with that of its slice when it is one.
    fn label(&self) -> String {
        match self.steps.last() {
            Some(step) => match step.slice {
                Some(slice) => format!("{} ({slice})", step.name),
                None => step.name.to_owned(),
            },
            None => self.id.to_owned(),
        }
    }
}

fn type_fault(resource: &Object, element: &Found<'_>, types: &str) -> Option<Text> {
    let Some(targets) = types.strip_prefix("Reference(").and_then(|t| t.strip_suffix(')')) else {
        return choice_fault(element, types);
    };
    let actual = referred_type(resource, element.value.as_object()?)?;
    let allowed: Vec<&str> = targets.split('|').filter_map(base_type).collect();
    if allowed.contains(&actual) {
        return None;
    }
    let list = allowed.join(", ");
    Some(text!(
        en: "This refers to a {actual}; only these can stand here: {list}.",
        fr: "Ceci renvoie à un {actual} ; seuls peuvent figurer ici : {list}."
    ))
}

/// A choice (`value[x]`) of a type that the profile does not leave. Other types are seen to by the
/// base release.
fn choice_fault(element: &Found<'_>, types: &str) -> Option<Text> {
    let written = element.member.strip_prefix("value").filter(|rest| !rest.is_empty())?;
    let fits = types.split('|').any(|t| t.eq_ignore_ascii_case(written));
    (!fits).then(|| {
        text!(
            en: "The value here is of type {written}; it must be {types}.",
            fr: "La valeur est ici de type {written} ; elle doit être {types}."
        )
    })
}

/// The resource type that a reference says it points to, when it says so.
#[must_use]
pub fn referred_type<'a>(resource: &'a Object, reference: &'a Object) -> Option<&'a str> {
    let Some(written) = reference.str("reference") else { return reference.str("type") };
    if let Some(id) = written.strip_prefix('#') {
        let contained = resource.objects("contained").find(|inner| inner.str("id") == Some(id));
        return contained.and_then(Object::resource_type);
    }
    if written.starts_with("urn:") {
        return reference.str("type");
    }
    let mut parts = written.split("/_history/").next()?.rsplit('/');
    let (_id, name) = (parts.next()?, parts.next()?);
    name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name).or_else(|| reference.str("type"))
}

fn binding_fault(value: &Value, binding: Binding) -> Option<Text> {
    match binding {
        Binding::Required(value_set) => {
            let table = tables::find(Kind::ValueSet, value_set)?;
            (!is_member(value, table)).then(|| must_be_one_of(table))
        }
        Binding::Codes(codes) => {
            let written = value.as_str()?;
            let list = codes.replace(',', ", ");
            (!codes.split(',').any(|code| code == written))
                .then(|| text!(en: "This must be one of: {list}.", fr: "Ceci doit être l'un de : {list}."))
        }
        Binding::Fixed(fixed) => {
            (value.as_str() != Some(fixed)).then(|| text!(en: "This must be {fixed}.", fr: "Ceci doit être {fixed}."))
        }
    }
}

/// Whether a code, a `Coding` or some coding of a `CodeableConcept` is in a value set.
#[must_use]
pub fn is_member(value: &Value, table: &tables::Table) -> bool {
    let coding = |coding: &Object| {
        // Without its system a coding says nothing for sure.
        let (Some(system), Some(code)) = (coding.str("system"), coding.str("code")) else { return false };
        table.contains(Some(system), code.trim())
    };
    match value {
        Value::String(code) => table.contains(None, code),
        Value::Object(concept) if concept.contains("coding") => concept.objects("coding").any(coding),
        Value::Object(object) => coding(object),
        _ => false,
    }
}

/// The sentence that names a value set and, when they are few, its codes and their system.
#[must_use]
pub fn must_be_one_of(table: &tables::Table) -> Text {
    const FEW: usize = 12;
    let (title, url) = (table.title, table.url);
    let codes: Vec<&str> = table.codes().take(FEW + 1).collect();
    match table.groups.as_slice() {
        [group] if codes.len() <= FEW => {
            let (list, system) = (codes.join(", "), group.system);
            text!(
                en: "This needs a coding from \"{title}\": one of {list}, with the system {system}.",
                fr: "Il faut ici un code de « {title} » : l'un de {list}, avec le système {system}."
            )
        }
        _ => text!(
            en: "This needs a coding from \"{title}\" ({url}).",
            fr: "Il faut ici un code de « {title} » ({url})."
        ),
    }
}

/// Gives a finding another severity.
#[must_use]
pub fn with_severity(mut finding: Finding, severity: Severity) -> Finding {
    finding.issue.severity = severity;
    finding
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::profiles::table::profile;

    fn check_all(resource: &Object, url: &str) -> Vec<(Constraint, String)> {
        let profile = profile(url).unwrap();
        crate::profiles::check(resource, profile).into_iter().map(|f| (f.constraint, f.issue.place)).collect()
    }

    const PATIENT: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient";
    const URGENT: &str = "http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/isUrgent";
    const SEARCH: &str =
        "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-bundle-resultat-recherche-notes";

    #[test]
    fn parts_of_repeating_elements_are_counted_in_each() {
        let patient = object! { "resourceType" => "Patient", "telecom" => array![
            object! { "system" => "phone", "value" => "0600000000" },
            object! { "value" => "0600000000" },
        ] };
        assert_eq!(check_all(&patient, PATIENT), [(Constraint::Needed, "Patient.telecom[1].system".to_owned())]);
    }

    #[test]
    fn the_first_one_too_many_is_pointed_at() {
        let patient =
            object! { "resourceType" => "Patient", "name" => array![object! { "prefix" => array!["M", "MME"] }] };
        assert_eq!(check_all(&patient, PATIENT), [(Constraint::AtMost, "Patient.name[0].prefix[1]".to_owned())]);
    }

    #[test]
    fn codes_are_compared() {
        let patient = object! { "resourceType" => "Patient", "name" => array![object! { "prefix" => array!["Dr"] }] };
        assert_eq!(check_all(&patient, PATIENT), [(Constraint::Binding, "Patient.name[0].prefix[0]".to_owned())]);
    }

    #[test]
    fn an_extension_has_the_type_of_its_profile() {
        let extension = |name: &str| object! { "url" => URGENT, name => "true" };
        assert_eq!(check_all(&extension("valueBoolean"), URGENT), []);
        assert_eq!(check_all(&extension("valueString"), URGENT), [(Constraint::Type, "Extension.value".to_owned())]);
    }

    #[test]
    fn bundle_entries_are_told_apart_by_what_they_hold() {
        let bundle = object! { "resourceType" => "Bundle", "type" => "searchset", "entry" => array![
            object! {
                "resource" => object! { "resourceType" => "DocumentReference" },
                "search" => object! { "mode" => "include" },
            },
            object! { "resource" => object! { "resourceType" => "Patient" }, "search" => object! { "mode" => "include" } },
        ] };
        assert_eq!(check_all(&bundle, SEARCH), [(Constraint::Binding, "Bundle.entry[0].search.mode".to_owned())]);
    }

    #[test]
    fn the_type_a_reference_points_to_is_read_from_all_its_forms() {
        let note = object! { "contained" => array![object! { "resourceType" => "Device", "id" => "d" }] };
        for (reference, expected) in [
            ("Patient/1", Some("Patient")),
            ("https://example.org/fhir/Patient/1/_history/2", Some("Patient")),
            ("#d", Some("Device")),
            ("#e", None),
            ("urn:uuid:0d920958-b596-4b91-af67-9bafc707820b", None),
            ("https://example.org/p/1", None),
        ] {
            let reference = object! { "reference" => reference };
            assert_eq!(referred_type(&note, &reference), expected, "{reference:?}");
        }
        assert_eq!(referred_type(&note, &object! { "type" => "Patient" }), Some("Patient"));
    }

    #[test]
    fn a_coding_without_system_is_no_member() {
        let types = tables::find(Kind::ValueSet, "urn:oid:1.2.250.1.213.1.1.5.98").unwrap();
        let concept = |coding: Object| Value::from(object! { "coding" => array![coding] });
        assert!(!is_member(&concept(object! { "code" => "OBS" }), types));
        let whole = object! { "code" => "OBS", "system" => "urn:oid:1.2.250.1.213.1.1.4.334" };
        assert!(is_member(&concept(whole.clone()), types));
        assert!(is_member(&whole.into(), types), "a Coding by itself");
    }

    #[test]
    fn a_code_by_itself_is_looked_up_without_system() {
        let types = tables::find(Kind::ValueSet, "urn:oid:1.2.250.1.213.1.1.5.98").unwrap();
        assert!(is_member(&"OBS".into(), types));
        assert!(!is_member(&"OBSERVATION".into(), types));
    }

    #[test]
    fn codes_are_listed_only_when_the_list_is_whole() {
        for table in tables::all().iter().filter(|table| table.kind == Kind::ValueSet) {
            let said = must_be_one_of(table).en;
            let lists_all = table.codes().all(|code| said.contains(code));
            let is_short = table.groups.len() == 1 && table.codes().count() <= 12;
            assert_eq!(said.contains("one of"), is_short, "{said}");
            assert!(lists_all || !is_short, "{said}");
        }
    }

    #[test]
    fn a_missing_element_is_called_by_its_name_and_its_slice() {
        let said = |resource: &Object, url: &str| {
            let findings = crate::profiles::check(resource, profile(url).unwrap());
            findings.into_iter().map(|finding| finding.issue.text.en).collect::<String>()
        };
        let patient = object! { "resourceType" => "Patient", "telecom" => array![object! { "value" => "06" }] };
        assert!(said(&patient, PATIENT).starts_with("system is missing"));
        let creation = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-bundle-creation-note";
        let bundle = object! { "resourceType" => "Bundle", "type" => "transaction" };
        assert!(said(&bundle, creation).contains("entry (documentReference) is missing"));
    }
}
