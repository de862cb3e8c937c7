//! The codes that a value set holds, worked out from its definition.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use compact_str::{CompactString, format_compact};

use super::property_filter;
use crate::{
    outcome::{Issue, IssueKind},
    terminology::{
        code_system::{self, Concept, ConceptKind, Place, Status, concept, concepts},
        definitions::{Definitions, canonical_parts, not_here},
        systems::canonical_system,
    },
    text,
    tree::{Object, Value},
};

/// The codes of a value set.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The concepts, each once, in the order of the definition.
    pub concepts: Vec<Concept>,
    /// The versions of the code systems used, as `url|version`.
    pub versions: Vec<String>,
}

/// How deep value sets may include one another.
const MOST_LEVELS: usize = 16;

/// How many concepts and groups may be looked at in all, so that value sets which include one
/// another many times over end soon.
const MOST_STEPS: usize = 500_000;

/// What a group counts for: code systems and value sets may have to be fetched for it.
const GROUP_STEPS: usize = 100;

impl Contents {
    /// Works out what a value set holds: from its `compose`, or from the expansion it came with.
    ///
    /// # Errors
    /// Value sets or code systems that it includes and that are not here, or not whole here;
    /// filters that are not supported; value sets that include themselves.
    pub fn of(value_set: &Object, definitions: &dyn Definitions) -> Result<Self, Vec<Issue>> {
        Work { definitions, open: Vec::new(), versions: Vec::new(), seen_versions: HashSet::new(), steps: 0 }
            .contents(value_set)
    }
}

struct Work<'a> {
    definitions: &'a dyn Definitions,
    /// The URLs of the value sets being worked out, the outermost first.
    open: Vec<String>,
    versions: Vec<String>,
    seen_versions: HashSet<String>,
    steps: usize,
}

impl Work<'_> {
    fn contents(mut self, value_set: &Object) -> Result<Contents, Vec<Issue>> {
        let concepts = self.value_set(value_set)?;
        Ok(Contents { concepts, versions: self.versions })
    }

    fn value_set(&mut self, value_set: &Object) -> Result<Vec<Concept>, Vec<Issue>> {
        let url = value_set.str("url").unwrap_or_default().to_owned();
        if self.open.len() >= MOST_LEVELS || !url.is_empty() && self.open.contains(&url) {
            return Err(vec![Issue::error(
                IssueKind::Processing,
                "ValueSet.compose",
                text!(
                    en: "The value set {url} includes itself, or too many others in one another.",
                    fr: "Le jeu de valeurs {url} s'inclut lui-même, ou en inclut trop les uns dans les autres."
                ),
            )]);
        }
        let Some(compose) = value_set.object("compose") else { return Ok(from_expansion(value_set)) };
        self.open.push(url);
        let mut found = Vec::new();
        for (index, include) in compose.objects("include").enumerate() {
            found.extend(self.group(include, &format!("ValueSet.compose.include[{index}]"))?);
        }
        let mut left_out = HashSet::new();
        for (index, exclude) in compose.objects("exclude").enumerate() {
            left_out.extend(self.group(exclude, &format!("ValueSet.compose.exclude[{index}]"))?.iter().map(key));
        }
        self.open.pop();
        let active_only = compose.get("inactive").and_then(Value::as_bool) == Some(false);
        found.retain(|concept| {
            // Each once: what is kept is left out from then on.
            (!active_only || concept.status == Status::Active) && left_out.insert(key(concept))
        });
        Ok(found)
    }

    /// What one `include` or `exclude` stands for: the codes that are in its system (those listed,
    /// those filtered, or all) and in every value set it names.
    fn group(&mut self, group: &Object, place: &str) -> Result<Vec<Concept>, Vec<Issue>> {
        self.take_steps(GROUP_STEPS)?;
        let mut found = match group.str("system") {
            Some(system) => Some(self.codes_of_system(group, system, place)?),
            None => None,
        };
        for (index, canonical) in group.items("valueSet").iter().filter_map(Value::as_str).enumerate() {
            let (url, version) = canonical_parts(canonical);
            let place = format!("{place}.valueSet[{index}]");
            let other = self.definitions.value_set(url, version);
            let other = other.ok_or_else(|| vec![not_here("ValueSet", canonical, &place)])?;
            let concepts = self.value_set(&other)?;
            self.take_steps(concepts.len())?;
            found = Some(match found {
                None => concepts,
                Some(mut found) => {
                    let there: HashSet<_> = concepts.iter().map(key).collect();
                    found.retain(|concept| there.contains(&key(concept)));
                    found
                }
            });
        }
        found.ok_or_else(|| {
            vec![Issue::error(
                IssueKind::Required,
                place,
                text!(
                    en: "This names neither a code system nor a value set.",
                    fr: "Ceci ne nomme ni système de codes ni jeu de valeurs."
                ),
            )]
        })
    }

    fn codes_of_system(&mut self, group: &Object, system: &str, place: &str) -> Result<Vec<Concept>, Vec<Issue>> {
        let version = group.str("version");
        let code_system = self
            .definitions
            .code_system(system, version)
            .or_else(|| self.definitions.code_system(&canonical_system(system, None), version));
        self.note_version(system, version, code_system.as_deref());
        let listed = group.items("concept");
        if !listed.is_empty() {
            self.take_steps(listed.len())?;
            let known: HashMap<&str, Place<'_>> = code_system
                .as_deref()
                .map(concepts)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|place| Some((place.object.str("code")?, place)))
                .collect();
            self.take_steps(known.len())?;
            let listed = listed.iter().filter_map(Value::as_object);
            return Ok(listed.filter_map(|own| listed_concept(system, own, &known)).collect());
        }
        let code_system = self.whole(code_system, system, place)?;
        let filters: Vec<&Object> = group.objects("filter").collect();
        // A filter costs more the longer its list of values.
        let cost: usize = filters.iter().map(|filter| 1 + filter.str("value").map_or(0, str::len) / 64).sum();
        let mut found = Vec::new();
        for candidate in concepts(&code_system) {
            self.take_steps(1 + cost)?;
            let mut kept = true;
            for (index, filter) in filters.iter().enumerate() {
                kept &= property_filter::keeps(filter, &candidate, &format!("{place}.filter[{index}]"))?;
            }
            if kept {
                found.extend(concept(system, candidate.object));
            }
        }
        Ok(found)
    }

    fn take_steps(&mut self, number: usize) -> Result<(), Vec<Issue>> {
        self.steps = self.steps.saturating_add(number);
        if self.steps <= MOST_STEPS {
            return Ok(());
        }
        Err(vec![Issue::error(
            IssueKind::TooCostly,
            "ValueSet.compose",
            text!(
                en: "Working out this value set takes too long: it includes too much, or the same too many times.",
                fr: "Calculer ce jeu de valeurs est trop long : il inclut trop de choses, ou les mêmes trop de fois."
            ),
        )])
    }

    fn whole(&self, code_system: Option<Arc<Object>>, system: &str, place: &str) -> Result<Arc<Object>, Vec<Issue>> {
        let code_system =
            code_system.ok_or_else(|| vec![not_here("CodeSystem", system, &format!("{place}.system"))])?;
        if code_system::is_whole(&code_system) {
            return Ok(code_system);
        }
        Err(vec![Issue::error(
            IssueKind::TooCostly,
            format!("{place}.system"),
            text!(
                en: "The value set takes codes of {system} by rule, and this server does not hold all of that code system.",
                fr: "Le jeu de valeurs prend des codes de {system} par règle, et ce serveur n'a pas tout ce système de codes."
            ),
        )])
    }

    fn note_version(&mut self, system: &str, asked: Option<&str>, code_system: Option<&Object>) {
        let version = asked.or_else(|| code_system.and_then(|own| own.str("version")));
        if let Some(version) = version {
            let used = format!("{system}|{version}");
            if self.seen_versions.insert(used.clone()) {
                self.versions.push(used);
            }
        }
    }
}

/// A code that a value set lists: its display is its own, or else that of the code system, which
/// also says whether it is still in use.
fn listed_concept(system: &str, own: &Object, known: &HashMap<&str, Place<'_>>) -> Option<Concept> {
    let mut listed = concept(system, own)?;
    if let Some(known) = known.get(listed.code.as_str()).and_then(|place| concept(system, place.object)) {
        listed.status = known.status;
        listed.kind = known.kind;
        if listed.display.is_none() {
            listed.display = known.display;
        } else if known.display != listed.display
            && let Some(other) = known.display
        {
            // Both names are right; the code system's can be found and checked against too.
            listed.designations.push(crate::object! { "value" => other });
        }
        listed.designations.extend(known.designations);
    }
    Some(listed)
}

/// The codes of a value set that came without definition, nested or not.
fn from_expansion(value_set: &Object) -> Vec<Concept> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Object> =
        value_set.object("expansion").map(|e| e.objects("contains").collect()).unwrap_or_default();
    waiting.reverse();
    while let Some(contains) = waiting.pop() {
        let inner: Vec<&Object> = contains.objects("contains").collect();
        waiting.extend(inner.into_iter().rev());
        let is_true = |name: &str| contains.get(name).and_then(Value::as_bool) == Some(true);
        if let Some(mut own) = concept(contains.str("system").unwrap_or_default(), contains) {
            own.status = if is_true("inactive") { Status::Inactive } else { Status::Active };
            own.kind = if is_true("abstract") { ConceptKind::Abstract } else { ConceptKind::Selectable };
            found.push(own);
        }
    }
    found
}

fn key(concept: &Concept) -> CompactString {
    let system = canonical_system(&concept.system, Some(&concept.code));
    format_compact!("{system}|{}", concept.code)
}
