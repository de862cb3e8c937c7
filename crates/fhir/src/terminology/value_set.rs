//! Value sets: the codes they hold, `$expand` and `$validate-code`.

pub mod content;
mod property_filter;

use std::sync::Arc;

use super::{
    Circumstances,
    code_system::{Concept, ConceptKind, Status, judge_display},
    coded::{Coded, Validity, asked, invalid, verdict},
    definitions::{Definitions, canonical_parts, not_here},
    inputs::{Flag, Inputs, place},
    language,
    systems::canonical_system,
};
use crate::{
    object,
    outcome::{Issue, IssueKind, Language},
    primitive::fold,
    text,
    tree::{Object, Value},
};
use content::Contents;

/// The most codes that one answer gives: beyond, the caller must page with `count` and `offset`.
pub const MOST_CODES: usize = 10_000;

/// `ValueSet/$expand`: the codes of a value set, filtered and in pages.
///
/// # Errors
/// Inputs not understood; value set or code system not known here; more than [`MOST_CODES`] codes
/// asked for at once.
pub fn expand(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
    circumstances: &Circumstances<'_>,
) -> Result<Object, Vec<Issue>> {
    inputs.only(&EXPAND_INPUTS, &EXPAND_UNDONE)?;
    let value_set = value_set(instance, inputs, definitions)?;
    let contents = Contents::of(&value_set, definitions)?;
    let languages = inputs.code("displayLanguage")?;
    let active_only = inputs.flag("activeOnly", Flag::No)? == Flag::Yes;
    let filter = inputs.text("filter")?.map(Filter::new).transpose()?;
    let chosen: Vec<&Concept> = contents
        .concepts
        .iter()
        .filter(|concept| !active_only || concept.status == Status::Active)
        .filter(|concept| filter.as_ref().is_none_or(|filter| filter.keeps(concept)))
        .collect();
    let (offset, count) = (inputs.count("offset")?, inputs.count("count")?);
    let rest = chosen.len().saturating_sub(offset.unwrap_or(0));
    if count.map_or(rest, |count| count.min(rest)) > MOST_CODES {
        return Err(vec![Issue::error(
            IssueKind::TooCostly,
            place("count"),
            text!(
                en: "This expansion has more than {MOST_CODES} codes. Ask for a part with count and offset, or give a filter.",
                fr: "Cette expansion a plus de {MOST_CODES} codes. Demandez-en une partie avec count et offset, ou donnez un filtre (filter)."
            ),
        )]);
    }
    let designations = inputs.flag("includeDesignations", Flag::No)?;
    let contains: Vec<Value> = chosen
        .iter()
        .skip(offset.unwrap_or(0))
        .take(count.unwrap_or(usize::MAX))
        .map(|concept| contained(concept, languages, designations).into())
        .collect();
    let mut expansion = object! {
        "identifier" => circumstances.identifier,
        "timestamp" => circumstances.timestamp,
        "total" => number(chosen.len()),
    };
    if let Some(offset) = offset {
        expansion.push("offset", number(offset));
    }
    let parameters = parameters(inputs, &contents)?;
    if !parameters.is_empty() {
        expansion.push("parameter", parameters);
    }
    if !contains.is_empty() {
        expansion.push("contains", contains);
    }
    let mut expanded = (*value_set).clone();
    let leave_definition_out = inputs.flag("includeDefinition", Flag::No)? == Flag::No;
    expanded.retain(|name, _| {
        !(matches!(name, "expansion" | "text" | "contained") || name == "compose" && leave_definition_out)
    });
    expanded.push("expansion", expansion);
    Ok(expanded)
}

/// `ValueSet/$validate-code`: whether a code is in a value set, and its display the one given.
///
/// # Errors
/// Inputs not understood; value set or code system not known here.
pub fn validate_code(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
    language: Language,
) -> Result<Object, Vec<Issue>> {
    inputs.only(&VALIDATE_INPUTS, &["context", "date"])?;
    let value_set = value_set(instance, inputs, definitions)?;
    let contents = Contents::of(&value_set, definitions)?;
    let name = value_set.str("title").or_else(|| value_set.str("url")).unwrap_or("?");
    let abstract_too = inputs.flag("abstract", Flag::No)? == Flag::Yes;
    let asked = asked(inputs, "systemVersion")?;
    for one in &asked {
        let found = contents.find(one)?;
        if let Some(concept) = found.filter(|concept| abstract_too || concept.kind == ConceptKind::Selectable) {
            return Ok(judge_display(concept, one, inputs.text("displayLanguage")?, language));
        }
    }
    let codes: Vec<String> = asked.iter().map(named).collect();
    let codes = codes.join(", ");
    let text = text!(
        en: "Not in the value set \"{name}\": {codes}.",
        fr: "N'est pas dans le jeu de valeurs « {name} » : {codes}."
    );
    Ok(verdict(Validity::Invalid, Some(text.in_language(language).to_owned()), None))
}

impl Contents {
    /// The concept of a code, whatever name its system was given.
    ///
    /// # Errors
    /// When no system was given and several systems of the value set have that code.
    fn find(&self, asked: &Coded<'_>) -> Result<Option<&Concept>, Vec<Issue>> {
        let mut found = self.concepts.iter().filter(|concept| {
            let code = Some(concept.code.as_str());
            concept.code == asked.code
                && asked
                    .system
                    .is_none_or(|system| canonical_system(system, code) == canonical_system(&concept.system, code))
        });
        let first = found.next();
        if asked.system.is_none() && found.next().is_some() {
            return Err(invalid(
                "system",
                text!(
                    en: "Several code systems of this value set have this code: give system.",
                    fr: "Plusieurs systèmes de codes de ce jeu de valeurs ont ce code : donnez system."
                ),
            ));
        }
        Ok(first)
    }
}

const EXPAND_INPUTS: [&str; 12] = [
    "url",
    "valueSet",
    "valueSetVersion",
    "filter",
    "offset",
    "count",
    "includeDesignations",
    "includeDefinition",
    "activeOnly",
    "displayLanguage",
    // Nothing here is nested or made for machines only, so these are always met.
    "excludeNested",
    "excludeNotForUI",
];

const EXPAND_UNDONE: [&str; 10] = [
    "context",
    "contextDirection",
    "date",
    "designation",
    "excludePostCoordinated",
    "exclude-system",
    "system-version",
    "check-system-version",
    "force-system-version",
    "profile",
];

const VALIDATE_INPUTS: [&str; 11] = [
    "url",
    "valueSet",
    "valueSetVersion",
    "code",
    "system",
    "systemVersion",
    "display",
    "coding",
    "codeableConcept",
    "abstract",
    "displayLanguage",
];

/// The value set an operation is about: the instance, or the one sent along, or the one named.
fn value_set(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
) -> Result<Arc<Object>, Vec<Issue>> {
    if let Some(own) = instance.or(inputs.object("valueSet")?) {
        return Ok(Arc::new(own.clone()));
    }
    let Some(canonical) = inputs.text("url")? else {
        return Err(invalid(
            "url",
            text!(
                en: "Say which value set: give url, or send it as valueSet.",
                fr: "Dites quel jeu de valeurs : donnez url, ou envoyez-le (valueSet)."
            ),
        ));
    };
    let (url, version) = canonical_parts(canonical);
    let version = inputs.text("valueSetVersion")?.or(version);
    definitions.value_set(url, version).ok_or_else(|| vec![not_here("ValueSet", canonical, &place("url"))])
}

/// What a user types to find a code: the beginning of the code, or words of the display in any
/// order. Case and accents make no difference.
struct Filter {
    whole: String,
    words: Vec<String>,
}

impl Filter {
    /// The longest filter, in bytes.
    const LONGEST: usize = 200;

    fn new(text: &str) -> Result<Self, Vec<Issue>> {
        if text.len() > Self::LONGEST {
            return Err(invalid(
                "filter",
                text!(
                    en: "This filter is too long; a few words will do.",
                    fr: "Ce filtre est trop long ; quelques mots suffisent."
                ),
            ));
        }
        let whole = fold(text).to_string();
        Ok(Self { words: whole.split_whitespace().map(str::to_owned).collect(), whole })
    }

    fn keeps(&self, concept: &Concept) -> bool {
        let displays =
            concept.display.as_deref().into_iter().chain(concept.designations.iter().filter_map(|d| d.str("value")));
        fold(&concept.code).starts_with(&self.whole)
            || displays.map(fold).any(|display| self.words.iter().all(|word| display.contains(word.as_str())))
    }
}

fn contained(concept: &Concept, languages: Option<&str>, designations: Flag) -> Object {
    let mut contained = object! { "system" => concept.system.clone() };
    if concept.kind == ConceptKind::Abstract {
        contained.push("abstract", true);
    }
    if concept.status == Status::Inactive {
        contained.push("inactive", true);
    }
    contained.push("code", concept.code.clone());
    let translated = languages.and_then(|languages| language::designation(&concept.designations, languages));
    if let Some(display) = translated.or(concept.display.as_deref()) {
        contained.push("display", display);
    }
    if designations == Flag::Yes && !concept.designations.is_empty() {
        let all: Vec<Value> = concept.designations.iter().cloned().map(Value::from).collect();
        contained.push("designation", all);
    }
    contained
}

/// What the expansion was made with: the inputs that shaped it, and the versions it used.
fn parameters(inputs: &Inputs, contents: &Contents) -> Result<Vec<Value>, Vec<Issue>> {
    let mut parameters = Vec::new();
    for (name, _) in inputs.iter() {
        let (member, value) = match name {
            "filter" => ("valueString", inputs.text(name)?.map(Value::from)),
            "displayLanguage" => ("valueCode", inputs.code(name)?.map(Value::from)),
            "offset" | "count" => ("valueInteger", inputs.count(name)?.map(number)),
            "activeOnly" | "includeDesignations" | "includeDefinition" | "excludeNested" | "excludeNotForUI" => {
                ("valueBoolean", Some(Value::Bool(inputs.flag(name, Flag::No)? == Flag::Yes)))
            }
            _ => continue,
        };
        parameters.extend(value.map(|value| Value::from(object! { "name" => name, member => value })));
    }
    parameters.extend(
        contents.versions.iter().map(|used| Value::from(object! { "name" => "version", "valueUri" => used.as_str() })),
    );
    Ok(parameters)
}

fn number(number: usize) -> Value {
    Value::Number(compact_str::format_compact!("{number}"))
}

fn named(asked: &Coded<'_>) -> String {
    match asked.system {
        Some(system) => format!("{system}|{}", asked.code),
        None => asked.code.to_owned(),
    }
}

#[cfg(test)]
mod tests;
