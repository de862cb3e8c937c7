//! Concept maps: `$translate`, forwards and backwards.

use std::{collections::HashSet, sync::Arc};

use super::{
    coded::{Coded, answer, asked, invalid},
    definitions::{Definitions, canonical_parts, not_here},
    inputs::{Flag, Inputs, place},
    systems::canonical_system,
};
use crate::{
    object,
    outcome::{Issue, Language},
    text,
    tree::{Object, Value},
};

/// `ConceptMap/$translate`: what a code becomes under another system, or (`reverse`) what became it.
///
/// Without a map (`url`, `conceptMap`, or the instance) every map that knows the code's system is
/// looked at.
///
/// # Errors
/// Inputs not understood; a map that is named and not known here.
pub fn translate(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
    language: Language,
) -> Result<Object, Vec<Issue>> {
    inputs.only(
        &[
            "url",
            "conceptMap",
            "conceptMapVersion",
            "code",
            "system",
            "version",
            "source",
            "coding",
            "codeableConcept",
            "target",
            "targetsystem",
            "reverse",
        ],
        &["dependency"],
    )?;
    let direction = match inputs.flag("reverse", Flag::No)? {
        Flag::Yes => Direction::Backwards,
        Flag::No => Direction::Forwards,
    };
    let asked = asked(inputs, "version")?;
    if let Some(one) = asked.iter().find(|one| one.system.is_none()) {
        let code = one.code;
        return Err(invalid(
            "system",
            text!(
                en: "Say of which code system {code} is: give system.",
                fr: "Dites de quel système de codes est {code} : donnez system."
            ),
        ));
    }
    let maps = maps(instance, inputs, definitions, &asked)?;
    let (source, target) = (inputs.text("source")?, inputs.text("target")?);
    let (source, target) = match direction {
        Direction::Forwards => (source, target),
        Direction::Backwards => (target, source),
    };
    let target_system = inputs.text("targetsystem")?;
    let mut matches: Vec<Match> = Vec::new();
    for map in maps.iter().filter(|map| concerns(map, "source", source) && concerns(map, "target", target)) {
        for one in &asked {
            matches.extend(matches_of(map, one, direction));
        }
    }
    matches.retain(|found| {
        target_system.is_none_or(|wanted| canonical_system(wanted, None) == canonical_system(&found.system, None))
    });
    // Two maps may say the same; the first that does is named.
    let mut seen = HashSet::new();
    matches.retain(|found| seen.insert((found.equivalence.clone(), found.system.clone(), found.code.clone())));
    Ok(result(&matches, language))
}

/// Which way a map is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// What a code becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Match {
    equivalence: String,
    system: String,
    version: Option<String>,
    /// `None` says that there is nothing on the other side.
    code: Option<String>,
    display: Option<String>,
    map: Option<String>,
}

impl Match {
    /// Whether it is a translation, and not the word that there is none.
    fn translates(&self) -> bool {
        self.code.is_some() && !matches!(self.equivalence.as_str(), "unmatched" | "disjoint")
    }
}

fn maps(
    instance: Option<&Object>,
    inputs: &Inputs,
    definitions: &dyn Definitions,
    asked: &[Coded<'_>],
) -> Result<Vec<Arc<Object>>, Vec<Issue>> {
    if let Some(own) = instance.or(inputs.object("conceptMap")?) {
        return Ok(vec![Arc::new(own.clone())]);
    }
    if let Some(canonical) = inputs.text("url")? {
        let (url, version) = canonical_parts(canonical);
        let version = inputs.text("conceptMapVersion")?.or(version);
        let map = definitions.concept_map(url, version);
        return Ok(vec![map.ok_or_else(|| vec![not_here("ConceptMap", canonical, &place("url"))])?]);
    }
    let mut maps: Vec<Arc<Object>> = Vec::new();
    for system in asked.iter().filter_map(|one| one.system) {
        for map in definitions.concept_maps_from(system) {
            if !maps.iter().any(|known| Arc::ptr_eq(known, &map)) {
                maps.push(map);
            }
        }
    }
    Ok(maps)
}

/// Whether the value set a map declares on one side is the one asked for, if both are given.
fn concerns(map: &Object, side: &str, asked: Option<&str>) -> bool {
    let declared = map.str(&format!("{side}Uri")).or_else(|| map.str(&format!("{side}Canonical")));
    match (declared, asked) {
        (Some(declared), Some(asked)) => canonical_parts(declared).0 == canonical_parts(asked).0,
        _ => true,
    }
}

fn matches_of(map: &Object, asked: &Coded<'_>, direction: Direction) -> Vec<Match> {
    let exact = |group: &&Object| side(group, direction.near()) == asked.system.map(str::trim);
    let canonical = |group: &&Object| {
        let name = |system: &str| canonical_system(system, Some(asked.code)).into_owned();
        side(group, direction.near()).map(name) == asked.system.map(name)
    };
    // A map between two names of one system must be read by the very name that was asked about.
    let groups: Vec<&Object> = map.objects("group").collect();
    let mut chosen: Vec<&Object> = groups.iter().copied().filter(exact).collect();
    if chosen.is_empty() {
        chosen = groups.iter().copied().filter(canonical).collect();
    }
    let url = map.str("url");
    chosen
        .into_iter()
        .flat_map(|group| match direction {
            Direction::Forwards => forwards(group, asked.code, url),
            Direction::Backwards => backwards(group, asked.code, url),
        })
        .collect()
}

impl Direction {
    /// The side of a group that the code asked about is on.
    const fn near(self) -> &'static str {
        match self {
            Self::Forwards => "source",
            Self::Backwards => "target",
        }
    }
}

fn side<'a>(group: &&'a Object, name: &str) -> Option<&'a str> {
    group.str(name).map(str::trim)
}

fn forwards(group: &Object, code: &str, url: Option<&str>) -> Vec<Match> {
    let made = |equivalence: &str, code: Option<&str>, display: Option<&str>| Match {
        equivalence: equivalence.to_owned(),
        system: group.str("target").unwrap_or_default().to_owned(),
        version: group.str("targetVersion").map(str::to_owned),
        code: code.map(str::to_owned),
        display: display.map(str::to_owned),
        map: url.map(str::to_owned),
    };
    let elements: Vec<&Object> = group.objects("element").filter(|element| element.str("code") == Some(code)).collect();
    if elements.is_empty() {
        let unmapped = group.object("unmapped");
        return match unmapped.and_then(|unmapped| unmapped.str("mode")) {
            Some("provided") => vec![made("equal", Some(code), None)],
            Some("fixed") => {
                let fixed = |name| unmapped.and_then(|unmapped| unmapped.str(name));
                vec![made("inexact", fixed("code"), fixed("display"))]
            }
            _ => Vec::new(),
        };
    }
    elements
        .into_iter()
        .flat_map(|element| element.objects("target"))
        // What depends on other values cannot be said of a code alone.
        .filter(|target| !target.contains("dependsOn"))
        .map(|target| {
            made(target.str("equivalence").unwrap_or("equivalent"), target.str("code"), target.str("display"))
        })
        .collect()
}

fn backwards(group: &Object, code: &str, url: Option<&str>) -> Vec<Match> {
    let mut found = Vec::new();
    for element in group.objects("element") {
        for target in element.objects("target").filter(|target| target.str("code") == Some(code)) {
            found.push(Match {
                equivalence: turned(target.str("equivalence").unwrap_or("equivalent")).to_owned(),
                system: group.str("source").unwrap_or_default().to_owned(),
                version: group.str("sourceVersion").map(str::to_owned),
                code: element.str("code").map(str::to_owned),
                display: element.str("display").map(str::to_owned),
                map: url.map(str::to_owned),
            });
        }
    }
    found
}

/// An equivalence seen from the other side.
fn turned(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        same => same,
    }
}

fn result(matches: &[Match], language: Language) -> Object {
    let translated = matches.iter().any(Match::translates);
    let mut parameters = vec![object! { "name" => "result", "valueBoolean" => translated }];
    if !translated {
        let text = text!(
            en: "No map known here translates this code.",
            fr: "Aucune correspondance connue ici ne traduit ce code."
        );
        parameters.push(object! { "name" => "message", "valueString" => text.in_language(language) });
    }
    for found in matches {
        let mut parts =
            vec![Value::from(object! { "name" => "equivalence", "valueCode" => found.equivalence.as_str() })];
        if let Some(code) = &found.code {
            let mut coding = Object::new();
            if !found.system.is_empty() {
                coding.push("system", found.system.as_str());
            }
            if let Some(version) = &found.version {
                coding.push("version", version.as_str());
            }
            coding.push("code", code.as_str());
            if let Some(display) = &found.display {
                coding.push("display", display.as_str());
            }
            parts.push(object! { "name" => "concept", "valueCoding" => coding }.into());
        }
        parts.extend(
            found.map.iter().map(|map| Value::from(object! { "name" => "source", "valueUri" => map.as_str() })),
        );
        parameters.push(object! { "name" => "match", "part" => parts });
    }
    answer(parameters)
}

#[cfg(test)]
mod tests;
