//! In which form one speaks: media types, `_format`, `_pretty`, `fhirVersion`, language.
//!
//! <https://hl7.org/fhir/R4/http.html#mime-type>

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use liaison_app::error::{AppError, Refusal};
use liaison_fhir::{
    outcome::{Issue, IssueKind, Language},
    release::Release,
    text,
};

use crate::errors::Refused;

/// The two forms of FHIR on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Json,
    Xml,
}

/// How answers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// Without blanks: as stored.
    #[default]
    Compact,
    /// For people to read (`_pretty=true`).
    Pretty,
}

/// The form of the answer that the caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// JSON or XML.
    pub format: Format,
    /// The media type as the caller named it, which is how the answer names it too.
    pub media_type: &'static str,
    /// Compact or pretty.
    pub layout: Layout,
    /// The language of sentences.
    pub language: Language,
}

impl Reply {
    /// The form used when the caller's wishes could not be read.
    #[must_use]
    pub const fn plain(language: Language) -> Self {
        Self { format: Format::Json, media_type: FHIR_JSON, layout: Layout::Compact, language }
    }

    /// The `Content-Type` of the answer.
    #[must_use]
    pub fn content_type(&self) -> HeaderValue {
        let at = SPOKEN.iter().position(|(name, _)| *name == self.media_type).unwrap_or_default();
        CONTENT_TYPES.get(at).cloned().unwrap_or(HeaderValue::from_static(FHIR_JSON))
    }
}

/// The media type of FHIR in JSON.
pub const FHIR_JSON: &str = "application/fhir+json";
/// The media type of FHIR in XML.
pub const FHIR_XML: &str = "application/fhir+xml";

/// Everything that is spoken, best first.
const SPOKEN: [(&str, Format); 8] = [
    (FHIR_JSON, Format::Json),
    (FHIR_XML, Format::Xml),
    ("application/json", Format::Json),
    ("application/xml", Format::Xml),
    ("text/json", Format::Json),
    ("text/xml", Format::Xml),
    ("application/json+fhir", Format::Json),
    ("application/xml+fhir", Format::Xml),
];

/// How answers name what is [spoken](SPOKEN), in its order.
static CONTENT_TYPES: [HeaderValue; 8] = [
    HeaderValue::from_static("application/fhir+json; charset=utf-8"),
    HeaderValue::from_static("application/fhir+xml; charset=utf-8"),
    HeaderValue::from_static("application/json; charset=utf-8"),
    HeaderValue::from_static("application/xml; charset=utf-8"),
    HeaderValue::from_static("text/json; charset=utf-8"),
    HeaderValue::from_static("text/xml; charset=utf-8"),
    HeaderValue::from_static("application/json+fhir; charset=utf-8"),
    HeaderValue::from_static("application/xml+fhir; charset=utf-8"),
];

/// A media type or range of a header, with the parameters that matter.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaRange {
    /// `type/subtype`, lower case; `*` for any.
    pub name: String,
    /// `q`, in thousandths.
    pub weight: u16,
    /// `fhirVersion`, when given.
    pub fhir_version: Option<String>,
    /// `charset`, when given, lower case.
    pub charset: Option<String>,
}

impl MediaRange {
    /// Reads one media type with its parameters.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        // A bare `+` of a query string has become a blank by now: `application/fhir json`.
        let name = name.replace(' ', "+");
        let (kind, subtype) = name.split_once('/')?;
        let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b',');
        if !token(kind) || !token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut range = Self { name, weight: 1000, fhir_version: None, charset: None };
        for parameter in parts {
            let Some((key, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => range.weight = weight(value)?,
                "fhirversion" => range.fhir_version = Some(value.to_owned()),
                "charset" => range.charset = Some(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        Some(range)
    }

    fn speaks(&self, release: &Release) -> bool {
        self.fhir_version.as_deref().is_none_or(|v| v == release.id.short() || v == release.id.version())
    }

    /// How closely this range names the type: nothing when it does not.
    fn closeness(&self, media_type: &str) -> Option<u8> {
        if self.name == media_type {
            return Some(2);
        }
        let (kind, subtype) = self.name.split_once('/')?;
        match (kind, subtype) {
            ("*", "*") => Some(0),
            (kind, "*") if media_type.split('/').next() == Some(kind) => Some(1),
            _ => None,
        }
    }
}

fn weight(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// All the ranges of the `Accept` headers; what cannot be read is left out.
#[must_use]
pub fn accepted(headers: &HeaderMap) -> Vec<MediaRange> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|range| !range.trim().is_empty())
        .filter_map(|range| MediaRange::read(range.trim()))
        .collect()
}

/// The best of some types for a list of ranges: the greatest weight, then the one named first, then
/// the first of the types.
#[must_use]
pub fn best<'t>(ranges: &[MediaRange], types: &[&'t str], release: &Release) -> Option<&'t str> {
    let mut best: Option<(u16, usize, &'t str)> = None;
    for media_type in types {
        let closest = ranges
            .iter()
            .enumerate()
            .filter(|(_, range)| range.speaks(release))
            .filter_map(|(at, range)| range.closeness(media_type).map(|c| (c, at, range.weight)))
            .max_by_key(|(closeness, at, _)| (*closeness, usize::MAX - at));
        let Some((_, at, weight)) = closest else { continue };
        if weight > 0 && best.is_none_or(|(w, a, _)| weight > w || (weight == w && at < a)) {
            best = Some((weight, at, media_type));
        }
    }
    best.map(|(_, _, media_type)| media_type)
}

/// Whether gzip is taken as readily as anything, in the words of nearly all who take it. Whoever weighs
/// encodings against each other is left to what compresses all other answers.
#[must_use]
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    encodings.flat_map(|value| value.split(',')).any(|encoding| encoding.trim().eq_ignore_ascii_case("gzip"))
}

/// The form asked for by `_format`, `_pretty`, `Accept` and `Accept-Language`.
///
/// # Errors
/// 406 when none of the forms asked for is spoken here; 400 for a `_pretty` that is no truth value.
pub fn reply(query: &[(String, String)], headers: &HeaderMap, release: &Release) -> Result<Reply, Refused> {
    let language = language(headers);
    let of = |name: &str| query.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let layout = match of("_pretty") {
        None | Some("false") => Layout::Compact,
        Some("true" | "") => Layout::Pretty,
        Some(other) => {
            return Err(AppError::not_understood(
                IssueKind::Value,
                "http._pretty",
                text!(
                    en: "_pretty is “true” or “false”, not “{other}”.",
                    fr: "_pretty vaut « true » ou « false », pas « {other} ».",
                ),
            )
            .into());
        }
    };
    let media_type = match of("_format") {
        Some(format) => by_format(format, release).ok_or_else(|| not_acceptable("http._format", format, release))?,
        None if !headers.contains_key(header::ACCEPT) => FHIR_JSON,
        None => {
            if let Some(named) = named(headers) {
                return Ok(Reply {
                    format: format_of(named).unwrap_or(Format::Json),
                    media_type: named,
                    layout,
                    language,
                });
            }
            let ranges = accepted(headers);
            let types = SPOKEN.map(|(name, _)| name);
            best(&ranges, &types, release).ok_or_else(|| {
                let asked = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
                not_acceptable("http.Accept", asked, release)
            })?
        }
    };
    let format = format_of(media_type).unwrap_or(Format::Json);
    Ok(Reply { format, media_type, layout, language })
}

/// The type of an `Accept` that names one as we do, and nothing else: what most programs send.
fn named(headers: &HeaderMap) -> Option<&'static str> {
    let mut accepts = headers.get_all(header::ACCEPT).iter();
    let (accept, None) = (accepts.next()?, accepts.next()) else { return None };
    SPOKEN.into_iter().map(|(name, _)| name).find(|name| *name == accept)
}

fn by_format(text: &str, release: &Release) -> Option<&'static str> {
    match text {
        "json" => return Some(FHIR_JSON),
        "xml" => return Some(FHIR_XML),
        _ => {}
    }
    let range = MediaRange::read(text)?;
    let (name, _) = SPOKEN.into_iter().find(|(name, _)| *name == range.name)?;
    range.speaks(release).then_some(name)
}

/// The form that a media type names, when it is one of FHIR's.
#[must_use]
pub fn format_of(media_type: &str) -> Option<Format> {
    SPOKEN.into_iter().find(|(name, _)| *name == media_type).map(|(_, format)| format)
}

/// Whether a media type names FHIR and nothing else.
#[must_use]
pub fn is_only_fhir(media_type: &str) -> bool {
    media_type.contains("fhir") && format_of(media_type).is_some()
}

/// The `Content-Type` of a request, when it says one.
#[must_use]
pub fn declared(headers: &HeaderMap) -> Option<&str> {
    let declared = headers.get(header::CONTENT_TYPE)?;
    // What is not text is told as what it is not.
    Some(declared.to_str().unwrap_or("?").trim()).filter(|declared| !declared.is_empty())
}

/// The form of a request's body, by its `Content-Type`.
///
/// # Errors
/// 415 when it is missing or not spoken here.
pub fn body_format(headers: &HeaderMap, release: &Release) -> Result<Format, AppError> {
    let declared = declared(headers);
    let range = MediaRange::read(declared.unwrap_or_default());
    let format = range.as_ref().and_then(|range| {
        let utf8 = range.charset.as_deref().is_none_or(|c| c == "utf-8" || c == "utf8");
        format_of(&range.name).filter(|_| utf8 && range.speaks(release))
    });
    format.ok_or_else(|| {
        let version = release.id.short();
        let text = match declared {
            Some(declared) => text!(
                en: "Content-Type “{declared}” is not taken here: send application/fhir+json or application/fhir+xml, in UTF-8, fhirVersion {version}.",
                fr: "Le Content-Type « {declared} » n'est pas accepté ici : envoyez application/fhir+json ou application/fhir+xml, en UTF-8, fhirVersion {version}.",
            ),
            None => text!(
                en: "The request does not say what its body is: send it with Content-Type application/fhir+json or application/fhir+xml.",
                fr: "La requête ne dit pas ce qu'est son corps : envoyez-le avec le Content-Type application/fhir+json ou application/fhir+xml.",
            ),
        };
        let issue = Issue::error(IssueKind::NotSupported, "http.Content-Type", text);
        AppError::new(Refusal::Unsupported, issue)
    })
}

/// The language that sentences are wanted in: French unless English is preferred.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let mut best: Option<(u16, Language)> = None;
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|v| v.to_str().ok());
    for tag in values.flat_map(|v| v.split(',')) {
        let (tag, q) = match tag.split_once(';') {
            Some((tag, q)) => (tag, weight(q.trim().trim_start_matches("q=")).unwrap_or(0)),
            None => (tag, 1000),
        };
        let language = match tag.trim().split('-').next().map(str::to_ascii_lowercase).as_deref() {
            Some("fr") => Language::French,
            Some("en") => Language::English,
            _ => continue,
        };
        if q > 0 && best.is_none_or(|(w, _)| q > w) {
            best = Some((q, language));
        }
    }
    best.map_or(Language::default(), |(_, language)| language)
}

fn not_acceptable(place: &str, asked: &str, release: &Release) -> Refused {
    let version = release.id.short();
    Refused::new(
        StatusCode::NOT_ACCEPTABLE,
        Issue::error(
            IssueKind::NotSupported,
            place,
            text!(
                en: "“{asked}” cannot be answered here: ask for application/fhir+json or application/fhir+xml, fhirVersion {version}.",
                fr: "« {asked} » ne peut pas être servi ici : demandez application/fhir+json ou application/fhir+xml, fhirVersion {version}.",
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use liaison_fhir::release::{r4, stu3};

    use super::*;

    fn asked(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        reply(&[], &headers, r4()).ok().map(|r| r.media_type)
    }

    #[test]
    fn the_greatest_weight_wins_then_the_first_named() {
        assert_eq!(asked("*/*"), Some(FHIR_JSON));
        assert_eq!(asked("application/fhir+xml;q=0.5, application/fhir+json;q=0.4"), Some(FHIR_XML));
        assert_eq!(asked("application/xml, application/json"), Some("application/xml"));
        assert_eq!(asked("application/fhir+json;q=0, */*"), Some(FHIR_XML));
        assert_eq!(asked("text/*"), Some("text/json"));
        assert_eq!(asked("image/png"), None);
        assert_eq!(asked("image/png, */*;q=0.1"), Some(FHIR_JSON));
    }

    #[test]
    fn every_type_spoken_is_answered_as_it_was_named() {
        for (name, format) in SPOKEN {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(name));
            let reply = reply(&[], &headers, r4()).unwrap();
            assert_eq!(
                (reply.format, reply.content_type()),
                (format, format!("{name}; charset=utf-8").parse().unwrap())
            );
        }
    }

    #[test]
    fn the_release_asked_for_must_be_that_of_the_base() {
        assert_eq!(asked("application/fhir+json; fhirVersion=4.0"), Some(FHIR_JSON));
        assert_eq!(asked("application/fhir+json; fhirVersion=3.0"), None);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; fhirVersion=3.0"));
        assert!(body_format(&headers, stu3()).is_ok());
        assert!(body_format(&headers, r4()).is_err());
    }

    #[test]
    fn format_parameter_wins_over_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
        for (format, expected) in [
            ("xml", Some(FHIR_XML)),
            ("application/fhir+xml", Some(FHIR_XML)),
            ("application/fhir xml", Some(FHIR_XML)),
            ("text/xml", Some("text/xml")),
            ("pdf", None),
        ] {
            let query = vec![("_format".to_owned(), format.to_owned())];
            assert_eq!(reply(&query, &headers, r4()).ok().map(|r| r.media_type), expected, "{format}");
        }
    }

    #[test]
    fn sentences_are_french_unless_english_is_preferred() {
        let language_of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            language(&headers)
        };
        assert_eq!(language(&HeaderMap::new()), Language::French);
        assert_eq!(language_of("en-GB,en;q=0.9"), Language::English);
        assert_eq!(language_of("de, en;q=0.5, fr;q=0.7"), Language::French);
        assert_eq!(language_of("de"), Language::French);
    }
}
