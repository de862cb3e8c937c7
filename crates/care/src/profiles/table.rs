//! The profiles as committed tables, one file each under `data/profiles/`, read at first use.

use std::sync::LazyLock;

use liaison_fhir::{outcome::Severity, release};

use super::element::{Condition, Step};

/// A profile.
#[derive(Debug)]
pub struct Profile {
    /// Its id as a resource.
    pub id: &'static str,
    /// Its canonical URL.
    pub url: &'static str,
    /// The type it is a profile of.
    pub base: &'static str,
    /// The canonical of what it derives from.
    pub parent: &'static str,
    /// Its name for people, in French.
    pub title: &'static str,
    /// How grave it is not to follow it.
    pub severity: Severity,
    /// The version of the guide it comes from.
    pub version: &'static str,
    /// Who publishes it.
    pub publisher: &'static str,
    /// For an extension, the type it stands on.
    pub context: Option<&'static str>,
    /// Its rules, in the order of the elements.
    pub rows: Vec<Row>,
}

/// What a profile says of an element.
#[derive(Debug)]
pub struct Row {
    /// The element id: `Patient.name:officialName.given`.
    pub id: &'static str,
    /// The id as steps, without the type it begins with.
    pub steps: Vec<Step>,
    /// The least number, when it says one.
    pub min: Option<usize>,
    /// The greatest number, when it says one other than any.
    pub max: Option<usize>,
    /// `*` or digits as written, when it says one.
    pub max_text: Option<&'static str>,
    /// The type, such as `Reference(…|…)`, when it says one.
    pub types: Option<&'static str>,
    /// What its value must be.
    pub binding: Option<Binding>,
    /// Whether systems that follow the profile must support it.
    pub must_support: bool,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A code of this value set.
    Required(&'static str),
    /// One of these codes, comma separated.
    Codes(&'static str),
    /// This very value.
    Fixed(&'static str),
}

/// What is known of a canonical that a resource declares.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// A profile whose rules are checked.
    Checked(&'static Profile),
    /// A profile of the volets that is not checked.
    Recognised {
        /// The type it is a profile of.
        base: &'static str,
    },
    /// A type of FHIR itself.
    Base,
}

/// All checked profiles, in alphabetical order of their files.
#[must_use]
pub fn all() -> &'static [Profile] {
    &PROFILES
}

/// The checked profile of that canonical URL.
#[must_use]
pub fn profile(url: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.url == url)
}

/// What is known of a canonical: its version is left out, and `http://interop.esante.gouv.fr` (as
/// the capability statements print it) is read as `https`.
#[must_use]
pub fn known(canonical: &str) -> Option<Known> {
    let url = canonical.split('|').next().unwrap_or_default().trim();
    let https =
        url.strip_prefix("http://interop.esante.gouv.fr/").map(|r| format!("https://interop.esante.gouv.fr/{r}"));
    let url = https.as_deref().unwrap_or(url);
    if let Some(profile) = profile(url) {
        return Some(Known::Checked(profile));
    }
    if let Some(name) = url.strip_prefix(BASE) {
        return release::view().resource_name(name).map(|_| Known::Base);
    }
    recognised().find(|(known, _)| *known == url).map(|(_, base)| Known::Recognised { base })
}

/// The resource type that a canonical is a profile of.
#[must_use]
pub fn base_type(canonical: &str) -> Option<&'static str> {
    match known(canonical)? {
        Known::Checked(profile) => Some(profile.base),
        Known::Recognised { base } => Some(base),
        Known::Base => release::view().resource_name(canonical.strip_prefix(BASE)?),
    }
}

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

impl Profile {
    /// The profile and those it derives from, the farthest first.
    #[must_use]
    pub fn lineage(&'static self) -> Vec<&'static Self> {
        let mut lineage = vec![self];
        while let Some(parent) = lineage.last().and_then(|last| profile(last.parent)) {
            lineage.push(parent);
        }
        lineage.reverse();
        lineage
    }

    fn read(text: &'static str) -> Option<Self> {
        let header = |name: &str| {
            let line = |l: &'static str| l.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix('\t');
            text.lines().take_while(|l| l.starts_with('#')).find_map(line)
        };
        let lines: Vec<Vec<&'static str>> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.split('\t').collect())
            .collect();
        let conditions: Vec<(&'static str, Condition)> = lines
            .iter()
            .filter_map(|columns| Some((*columns.first()?, columns.get(5)?.split_once('=')?)))
            .map(|(id, (path, value))| (id, Condition { path, value }))
            .collect();
        Some(Self {
            id: header("id")?,
            url: header("url")?,
            base: header("base")?,
            parent: header("parent")?,
            title: header("title")?,
            severity: if header("severity")? == "error" { Severity::Error } else { Severity::Warning },
            version: header("version")?,
            publisher: header("publisher")?,
            context: header("context"),
            rows: lines.iter().filter_map(|columns| Row::read(columns, &conditions)).collect(),
        })
    }
}

impl Row {
    fn read(columns: &[&'static str], conditions: &[(&'static str, Condition)]) -> Option<Self> {
        let column = |index: usize| columns.get(index).copied().filter(|text| *text != "-");
        let id = column(0)?;
        let mut steps = Vec::new();
        let mut end = id.find('.').unwrap_or(id.len());
        while let Some(rest) = id.get(end + 1..).filter(|rest| !rest.is_empty()) {
            let length = step_length(rest);
            end += 1 + length;
            let written = rest.get(..length)?;
            let (name, slice) = match written.split_once(':') {
                Some((name, slice)) => (name, Some(slice)),
                None => (written, None),
            };
            let path = id.get(..end)?;
            let when = slice.and_then(|_| conditions.iter().find(|(known, _)| *known == path).map(|(_, c)| *c));
            let choice = name.ends_with("[x]");
            steps.push(Step { name: name.trim_end_matches("[x]"), slice, choice, when });
        }
        let binding = column(4).and_then(|binding| binding.split_once('|')).and_then(|(kind, what)| {
            Some(match kind {
                "required" => Binding::Required(what),
                "codes" => Binding::Codes(what),
                "fixed" => Binding::Fixed(what),
                _ => return None,
            })
        });
        Some(Self {
            id,
            steps,
            min: column(1).and_then(|min| min.parse().ok()),
            max: column(2).and_then(|max| max.parse().ok()),
            max_text: column(2),
            types: column(3),
            binding,
            must_support: column(6) == Some("MS"),
        })
    }
}

fn step_length(rest: &str) -> usize {
    rest.find('.').unwrap_or(rest.len())
}

fn recognised() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../../data/profiles/recognised.txt").lines().filter(|line| !line.starts_with('#')).filter_map(
        |line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?))
        },
    )
}

static PROFILES: LazyLock<Vec<Profile>> =
    LazyLock::new(|| FILES.iter().filter_map(|(_, text)| Profile::read(text)).collect());

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../data/profiles/", $name, ".tsv")))),*]
    };
}

static FILES: [(&str, &str); 20] = files![
    "as-organization"
    "as-practitioner"
    "as-practitionerrole"
    "cdl-bundle-creation-note"
    "cdl-bundle-maj-note"
    "cdl-bundle-resultat-recherche-notes"
    "cdl-document-reference"
    "cdl-ext-is-emergency"
    "cds-fr-related-person"
    "cds-ihe-careteam"
    "cds-organization"
    "fr-core-address-insee-code"
    "fr-core-identity-reliability"
    "fr-core-organization"
    "fr-core-patient"
    "fr-core-patient-birth-list-given-name"
    "fr-core-patient-ins"
    "fr-core-practitioner"
    "fr-core-related-person"
    "isUrgent"
];

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::*;
    use crate::terminology::tables::{Kind, find};

    #[test]
    fn every_committed_profile_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/profiles");
        let committed: HashSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".tsv"))
            .collect();
        assert_eq!(committed, FILES.iter().map(|(name, _)| format!("{name}.tsv")).collect());
        assert_eq!(all().len(), FILES.len(), "a header is missing");
    }

    #[test]
    fn every_row_was_read_whole_and_leads_to_elements_of_the_base() {
        for ((_, text), profile) in FILES.iter().zip(all()) {
            let written = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
            assert_eq!(profile.rows.len(), written, "{}", profile.id);
            let base = release::r4().type_named(profile.base).expect(profile.base);
            for row in &profile.rows {
                assert!(row.id.starts_with(profile.base), "{}", row.id);
                let first = row.steps.first().expect(row.id);
                assert!(base.element(first.name).is_some(), "{} has no {}", profile.base, first.name);
                for step in &row.steps {
                    assert_eq!(step.slice.is_some(), step.when.is_some(), "{}: a slice without condition", row.id);
                }
            }
        }
    }

    #[test]
    fn every_canonical_that_a_profile_names_is_known() {
        for profile in all() {
            assert!(known(profile.parent).is_some() || profile.base == "Extension", "{}", profile.parent);
            for row in &profile.rows {
                let targets =
                    row.types.and_then(|t| t.strip_prefix("Reference(")?.strip_suffix(')')).unwrap_or_default();
                for target in targets.split('|').filter(|t| !t.is_empty()) {
                    assert!(base_type(target).is_some(), "{} {target}", row.id);
                }
                let extension =
                    row.types.and_then(|t| t.strip_prefix("Extension(")?.strip_suffix(')')).unwrap_or_default();
                let is_ours = !extension.starts_with(BASE) && !extension.is_empty();
                assert!(!is_ours || super::profile(extension).is_some(), "{} {extension} is not served", row.id);
                if let Some(Binding::Required(value_set)) = row.binding {
                    assert!(find(Kind::ValueSet, value_set).is_some(), "{value_set}");
                }
            }
        }
    }

    #[test]
    fn profiles_derive_from_one_another_without_end_in_circles() {
        let ids = |url: &str| profile(url).unwrap().lineage().iter().map(|p| p.id).collect::<Vec<_>>();
        assert_eq!(
            ids("https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-organization"),
            ["fr-core-organization", "as-organization", "cds-organization"]
        );
    }
}
