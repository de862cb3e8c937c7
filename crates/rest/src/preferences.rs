//! The `Prefer` header: <https://hl7.org/fhir/R4/http.html#ops>.

use axum::http::{HeaderMap, HeaderName};
use liaison_fhir::{outcome::IssueKind, text};

use liaison_app::error::AppError;
use liaison_fhir::search::parse::Handling;

static PREFER: HeaderName = HeaderName::from_static("prefer");

/// What the caller would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// What a write answers with; nothing when the caller does not say.
    pub answer: Option<Answered>,
    /// What becomes of parameters that are not understood.
    pub handling: Handling,
}

/// What a write answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// No body.
    Minimal,
    /// The resource as stored.
    Representation,
    /// The findings, warnings among them.
    OperationOutcome,
}

/// Reads the `Prefer` headers; preferences of others (`respond-async`, `wait`) are left aside, as
/// the header demands.
///
/// # Errors
/// When `return` or `handling` has a value that is not FHIR's.
pub fn preferences(headers: &HeaderMap) -> Result<Preferences, AppError> {
    let mut read = Preferences { answer: None, handling: Handling::Strict };
    let values = headers.get_all(&PREFER).iter().filter_map(|v| v.to_str().ok());
    for preference in values.flat_map(|v| v.split([',', ';'])).map(str::trim) {
        let Some((name, value)) = preference.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match (name.trim().to_ascii_lowercase().as_str(), value) {
            ("return", "minimal") => read.answer = Some(Answered::Minimal),
            ("return", "representation") => read.answer = Some(Answered::Representation),
            ("return", "OperationOutcome") => read.answer = Some(Answered::OperationOutcome),
            ("handling", "strict") => read.handling = Handling::Strict,
            ("handling", "lenient") => read.handling = Handling::Lenient,
            (name @ ("return" | "handling"), value) => {
                return Err(AppError::not_understood(
                    IssueKind::Value,
                    "http.Prefer",
                    text!(
                        en: "“{value}” is no value of the preference “{name}”: return=minimal, representation or OperationOutcome; handling=strict or lenient.",
                        fr: "« {value} » n'est pas une valeur de la préférence « {name} » : return=minimal, representation ou OperationOutcome ; handling=strict ou lenient.",
                    ),
                ));
            }
            _ => {}
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(text: &'static str) -> Result<Preferences, AppError> {
        let mut headers = HeaderMap::new();
        headers.insert(&PREFER, HeaderValue::from_static(text));
        preferences(&headers)
    }

    #[test]
    fn several_preferences_are_read_together() {
        let read = of("return=OperationOutcome; handling=lenient, respond-async").unwrap();
        assert_eq!(read.answer, Some(Answered::OperationOutcome));
        assert_eq!(read.handling, Handling::Lenient);
    }

    #[test]
    fn a_mistyped_value_is_refused() {
        assert!(of("return=nothing").is_err());
        assert!(of("handling=loose").is_err());
    }
}
