//! Operations: `$validate` and those of the terminology service.

use axum::http::{Method, Uri};
use liaison_app::{
    error::AppError,
    name::{self, Name},
    operation::{emergency::EmergencyAccess, terminology::Terminology, validate::Validate},
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    terminology::{self, inputs::Inputs},
    text,
};

use crate::{
    body::{self, Content},
    errors::Refused,
    exchange::{Answer, Exchange, Named, Typed},
    fallback, respond,
};

/// `$validate` on a type.
pub async fn validate(exchange: Exchange, Typed(resource_type): Typed, content: Content) -> Answer {
    look_at(exchange, resource_type, None, content).await
}

/// `$validate` on a resource.
pub async fn validate_instance(
    exchange: Exchange,
    Typed(resource_type): Typed,
    Named(name): Named,
    content: Content,
) -> Answer {
    look_at(exchange, resource_type, Some(name), content).await
}

async fn look_at(exchange: Exchange, resource_type: &'static str, instance: Option<Name>, content: Content) -> Answer {
    exchange.only(&["mode", "profile"])?;
    let last = |name: &str| exchange.query.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let operation = Validate {
        face: exchange.face.clone(),
        resource_type,
        instance,
        body: if content.0.is_empty() { None } else { Some(body::resource(&content, &exchange)?) },
        mode: last("mode"),
        profile: last("profile"),
    };
    let issues = exchange.execute(operation).await?;
    let outcome = respond::outcome(&issues, exchange.reply.language, exchange.face.release);
    Ok(respond::resource(&outcome, &exchange.reply, exchange.face.release))
}

/// `$emergency-access` on persons.
pub async fn emergency_access(exchange: Exchange, content: Content) -> Answer {
    exchange.only(&[])?;
    let parameters = body::resource(&content, &exchange)?;
    let issues = liaison_fhir::validate::validate(&parameters, exchange.face.release);
    if parameters.resource_type() != Some("Parameters") || liaison_fhir::outcome::refused(&issues) {
        return Err(AppError::invalid(if issues.is_empty() { vec![no_parameters()] } else { issues }).into());
    }
    let written = exchange.execute(EmergencyAccess { face: exchange.face.clone(), parameters }).await?;
    respond::written(&written, &exchange)
}

fn no_parameters() -> Issue {
    Issue::error(
        IssueKind::Structure,
        "http",
        text!(
            en: "This operation takes Parameters.",
            fr: "Cette opération attend une ressource Parameters.",
        ),
    )
}

/// An operation of the terminology service, on its type.
pub async fn terminology(exchange: Exchange, method: Method, uri: Uri, content: Content) -> Answer {
    ask(exchange, &method, &uri, None, &content).await
}

/// As [`terminology`], on a resource.
pub async fn terminology_instance(
    exchange: Exchange,
    Named(name): Named,
    method: Method,
    uri: Uri,
    content: Content,
) -> Answer {
    ask(exchange, &method, &uri, Some(name), &content).await
}

async fn ask(exchange: Exchange, method: &Method, uri: &Uri, instance: Option<Name>, content: &Content) -> Answer {
    // The routes are those of the operations there are: each names its type first, itself last.
    let mut segments = exchange.base.below(uri.path()).split('/').filter(|segment| !segment.is_empty());
    let (kind, last) = (segments.next().unwrap_or_default(), segments.next_back().unwrap_or_default());
    let Some(operation) = terminology::Operation::named(kind, last.trim_start_matches('$')) else {
        return Err(name::unknown_operation(last, Some(kind)).into());
    };
    let inputs = if method == Method::POST && !content.0.is_empty() {
        let parameters = body::resource(content, &exchange)?;
        // Answers repeat parts of it: a definition that comes along must be one.
        let issues = liaison_fhir::validate::validate(&parameters, exchange.face.release);
        if liaison_fhir::outcome::refused(&issues) {
            return Err(AppError::invalid(issues).into());
        }
        Inputs::from_parameters(&parameters).map_err(AppError::unreadable)?
    } else {
        Inputs::from_query(&exchange.query)
    };
    let answer =
        exchange.execute(Terminology { operation, instance, inputs, language: exchange.reply.language }).await?;
    Ok(respond::resource(&answer, &exchange.reply, exchange.face.release))
}

/// A method that the address of a resource does not take. `POST`: an operation that does not exist, or a mistake.
pub async fn none(method: Method, exchange: Result<Exchange, Refused>, uri: Uri) -> Answer {
    if method != Method::POST {
        return fallback::method(method).await;
    }
    let exchange = exchange?;
    exchange.only(&[])?;
    let mut segments = exchange.base.below(uri.path()).split('/').filter(|segment| !segment.is_empty());
    let (kind, last) = (segments.next().unwrap_or_default(), segments.next_back().unwrap_or_default());
    if last.starts_with('$') {
        return Err(name::unknown_operation(last, Some(kind)).into());
    }
    let issue = Issue::error(
        IssueKind::NotSupported,
        "http",
        text!(
            en: "Nothing is posted to the address of a resource: post to {kind} to create, put here to update.",
            fr: "On ne poste pas à l'adresse d'une ressource : postez à {kind} pour créer, mettez à jour ici par PUT.",
        ),
    );
    Err(Refused::method("GET, HEAD, PUT, PATCH, DELETE", issue))
}
