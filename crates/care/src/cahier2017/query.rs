//! The search syntax of 2017: element paths where STU3 has names of parameters.

use liaison_fhir::{outcome::Issue, release, text};

use super::text::with_colon;

/// A query (names and values, decoded) in the form of 2017 as STU3 has it, and what was read
/// otherwise than it was written. What is conformant stays as it is.
#[must_use]
pub fn read_query(pairs: Vec<(String, String)>) -> (Vec<(String, String)>, Vec<Issue>) {
    let mut issues = Vec::new();
    let read = pairs
        .into_iter()
        .map(|(name, value)| {
            let new_name = read_name(&name);
            let new_value = read_value(&new_name, &value);
            if new_name != name || new_value != value {
                issues.push(Issue::information(
                    format!("http.{name}"),
                    text!(
                        en: "{name}={value} was read as {new_name}={new_value}.",
                        fr: "{name}={value} a été lu comme {new_name}={new_value}."
                    ),
                ));
            }
            (new_name, new_value)
        })
        .collect();
    (read, issues)
}

fn read_name(name: &str) -> String {
    // Modifiers end a name (`securityLabel:not`), types stand inside (`author:Practitioner.name`).
    let (path, modifier) = match name.rsplit_once(':') {
        Some((path, last)) if !last.contains('.') && !path.is_empty() => (path, Some(last)),
        _ => (name, None),
    };
    let path = match path {
        "securityLabel" => "securitylabel".to_owned(),
        "masterIdentifier" => "identifier".to_owned(),
        _ => read_path(path),
    };
    match modifier {
        Some(modifier) => format!("{path}:{modifier}"),
        None => path,
    }
}

/// `author:Practitioner.name.family` as `author:Practitioner.family`. A relative has no parameter
/// for the family name alone: all parts of a name are searched.
fn read_path(path: &str) -> String {
    for part in ["family", "given"] {
        let Some(before) = path.strip_suffix(part).and_then(|p| p.strip_suffix("name.")) else { continue };
        if !before.is_empty() && !before.ends_with('.') {
            continue;
        }
        let of_relative = before.trim_end_matches('.').rsplit(['.', ':']).next() == Some("RelatedPerson");
        return format!("{before}{}", if of_relative { "name" } else { part });
    }
    path.to_owned()
}

fn read_value(name: &str, value: &str) -> String {
    match name.split(':').next().unwrap_or_default() {
        "_include" | "_revinclude" => read_include(value),
        "identifier" => value.split(',').map(read_token).collect::<Vec<_>>().join(","),
        _ => with_colon(value).unwrap_or_else(|| value.to_owned()),
    }
}

/// `DocumentReference.subject` as `DocumentReference:subject`.
fn read_include(value: &str) -> String {
    match value.split_once('.') {
        Some((resource, parameter))
            if !value.contains(':')
                && !parameter.contains('.')
                && release::stu3().resource_name(resource).is_some() =>
        {
            format!("{resource}:{parameter}")
        }
        _ => value.to_owned(),
    }
}

/// An identifier as a token: blanks around its system and value were never part of either.
fn read_token(token: &str) -> String {
    match token.split_once('|') {
        Some((system, value)) => {
            let system: String = system.split_whitespace().collect();
            format!("{}|{}", with_colon(&system).unwrap_or(system), value.trim())
        }
        None => token.trim().to_owned(),
    }
}
