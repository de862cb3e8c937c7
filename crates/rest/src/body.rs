//! Request bodies: bytes within the limit, then trees.

use std::error::Error;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use liaison_app::error::{AppError, Refusal};
use liaison_fhir::{
    json,
    outcome::{Issue, IssueKind},
    release::Release,
    text,
    tree::{Object, Value},
    xml,
};
use liaison_inbound::TooSlow;

use crate::{
    errors::Refused,
    exchange::{Base, Exchange},
    negotiate::{self, Format, MediaRange},
};

/// The bytes of a body, whole.
#[derive(Clone, Debug)]
pub struct Content(pub Bytes);

impl FromRequest<Base> for Content {
    type Rejection = Refused;

    async fn from_request(request: Request, base: &Base) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        read_whole(&parts.headers, body, base.options.body_limit).await.map(Self)
    }
}

/// Reads a body within a limit, which holds after decompression.
async fn read_whole(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refused> {
    let announced: Option<usize> =
        headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()).and_then(|l| l.parse().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    to_bytes(body, limit).await.map_err(|error| {
        if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) {
            too_large(limit)
        } else if is_too_slow(&error) {
            too_slow()
        } else {
            cut_short()
        }
    })
}

/// Whether an error, or what caused it, is that the body does not arrive.
fn is_too_slow(error: &(dyn Error + 'static)) -> bool {
    error.is::<TooSlow>() || error.source().is_some_and(is_too_slow)
}

fn too_slow() -> Refused {
    let text = text!(
        en: "Too little of the body came in too long a time: nothing was done. Send it again.",
        fr: "Trop peu du corps est arrivé en trop de temps : rien n'a été fait. Envoyez-le à nouveau.",
    );
    Refused::new(StatusCode::REQUEST_TIMEOUT, Issue::error(IssueKind::Timeout, "http", text))
}

fn too_large(limit: usize) -> Refused {
    let text = text!(
        en: "The body is larger than the {limit} bytes that are taken here.",
        fr: "Le corps dépasse les {limit} octets acceptés ici.",
    );
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, Issue::error(IssueKind::TooLong, "http", text))
}

fn cut_short() -> Refused {
    let text = text!(
        en: "The body ended before its announced end, or its compression is broken.",
        fr: "Le corps s'est arrêté avant la fin annoncée, ou sa compression est défectueuse.",
    );
    Refused::new(StatusCode::BAD_REQUEST, Issue::error(IssueKind::Invalid, "http", text))
}

/// The resource in a body.
///
/// # Errors
/// 415 for a form not spoken, 400 for what cannot be read.
pub fn resource(content: &Content, exchange: &Exchange) -> Result<Object, Refused> {
    let release = exchange.face.release;
    let format = negotiate::body_format(&exchange.headers, release)?;
    read(&content.0, format, release, exchange.base.options.body_limit).map_err(Refused::from)
}

fn read(bytes: &[u8], format: Format, release: &'static Release, limit: usize) -> Result<Object, AppError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(AppError::not_understood(
            IssueKind::Required,
            "http",
            text!(en: "The body is empty: a resource was expected.", fr: "Le corps est vide : une ressource était attendue."),
        ));
    }
    let limits = json::Limits { bytes: limit, ..json::Limits::default() };
    match format {
        Format::Json => json::read(bytes, &limits),
        Format::Xml => xml::read(bytes, release, &limits),
    }
    .map_err(AppError::unreadable)
}

/// The bundle in a body.
///
/// # Errors
/// As [`resource`]; 400 when it is something else than a bundle.
pub fn bundle(content: &Content, exchange: &Exchange) -> Result<Object, Refused> {
    let tree = resource(content, exchange)?;
    match tree.resource_type().map(str::trim) {
        Some("Bundle") => Ok(tree),
        other => {
            let other: String = other.unwrap_or_default().chars().take(64).collect();
            Err(AppError::not_understood(
                IssueKind::Invalid,
                "resourceType",
                text!(
                    en: "A Bundle was expected here, not “{other}”.",
                    fr: "Un Bundle était attendu ici, pas « {other} ».",
                ),
            )
            .into())
        }
    }
}

/// The JSON Patch in a body.
///
/// # Errors
/// 415 for anything but JSON Patch, 400 for what cannot be read.
pub fn patch(content: &Content, exchange: &Exchange) -> Result<Value, Refused> {
    let declared = negotiate::declared(&exchange.headers);
    let is_patch = |range: MediaRange| range.name == "application/json-patch+json";
    if !declared.and_then(MediaRange::read).is_some_and(is_patch) {
        let text = match declared {
            Some(declared) => text!(
                en: "A patch is a JSON Patch, sent as application/json-patch+json, not “{declared}”.",
                fr: "Un patch est un JSON Patch, envoyé en application/json-patch+json, et non « {declared} ».",
            ),
            None => text!(
                en: "The request does not say what its body is: a patch is a JSON Patch, sent with Content-Type application/json-patch+json.",
                fr: "La requête ne dit pas ce qu'est son corps : un patch est un JSON Patch, envoyé avec le Content-Type application/json-patch+json.",
            ),
        };
        return Err(AppError::new(
            Refusal::Unsupported,
            Issue::error(IssueKind::NotSupported, "http.Content-Type", text),
        )
        .into());
    }
    let limits = json::Limits { bytes: exchange.base.options.body_limit, ..json::Limits::default() };
    Ok(json::read_value(&content.0, &limits).map_err(AppError::unreadable)?)
}
