//! The one name of a code system or identifier system, whatever it was called.
//!
//! The same system travels as an OID, with or without `urn:oid:` (or with its colon missing, as in
//! 2017), as the URL of STU3, of R4 or of the national nomenclatures, or as the value set it was
//! bound through. What is indexed, searched and compared is the canonical name; what is stored and
//! answered stays as it was written.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

/// The name a system is indexed and compared under.
///
/// Some names mean one system or another depending on the code beside them: `urn:oid:…4.12` is the
/// document types, except for the five codes of note types that the 2017 form puts there. Without a
/// code (`system|` in a search) such a name means what it officially means, or its only known use.
///
/// ```
/// use liaison_fhir::terminology::systems::canonical_system;
/// let note_type = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
/// assert_eq!(canonical_system("urn:oid1.2.250.1.213.1.1.4.12", Some("OBS")), note_type);
/// ```
#[must_use]
pub fn canonical_system<'a>(system: &'a str, code: Option<&str>) -> Cow<'a, str> {
    let system = system.trim();
    let bare = bare(system);
    if let Some(canonical) = ALIASES.get(bare).and_then(|rows| chosen(rows, code)) {
        return Cow::Borrowed(canonical);
    }
    match former_hl7_name(system) {
        Some(name) if !ALIASES.contains_key(bare) => Cow::Owned(name),
        _ => spelled_out(system, bare),
    }
}

/// Every other name of a canonical system, OIDs as `urn:oid:`; for those who must list them.
pub fn aliases(canonical: &str) -> impl Iterator<Item = Cow<'static, str>> {
    let mut names: Vec<_> = ALIASES
        .iter()
        .filter(|(alias, rows)| **alias != canonical && rows.iter().any(|row| row.canonical == canonical))
        .map(|(alias, _)| spelled_out(alias, bare(alias)))
        .collect();
    names.sort_unstable();
    names.into_iter()
}

/// The OID of a system, bare, when the system is written as one in any of its forms.
#[must_use]
pub fn oid(system: &str) -> Option<&str> {
    let bare = bare(system.trim());
    is_oid(bare).then_some(bare)
}

#[derive(Debug)]
struct Alias {
    canonical: &'static str,
    /// The codes it is limited to; empty for any.
    codes: Vec<&'static str>,
}

/// The names, as they are kept: whoever remembers what they were compares this.
pub(crate) const TABLE: &str = include_str!("../../data/terminology/system-aliases.tsv");

static ALIASES: LazyLock<HashMap<&'static str, Vec<Alias>>> = LazyLock::new(|| {
    let mut aliases: HashMap<&'static str, Vec<Alias>> = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (Some(alias), Some(canonical)) = (columns.next(), columns.next()) else { continue };
        let codes = columns.next().map(|codes| codes.split(',').collect()).unwrap_or_default();
        aliases.entry(alias).or_default().push(Alias { canonical, codes });
    }
    aliases
});

fn chosen(rows: &[Alias], code: Option<&str>) -> Option<&'static str> {
    let unlimited = || rows.iter().find(|row| row.codes.is_empty());
    let row = match code {
        Some(code) => rows.iter().find(|row| row.codes.contains(&code)).or_else(unlimited),
        None => unlimited().or_else(|| rows.first()),
    };
    row.map(|row| row.canonical)
}

/// The system without what may stand before an OID.
fn bare(system: &str) -> &str {
    // URN schemes and namespaces ignore case (RFC 8141).
    match system.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("urn:oid") => {
            let rest = system.get(7..).unwrap_or_default();
            let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
            if is_oid(rest) { rest } else { system }
        }
        _ => system,
    }
}

fn is_oid(text: &str) -> bool {
    text.starts_with(['0', '1', '2'])
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.contains('.')
        && text.split('.').all(|arc| !arc.is_empty())
}

/// The system as FHIR spells it: OIDs as `urn:oid:`, anything else as it is.
fn spelled_out<'a>(system: &'a str, bare: &str) -> Cow<'a, str> {
    if !is_oid(bare) || system.strip_prefix("urn:oid:") == Some(bare) {
        Cow::Borrowed(system)
    } else {
        Cow::Owned(format!("urn:oid:{bare}"))
    }
}

/// The R4 URL of an HL7 v2 or v3 code system named as in STU3.
fn former_hl7_name(system: &str) -> Option<String> {
    let rest = system.strip_prefix("http://hl7.org/fhir/v")?;
    let (version, name) = rest.split_once('/')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (matches!(version, "2" | "3") && !name.is_empty() && name.chars().all(plain))
        .then(|| format!("http://terminology.hl7.org/CodeSystem/v{version}-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
    const DOCUMENT: &str =
        "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire";
    const CONFIDENTIALITY: &str =
        "https://mos.esante.gouv.fr/NOS/TRE_A08-HL7Confidentiality/FHIR/TRE-A08-HL7Confidentiality";
    const PROFESSION: &str = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";

    #[test]
    fn a_canonical_name_stays_itself_without_a_copy() {
        for name in [NOTE, "http://loinc.org", "urn:oid:1.2.250.1.213.1.4.8", ""] {
            assert!(matches!(canonical_system(name, None), Cow::Borrowed(same) if same == name), "{name}");
        }
    }

    #[test]
    fn an_oid_is_read_in_all_the_forms_it_was_ever_sent_in() {
        for form in [
            "urn:oid:1.2.250.1.213.1.1.4.334",
            "urn:oid1.2.250.1.213.1.1.4.334",
            "1.2.250.1.213.1.1.4.334",
            "URN:OID:1.2.250.1.213.1.1.4.334",
            " urn:oid:1.2.250.1.213.1.1.4.334 \n",
        ] {
            assert_eq!(canonical_system(form, Some("OBS")), NOTE, "{form:?}");
            assert_eq!(oid(form), Some("1.2.250.1.213.1.1.4.334"), "{form:?}");
        }
    }

    #[test]
    fn an_oid_without_another_name_gets_its_urn_form() {
        for form in ["urn:oid1.2.250.1.213.1.4.1", "1.2.250.1.213.1.4.1", "urn:oid:1.2.250.1.213.1.4.1 "] {
            assert_eq!(canonical_system(form, None), "urn:oid:1.2.250.1.213.1.4.1", "{form:?}");
        }
    }

    #[test]
    fn what_only_looks_like_an_oid_is_left_alone() {
        for name in ["urn:oid:", "urn:oidc:1.2", "1.2.x", "3.4.5", "12", "urn:oid:1..2", "urn:uuid:1.2"] {
            assert_eq!(canonical_system(name, None), name);
            assert_eq!(oid(name), None, "{name}");
        }
    }

    #[test]
    fn note_types_under_the_document_types_are_note_types_and_the_rest_are_not() {
        for code in ["OBS", "GEN", "INST", "INTERV", "DEM-AVIS"] {
            assert_eq!(canonical_system("urn:oid:1.2.250.1.213.1.1.4.12", Some(code)), NOTE);
        }
        for code in [Some("11490-0"), None] {
            assert_eq!(canonical_system("urn:oid:1.2.250.1.213.1.1.4.12", code), DOCUMENT);
            assert_eq!(canonical_system(DOCUMENT, code), DOCUMENT);
        }
    }

    #[test]
    fn the_value_set_of_note_types_stands_for_their_code_system() {
        for code in [Some("OBS"), None] {
            assert_eq!(canonical_system("urn:oid:1.2.250.1.213.1.1.5.98", code), NOTE);
        }
    }

    #[test]
    fn the_confidentiality_of_stu3_of_r4_and_of_the_nomenclatures_is_one() {
        for name in [
            "urn:oid:2.16.840.1.113883.5.25",
            "http://hl7.org/fhir/v3/Confidentiality",
            "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
            CONFIDENTIALITY,
        ] {
            assert_eq!(canonical_system(name, Some("N")), CONFIDENTIALITY);
        }
    }

    #[test]
    fn the_unexplained_oid_of_2017_means_professions_when_the_code_is_one() {
        assert_eq!(canonical_system("urn:oid:1.2.250.1.71.4.2.7", Some("60")), PROFESSION);
        assert_eq!(canonical_system("urn:oid:1.2.250.1.71.4.2.7", None), PROFESSION);
        assert_eq!(canonical_system("urn:oid:1.2.250.1.71.4.2.7", Some("601")), "urn:oid:1.2.250.1.71.4.2.7");
    }

    #[test]
    fn hl7_tables_named_as_in_stu3_get_their_r4_name() {
        assert_eq!(
            canonical_system("http://hl7.org/fhir/v2/0203", Some("NH")),
            "http://terminology.hl7.org/CodeSystem/v2-0203"
        );
        assert_eq!(canonical_system("http://hl7.org/fhir/v4/0203", None), "http://hl7.org/fhir/v4/0203");
        assert_eq!(canonical_system("http://hl7.org/fhir/v2/", None), "http://hl7.org/fhir/v2/");
    }

    #[test]
    fn canonical_is_where_it_ends() {
        for (alias, rows) in ALIASES.iter() {
            for row in rows {
                for code in row.codes.iter().map(|code| Some(*code)).chain([None]) {
                    let once = canonical_system(alias, code).into_owned();
                    assert_eq!(canonical_system(&once, code), once, "{alias} {code:?}");
                }
            }
        }
    }

    #[test]
    fn every_row_of_the_table_was_read() {
        let table = include_str!("../../data/terminology/system-aliases.tsv");
        let written = table.lines().filter(|line| line.contains('\t') && !line.starts_with('#')).count();
        assert_eq!(ALIASES.values().map(Vec::len).sum::<usize>(), written);
    }

    #[test]
    fn the_other_names_of_a_system_can_be_listed() {
        let names: Vec<_> = aliases(NOTE).collect();
        assert!(names.contains(&Cow::Borrowed("urn:oid:1.2.250.1.213.1.1.4.334")), "{names:?}");
        assert!(!names.iter().any(|name| name == NOTE), "{names:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_canonical_form_and_keeps_it(text in ".{0,40}", code in "[A-Z0-9]{0,4}") {
            let once = canonical_system(&text, Some(&code)).into_owned();
            let twice = canonical_system(&once, Some(&code)).into_owned();
            proptest::prop_assert_eq!(once, twice);
        }
    }
}
