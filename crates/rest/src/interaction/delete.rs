//! `delete`: <https://hl7.org/fhir/R4/http.html#delete>.
//!
//! Answered 200 with an outcome, as the volets say. The body that clients of 2017 announce is not
//! read.

use axum::http::header;
use liaison_app::operation::{delete::Delete, update::Target};
use liaison_fhir::{outcome::Issue, text};

use crate::{
    exchange::{Answer, Exchange, Named, Typed},
    interaction::update::expected,
    preconditions::etag,
    respond,
};

/// Deletes a resource.
pub async fn delete(exchange: Exchange, Named(name): Named) -> Answer {
    exchange.only(&[])?;
    remove(exchange, Target::Named(name)).await
}

/// Deletes the resource that matches.
pub async fn conditional(exchange: Exchange, Typed(resource_type): Typed) -> Answer {
    let criteria = exchange.query.clone();
    remove(exchange, Target::Matching { resource_type, criteria }).await
}

async fn remove(exchange: Exchange, target: Target) -> Answer {
    let operation = Delete { face: exchange.face.clone(), target, expected: expected(&exchange)? };
    let deleted = exchange.execute(operation).await?;
    let (resource_type, id) = (&deleted.name.resource_type, &deleted.name.id);
    let issue =
        Issue::information("", text!(en: "{resource_type}/{id} is deleted.", fr: "{resource_type}/{id} est supprimé."));
    let outcome = respond::outcome(&[issue], exchange.reply.language, exchange.face.release);
    let mut response = respond::resource(&outcome, &exchange.reply, exchange.face.release);
    response.headers_mut().insert(header::ETAG, etag(deleted.version));
    Ok(response)
}
