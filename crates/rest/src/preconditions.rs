//! `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-None-Exist`, and the stamps they name.

use std::io::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use liaison_app::error::AppError;
use liaison_fhir::{outcome::IssueKind, text};

/// The header that makes a create conditional.
pub static IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
/// The header that makes a create safe to repeat.
pub static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The weak entity tag of a version.
#[must_use]
pub fn etag(version: u32) -> HeaderValue {
    let mut text = [0; 16];
    let mut rest = text.as_mut_slice();
    // `W/""` and the ten digits of the greatest number: there is room.
    let _ = write!(rest, "W/\"{version}\"");
    let left = rest.len();
    let written = text.get(..text.len() - left).unwrap_or_default();
    HeaderValue::from_bytes(written).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// A moment as HTTP writes it.
#[must_use]
pub fn http_date(micros: i64) -> Option<HeaderValue> {
    let moment = Timestamp::from_microsecond(micros).ok()?;
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok()?;
    HeaderValue::from_str(&text).ok()
}

/// The text of a header, trimmed.
///
/// # Errors
/// When it is not text, or there twice with different values: one of both would be left unheeded. The
/// same value twice leaves no doubt (the client of HAPI FHIR sends `If-Match` so).
pub fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, AppError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    let text = first.map(|value| value.to_str().map(str::trim).map_err(|_| unreadable(name))).transpose()?;
    if values.any(|value| Some(value) != first) {
        return Err(AppError::not_understood(
            IssueKind::Value,
            format!("http.{name}"),
            text!(
                en: "The header “{name}” is there more than once: send the one that counts.",
                fr: "L'en-tête « {name} » figure plusieurs fois : n'envoyez que celui qui compte.",
            ),
        ));
    }
    Ok(text)
}

/// The texts of a header that is a list, from every line that bears it.
fn texts_of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, AppError> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().map(str::trim).map_err(|_| unreadable(name)));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(",")))
}

/// The version that `If-Match` asks for.
///
/// # Errors
/// When it is not one entity tag with a number.
pub fn if_match(headers: &HeaderMap) -> Result<Option<u32>, AppError> {
    match text_of(headers, &header::IF_MATCH)? {
        None => Ok(None),
        Some(tag) => version_of(tag).map(Some).ok_or_else(|| unreadable(&header::IF_MATCH)),
    }
}

/// What `If-None-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// Only when nothing is there (`*`).
    Anything,
    /// Only when it is none of these versions. Tags that are not ours match nothing.
    Versions(Vec<u32>),
}

/// Reads `If-None-Match`.
///
/// # Errors
/// When it is not text.
pub fn if_none_match(headers: &HeaderMap) -> Result<Option<IfNoneMatch>, AppError> {
    Ok(texts_of(headers, &header::IF_NONE_MATCH)?.map(|tags| match tags.as_str() {
        "*" => IfNoneMatch::Anything,
        tags => IfNoneMatch::Versions(tags.split(',').filter_map(|tag| version_of(tag.trim())).collect()),
    }))
}

/// Whether what a read would answer is known to the caller already, by tag or, without one, by
/// date: then 304 is the answer.
///
/// # Errors
/// When a header is not text. A date that cannot be read is left aside, as HTTP demands.
pub fn is_known(headers: &HeaderMap, version: u32, updated: i64) -> Result<bool, AppError> {
    match if_none_match(headers)? {
        Some(IfNoneMatch::Anything) => return Ok(true),
        Some(IfNoneMatch::Versions(known)) => return Ok(known.contains(&version)),
        None => {}
    }
    let since = text_of(headers, &header::IF_MODIFIED_SINCE)?
        .and_then(|text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    // HTTP dates have no fractions: a resource of 10.4 s is not newer than "10 s".
    Ok(since.is_some_and(|since| updated.div_euclid(1_000_000) <= since.as_second()))
}

/// Whether `If-None-Match` names a tag that is no version's.
///
/// # Errors
/// When the header is not text.
pub fn is_named(headers: &HeaderMap, etag: &HeaderValue) -> Result<bool, AppError> {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let ours = etag.to_str().map(opaque).ok();
    let named = text_of(headers, &header::IF_NONE_MATCH)?;
    Ok(named.is_some_and(|tags| tags == "*" || tags.split(',').any(|tag| Some(opaque(tag)) == ours)))
}

fn version_of(tag: &str) -> Option<u32> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let tag = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(tag);
    tag.parse().ok()
}

fn unreadable(name: &HeaderName) -> AppError {
    AppError::not_understood(
        IssueKind::Value,
        format!("http.{name}"),
        text!(
            en: "The header “{name}” cannot be read: it has the form of an ETag of this server, W/\"3\".",
            fr: "L'en-tête « {name} » est illisible : il a la forme d'un ETag de ce serveur, W/\"3\".",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn tags_are_read_weak_strong_or_bare() {
        for tag in ["W/\"3\"", "\"3\"", "3"] {
            assert_eq!(if_match(&headers(header::IF_MATCH, tag)).unwrap(), Some(3), "{tag}");
        }
        assert!(if_match(&headers(header::IF_MATCH, "W/\"x\"")).is_err());
    }

    #[test]
    fn the_greatest_version_has_its_tag() {
        assert_eq!(etag(u32::MAX), "W/\"4294967295\"");
        assert_eq!(etag(1), "W/\"1\"");
    }

    #[test]
    fn what_is_known_by_tag_or_date_is_not_sent_again() {
        let moment = 1_700_000_000_400_000;
        assert!(is_known(&headers(header::IF_NONE_MATCH, "W/\"1\", W/\"2\""), 2, moment).unwrap());
        assert!(!is_known(&headers(header::IF_NONE_MATCH, "W/\"1\""), 2, moment).unwrap());
        assert!(is_known(&headers(header::IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:20 GMT"), 2, moment).unwrap());
        assert!(!is_known(&headers(header::IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:19 GMT"), 2, moment).unwrap());
        assert!(!is_known(&headers(header::IF_MODIFIED_SINCE, "yesterday"), 2, moment).unwrap());
    }

    #[test]
    fn a_header_that_is_there_twice_is_refused_unless_it_is_a_list() {
        let mut twice = headers(header::IF_MATCH, "W/\"1\"");
        twice.append(header::IF_MATCH, HeaderValue::from_static("W/\"2\""));
        assert!(if_match(&twice).is_err());
        let mut said_again = headers(header::IF_MATCH, "W/\"1\"");
        said_again.append(header::IF_MATCH, HeaderValue::from_static("W/\"1\""));
        assert_eq!(if_match(&said_again).unwrap(), Some(1));
        let mut twice = headers(header::IF_NONE_MATCH, "W/\"1\"");
        twice.append(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"2\""));
        assert_eq!(if_none_match(&twice).unwrap(), Some(IfNoneMatch::Versions(vec![1, 2])));
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(1_700_000_000_400_000).unwrap(), "Tue, 14 Nov 2023 22:13:20 GMT");
    }
}
