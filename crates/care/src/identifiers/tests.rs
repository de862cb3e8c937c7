//! Which kind an identifier is of, and under which name it is compared.

use liaison_fhir::{array, object};

use super::*;

fn identifier(system: &str, value: &str) -> Object {
    object! { "system" => system, "value" => value }
}

fn typed(system: &str, value: &str, types: &str, code: &str) -> Object {
    let kind = object! { "coding" => array![object! { "system" => types, "code" => code }] };
    let mut identifier = identifier(system, value);
    identifier.push("type", kind);
    identifier
}

fn kind(identifier: &Object) -> Option<Kind> {
    recognise(identifier).map(|national| national.kind)
}

#[test]
fn a_system_says_the_kind() {
    for (system, expected) in [
        (INS_NIR, Kind::InsNir),
        (INS_NIA, Kind::InsNia),
        (INS_NIR_TEST, Kind::InsNirTest),
        (INS_NIR_DEMO, Kind::InsNirDemo),
        (INS_C, Kind::InsC),
        (INS_A, Kind::InsA),
        (RPPS, Kind::Rpps),
        (IDNPS, Kind::Idnps),
        (FINESS, Kind::FinessGeographic),
        (ADELI_RANK, Kind::AdeliRank),
        (RPPS_RANK, Kind::RppsRank),
        (IDNST, Kind::Idnst),
    ] {
        assert_eq!(kind(&identifier(system, "12345678901")), Some(expected), "{system}");
    }
    assert_eq!(kind(&identifier("https://example.org/ours", "12345678901")), None);
    assert_eq!(kind(&identifier(RPPS, " ")), None);
}

#[test]
fn a_type_tells_the_kinds_of_one_system_apart() {
    for (system, value, types, code, expected) in [
        (INS_NIR, "279035121518989", HL7_TYPES, "NH", Kind::SocialSecurity),
        (INS_NIR, "279035121518989", FRENCH_TYPES, "INS-NIR", Kind::InsNir),
        (FINESS, "750803447", FRENCH_TYPES, "FINEJ", Kind::FinessLegal),
        (FINESS, "750803447", FRENCH_TYPES, "FINEG", Kind::FinessGeographic),
        // The type counts, whatever the length; an RPPS under the other system is one only when it is as long as one.
        (SIRENE, "73282932000074", FRENCH_TYPES, "SIREN", Kind::Siren),
        (SIRENE, "732829320", FRENCH_TYPES, "SIRET", Kind::Siret),
        (IDNPS, "01234567897", FRENCH_TYPES, "RPPS", Kind::Rpps),
        (IDNPS, "801234567897", FRENCH_TYPES, "RPPS", Kind::Idnps),
        (IDNPS, "01234567897", FRENCH_TYPES, "IDNPS", Kind::Idnps),
    ] {
        assert_eq!(kind(&typed(system, value, types, code)), Some(expected), "{system} {value} {code}");
    }
    assert_eq!(kind(&identifier(SIRENE, "732829320")), Some(Kind::Siren));
    assert_eq!(kind(&identifier(SIRENE, "73282932000074")), Some(Kind::Siret));
}

#[test]
fn a_local_number_is_known_by_its_french_type_alone() {
    for (code, expected) in [("RPPS", Some(Kind::Rpps)), ("ADELI", Some(Kind::Adeli)), ("INS-NIR", None)] {
        assert_eq!(kind(&typed("https://example.org/ours", "1", FRENCH_TYPES, code)), expected, "{code}");
        assert_eq!(kind(&typed("https://example.org/ours", "1", HL7_TYPES, code)), None, "{code}");
    }
}

#[test]
fn numbers_without_a_published_rule_are_held_to_their_length() {
    for (kind, right, expected) in [
        (Kind::InsA, "1234567890112345678901", "22"),
        (Kind::Adeli, "123456789", "9"),
        (Kind::AdeliRank, "12345678901", "11"),
    ] {
        assert_eq!(National { kind, value: right }.fault(), None, "{kind:?}");
        let short = National { kind, value: &right[1..] };
        assert_eq!(short.fault(), Some(Fault::Length { expected }), "{kind:?}");
    }
}

#[test]
fn a_finding_calls_the_number_by_its_name() {
    for (kind, name) in [(Kind::InsNir, "INS-NIR"), (Kind::SocialSecurity, "NIR"), (Kind::FinessLegal, "FINESS")] {
        let said = Fault::Digits.text(kind);
        assert!(said.en.contains(&format!("this {name} number")), "{}", said.en);
        assert!(said.fr.contains(&format!("ce numéro {name} ")), "{}", said.fr);
    }
    let misplaced = Fault::Misplaced { looks_like: Kind::Idnps }.text(Kind::Rpps);
    assert!(misplaced.en.contains("system of RPPS") && misplaced.en.contains("an IDNPS"), "{}", misplaced.en);
}
