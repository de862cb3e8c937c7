//! `update`: <https://hl7.org/fhir/R4/http.html#update>.

use liaison_app::{
    content,
    operation::update::{Expected, Target, Update},
};

use crate::{
    body::{self, Content},
    errors::Refused,
    exchange::{Answer, Exchange, Named, Typed},
    preconditions::{IfNoneMatch, if_match, if_none_match},
    respond,
};

/// Replaces a resource, or creates it under the id of the address.
pub async fn update(exchange: Exchange, Named(name): Named, content: Content) -> Answer {
    exchange.only(&[])?;
    replace(exchange, Target::Named(name), content).await
}

/// Replaces the resource that matches.
pub async fn conditional(exchange: Exchange, Typed(resource_type): Typed, content: Content) -> Answer {
    let criteria = exchange.query.clone();
    replace(exchange, Target::Matching { resource_type, criteria }, content).await
}

async fn replace(exchange: Exchange, target: Target, content: Content) -> Answer {
    let operation = Update {
        face: exchange.face.clone(),
        target,
        content: content::Content::Resource(body::resource(&content, &exchange)?),
        expected: expected(&exchange)?,
    };
    let written = exchange.execute(operation).await?;
    respond::written(&written, &exchange)
}

/// What `If-Match` and `If-None-Match` ask of the version that is changed.
///
/// # Errors
/// When they cannot be read.
pub fn expected(exchange: &Exchange) -> Result<Expected, Refused> {
    Ok(match (if_match(&exchange.headers)?, if_none_match(&exchange.headers)?) {
        (Some(version), _) => Expected::Version(version),
        (None, Some(IfNoneMatch::Anything)) => Expected::Absent,
        (None, _) => Expected::Anything,
    })
}
