//! `create`: <https://hl7.org/fhir/R4/http.html#create>.

use liaison_app::{
    content,
    operation::{create::Create, note_bundle::NoteBundle},
};

use crate::{
    body::{self, Content},
    exchange::{Answer, Exchange, Typed},
    interaction::batch,
    preconditions::{IDEMPOTENCY_KEY, IF_NONE_EXIST},
    respond,
};

/// Creates a resource under an id of the server's.
pub async fn create(exchange: Exchange, Typed(resource_type): Typed, content: Content) -> Answer {
    exchange.only(&[])?;
    let operation = Create {
        face: exchange.face.clone(),
        resource_type,
        content: content::Content::Resource(body::resource(&content, &exchange)?),
        if_none_exist: exchange.header(&IF_NONE_EXIST)?,
        idempotency_key: exchange.header(&IDEMPOTENCY_KEY)?,
    };
    let written = exchange.execute(operation).await?;
    respond::written(&written, &exchange)
}

/// Takes a bundle at the address of bundles, where the volets send those that bring notes.
pub async fn bundle(exchange: Exchange, content: Content) -> Answer {
    exchange.only(&[])?;
    let operation = NoteBundle {
        face: exchange.face.clone(),
        bundle: body::bundle(&content, &exchange)?,
        if_none_exist: exchange.header(&IF_NONE_EXIST)?,
        idempotency_key: exchange.header(&IDEMPOTENCY_KEY)?,
    };
    batch::taken(&exchange.execute(operation).await?, &exchange)
}
