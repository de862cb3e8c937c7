//! Answers: resources in the form asked for, with the headers that name their version.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use liaison_app::{
    stored::Stored,
    written::{Effect, Written},
};
use liaison_fhir::{
    json,
    outcome::{Issue, Language, operation_outcome},
    release::Release,
    tree::{Object, Value},
    xml,
};

use crate::{
    errors::Refused,
    exchange::{Answer, Exchange},
    negotiate::{Format, Layout, Reply},
    preconditions::{etag, http_date},
    preferences::Answered,
    shown::Shown,
};

/// A resource that was made here, such as an `OperationOutcome`.
#[must_use]
pub fn resource(tree: &Object, reply: &Reply, release: &'static Release) -> Response {
    match written_out(tree, reply, release) {
        Ok(bytes) => content(bytes, reply),
        Err(refused) => refused.into_response(),
    }
}

/// The bytes of a resource in the form asked for.
///
/// # Errors
/// When it has no such form: a defect.
pub fn written_out(tree: &Object, reply: &Reply, release: &'static Release) -> Result<Bytes, Refused> {
    let written = match (reply.format, reply.layout) {
        (Format::Json, Layout::Compact) => Ok(json::write(tree)),
        (Format::Json, Layout::Pretty) => Ok(json::write_pretty(tree)),
        (Format::Xml, Layout::Compact) => xml::write(tree, release),
        (Format::Xml, Layout::Pretty) => xml::write_pretty(tree, release),
    };
    written.map(Bytes::from).map_err(|issue| Refused::defect_of(format!("{} cannot be written as XML", issue.place)))
}

/// The findings as an `OperationOutcome` of the release: kinds that it has no code for are told by
/// the code above them.
#[must_use]
pub fn outcome(issues: &[Issue], language: Language, release: &'static Release) -> Object {
    let mut outcome = operation_outcome(issues, language);
    let Some(codes) = release.code_list("http://hl7.org/fhir/ValueSet/issue-type") else { return outcome };
    for issue in outcome.get_mut("issue").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(issue) = issue.as_object_mut() else { continue };
        let above = match issue.str("code") {
            Some(code) if codes.get(code).is_none() => {
                if code == "deleted" {
                    "not-found"
                } else {
                    "processing"
                }
            }
            _ => continue,
        };
        issue.set("code", above);
    }
    outcome
}

/// A resource whose compact JSON is at hand: sent as it is where that is what was asked for.
///
/// # Errors
/// When the bytes are not JSON: a defect.
pub fn bytes(body: Bytes, reply: &Reply, release: &'static Release) -> Answer {
    if reply.format == Format::Json && reply.layout == Layout::Compact {
        return Ok(content(body, reply));
    }
    let limits = json::Limits { depth: json::Limits::DEEPEST, bytes: usize::MAX, nodes: usize::MAX };
    let tree = json::read(&body, &limits).map_err(|_| Refused::defect())?;
    Ok(resource(&tree, reply, release))
}

/// Bytes that are in the form asked for.
#[must_use]
pub fn content(body: Bytes, reply: &Reply) -> Response {
    let mut response = Response::new(Body::from(body));
    // Room for all that every answer carries.
    *response.headers_mut() = HeaderMap::with_capacity(12);
    response.headers_mut().insert(header::CONTENT_TYPE, reply.content_type());
    response
}

/// A stored version, with the headers that name it.
///
/// # Errors
/// When it cannot be read: a defect.
pub fn stored(stored: &Stored, exchange: &Exchange) -> Answer {
    let json = stored.json(&exchange.face)?;
    let mut response = bytes(json, &exchange.reply, exchange.face.release)?;
    stamp(response.headers_mut(), stored);
    Ok(response)
}

/// A stored version, or the part of it that was asked for.
///
/// # Errors
/// When it cannot be read: a defect.
pub fn shown(stored: &Stored, shown: &Shown, exchange: &Exchange) -> Answer {
    let json = shown.body(stored, &exchange.face)?;
    let mut response = bytes(json, &exchange.reply, exchange.face.release)?;
    stamp(response.headers_mut(), stored);
    Ok(response)
}

/// The answer to a write: its status, where the resource is, and what was asked for as body.
///
/// # Errors
/// When the resource cannot be read back: a defect.
pub fn written(written: &Written, exchange: &Exchange) -> Answer {
    let mut response = match exchange.preferences.answer.unwrap_or(Answered::Representation) {
        Answered::Minimal => Response::new(Body::empty()),
        Answered::Representation => stored(&written.resource, exchange)?,
        Answered::OperationOutcome => {
            let outcome = outcome(&written.issues, exchange.reply.language, exchange.face.release);
            resource(&outcome, &exchange.reply, exchange.face.release)
        }
    };
    *response.status_mut() = match written.effect {
        Effect::Created => StatusCode::CREATED,
        Effect::Updated | Effect::Found => StatusCode::OK,
    };
    let name = written.resource.name();
    let address = exchange.face.url(&name.resource_type, &name.id);
    let versioned = format!("{address}/_history/{}", written.resource.version());
    let place = if written.effect == Effect::Created { header::LOCATION } else { header::CONTENT_LOCATION };
    put(response.headers_mut(), place, &versioned);
    if written.effect == Effect::Found {
        put(response.headers_mut(), header::LOCATION, &address);
    }
    stamp(response.headers_mut(), &written.resource);
    Ok(response)
}

/// 304: the caller has it already.
#[must_use]
pub fn not_modified(stored: &Stored) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    stamp(response.headers_mut(), stored);
    response
}

/// The headers that name a version.
pub fn stamp(headers: &mut HeaderMap, stored: &Stored) {
    headers.insert(header::ETAG, etag(stored.version()));
    if let Some(date) = http_date(stored.updated()) {
        headers.insert(header::LAST_MODIFIED, date);
    }
}

/// A header whose value was made here.
pub fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
