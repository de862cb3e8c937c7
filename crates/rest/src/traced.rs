//! The span of a request that leaves the program, where somebody takes it.
//!
//! Spans of the target `traced` leave the program, and no others. They say what was asked for, of which
//! type, and how it ended; never an address, a parameter, an id or a body.

use axum::{
    extract::MatchedPath,
    http::{Method, Uri},
    response::Response,
};
use liaison_app::name;
use tracing::{Span, field::Empty};

use crate::{
    asked_for::{AskedFor, Interaction},
    exchange::Base,
};

/// The span of a request. Without anybody who takes it, nothing is done for it.
#[must_use]
pub fn request(method: &Method, route: Option<&MatchedPath>, uri: &Uri, base: &Base) -> Span {
    let span = tracing::info_span!(
        target: "traced",
        "rest.request",
        otel.kind = "server",
        otel.name = Empty,
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        fhir.release = Empty,
        fhir.interaction = Empty,
        "fhir.type" = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let interaction = AskedFor::of(method, route, uri, base.path).interaction;
    let first = base.below(uri.path()).split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    // A type that is known, and nothing else that somebody may write there.
    let kind = name::resource_type(first, base.release).ok();
    // Which of the two it is, the bundle says, and by then the span has its name.
    let name = if interaction == Interaction::Batch { "bundle" } else { interaction.code() };
    span.record("otel.name", [name].into_iter().chain(kind).collect::<Vec<_>>().join(" "));
    // A method may be any word.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    span.record("http.request.method", if known.contains(method) { method.as_str() } else { "_OTHER" });
    span.record("http.route", route.map(MatchedPath::as_str));
    span.record("fhir.release", base.path.trim_start_matches("/fhir/"));
    span.record("fhir.interaction", interaction.code());
    span.record("fhir.type", kind);
    span
}

/// Says in the span how the request was answered.
pub fn answered(span: &Span, response: &Response) {
    if span.is_disabled() {
        return;
    }
    if let Some(interaction) = response.extensions().get::<Interaction>() {
        span.record("fhir.interaction", interaction.code());
    }
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
