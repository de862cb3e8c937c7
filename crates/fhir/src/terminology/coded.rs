//! The code that an operation is asked about: `code` and `system`, a `Coding`, or the codings of a
//! `CodeableConcept`.

use super::inputs::{Inputs, place};
use crate::{
    outcome::{Issue, IssueKind},
    text,
    tree::Object,
};

/// A code with what was said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded<'a> {
    /// Its system, when given.
    pub system: Option<&'a str>,
    /// The version of the system, when given.
    pub version: Option<&'a str>,
    /// It.
    pub code: &'a str,
    /// The display to check, when given.
    pub display: Option<&'a str>,
}

/// The codes an operation is asked about: one, or those of a concept, any of which will do.
///
/// # Errors
/// When there is none, or when they are given in more than one way.
pub fn asked<'a>(inputs: &'a Inputs, version_name: &str) -> Result<Vec<Coded<'a>>, Vec<Issue>> {
    let given = ["code", "coding", "codeableConcept"].into_iter().filter(|name| inputs.has(name)).count();
    if given > 1 {
        return Err(invalid(
            "code",
            text!(
                en: "Ask about one thing: code with system, or coding, or codeableConcept.",
                fr: "Demandez une seule chose : code avec system, ou coding, ou codeableConcept."
            ),
        ));
    }
    if let Some(code) = inputs.text("code")? {
        let system = inputs.text("system")?;
        return Ok(vec![Coded { system, version: inputs.text(version_name)?, code, display: inputs.text("display")? }]);
    }
    /// More codings than this are no concept that anybody means.
    const MOST_CODINGS: usize = 100;
    let codings: Vec<&Object> = match (inputs.object("coding")?, inputs.object("codeableConcept")?) {
        (Some(coding), _) => vec![coding],
        (_, Some(concept)) => concept.objects("coding").collect(),
        (None, None) => Vec::new(),
    };
    if codings.len() > MOST_CODINGS {
        return Err(invalid(
            "codeableConcept",
            text!(
                en: "Ask about {MOST_CODINGS} codings at most at a time.",
                fr: "Demandez {MOST_CODINGS} codings au plus à la fois."
            ),
        ));
    }
    let codes: Vec<Coded<'_>> = codings
        .into_iter()
        .filter_map(|coding| {
            Some(Coded {
                system: coding.str("system"),
                version: coding.str("version"),
                code: coding.str("code")?,
                display: coding.str("display"),
            })
        })
        .collect();
    if codes.is_empty() {
        return Err(invalid(
            "code",
            text!(
                en: "There is no code to ask about: give code (with system), coding or codeableConcept.",
                fr: "Aucun code à examiner : donnez code (avec system), coding ou codeableConcept."
            ),
        ));
    }
    Ok(codes)
}

/// An answer in a `Parameters` resource.
#[must_use]
pub fn answer(parameters: Vec<Object>) -> Object {
    let parameters: Vec<crate::tree::Value> = parameters.into_iter().map(Into::into).collect();
    crate::object! { "resourceType" => "Parameters", "parameter" => parameters }
}

/// The longest message of an answer.
const LONGEST_MESSAGE: usize = 2_000;

/// The answer of the `$validate-code` operations.
#[must_use]
pub fn verdict(valid: Validity, message: Option<String>, display: Option<&str>) -> Object {
    let mut parameters = vec![crate::object! { "name" => "result", "valueBoolean" => valid == Validity::Valid }];
    if let Some(message) = message {
        // It quotes what was asked, in a `Parameters` resource perhaps, which may hold anything.
        let message = crate::primitive::presentable(&message, LONGEST_MESSAGE);
        parameters.push(crate::object! { "name" => "message", "valueString" => message.as_ref() });
    }
    if let Some(display) = display {
        parameters.push(crate::object! { "name" => "display", "valueString" => display });
    }
    answer(parameters)
}

/// Whether a code is what was said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Validity {
    Valid,
    Invalid,
}

/// A finding about an input that cannot be.
#[must_use]
pub fn invalid(name: &str, text: crate::outcome::Text) -> Vec<Issue> {
    vec![Issue::error(IssueKind::Invalid, place(name), text)]
}
