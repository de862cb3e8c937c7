//! Code systems: the concepts they hold, `$lookup` and `$validate-code`.

use std::{collections::HashSet, sync::Arc};

use compact_str::CompactString;

use super::{
    coded::{Coded, Validity, answer, asked, invalid, verdict},
    definitions::{Definitions, canonical_parts, not_here},
    inputs::{Inputs, place},
    language,
    systems::canonical_system,
};
use crate::{
    array, object,
    outcome::{Issue, IssueKind, Language},
    primitive::fold,
    text,
    tree::{Object, Value},
};

/// A concept as a code system or a value set gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// The system, as the resource writes it.
    pub system: CompactString,
    /// The code.
    pub code: CompactString,
    /// The display, when there is one.
    pub display: Option<CompactString>,
    /// Whether it may still be used.
    pub status: Status,
    /// Whether it may be chosen, or only groups others.
    pub kind: ConceptKind,
    /// Other displays, as written.
    pub designations: Vec<Object>,
}

/// Whether a concept may still be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Active,
    Inactive,
}

/// Whether a concept may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConceptKind {
    Selectable,
    Abstract,
}

/// A concept where it stands in its hierarchy.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The concept's object.
    pub object: &'a Object,
    /// The codes above it, the nearest last.
    pub ancestors: Vec<&'a str>,
}

/// Every concept of a code system, parents before children.
#[must_use]
pub fn concepts(code_system: &Object) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    let mut waiting: Vec<Place<'_>> =
        code_system.objects("concept").map(|object| Place { object, ancestors: Vec::new() }).collect();
    waiting.reverse();
    while let Some(place) = waiting.pop() {
        let mut ancestors = place.ancestors.clone();
        ancestors.extend(place.object.str("code"));
        let children: Vec<&Object> = place.object.objects("concept").collect();
        waiting.extend(children.into_iter().rev().map(|object| Place { object, ancestors: ancestors.clone() }));
        found.push(place);
    }
    found
}

/// The concept of a code. Codes ignore case when the code system says so.
#[must_use]
pub fn find<'a>(code_system: &'a Object, code: &str) -> Option<Place<'a>> {
    let ignore_case = code_system.get("caseSensitive").and_then(Value::as_bool) == Some(false);
    concepts(code_system).into_iter().find(|place| {
        place.object.str("code").is_some_and(|own| own == code || ignore_case && own.eq_ignore_ascii_case(code))
    })
}

/// A concept's object as a [`Concept`].
#[must_use]
pub fn concept(system: &str, object: &Object) -> Option<Concept> {
    Some(Concept {
        system: system.into(),
        code: object.str("code")?.into(),
        display: object.str("display").map(Into::into),
        status: status(object),
        kind: if is_true(object, "notSelectable") || is_true(object, "abstract") {
            ConceptKind::Abstract
        } else {
            ConceptKind::Selectable
        },
        designations: object.objects("designation").cloned().collect(),
    })
}

/// Whether every code of the system is in the resource.
#[must_use]
pub fn is_whole(code_system: &Object) -> bool {
    code_system.str("content") == Some("complete")
}

/// `CodeSystem/$lookup`: what there is to know about a code.
///
/// # Errors
/// Inputs not understood; code or code system not known here.
pub fn lookup(instance: Option<&Object>, inputs: &Inputs, definitions: &dyn Definitions) -> Result<Object, Vec<Issue>> {
    inputs.only(&["code", "system", "version", "coding", "displayLanguage", "property"], &["date"])?;
    let [asked] = <[Coded<'_>; 1]>::try_from(asked(inputs, "version")?).map_err(|_| {
        invalid("coding", text!(en: "Look up one code at a time.", fr: "Consultez un seul code à la fois."))
    })?;
    let system = system_of(instance, &asked)?;
    let code_system = match instance {
        Some(own) => Arc::new(own.clone()),
        None => resolve(definitions, system, asked.version, asked.code)?,
    };
    let found = find(&code_system, asked.code).and_then(|found| Some((concept(system, found.object)?, found)));
    let Some((known, found)) = found else {
        return Err(vec![Issue::error(
            IssueKind::NotFound,
            place("code"),
            unknown_code(&code_system, asked.code, system),
        )]);
    };
    let languages = inputs.text("displayLanguage")?;
    let display = languages
        .and_then(|languages| language::designation(&known.designations, languages))
        .or(known.display.as_deref())
        .unwrap_or(asked.code);
    let name = code_system.str("name").or_else(|| code_system.str("title")).unwrap_or(system);
    let mut parameters = vec![object! { "name" => "name", "valueString" => name }];
    parameters
        .extend(code_system.str("version").map(|version| object! { "name" => "version", "valueString" => version }));
    parameters.push(object! { "name" => "display", "valueString" => display });
    let wanted: HashSet<&str> = inputs.texts("property").collect();
    let wants = |property: &str| wanted.is_empty() || wanted.contains(property);
    if wants("designation") {
        parameters.extend(known.designations.iter().map(designation_part));
    }
    parameters.extend(properties(&known, &found).into_iter().filter(|(code, _)| wants(code)).map(|(code, value)| {
        let (member, value) = value;
        object! { "name" => "property", "part" => array![
            object! { "name" => "code", "valueCode" => code.as_str() },
            object! { "name" => "value", member.as_str() => value },
        ] }
    }));
    Ok(answer(parameters))
}

/// `CodeSystem/$validate-code`: whether a code is in a code system, and its display the one given.
///
/// # Errors
/// Inputs not understood; code system not known here.
pub fn validate_code(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
    language: Language,
) -> Result<Object, Vec<Issue>> {
    inputs.only(
        &[
            "url",
            "codeSystem",
            "code",
            "version",
            "display",
            "coding",
            "codeableConcept",
            "displayLanguage",
            "abstract",
        ],
        &["date"],
    )?;
    let given = inputs.object("codeSystem")?;
    let url = inputs.text("url")?.map(canonical_parts);
    let mut refusal = None;
    for asked in asked(inputs, "version")? {
        let named = url.map(|(url, _)| url).or(asked.system);
        let code_system = match (instance.or(given), named) {
            (Some(own), _) => Arc::new(own.clone()),
            (None, Some(named)) => {
                let version = url.and_then(|(_, version)| version).or(asked.version);
                resolve(definitions, named, version, asked.code)?
            }
            (None, None) => {
                return Err(invalid(
                    "url",
                    text!(
                        en: "Say which code system: give url, or codeSystem, or a coding with its system.",
                        fr: "Dites quel système de codes : donnez url, ou codeSystem, ou un coding avec son système."
                    ),
                ));
            }
        };
        let own_url = code_system.str("url").or(named).unwrap_or_default();
        if asked.system.is_some_and(|system| {
            canonical_system(system, Some(asked.code)) != canonical_system(own_url, Some(asked.code))
        }) {
            refusal.get_or_insert_with(|| foreign_code(own_url));
            continue;
        }
        let Some(known) = find(&code_system, asked.code).and_then(|place| concept(own_url, place.object)) else {
            refusal.get_or_insert_with(|| unknown_code(&code_system, asked.code, own_url));
            continue;
        };
        return Ok(judge_display(&known, &asked, inputs.text("displayLanguage")?, language));
    }
    Ok(verdict(Validity::Invalid, refusal.map(|text| text.in_language(language).to_owned()), None))
}

/// The verdict on a code that is there: its display must be one of those it has, when one is given;
/// case and accents make no difference.
#[must_use]
pub fn judge_display(known: &Concept, asked: &Coded<'_>, languages: Option<&str>, language: Language) -> Object {
    let shown = languages
        .and_then(|languages| language::designation(&known.designations, languages))
        .or(known.display.as_deref());
    let mut names =
        known.display.as_deref().into_iter().chain(known.designations.iter().filter_map(|d| d.str("value")));
    match asked.display {
        Some(display) if known.display.is_some() && !names.any(|name| fold(name) == fold(display)) => {
            let (code, right) = (&known.code, shown.unwrap_or_default());
            let text = text!(
                en: "The code {code} is there, but its display is \"{right}\".",
                fr: "Le code {code} existe, mais son libellé est « {right} »."
            );
            verdict(Validity::Invalid, Some(text.in_language(language).to_owned()), shown)
        }
        _ => {
            let ended = (known.status == Status::Inactive).then(|| {
                let code = &known.code;
                let text = text!(
                    en: "The code {code} is no longer in use.",
                    fr: "Le code {code} n'est plus en usage."
                );
                text.in_language(language).to_owned()
            });
            verdict(Validity::Valid, ended, shown)
        }
    }
}

/// The code system of a name, or of the canonical name that it is an alias of.
///
/// # Errors
/// When neither is known here.
pub fn resolve(
    definitions: &dyn Definitions,
    system: &str,
    version: Option<&str>,
    code: &str,
) -> Result<Arc<Object>, Vec<Issue>> {
    definitions
        .code_system(system.trim(), version)
        .or_else(|| definitions.code_system(&canonical_system(system, Some(code)), version))
        .ok_or_else(|| {
            let named = version.map_or_else(|| system.to_owned(), |version| format!("{system}|{version}"));
            vec![not_here("CodeSystem", &named, &place("system"))]
        })
}

fn system_of<'a>(instance: Option<&'a Object>, asked: &Coded<'a>) -> Result<&'a str, Vec<Issue>> {
    asked.system.or_else(|| instance.and_then(|own| own.str("url"))).ok_or_else(|| {
        invalid(
            "system",
            text!(
                en: "Say in which code system to look the code up: give system.",
                fr: "Dites dans quel système de codes consulter le code : donnez system."
            ),
        )
    })
}

fn unknown_code(code_system: &Object, code: &str, system: &str) -> crate::outcome::Text {
    if is_whole(code_system) {
        text!(
            en: "The code {code} is not in the code system {system}.",
            fr: "Le code {code} n'est pas dans le système de codes {system}."
        )
    } else {
        text!(
            en: "The code {code} is not among the codes of {system} that are known here; this server does not hold all of them.",
            fr: "Le code {code} n'est pas parmi les codes de {system} connus ici ; ce serveur ne les a pas tous."
        )
    }
}

fn foreign_code(url: &str) -> crate::outcome::Text {
    text!(
        en: "This code is of another code system than {url}.",
        fr: "Ce code est d'un autre système de codes que {url}."
    )
}

fn status(object: &Object) -> Status {
    let ended = is_true(object, "inactive")
        || object.objects("property").any(|property| {
            property.str("code") == Some("status")
                && matches!(property.str("valueCode"), Some("inactive" | "retired" | "deprecated"))
        });
    if ended { Status::Inactive } else { Status::Active }
}

fn is_true(object: &Object, property: &str) -> bool {
    object
        .objects("property")
        .any(|own| own.str("code") == Some(property) && own.get("valueBoolean").and_then(Value::as_bool) == Some(true))
}

fn designation_part(designation: &Object) -> Object {
    let mut parts = Vec::new();
    for (name, member) in [("language", "valueCode"), ("use", "valueCoding"), ("value", "valueString")] {
        if let Some(value) = designation.get(name) {
            parts.push(Value::from(object! { "name" => name, member => value.clone() }));
        }
    }
    object! { "name" => "designation", "part" => parts }
}

/// The properties of a concept: whether it is inactive, its definition, its parent and children,
/// and those the code system gives it. Each with the name of its value's member.
fn properties(known: &Concept, place: &Place<'_>) -> Vec<(String, (String, Value))> {
    let code = |code: &str| ("valueCode".to_owned(), Value::from(code));
    let mut properties = Vec::new();
    let inactive = known.status == Status::Inactive;
    properties.push(("inactive".to_owned(), ("valueBoolean".to_owned(), Value::Bool(inactive))));
    if let Some(definition) = place.object.str("definition") {
        properties.push(("definition".to_owned(), ("valueString".to_owned(), definition.into())));
    }
    properties.extend(place.ancestors.last().map(|parent| ("parent".to_owned(), code(parent))));
    let children = place.object.objects("concept").filter_map(|child| child.str("code"));
    properties.extend(children.map(|child| ("child".to_owned(), code(child))));
    for property in place.object.objects("property") {
        let value = property.iter().find(|(name, _)| name.starts_with("value"));
        if let (Some(name), Some((member, value))) = (property.str("code"), value)
            && name != "inactive"
        {
            properties.push((name.to_owned(), (member.to_owned(), value.clone())));
        }
    }
    properties
}

#[cfg(test)]
mod tests;
