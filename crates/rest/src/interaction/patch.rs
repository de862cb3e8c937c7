//! `patch`: <https://hl7.org/fhir/R4/http.html#patch>.

use liaison_app::operation::{patch::Patch, update::Target};

use crate::{
    body::{self, Content},
    exchange::{Answer, Exchange, Named, Typed},
    interaction::update::expected,
    respond,
};

/// Changes parts of a resource.
pub async fn patch(exchange: Exchange, Named(name): Named, content: Content) -> Answer {
    exchange.only(&[])?;
    change(exchange, Target::Named(name), content).await
}

/// Changes parts of the resource that matches.
pub async fn conditional(exchange: Exchange, Typed(resource_type): Typed, content: Content) -> Answer {
    let criteria = exchange.query.clone();
    change(exchange, Target::Matching { resource_type, criteria }, content).await
}

async fn change(exchange: Exchange, target: Target, content: Content) -> Answer {
    let operation = Patch {
        face: exchange.face.clone(),
        target,
        patch: body::patch(&content, &exchange)?,
        expected: expected(&exchange)?,
    };
    let written = exchange.execute(operation).await?;
    respond::written(&written, &exchange)
}
