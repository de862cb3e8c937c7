//! How the actors of a note bundle are recognised among those already here.
//!
//! A national identifier first; else an identifier (system and value) that both carry; a situation
//! of exercise without one by its professional, its codes and its organisation; a relative within
//! the relatives of the patient. Never a name. See `docs/decisions/0011-unique-keys.md`.

use std::collections::{HashMap, HashSet};

use liaison_fhir::tree::{Object, Value};

use crate::{
    identifiers::{Kind, recognise},
    unique::{self, Key},
};

/// The types of resources that are recognised rather than doubled.
pub const ACTORS: [&str; 6] =
    ["Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Device"];

/// The most ways that are tried: nobody has more identifiers in good faith.
const MOST_ATTEMPTS: usize = 32;

/// A way to look for the actor, among live resources of its type. They are tried in order; the
/// first that finds exactly one resource which [`may_be_same`] is the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// By the holder of a unique key.
    ByKey(Key),
    /// By a search: names and values as in a query string, not yet percent-encoded, all of which
    /// must hold.
    BySearch(Vec<(&'static str, String)>),
}

/// The ways to look for an actor given in its R4 form, its references already those of this server.
#[must_use]
pub fn attempts(actor: &Object) -> Vec<Attempt> {
    if !actor.resource_type().is_some_and(|name| ACTORS.contains(&name)) {
        return Vec::new();
    }
    let mut attempts: Vec<Attempt> = unique::keys(actor).into_iter().map(Attempt::ByKey).collect();
    match actor.resource_type() {
        Some("Patient" | "Practitioner" | "Organization" | "Device") => {
            attempts.extend(shared_identifiers(actor).map(|token| Attempt::BySearch(vec![("identifier", token)])));
        }
        Some("RelatedPerson") => {
            let Some(patient) = reference(actor, "patient") else { return attempts };
            attempts.extend(
                shared_identifiers(actor)
                    .map(|token| Attempt::BySearch(vec![("patient", escaped(patient)), ("identifier", token)])),
            );
        }
        Some("PractitionerRole") => {
            attempts.extend(shared_identifiers(actor).map(|token| Attempt::BySearch(vec![("identifier", token)])));
            if actor.items("identifier").is_empty() {
                attempts.extend(role_search(actor).map(Attempt::BySearch));
            }
        }
        _ => {}
    }
    attempts.truncate(MOST_ATTEMPTS);
    attempts
}

/// Whether a resource found by a shared identifier may be the actor: not when both carry a national
/// identifier of one kind and they differ (two identities must not be merged here).
#[must_use]
pub fn may_be_same(actor: &Object, found: &Object) -> bool {
    let mut theirs: HashMap<&str, HashSet<String>> = HashMap::new();
    for key in unique::keys(found) {
        theirs.entry(key.scope).or_default().insert(key.key);
    }
    unique::keys(actor).iter().all(|key| theirs.get(key.scope).is_none_or(|same_kind| same_kind.contains(&key.key)))
}

/// The identifiers that another resource may share, as search tokens. Left out: those without a
/// system, those no longer in use, and those that several people or structures have in common.
fn shared_identifiers(actor: &Object) -> impl Iterator<Item = String> {
    actor.objects("identifier").filter(|identifier| identifier.str("use") != Some("old")).filter_map(|identifier| {
        let system = identifier.str("system").map(str::trim).filter(|system| !system.is_empty())?;
        let value = identifier.str("value").map(str::trim).filter(|value| !value.is_empty())?;
        let in_common = matches!(
            recognise(identifier).map(|national| national.kind),
            Some(Kind::SocialSecurity | Kind::Siren | Kind::FinessLegal)
        );
        (!in_common).then(|| format!("{}|{}", escaped(system), escaped(value)))
    })
}

/// The search that finds a situation of exercise without identifier: same professional, every code,
/// and the same organisation, or none in both.
fn role_search(role: &Object) -> Option<Vec<(&'static str, String)>> {
    let mut search = vec![("practitioner", escaped(reference(role, "practitioner")?))];
    let codings = role.objects("code").flat_map(|concept| concept.objects("coding"));
    let codes: Vec<String> = codings
        .filter_map(|coding| {
            let code = escaped(coding.str("code")?);
            Some(match coding.str("system") {
                Some(system) => format!("{}|{code}", escaped(system)),
                None => format!("|{code}"),
            })
        })
        .collect();
    if codes.is_empty() {
        search.push(("role:missing", "true".to_owned()));
    }
    search.extend(codes.into_iter().map(|code| ("role", code)));
    match reference(role, "organization") {
        Some(organization) => search.push(("organization", escaped(organization))),
        None => search.push(("organization:missing", "true".to_owned())),
    }
    Some(search)
}

fn reference<'a>(holder: &'a Object, name: &str) -> Option<&'a str> {
    holder.get(name).and_then(Value::as_object)?.str("reference")
}

/// The text with what a search value gives a meaning to escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '$' | ',' | '|') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::identifiers::{FINESS, HL7_TYPES, INS_A, INS_NIR, RPPS};

    fn identifier(system: &str, value: &str) -> Object {
        object! { "system" => system, "value" => value }
    }

    fn actor(resource_type: &str, identifiers: Value) -> Object {
        object! { "resourceType" => resource_type, "identifier" => identifiers }
    }

    fn searches(actor: &Object) -> Vec<Vec<(&'static str, String)>> {
        attempts(actor)
            .into_iter()
            .filter_map(|attempt| match attempt {
                Attempt::BySearch(search) => Some(search),
                Attempt::ByKey(_) => None,
            })
            .collect()
    }

    fn by(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn a_national_identifier_is_tried_first() {
        let patient =
            actor("Patient", array![identifier("http://h.example/ipp", "7"), identifier(INS_NIR, "279035121518989")]);
        let attempts = attempts(&patient);
        assert!(matches!(&attempts[0], Attempt::ByKey(key) if key.scope == "ins-nir"), "{attempts:?}");
        assert_eq!(attempts[1], Attempt::BySearch(by(&[("identifier", "http://h.example/ipp|7")])));
    }

    #[test]
    fn the_patient_of_2017_is_recognised_by_system_and_value() {
        let patient = actor("Patient", array![identifier(INS_A, "1234567890112345678901")]);
        assert_eq!(
            attempts(&patient),
            [Attempt::BySearch(by(&[("identifier", "urn:oid:1.2.250.1.213.1.4.1|1234567890112345678901")]))]
        );
    }

    #[test]
    fn a_name_recognises_nobody() {
        let practitioner = object! {
            "resourceType" => "Practitioner",
            "name" => array![object! { "family" => "Brooks", "given" => array!["Sophie"] }],
        };
        assert_eq!(attempts(&practitioner), []);
        assert_eq!(attempts(&actor("Patient", array![object! { "value" => "7" }])), [], "nor does a bare value");
    }

    #[test]
    fn numbers_that_several_have_in_common_recognise_nobody() {
        let mut insured = identifier(INS_NIR, "279035121518989");
        insured.set("type", object! { "coding" => array![object! { "system" => HL7_TYPES, "code" => "NH" }] });
        assert_eq!(attempts(&actor("Patient", array![insured])), []);
        let establishment = actor(
            "Organization",
            array![identifier("https://sirene.fr", "732829320"), identifier(FINESS, "750803447")],
        );
        assert_eq!(searches(&establishment), [by(&[("identifier", "https://finess.esante.gouv.fr|750803447")])]);
    }

    #[test]
    fn a_situation_of_exercise_is_its_professional_its_codes_and_its_place() {
        let mut role = object! {
            "resourceType" => "PractitionerRole",
            "practitioner" => object! { "reference" => "Practitioner/a" },
            "code" => array![object! { "coding" => array![object! { "system" => "urn:oid:1.2.250.1.71.1.2.7", "code" => "60" }] }],
        };
        let code = ("role", "urn:oid:1.2.250.1.71.1.2.7|60");
        let (practitioner, nowhere) = (("practitioner", "Practitioner/a"), ("organization:missing", "true"));
        assert_eq!(searches(&role), [by(&[practitioner, code, nowhere])]);
        role.set("organization", object! { "reference" => "Organization/o" });
        assert_eq!(searches(&role), [by(&[practitioner, code, ("organization", "Organization/o")])]);
        role.remove("code");
        role.remove("organization");
        assert_eq!(searches(&role), [by(&[practitioner, ("role:missing", "true"), nowhere])]);
        role.set("identifier", array![identifier(RPPS, "42")]);
        assert_eq!(searches(&role), [by(&[("identifier", "https://rpps.esante.gouv.fr|42")])]);
    }

    #[test]
    fn a_relative_is_recognised_among_those_of_the_patient() {
        let mut relative = actor("RelatedPerson", array![identifier("http://h.example", "a,b|c")]);
        assert_eq!(attempts(&relative), []);
        relative.set("patient", object! { "reference" => "Patient/p" });
        assert_eq!(
            searches(&relative),
            [by(&[("patient", "Patient/p"), ("identifier", "http://h.example|a\\,b\\|c")])]
        );
    }

    #[test]
    fn there_is_an_end_to_trying() {
        let many: Vec<Value> = (0..1000).map(|n| identifier("http://h.example", &n.to_string()).into()).collect();
        assert_eq!(attempts(&actor("Patient", many.into())).len(), MOST_ATTEMPTS);
    }

    #[test]
    fn a_note_is_no_actor() {
        let master = object! { "value" => "7" };
        assert_eq!(attempts(&object! { "resourceType" => "DocumentReference", "masterIdentifier" => master }), []);
    }

    #[test]
    fn two_national_identities_are_not_merged() {
        let one = actor("Patient", array![identifier(INS_NIR, "279035121518989"), identifier("http://h.example", "7")]);
        let other = actor("Patient", array![identifier(INS_NIR, "1800233004012"), identifier("http://h.example", "7")]);
        let without = actor("Patient", array![identifier("http://h.example", "7")]);
        assert!(!may_be_same(&one, &other));
        assert!(may_be_same(&one, &without) && may_be_same(&without, &other) && may_be_same(&one, &one));
    }
}
