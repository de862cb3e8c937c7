//! Addresses that lead nowhere, and methods that they do not take.

use axum::http::{Method, StatusCode, Uri};
use liaison_app::name;
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};

use crate::{
    errors::Refused,
    exchange::{Answer, Exchange},
};

/// 404: no interaction has this address.
pub async fn unknown(exchange: Exchange, uri: Uri) -> Answer {
    let path: String = uri.path().chars().take(200).collect();
    let base = exchange.base.path;
    let mut segments = exchange.base.below(uri.path()).split('/').filter(|segment| !segment.is_empty());
    let (first, last) = (segments.next().unwrap_or_default(), segments.next_back());
    if let Some(operation) = last.filter(|last| last.starts_with('$')) {
        return Err(name::unknown_operation(operation, Some(first)).into());
    }
    let issue = Issue::error(
        IssueKind::NotFound,
        "http",
        text!(
            en: "There is nothing at {path}; what there is, is told at {base}/metadata.",
            fr: "Il n'y a rien à {path} ; ce qu'il y a est décrit à {base}/metadata.",
        ),
    );
    Err(Refused::new(StatusCode::NOT_FOUND, issue))
}

/// 405: the address takes other methods, which the router names in `Allow`.
pub async fn method(method: Method) -> Answer {
    let issue = Issue::error(
        IssueKind::NotSupported,
        "http",
        text!(
            en: "This address does not take {method}; the header Allow says what it takes.",
            fr: "Cette adresse ne prend pas {method} ; l'en-tête Allow dit ce qu'elle prend.",
        ),
    );
    Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, issue))
}
