//! The nomenclatures as committed tables, one file each under `data/terminology/`, read at first
//! use. How a table is laid out and brought up to date: `docs/terminology.md`.

use std::{collections::HashMap, sync::LazyLock};

use liaison_fhir::terminology::systems::canonical_system;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of FHIR's resource types")]
pub enum Kind {
    CodeSystem,
    ValueSet,
    ConceptMap,
}

/// A nomenclature.
#[derive(Debug)]
pub struct Table {
    /// What it holds.
    pub kind: Kind,
    /// Its id as a resource.
    pub id: &'static str,
    /// Its canonical URL.
    pub url: &'static str,
    /// The version stamp its source gave, possibly empty.
    pub version: &'static str,
    /// Its name for programs.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its OID, bare, possibly empty.
    pub oid: &'static str,
    /// The language of its displays.
    pub language: &'static str,
    /// Whether it holds all the codes of its system.
    pub content: Content,
    /// Its codes, by system. For a concept map, by source system.
    pub groups: Vec<Group>,
    codes: HashMap<&'static str, Vec<(usize, usize)>>,
}

/// Whether a table holds all the codes of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of FHIR's codesystem-content-mode")]
pub enum Content {
    Complete,
    Fragment,
}

/// The codes of one system.
#[derive(Debug)]
pub struct Group {
    /// The system.
    pub system: &'static str,
    /// For a concept map, the system it leads to; empty otherwise.
    pub target: &'static str,
    /// The codes, in the order of the source.
    pub rows: Vec<Row>,
}

/// A code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The code.
    pub code: &'static str,
    /// Its display; for a concept map, the equivalence.
    pub display: &'static str,
    /// What the last column says: `inactive`, or the target code of a concept map.
    pub last: &'static str,
}

impl Row {
    /// Whether the source ended the code.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.last == "inactive"
    }
}

/// All tables, in alphabetical order of their files.
#[must_use]
pub fn all() -> &'static [Table] {
    &TABLES
}

/// The table of that kind with that URL, `urn:oid:` or other name.
#[must_use]
pub fn find(kind: Kind, name: &str) -> Option<&'static Table> {
    let name = name.trim();
    let by_url = |url: &str| TABLES.iter().find(|table| table.kind == kind && table.url == url);
    let by_oid = || {
        let oid = liaison_fhir::terminology::systems::oid(name)?;
        TABLES.iter().find(|table| table.kind == kind && table.oid == oid)
    };
    by_url(name).or_else(by_oid).or_else(|| match kind {
        Kind::CodeSystem => by_url(&canonical_system(name, None)),
        Kind::ValueSet | Kind::ConceptMap => None,
    })
}

impl Table {
    /// The row of a code, whatever name its system was given. Without a system, of any.
    #[must_use]
    pub fn row(&self, system: Option<&str>, code: &str) -> Option<(&'static str, Row)> {
        let system = system.map(|system| canonical_system(system, Some(code)));
        self.codes.get(code)?.iter().find_map(|(group, row)| {
            let group = self.groups.get(*group)?;
            let fits = system.as_ref().is_none_or(|system| canonical_system(group.system, Some(code)) == *system);
            fits.then(|| Some((group.system, *group.rows.get(*row)?)))?
        })
    }

    /// Whether it holds a code.
    #[must_use]
    pub fn contains(&self, system: Option<&str>, code: &str) -> bool {
        self.row(system, code).is_some()
    }

    /// All its codes, in order.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.groups.iter().flat_map(|group| group.rows.iter().map(|row| row.code))
    }

    fn read(text: &'static str) -> Option<Self> {
        let header = |name: &str| {
            let line = |l: &'static str| l.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix('\t');
            text.lines().take_while(|l| l.starts_with('#')).find_map(line).unwrap_or_default()
        };
        let mut table = Self {
            kind: match header("kind") {
                "CodeSystem" => Kind::CodeSystem,
                "ValueSet" => Kind::ValueSet,
                "ConceptMap" => Kind::ConceptMap,
                _ => return None,
            },
            id: header("id"),
            url: header("url"),
            version: header("version"),
            name: header("name"),
            title: header("title"),
            oid: header("oid"),
            language: header("language"),
            content: if header("content") == "fragment" { Content::Fragment } else { Content::Complete },
            groups: Vec::new(),
            codes: HashMap::new(),
        };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(systems) = line.strip_prefix("= ") {
                let (system, target) = systems.split_once('\t').unwrap_or((systems, ""));
                table.groups.push(Group { system, target, rows: Vec::new() });
                continue;
            }
            let mut columns = line.split('\t');
            let mut column = || columns.next().unwrap_or_default();
            let row = Row { code: column(), display: column(), last: column() };
            let at = table.groups.len().checked_sub(1)?;
            let group = table.groups.get_mut(at)?;
            table.codes.entry(row.code).or_default().push((at, group.rows.len()));
            group.rows.push(row);
        }
        Some(table)
    }
}

static TABLES: LazyLock<Vec<Table>> =
    LazyLock::new(|| FILES.iter().filter_map(|(_, text)| Table::read(text)).collect());

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../data/terminology/", $name, ".tsv")))),*]
    };
}

static FILES: [(&str, &str); FILE_COUNT] = files![
    "ASS-A11-CorresModeleCDA-XdsFormatCode-CISIS"
    "ASS-A13-TypeEvenement-FluxStandardise"
    "JDV-J07-XdsTypeCode-CISIS"
    "JDV-J08-XdsConfidentialityCode-CISIS"
    "JDV-J10-XdsFormatCode-CISIS"
    "JDV-J106-EnsembleProfession-RASS"
    "JDV-J107-EnsembleSavoirFaire-RASS"
    "JDV-J11-RelationPatient-CISIS"
    "JDV-J110-StatutVisibiliteDocument-CISIS"
    "JDV-J23-TypeNoteCahierLiaison-CISIS"
    "JDV-J24-ProfessionAuteurNote-CISIS"
    "JDV-J245-Civilite-CISIS"
    "JDV-J246-Titre-CISIS"
    "JDV-J46-TypeEvenementNotification-CISIS"
    "TRE-A07-StatutVisibiliteDocument"
    "TRE-A08-HL7Confidentiality"
    "TRE-G07-TypeIdentifiantStructure"
    "TRE-G08-TypeIdentifiantPersonne"
    "TRE-G15-ProfessionSante"
    "TRE-R200-CanalCommunication"
    "TRE-R216-HL7RoleCode"
    "TRE-R217-ProtectionJuridique"
    "TRE-R234-TypeNote"
    "TRE-R254-TypeEvenement"
    "TRE-R260-HL7RoleClass"
    "TRE-R291-AutreProfession"
    "TRE-R314-TypeCreneau"
    "TRE-R38-SpecialiteOrdinale"
    "TRE-R94-ProfessionSocial"
    "TRE-R95-UsagerTitre"
    "fr-core-cs-contact-relationship"
    "fr-core-cs-fiabilite-identite"
    "fr-core-cs-identity-status"
    "fr-core-cs-identity-status-comment"
    "fr-core-cs-method-collection"
    "fr-core-cs-mode-validation-identity"
    "fr-core-cs-schedule-type"
    "fr-core-cs-v2-0203"
    "fr-core-cs-v2-0445"
    "fr-core-mode-validation-identite"
    "fr-core-vs-availability-time-rule"
    "hl7-appointment-cancellation-reason"
    "hl7-appointmentstatus"
    "hl7-care-team-status"
    "hl7-days-of-week"
    "hl7-document-reference-status"
    "hl7-document-relationship-type"
    "hl7-identifier-use"
    "hl7-participantrequired"
    "hl7-participationstatus"
    "hl7-request-priority"
    "hl7-request-status"
    "hl7-service-category"
    "hl7-service-type"
    "hl7-slotstatus"
    "hl7-subscription-channel-type"
    "hl7-subscription-status"
    "hl7-v2-0276"
];

const FILE_COUNT: usize = 58;

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::*;

    #[test]
    fn every_committed_table_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/terminology");
        let committed: HashSet<String> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        let listed: HashSet<String> = FILES.iter().map(|(name, _)| format!("{name}.tsv")).collect();
        assert_eq!(committed, listed);
        assert_eq!(TABLES.len(), FILES.len(), "a table without a kind");
    }

    #[test]
    fn every_table_has_an_id_a_url_and_codes_each_once() {
        let mut ids = HashSet::new();
        for table in all() {
            assert!(ids.insert((table.kind, table.id)), "{} twice", table.id);
            assert!(
                table.id.len() <= 64 && table.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
            );
            assert!(table.url.starts_with("http"), "{}", table.url);
            assert!(!table.name.is_empty() && !table.title.is_empty() && !table.language.is_empty(), "{}", table.id);
            for group in &table.groups {
                let mut codes = HashSet::new();
                for row in &group.rows {
                    let once = codes.insert((row.code, if table.kind == Kind::ConceptMap { row.last } else { "" }));
                    assert!(once, "{} {}", table.id, row.code);
                    assert!(!row.code.is_empty() && row.code.trim() == row.code && row.display.trim() == row.display);
                    match table.kind {
                        Kind::ConceptMap => assert!(!row.last.is_empty(), "{} {}", table.id, row.code),
                        _ => assert!(matches!(row.last, "" | "inactive"), "{} {}", table.id, row.code),
                    }
                }
            }
            match table.kind {
                Kind::CodeSystem => assert_eq!(table.groups.iter().map(|g| g.system).collect::<Vec<_>>(), [table.url]),
                Kind::ValueSet => assert!(table.groups.iter().all(|g| !g.system.is_empty() && g.target.is_empty())),
                Kind::ConceptMap => assert!(table.groups.iter().all(|g| !g.target.is_empty())),
            }
        }
    }

    #[test]
    fn the_note_types_are_found_by_any_of_their_names() {
        for name in [
            "https://mos.esante.gouv.fr/NOS/JDV_J23-TypeNoteCahierLiaison-CISIS/FHIR/JDV-J23-TypeNoteCahierLiaison-CISIS",
            "urn:oid:1.2.250.1.213.1.1.5.98",
            "1.2.250.1.213.1.1.5.98",
        ] {
            let types = find(Kind::ValueSet, name).unwrap();
            assert_eq!(types.codes().collect::<Vec<_>>(), ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"]);
            assert!(types.contains(Some("urn:oid:1.2.250.1.213.1.1.4.334"), "OBS"));
            assert!(types.contains(Some("urn:oid1.2.250.1.213.1.1.4.12"), "OBS"), "the form of 2017");
            assert!(types.contains(None, "GEN"));
            assert!(!types.contains(Some("http://loinc.org"), "GEN"));
            assert!(!types.contains(Some("urn:oid:1.2.250.1.213.1.1.4.334"), "obs"), "case counts");
        }
    }

    #[test]
    fn a_code_system_is_found_by_the_names_of_hl7_too() {
        let table = find(Kind::CodeSystem, "http://terminology.hl7.org/CodeSystem/v3-Confidentiality").unwrap();
        assert_eq!(table.id, "TRE-A08-HL7Confidentiality");
        assert_eq!(table.row(None, "R").map(|(_, row)| row.display), Some("Restreint"));
    }

    #[test]
    fn ended_codes_are_marked() {
        let professions = find(Kind::CodeSystem, "urn:oid:1.2.250.1.71.1.2.7").unwrap();
        assert!(professions.row(None, "93").unwrap().1.is_inactive());
        assert!(!professions.row(None, "60").unwrap().1.is_inactive());
    }
}
