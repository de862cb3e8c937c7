//! What is wrong with what was sent, said so that it can be mended.
//!
//! A finding is an [`Issue`]: how grave, of what kind, where (a FHIRPath), and a sentence in French
//! and in English that says what is wrong and how to mend it. The HTTP edge turns issues into an
//! `OperationOutcome`.

use crate::{primitive, tree::Object};

/// How grave a finding is. Only [`Severity::Error`] and [`Severity::Fatal`] refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know: something was repaired or left out.
    Information,
    /// Against a recommendation; never blocks.
    Warning,
    /// Against a rule: the request is refused.
    Error,
    /// The content could not be read at all.
    Fatal,
}

impl Severity {
    /// The code of FHIR's `issue-severity`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// The kind of a finding: the codes of FHIR's `issue-type` that this server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of FHIR's issue-type codes")]
pub enum IssueKind {
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Forbidden,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    NoStore,
    Throttled,
    Timeout,
    Exception,
    Informational,
    Invalid,
}

impl IssueKind {
    /// The code of FHIR's `issue-type`, the same in STU3 and R4 but for those R4 added
    /// (`multiple-matches`, `deleted`), which STU3 says with their parent code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Security => "security",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::NoStore => "no-store",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Exception => "exception",
            Self::Informational => "informational",
            Self::Invalid => "invalid",
        }
    }
}

/// A sentence in the two languages of the project. Made by [`text!`](crate::text).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In French.
    pub fr: String,
}

/// The language a reader asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// French, the default: the people who use the server are in France.
    #[default]
    French,
    /// English.
    English,
}

impl Language {
    /// The BCP 47 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

impl Text {
    /// The sentence in that language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::French => &self.fr,
            Language::English => &self.en,
        }
    }
}

/// Builds a [`Text`](crate::outcome::Text) from its English and French forms, with the captures
/// of `format!`: `text!(en: "unknown element {name}", fr: "élément inconnu : {name}")`.
#[macro_export]
macro_rules! text {
    (en: $en:literal, fr: $fr:literal $(,)?) => {
        $crate::outcome::Text { en: format!($en), fr: format!($fr) }
    };
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How grave.
    pub severity: Severity,
    /// Of what kind.
    pub kind: IssueKind,
    /// What is wrong and how to mend it.
    pub text: Text,
    /// Where: a simple FHIRPath such as `DocumentReference.content[0].attachment.data`, or, for a
    /// request, `http.<parameter>`. Empty when the whole request is meant.
    pub place: String,
}

impl Issue {
    /// An error at a place.
    #[must_use]
    pub fn error(kind: IssueKind, place: impl Into<String>, text: Text) -> Self {
        Self { severity: Severity::Error, kind, text, place: place.into() }
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(kind: IssueKind, place: impl Into<String>, text: Text) -> Self {
        Self { severity: Severity::Warning, kind, text, place: place.into() }
    }

    /// A piece of information about a place.
    #[must_use]
    pub fn information(place: impl Into<String>, text: Text) -> Self {
        Self { severity: Severity::Information, kind: IssueKind::Informational, text, place: place.into() }
    }

    /// Whether this finding refuses the request.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.severity >= Severity::Error
    }
}

/// Whether any of these findings refuses the request.
#[must_use]
pub fn refused(issues: &[Issue]) -> bool {
    issues.iter().any(Issue::refuses)
}

/// The findings as an `OperationOutcome` resource, the sentence in the language asked for first
/// (`diagnostics` and `details.text`), valid in STU3 and R4 alike. No finding at all becomes one
/// piece of information saying that all is well, since `issue` is 1..*.
#[must_use]
pub fn operation_outcome(issues: &[Issue], language: Language) -> Object {
    let all_well;
    let issues = if issues.is_empty() {
        all_well = [Issue::information("", crate::text!(en: "No problem found.", fr: "Aucun problème trouvé."))];
        &all_well[..]
    } else {
        issues
    };
    let items = issues.iter().map(|issue| issue_object(issue, language).into()).collect::<Vec<_>>();
    crate::object! { "resourceType" => "OperationOutcome", "issue" => items }
}

/// The longest sentence or place that an answer holds: they quote what was sent, which may be long.
const LONGEST: usize = 2_000;

fn issue_object(issue: &Issue, language: Language) -> Object {
    let shown = |text| primitive::presentable(text, LONGEST);
    let translation = |code: &str, content: &str| {
        crate::object! {
            "url" => "http://hl7.org/fhir/StructureDefinition/translation",
            "extension" => crate::array![
                crate::object! { "url" => "lang", "valueCode" => code },
                crate::object! { "url" => "content", "valueString" => content },
            ],
        }
    };
    let other = match language {
        Language::French => translation("en", &shown(&issue.text.en)),
        Language::English => translation("fr", &shown(&issue.text.fr)),
    };
    let text = shown(issue.text.in_language(language));
    let text = text.as_ref();
    let mut object = crate::object! {
        "severity" => issue.severity.code(),
        "code" => issue.kind.code(),
        "details" => crate::object! {
            "text" => text,
            "_text" => crate::object! { "extension" => crate::array![other] },
        },
        "diagnostics" => text,
    };
    if !issue.place.is_empty() {
        // `location` is the form older clients read, `expression` the one that R4 prefers.
        object.push("expression", crate::array![shown(&issue.place).as_ref()]);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, release, validate};

    #[test]
    fn what_a_finding_quotes_of_a_request_makes_no_invalid_or_huge_outcome() {
        let name = format!("na\0me\u{FFFE}{}", "x".repeat(1_000_000));
        let text = text!(en: "The member \"{name}\" is wrong.", fr: "Le membre « {name} » est faux.");
        let issue = Issue::error(IssueKind::Structure, name.as_str(), text);
        let outcome = operation_outcome(&[issue], Language::English);
        assert_eq!(validate::validate(&outcome, release::r4()), []);
        assert_eq!(validate::validate(&outcome, release::stu3()), []);
        let written = json::write(&outcome);
        assert!(written.len() < 10_000, "{}", written.len());
        let place = outcome.objects("issue").next().map(|issue| issue.items("expression")[0].as_str().unwrap());
        assert!(place.unwrap().starts_with("na\u{FFFD}me\u{FFFD}xxx"));
    }
}
