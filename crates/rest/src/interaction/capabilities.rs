//! `capabilities`: <https://hl7.org/fhir/R4/http.html#capabilities>.

use axum::http::header;
use liaison_app::{
    error::AppError,
    operation::capabilities::{Capabilities, OtherOrigins},
};
use liaison_fhir::{outcome::IssueKind, text};

use crate::{
    exchange::{Answer, Exchange},
    options::Cors,
    respond,
};

/// What this server can do.
pub async fn capabilities(exchange: Exchange) -> Answer {
    exchange.only(&["mode"])?;
    if let Some((_, mode)) =
        exchange.query.iter().find(|(name, mode)| name == "mode" && !matches!(mode.as_str(), "full" | "normative"))
    {
        let mode: String = mode.chars().take(40).collect();
        return Err(AppError::not_understood(
            IssueKind::NotSupported,
            "http.mode",
            text!(
                en: "There is one statement here, for mode=full and mode=normative; not for “{mode}”.",
                fr: "Il n'y a qu'une déclaration ici, pour mode=full et mode=normative ; pas pour « {mode} ».",
            ),
        )
        .into());
    }
    let other_origins = match exchange.base.options.cors {
        Cors::Off => OtherOrigins::Refused,
        Cors::Origins(_) => OtherOrigins::Allowed,
    };
    let statement = exchange.execute(Capabilities { face: exchange.face.clone(), other_origins }).await?;
    let mut response = respond::resource(&statement, &exchange.reply, exchange.face.release);
    respond::put(response.headers_mut(), header::CACHE_CONTROL, "public, max-age=60");
    Ok(response)
}
