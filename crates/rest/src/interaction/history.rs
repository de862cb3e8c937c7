//! `history`: <https://hl7.org/fhir/R4/http.html#history>.

use jiff::tz::TimeZone;
use liaison_app::{
    error::AppError,
    operation::history::{History, Of},
};
use liaison_fhir::{outcome::IssueKind, primitive, text};

use crate::{
    bundle::{self, CURSOR},
    exchange::{Answer, Exchange, Named, Typed},
};

/// The versions of a resource.
pub async fn of_resource(exchange: Exchange, Named(name): Named) -> Answer {
    let address = format!("{}/{}/_history", name.resource_type, name.id);
    tell(exchange, Of::Resource(name), &address).await
}

/// The versions of all resources of a type.
pub async fn of_type(exchange: Exchange, Typed(resource_type): Typed) -> Answer {
    tell(exchange, Of::Type(resource_type), &format!("{resource_type}/_history")).await
}

/// The versions of everything.
pub async fn system(exchange: Exchange) -> Answer {
    tell(exchange, Of::All, "_history").await
}

async fn tell(exchange: Exchange, of: Of, address: &str) -> Answer {
    exchange.only(&["_since", "_at", "_count", CURSOR])?;
    let settings = exchange.base.app.settings();
    let last = |name: &str| exchange.query.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let operation = History {
        of,
        since: last("_since").map(|text| since(text, &settings.zone)).transpose()?,
        at: last("_at").map(|text| range("_at", text, &settings.zone)).transpose()?,
        count: last("_count").map(count).transpose()?.unwrap_or(DEFAULT_COUNT).min(settings.limits.page),
        cursor: last(CURSOR).map(str::to_owned),
    };
    let told = exchange.execute(operation).await?;
    bundle::history(&told, &format!("{}{address}", exchange.face.base), &exchange.query, &exchange)
}

/// Versions of a page when `_count` does not say.
const DEFAULT_COUNT: u32 = 50;

fn since(text: &str, zone: &TimeZone) -> Result<i64, AppError> {
    range("_since", text, zone).map(|(low, _)| low)
}

fn range(name: &str, text: &str, zone: &TimeZone) -> Result<(i64, i64), AppError> {
    primitive::date_range(text, zone).ok_or_else(|| {
        AppError::not_understood(
            IssueKind::Value,
            format!("http.{name}"),
            text!(
                en: "“{text}” is no date or moment for {name}.",
                fr: "« {text} » n'est pas une date ou un instant pour {name}.",
            ),
        )
    })
}

fn count(text: &str) -> Result<u32, AppError> {
    text.parse().map_err(|_| {
        AppError::not_understood(
            IssueKind::Value,
            "http._count",
            text!(en: "_count is a whole number, not “{text}”.", fr: "_count est un nombre entier, pas « {text} »."),
        )
    })
}
