//! What a caller gave to an operation: parameters of a query, or of a `Parameters` resource.

use std::collections::HashSet;

use compact_str::CompactString;

use crate::{
    outcome::{Issue, IssueKind},
    primitive,
    release::Primitive,
    text,
    tree::{Object, Value},
};

/// The inputs of an operation, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    values: Vec<(CompactString, Value)>,
}

impl Inputs {
    /// The parameters of a query, decoded. Those of every request (`_format`…) are left out.
    #[must_use]
    pub fn from_query(pairs: &[(String, String)]) -> Self {
        let own = pairs.iter().filter(|(name, _)| !name.starts_with('_'));
        Self { values: own.map(|(name, value)| (name.into(), Value::from(value.as_str()))).collect() }
    }

    /// The parameters of a `Parameters` resource.
    ///
    /// # Errors
    /// When it is another resource, or a parameter has no name or no value.
    pub fn from_parameters(resource: &Object) -> Result<Self, Vec<Issue>> {
        if resource.resource_type() != Some("Parameters") {
            return Err(vec![Issue::error(
                IssueKind::Structure,
                "Parameters",
                text!(
                    en: "The inputs of an operation come in a Parameters resource.",
                    fr: "Les paramètres d'une opération viennent dans une ressource Parameters."
                ),
            )]);
        }
        let mut values = Vec::new();
        for (index, parameter) in resource.objects("parameter").enumerate() {
            let value = parameter.iter().find(|(name, _)| *name == "resource" || name.starts_with("value"));
            match (parameter.str("name"), value) {
                (Some(name), Some((_, value))) => values.push((name.into(), value.clone())),
                _ => {
                    return Err(vec![Issue::error(
                        IssueKind::Structure,
                        format!("Parameters.parameter[{index}]"),
                        text!(
                            en: "An input has a name and a value (or a resource).",
                            fr: "Un paramètre a un nom et une valeur (ou une ressource)."
                        ),
                    )]);
                }
            }
        }
        Ok(Self { values })
    }

    /// Refuses inputs that are not among `names` (those that the operation heeds), or that FHIR has
    /// and this server does not do (`undone`), or that are there twice.
    ///
    /// # Errors
    /// One finding for each.
    pub fn only(&self, names: &[&str], undone: &[&str]) -> Result<(), Vec<Issue>> {
        let mut issues = Vec::new();
        let mut seen = HashSet::new();
        for (name, _) in &self.values {
            let earlier = !seen.insert(name);
            if undone.contains(&name.as_str()) {
                issues.push(Issue::error(
                    IssueKind::NotSupported,
                    place(name),
                    text!(
                        en: "The input {name} is not supported by this server. Leave it out.",
                        fr: "Le paramètre {name} n'est pas pris en charge par ce serveur. Omettez-le."
                    ),
                ));
            } else if !names.contains(&name.as_str()) {
                let known = names.join(", ");
                issues.push(Issue::error(
                    IssueKind::NotSupported,
                    place(name),
                    text!(
                        en: "This operation has no input {name}. It has: {known}.",
                        fr: "Cette opération n'a pas de paramètre {name}. Elle a : {known}."
                    ),
                ));
            } else if earlier && !REPEATING.contains(&name.as_str()) {
                issues.push(Issue::error(
                    IssueKind::Invalid,
                    place(name),
                    text!(
                        en: "The input {name} is there twice; give it once.",
                        fr: "Le paramètre {name} figure deux fois ; donnez-le une fois."
                    ),
                ));
            }
        }
        if issues.is_empty() { Ok(()) } else { Err(issues) }
    }

    /// Every input, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The text of an input.
    ///
    /// # Errors
    /// When it is not a text, or an empty one, or one longer than any in good faith.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Vec<Issue>> {
        self.get(name)
            .map(|value| {
                value
                    .as_str()
                    .map(str::trim)
                    .filter(|text| text.len() <= LONGEST_TEXT && primitive::check(Primitive::String, text).is_ok())
                    .ok_or_else(|| {
                        wrong(
                            name,
                            "a text of 1 to 4000 characters, none of them a control character",
                            "un texte de 1 à 4000 caractères, sans caractère de contrôle",
                        )
                    })
            })
            .transpose()
    }

    /// The text of an input that is a code: answers that repeat it say so.
    ///
    /// # Errors
    /// As [`Self::text`], and when FHIR would not take it for a code.
    pub fn code(&self, name: &str) -> Result<Option<&str>, Vec<Issue>> {
        match self.text(name)? {
            Some(text) if primitive::check(Primitive::Code, text).is_err() => Err(wrong(name, "a code", "un code")),
            text => Ok(text),
        }
    }

    /// A truth value; `default` when it is not given.
    ///
    /// # Errors
    /// When it is something else than `true` or `false`.
    pub fn flag(&self, name: &str, default: Flag) -> Result<Flag, Vec<Issue>> {
        match self.get(name).map(|value| value.primitive_text()) {
            None => Ok(default),
            Some(Some("true")) => Ok(Flag::Yes),
            Some(Some("false")) => Ok(Flag::No),
            Some(_) => Err(wrong(name, "true or false", "true ou false")),
        }
    }

    /// A number from 0 to two thousand million.
    ///
    /// # Errors
    /// When it is something else.
    pub fn count(&self, name: &str) -> Result<Option<usize>, Vec<Issue>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let digits = value.primitive_text().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        match digits.and_then(|text| text.parse::<u32>().ok()) {
            Some(number) if number <= 2_000_000_000 => Ok(usize::try_from(number).ok()),
            _ => Err(wrong(name, "a number from 0", "un nombre à partir de 0")),
        }
    }

    /// A `Coding`, a `CodeableConcept` or a resource.
    ///
    /// # Errors
    /// When it was given as text: such inputs need a `Parameters` resource.
    pub fn object(&self, name: &str) -> Result<Option<&Object>, Vec<Issue>> {
        self.get(name)
            .map(|value| {
                value.as_object().ok_or_else(|| {
                    wrong(
                        name,
                        "an object: send a Parameters resource by POST",
                        "un objet : envoyez une ressource Parameters par POST",
                    )
                })
            })
            .transpose()
    }

    /// All texts given under a repeating name.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(other, _)| other == name).filter_map(|(_, value)| value.as_str())
    }

    /// Whether an input was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

/// An input that is true or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Flag {
    Yes,
    No,
}

/// The longest text an input may be, in bytes: URLs are the longest.
const LONGEST_TEXT: usize = 4000;

/// The inputs that FHIR lets repeat.
const REPEATING: [&str; 2] = ["property", "designation"];

/// Where an input stands, for findings.
#[must_use]
pub fn place(name: &str) -> String {
    format!("http.{name}")
}

fn wrong(name: &str, en: &str, fr: &str) -> Vec<Issue> {
    vec![Issue::error(
        IssueKind::Value,
        place(name),
        text!(en: "The input {name} must be {en}.", fr: "Le paramètre {name} doit être {fr}."),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{array, object};

    fn query(pairs: &[(&str, &str)]) -> Inputs {
        Inputs::from_query(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn inputs_are_the_same_from_a_query_and_from_a_resource() {
        let resource = object! { "resourceType" => "Parameters", "parameter" => array![
            object! { "name" => "url", "valueUri" => "http://x.example" },
            object! { "name" => "count", "valueInteger" => 3_u64 },
            object! { "name" => "activeOnly", "valueBoolean" => true },
        ] };
        for inputs in [
            Inputs::from_parameters(&resource).unwrap(),
            query(&[("url", "http://x.example"), ("count", "3"), ("activeOnly", "true"), ("_format", "json")]),
        ] {
            assert_eq!(inputs.text("url"), Ok(Some("http://x.example")));
            assert_eq!(inputs.count("count"), Ok(Some(3)));
            assert_eq!(inputs.flag("activeOnly", Flag::No), Ok(Flag::Yes));
            assert_eq!(inputs.flag("includeDefinition", Flag::No), Ok(Flag::No));
            assert_eq!(inputs.iter().count(), 3);
        }
    }

    #[test]
    fn an_unknown_input_is_named_and_so_are_those_there_are() {
        let issues = query(&[("urll", "x"), ("date", "2020"), ("url", "a"), ("url", "b")])
            .only(&["url"], &["date"])
            .unwrap_err();
        let places: Vec<_> = issues.iter().map(|issue| issue.place.as_str()).collect();
        assert_eq!(places, ["http.urll", "http.date", "http.url"]);
        assert!(issues[0].text.en.contains("It has: url"));
    }

    #[test]
    fn inputs_of_the_wrong_kind_are_refused() {
        let inputs = query(&[
            ("count", "-1"),
            ("activeOnly", "yes"),
            ("coding", "a|b"),
            ("url", " "),
            ("code", "x".repeat(5000).as_str()),
        ]);
        assert!(inputs.count("count").is_err());
        assert!(inputs.flag("activeOnly", Flag::No).is_err());
        assert!(inputs.object("coding").is_err());
        assert!(inputs.text("url").is_err() && inputs.text("code").is_err());
    }

    #[test]
    fn a_body_that_is_no_parameters_is_refused() {
        assert!(Inputs::from_parameters(&object! { "resourceType" => "ValueSet" }).is_err());
        let nameless = object! { "resourceType" => "Parameters", "parameter" => array![object! { "valueUri" => "x" }] };
        assert_eq!(Inputs::from_parameters(&nameless).unwrap_err()[0].place, "Parameters.parameter[0]");
    }
}
