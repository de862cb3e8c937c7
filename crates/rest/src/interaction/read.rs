//! `read` and `vread`: <https://hl7.org/fhir/R4/http.html#read>.

use liaison_app::operation::{read::Read, vread::Vread};

use crate::{
    exchange::{Answer, Exchange, Named, Versioned},
    preconditions::is_known,
    respond,
    shown::Shown,
};

/// The current version of a resource.
pub async fn read(exchange: Exchange, Named(name): Named) -> Answer {
    let shown = Shown::asked(&exchange, &name.resource_type)?;
    let stored = exchange.execute(Read { name }).await?;
    if is_known(&exchange.headers, stored.version(), stored.updated())? {
        return Ok(respond::not_modified(&stored));
    }
    respond::shown(&stored, &shown, &exchange)
}

/// One version of a resource.
pub async fn vread(exchange: Exchange, Versioned(name, version): Versioned) -> Answer {
    exchange.only(&[])?;
    let stored = exchange.execute(Vread { name, version }).await?;
    if is_known(&exchange.headers, stored.version(), stored.updated())? {
        return Ok(respond::not_modified(&stored));
    }
    respond::stored(&stored, &exchange)
}
