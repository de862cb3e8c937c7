//! The keys that only one live resource may hold.
//!
//! What counts and why: `docs/decisions/0011-unique-keys.md`. In short: the `masterIdentifier` of
//! any `DocumentReference`; the INS of a person; the RPPS of a professional, alone or inside an
//! IDNPS; the FINESS, SIRET or SIREN of a structure, alone or inside its national identifier.
//! Local identifiers, abandoned ones (INS-C, INS-A), the number of the insured person and what
//! `use: old` marks are no keys: they serve to recognise (see [`crate::matching`]), not to refuse.

use std::collections::HashSet;

use liaison_fhir::{
    terminology::systems::canonical_system,
    tree::{Object, Value},
};

use crate::identifiers::{Kind, recognise};

/// The scope of the keys of notes.
pub const NOTE: &str = "note";

/// A key, with the place in the resource it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The kind of key: two equal keys of different scopes have nothing to do with each other.
    pub scope: &'static str,
    /// The key, normalised.
    pub key: String,
    /// Where it stands, such as `Patient.identifier[0]`.
    pub place: String,
}

/// The keys of a resource in its R4 form. Each key once, at its first place.
#[must_use]
pub fn keys(resource: &Object) -> Vec<Key> {
    let mut keys = match resource.resource_type() {
        Some("DocumentReference") => note_key(resource).into_iter().collect(),
        Some("Patient") => national_keys(resource, person_scope),
        Some("Practitioner") => national_keys(resource, professional_scope),
        Some("RelatedPerson") => related_person_keys(resource),
        Some("Organization") => organization_keys(resource),
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert((key.scope, key.key.clone())));
    keys
}

/// The key of a `masterIdentifier`: its system, if any, in its canonical form, and its value,
/// both without blanks around; case counts.
#[must_use]
pub fn master_identifier_key(system: Option<&str>, value: &str) -> String {
    let system = canonical_system(system.unwrap_or_default(), None);
    format!("{system}|{}", value.trim())
}

fn note_key(note: &Object) -> Option<Key> {
    let master = note.object("masterIdentifier")?;
    let value = master.str("value").filter(|value| !value.trim().is_empty())?;
    let key = master_identifier_key(master.str("system"), value);
    Some(Key { scope: NOTE, key, place: "DocumentReference.masterIdentifier".to_owned() })
}

const fn person_scope(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::InsNir => Some("ins-nir"),
        Kind::InsNia => Some("ins-nia"),
        Kind::InsNirTest => Some("ins-nir-test"),
        Kind::InsNirDemo => Some("ins-nir-demo"),
        _ => None,
    }
}

const fn professional_scope(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Rpps => Some("rpps"),
        Kind::Idnps => Some("idnps"),
        Kind::Adeli => Some("adeli"),
        _ => None,
    }
}

const fn establishment_scope(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::FinessGeographic => Some("finess"),
        Kind::Siret => Some("siret"),
        Kind::AdeliRank => Some("adeli-rang"),
        Kind::RppsRank => Some("rpps-rang"),
        Kind::Idnst => Some("idnst"),
        _ => None,
    }
}

const fn legal_entity_scope(kind: Kind) -> Option<&'static str> {
    match kind {
        // The same scope as that of establishments: one number, whatever its type says.
        Kind::FinessLegal => Some("finess"),
        Kind::Siren => Some("siren"),
        _ => None,
    }
}

/// Establishments may carry the number of the legal entity that runs them; it is theirs only when
/// they have none of their own.
fn organization_keys(organization: &Object) -> Vec<Key> {
    let own = national_keys(organization, establishment_scope);
    if own.is_empty() { national_keys(organization, legal_entity_scope) } else { own }
}

/// A related person is one for one patient: the same relative of two patients is two resources.
fn related_person_keys(person: &Object) -> Vec<Key> {
    let Some(patient) = person.object("patient").and_then(|p| p.str("reference")) else { return Vec::new() };
    let mut keys = national_keys(person, |kind| match kind {
        Kind::InsNir => Some("related-ins-nir"),
        Kind::InsNia => Some("related-ins-nia"),
        Kind::InsNirTest => Some("related-ins-nir-test"),
        Kind::InsNirDemo => Some("related-ins-nir-demo"),
        _ => None,
    });
    for key in &mut keys {
        key.key = format!("{}@{patient}", key.key);
    }
    keys
}

fn national_keys(holder: &Object, scope: impl Fn(Kind) -> Option<&'static str>) -> Vec<Key> {
    let holder_type = holder.resource_type().unwrap_or_default();
    let identifiers = holder.items("identifier").iter().enumerate();
    let key = |(index, identifier): (usize, &Value)| {
        let identifier = identifier.as_object()?;
        if identifier.str("use") == Some("old") {
            return None;
        }
        let (kind, key) = recognise(identifier)?.comparable();
        Some(Key { scope: scope(kind)?, key, place: format!("{holder_type}.identifier[{index}]") })
    };
    identifiers.filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use liaison_fhir::{array, object};

    use super::*;
    use crate::identifiers::{
        ADELI_RANK, FINESS, FRENCH_TYPES, HL7_TYPES, IDNPS, IDNST, INS_C, INS_NIA, INS_NIR, RPPS, SIRENE,
    };

    fn identifier(system: &str, type_code: &str, value: &str) -> Object {
        let type_system = if type_code == "NH" { HL7_TYPES } else { FRENCH_TYPES };
        object! {
            "type" => object! { "coding" => array![object! { "system" => type_system, "code" => type_code }] },
            "system" => system,
            "value" => value,
        }
    }

    fn with(resource_type: &str, identifiers: &[Object]) -> Object {
        let identifiers: Vec<Value> = identifiers.iter().cloned().map(Value::from).collect();
        object! { "resourceType" => resource_type, "identifier" => identifiers }
    }

    fn found(resource: &Object) -> Vec<(&'static str, String)> {
        keys(resource).into_iter().map(|key| (key.scope, key.key)).collect()
    }

    fn note(system: Option<&str>, value: &str) -> Object {
        let mut master = Object::new();
        if let Some(system) = system {
            master.push("system", system);
        }
        master.push("value", value);
        object! { "resourceType" => "DocumentReference", "masterIdentifier" => master }
    }

    #[test]
    fn a_note_is_known_by_its_master_identifier_blanks_or_not() {
        let expected = vec![(NOTE, "http://EtablissementSource.fr|58619".to_owned())];
        assert_eq!(found(&note(Some("http://EtablissementSource.fr"), "58619")), expected);
        assert_eq!(found(&note(Some("http://EtablissementSource.fr "), " 58619")), expected);
        assert_ne!(found(&note(Some("http://etablissementsource.fr"), "58619")), expected, "case counts");
    }

    #[test]
    fn a_note_without_system_is_known_by_its_value() {
        assert_eq!(found(&note(None, "a0ff-17")), [(NOTE, "|a0ff-17".to_owned())]);
        assert_eq!(found(&note(None, "  ")), []);
    }

    #[test]
    fn a_person_is_unique_by_ins_with_or_without_key_and_by_place() {
        let person = with(
            "Patient",
            &[identifier("http://local", "PI", "7"), identifier(INS_NIR, "INS-NIR", "2 79 03 51 215 189 89")],
        );
        let [key] = keys(&person).try_into().unwrap();
        assert_eq!(
            key,
            Key { scope: "ins-nir", key: "2790351215189".to_owned(), place: "Patient.identifier[1]".to_owned() }
        );
        assert_eq!(found(&person), found(&with("Patient", &[identifier(INS_NIR, "INS-NIR", "2790351215189")])));
    }

    #[test]
    fn the_insured_persons_number_is_no_key_the_waiting_number_is_one_of_its_own() {
        assert_eq!(found(&with("Patient", &[identifier(INS_NIR, "NH", "279035121518989")])), []);
        assert_eq!(
            found(&with("Patient", &[identifier(INS_NIA, "INS-NIA", "279035121518989")])),
            [("ins-nia", "2790351215189".to_owned())]
        );
    }

    #[test]
    fn abandoned_and_old_numbers_are_no_keys() {
        assert_eq!(found(&with("Patient", &[identifier(INS_C, "INS-C", "1541187387477485562488")])), []);
        let mut old = identifier(INS_NIR, "INS-NIR", "279035121518989");
        old.set("use", "old");
        assert_eq!(found(&with("Patient", &[old])), []);
    }

    #[test]
    fn an_ins_of_odd_length_is_a_key_as_it_is() {
        assert_eq!(
            found(&with("Patient", &[identifier(INS_NIR, "INS-NIR", "12 34")])),
            [("ins-nir", "1234".to_owned())]
        );
    }

    #[test]
    fn an_rpps_is_the_same_in_all_its_places() {
        let expected = vec![("rpps", "01234567897".to_owned())];
        for written in [
            identifier(RPPS, "RPPS", "01234567897"),
            identifier(RPPS, "RPPS", "801234567897"),
            identifier(IDNPS, "IDNPS", "801234567897"),
            identifier("urn:oid1.2.250.1.71.4.2.1", "IDNPS", "8 01234567897"),
            identifier(IDNPS, "RPPS", "01234567897"),
        ] {
            assert_eq!(found(&with("Practitioner", std::slice::from_ref(&written))), expected, "{written:?}");
        }
        let both = with(
            "Practitioner",
            &[identifier(IDNPS, "IDNPS", "801234567897"), identifier(RPPS, "RPPS", "01234567897")],
        );
        assert_eq!(found(&both), expected, "once");
    }

    #[test]
    fn a_situation_of_exercise_is_no_rpps() {
        assert_eq!(found(&with("PractitionerRole", &[identifier(RPPS, "RPPS", "01234567897")])), []);
    }

    #[test]
    fn a_structure_is_unique_by_its_number_alone_or_inside_its_national_identifier() {
        let expected = vec![("finess", "750803447".to_owned())];
        for written in [
            identifier(FINESS, "FINEG", "750803447"),
            identifier(FINESS, "FINEJ", "750803447"),
            identifier(IDNST, "IDNST", "1750803447"),
        ] {
            assert_eq!(found(&with("Organization", std::slice::from_ref(&written))), expected, "{written:?}");
        }
        assert_eq!(
            found(&with("Organization", &[identifier(ADELI_RANK, "INTRN", "12345678901")])),
            [("adeli-rang", "12345678901".to_owned())]
        );
    }

    #[test]
    fn the_number_of_the_legal_entity_is_not_that_of_its_establishments() {
        let establishment = with(
            "Organization",
            &[identifier(SIRENE, "SIREN", "732829320"), identifier(SIRENE, "SIRET", "73282932000074")],
        );
        assert_eq!(found(&establishment), [("siret", "73282932000074".to_owned())]);
        assert_eq!(
            found(&with("Organization", &[identifier(SIRENE, "SIREN", "732829320")])),
            [("siren", "732829320".to_owned())]
        );
    }

    #[test]
    fn siren_and_siret_are_told_apart_by_length_without_type() {
        let untyped = |value: &str| with("Organization", &[object! { "system" => SIRENE, "value" => value }]);
        assert_eq!(found(&untyped("732829320")), [("siren", "732829320".to_owned())]);
        assert_eq!(found(&untyped("73282932000074")), [("siret", "73282932000074".to_owned())]);
    }

    #[test]
    fn a_relative_is_one_for_each_patient() {
        let mut relative = with("RelatedPerson", &[identifier(INS_NIR, "INS-NIR", "279035121518989")]);
        assert_eq!(found(&relative), [], "nobody's relative");
        relative.push("patient", object! { "reference" => "Patient/p1" });
        assert_eq!(found(&relative), [("related-ins-nir", "2790351215189@Patient/p1".to_owned())]);
    }

    #[test]
    fn devices_have_no_national_key() {
        assert_eq!(found(&with("Device", &[identifier(RPPS, "RPPS", "01234567897")])), []);
    }

    #[test]
    fn each_kind_of_national_identifier_is_a_key_of_its_own() {
        use crate::identifiers::{INS_NIR_DEMO, INS_NIR_TEST, RPPS_RANK};
        let adeli = with("Practitioner", &[identifier("https://example.org/ours", "ADELI", "123456789")]);
        assert_eq!(keys(&adeli).iter().map(|key| key.scope).collect::<Vec<_>>(), ["adeli"]);
        for (resource_type, system, value, scope) in [
            ("Patient", INS_NIR, "279035121518989", "ins-nir"),
            ("Patient", INS_NIA, "279035121518989", "ins-nia"),
            ("Patient", INS_NIR_TEST, "279035121518989", "ins-nir-test"),
            ("Patient", INS_NIR_DEMO, "279035121518989", "ins-nir-demo"),
            ("Practitioner", IDNPS, "0123456789", "idnps"),
            ("Practitioner", IDNPS, "801234567897", "rpps"),
            ("Organization", FINESS, "750803447", "finess"),
            ("Organization", SIRENE, "73282932000074", "siret"),
            ("Organization", SIRENE, "732829320", "siren"),
            ("Organization", ADELI_RANK, "12345678901", "adeli-rang"),
            ("Organization", RPPS_RANK, "01234567897016", "rpps-rang"),
            ("Organization", IDNST, "7ABC", "idnst"),
            ("RelatedPerson", INS_NIR, "279035121518989", "related-ins-nir"),
            ("RelatedPerson", INS_NIA, "279035121518989", "related-ins-nia"),
            ("RelatedPerson", INS_NIR_TEST, "279035121518989", "related-ins-nir-test"),
            ("RelatedPerson", INS_NIR_DEMO, "279035121518989", "related-ins-nir-demo"),
        ] {
            let identifier = object! { "system" => system, "value" => value };
            let mut holder = object! { "resourceType" => resource_type, "identifier" => array![identifier] };
            holder.push("patient", object! { "reference" => "Patient/1" });
            let scopes: Vec<_> = keys(&holder).iter().map(|key| key.scope).collect();
            assert_eq!(scopes, [scope], "{resource_type} {system} {value}");
        }
    }
}
