//! `$export`: <https://hl7.org/fhir/uv/bulkdata/export.html>, of the whole system.
//!
//! Asked for, looked at, read and given up at addresses below the base; whichever program is asked
//! answers. A file is made while it is read and never lies whole in memory.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use liaison_app::{
    error::AppError,
    name,
    operation::{
        export::{Reached, Standing},
        export_job::{Begin, Begun, GiveUp, Look, ReadFile},
    },
};
use liaison_fhir::{
    json, object,
    outcome::{Issue, IssueKind},
    release::Release,
    search::parse::Handling,
    text,
    tree::Value,
};

use crate::{
    errors::Refused,
    exchange::{Answer, BinaryExchange, Exchange},
    preconditions::http_date,
};

const NDJSON: &str = "application/fhir+ndjson";
/// The names of the format in which files are written.
const FORMATS: [&str; 3] = [NDJSON, "application/ndjson", "ndjson"];
/// How long whoever asked for too many exports is to wait.
const LATER: u32 = 600;

static PREFER: HeaderName = HeaderName::from_static("prefer");

/// Asks for an export.
pub async fn begin(exchange: Exchange, uri: Uri) -> Answer {
    exchange.only(&["_type", "_since", "_outputFormat"])?;
    if !is_asynchronous(&exchange.headers) {
        return Err(without_preference());
    }
    let given = |name: &str| {
        let values = exchange.query.iter().filter(move |(given, _)| given == name);
        values.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    for format in given("_outputFormat") {
        // A bare `+` of a query string has become a blank by now.
        if !FORMATS.contains(&format.trim().replace(' ', "+").as_str()) {
            return Err(other_format(&format).into());
        }
    }
    let handling = exchange.preferences.handling;
    let types = types(&given("_type"), exchange.face.release, handling)?;
    let since = given("_since").last().map(|text| since(text)).transpose()?;
    let below = exchange.base.below(uri.path()).trim_start_matches('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let request = format!("{}{below}{query}", exchange.face.base);
    match exchange.execute(Begin { types, since, request }).await? {
        Begun::Job(id) => {
            let mut response = StatusCode::ACCEPTED.into_response();
            let place = format!("{}$export-status/{id}", exchange.face.base);
            let place = HeaderValue::from_str(&place).map_err(|error| Refused::defect_of(error.to_string()))?;
            response.headers_mut().insert(header::CONTENT_LOCATION, place);
            Ok(response)
        }
        Begun::TooMany => Err(Refused::too_many(
            Issue::error(
                IssueKind::Throttled,
                "http",
                text!(
                    en: "Too many exports are kept here: delete those that were read, or wait until they expire.",
                    fr: "Trop d'exports sont conservés ici : supprimez ceux qui ont été lus, ou attendez qu'ils expirent.",
                ),
            ),
            LATER,
        )),
    }
}

/// Says what there is to be read. There is no waiting: files are made while they are read.
pub async fn status(BinaryExchange(exchange): BinaryExchange, uri: Uri) -> Answer {
    exchange.only(&[])?;
    let [id, ..] = words(&exchange, &uri);
    let job = exchange.execute(Look { id: id.clone(), face: exchange.face.clone() }).await?;
    let listed = |standing: Standing| -> Vec<Value> {
        let files = job.files.iter().filter(|(_, of)| *of == standing);
        let file = |kind: &str| {
            let (ending, resource_type) = match standing {
                Standing::Live => ("", kind),
                Standing::Deleted => (DELETED, "Bundle"),
            };
            let url = format!("{}$export-file/{id}/{kind}{ending}.ndjson", exchange.face.base);
            object! { "type" => resource_type, "url" => url }.into()
        };
        files.map(|(kind, _)| file(kind)).collect()
    };
    let manifest = object! {
        "transactionTime" => job.at.as_str(),
        "request" => job.request.as_str(),
        "requiresAccessToken" => exchange.base.options.authentication.are_tokens_needed(),
        "output" => listed(Standing::Live),
        "deleted" => listed(Standing::Deleted),
        "error" => Vec::<Value>::new(),
    };
    let mut response = Response::new(Body::from(json::write(&manifest)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(until) = http_date(job.until) {
        headers.insert(header::EXPIRES, until);
    }
    Ok(response)
}

/// Gives an export up.
pub async fn give_up(BinaryExchange(exchange): BinaryExchange, uri: Uri) -> Answer {
    exchange.only(&[])?;
    let [id, ..] = words(&exchange, &uri);
    exchange.execute(GiveUp { id }).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

const DELETED: &str = ".deleted";

/// Reads a file.
pub async fn file(BinaryExchange(exchange): BinaryExchange, uri: Uri) -> Answer {
    exchange.only(&[])?;
    exchange.accepts(NDJSON)?;
    let [id, file] = words(&exchange, &uri);
    let kind = file.strip_suffix(".ndjson").unwrap_or(&file);
    let (kind, standing) = match kind.strip_suffix(DELETED) {
        Some(kind) => (kind, Standing::Deleted),
        None => (kind, Standing::Live),
    };
    let resource_type = name::resource_type(kind, exchange.face.release)?;
    let read = move |exchange: &Exchange, after: Option<Reached>| ReadFile {
        id: id.clone(),
        face: exchange.face.clone(),
        resource_type,
        standing,
        after,
    };
    // What is wrong is told before anything is sent.
    let first = exchange.execute(read(&exchange, None)).await?;
    let rest = stream::try_unfold((exchange, first.reached), move |(exchange, after)| {
        let next = after.map(|after| read(&exchange, Some(after)));
        async move {
            let Some(next) = next else { return Ok(None) };
            // The connection is broken off: a file that ends too soon never looks whole.
            let piece = exchange.execute(next).await.map_err(|_| std::io::Error::other("the export was broken off"))?;
            Ok(piece.reached.map(|reached| (piece.lines, (exchange, Some(reached)))))
        }
    });
    let lines = stream::iter([Ok::<_, std::io::Error>(first.lines)]).chain(rest);
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

/// What an address says after the name of the operation; empty where it says nothing.
fn words(exchange: &Exchange, uri: &Uri) -> [String; 2] {
    let mut words = exchange.base.below(uri.path()).split('/').filter(|word| !word.is_empty()).skip(1);
    std::array::from_fn(|_| words.next().unwrap_or_default().to_owned())
}

fn is_asynchronous(headers: &HeaderMap) -> bool {
    let values = headers.get_all(&PREFER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|one| one.trim().eq_ignore_ascii_case("respond-async"))
}

/// The types that are asked for, each once; those that are not kept here are left aside if that was
/// asked for too.
fn types(given: &[String], release: &'static Release, handling: Handling) -> Result<Vec<&'static str>, AppError> {
    let mut types = Vec::new();
    for kind in given.iter().flat_map(|value| value.split(',')).map(str::trim) {
        match name::resource_type(kind, release) {
            Ok(kind) if types.contains(&kind) => {}
            Ok(kind) => types.push(kind),
            Err(_) if handling == Handling::Lenient => {}
            Err(error) => {
                let issues = error.issues.into_iter().map(|issue| Issue { place: "http._type".into(), ..issue });
                return Err(AppError::unreadable(issues.collect()));
            }
        }
    }
    if types.is_empty() && !given.is_empty() {
        return Err(AppError::not_understood(
            IssueKind::Value,
            "http._type",
            text!(en: "_type names no type that is kept here.", fr: "_type ne nomme aucun type géré ici."),
        ));
    }
    Ok(types)
}

/// The first microsecond after an instant: what changed at it was told by the export before.
fn since(text: &str) -> Result<i64, AppError> {
    let moment: Result<jiff::Timestamp, _> = text.trim().replace(' ', "+").parse();
    moment.map(|moment| moment.as_microsecond().saturating_add(1)).map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        AppError::not_understood(
            IssueKind::Value,
            "http._since",
            text!(
                en: "“{shown}” is not an instant for _since: write date, time and zone, such as 2026-01-31T08:00:00+01:00.",
                fr: "« {shown} » n'est pas un instant pour _since : écrivez date, heure et fuseau, comme 2026-01-31T08:00:00+01:00.",
            ),
        )
    })
}

fn without_preference() -> Refused {
    let text = text!(
        en: "An export is asked for with the header Prefer: respond-async, and read later.",
        fr: "Un export se demande avec l'en-tête Prefer: respond-async, et se lit ensuite.",
    );
    AppError::not_understood(IssueKind::Required, "http.Prefer", text).into()
}

fn other_format(format: &str) -> AppError {
    let shown: String = format.chars().take(80).collect();
    AppError::not_understood(
        IssueKind::NotSupported,
        "http._outputFormat",
        text!(
            en: "Exports are not written as “{shown}”: application/fhir+ndjson, application/ndjson or ndjson.",
            fr: "Les exports ne s'écrivent pas en « {shown} » : application/fhir+ndjson, application/ndjson ou ndjson.",
        ),
    )
}
