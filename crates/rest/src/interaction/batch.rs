//! `batch` and `transaction`: <https://hl7.org/fhir/R4/http.html#transaction>.

use axum::http::StatusCode;
use liaison_app::{
    bundle::answer::{BundleAnswer, EntryAnswer},
    error::AppError,
    operation::{
        batch::Batch,
        note_bundle::{BundleKind, Taken},
        transaction::Transaction,
    },
    stored::Stored,
    written::{Effect, Written},
};
use liaison_fhir::{json, outcome::IssueKind, text};

use crate::{
    asked_for::Interaction,
    body::{self, Content},
    bundle::{Searchset, Writing},
    errors::{self, Refused},
    exchange::{Answer, Exchange},
    preconditions::IDEMPOTENCY_KEY,
    preferences::Answered,
    request_id, respond,
};

/// Carries out the bundle sent to the base.
pub async fn batch_or_transaction(exchange: Exchange, content: Content) -> Answer {
    exchange.only(&[])?;
    let face = exchange.face.clone();
    let bundle = body::bundle(&content, &exchange)?;
    match bundle.str("type").map(str::trim) {
        Some("transaction") => {
            let idempotency_key = exchange.header(&IDEMPOTENCY_KEY)?;
            let answer = exchange.execute(Transaction { face, bundle, idempotency_key }).await?;
            processed(BundleKind::Transaction, &answer, &exchange)
        }
        Some("batch") => {
            let answer = exchange.execute(Batch { face, bundle }).await?;
            processed(BundleKind::Batch, &answer, &exchange)
        }
        other => {
            let other: String = other.unwrap_or_default().chars().take(40).collect();
            Err(AppError::not_understood(
                IssueKind::Value,
                "Bundle.type",
                text!(
                    en: "The base takes bundles of type transaction or batch, not “{other}”.",
                    fr: "La base accepte les bundles de type transaction ou batch, pas « {other} ».",
                ),
            )
            .into())
        }
    }
}

/// The answer to a bundle sent to the address of bundles.
///
/// # Errors
/// When a resource cannot be read back: a defect.
pub fn taken(taken: &Taken, exchange: &Exchange) -> Answer {
    match taken {
        Taken::Processed(kind, answer) => processed(*kind, answer, exchange),
        Taken::Note(written) | Taken::Kept(written) => respond::written(written, exchange),
    }
}

fn processed(kind: BundleKind, answer: &BundleAnswer, exchange: &Exchange) -> Answer {
    let bundle_type = match kind {
        BundleKind::Batch => "batch-response",
        BundleKind::Transaction => "transaction-response",
    };
    let mut writing = Writing::new(bundle_type, None);
    for entry in &answer.entries {
        match entry {
            Ok(entry) => answered(entry, &mut writing, exchange)?,
            Err(error) => refused(error, &mut writing, exchange),
        }
    }
    let mut response = respond::bytes(writing.finish(), &exchange.reply, exchange.face.release)?;
    response.extensions_mut().insert(Interaction::from(kind));
    Ok(response)
}

fn answered(answer: &EntryAnswer, writing: &mut Writing, exchange: &Exchange) -> Result<(), Refused> {
    match answer {
        EntryAnswer::Written(written) => write(written, writing, exchange),
        EntryAnswer::Read(stored) => {
            let body = stored.json(&exchange.face)?;
            let response = Response { status: "200 OK", stored: Some(stored), outcome: None };
            entry(stored, Some(&body), &response, writing, exchange);
            Ok(())
        }
        EntryAnswer::Deleted(deleted) => {
            let etag = format!("W/\"{}\"", deleted.version);
            writing.entry().strings("response", &[("status", Some("200 OK")), ("etag", Some(&etag))]);
            Ok(())
        }
        EntryAnswer::Found(found, resource_type) => {
            let page = Searchset::of(*resource_type, exchange).write(found)?;
            writing.entry().raw("resource", &page).strings("response", &[("status", Some("200 OK"))]);
            Ok(())
        }
    }
}

fn write(written: &Written, writing: &mut Writing, exchange: &Exchange) -> Result<(), Refused> {
    let status = match written.effect {
        Effect::Created => "201 Created",
        Effect::Updated | Effect::Found => "200 OK",
    };
    let wanted = exchange.preferences.answer;
    let body = match wanted {
        Some(Answered::Representation) => Some(written.resource.json(&exchange.face)?),
        _ => None,
    };
    let told = wanted == Some(Answered::OperationOutcome);
    let outcome =
        told.then(|| json::write(&respond::outcome(&written.issues, exchange.reply.language, exchange.face.release)));
    let response = Response { status, stored: Some(&written.resource), outcome };
    entry(&written.resource, body.as_deref(), &response, writing, exchange);
    Ok(())
}

struct Response<'r> {
    status: &'r str,
    stored: Option<&'r Stored>,
    outcome: Option<Vec<u8>>,
}

fn entry(stored: &Stored, body: Option<&[u8]>, response: &Response<'_>, writing: &mut Writing, exchange: &Exchange) {
    let name = stored.name();
    let url = exchange.face.url(&name.resource_type, &name.id);
    let mut entry = writing.entry();
    entry.text("fullUrl", &url);
    if let Some(body) = body {
        entry.raw("resource", body);
    }
    let versioned = response.stored.map(|stored| format!("{url}/_history/{}", stored.version()));
    let etag = response.stored.map(|stored| format!("W/\"{}\"", stored.version()));
    let modified = response.stored.map(Stored::updated_text);
    let strings = [
        ("status", Some(response.status)),
        ("location", versioned.as_deref()),
        ("etag", etag.as_deref()),
        ("lastModified", modified.as_deref()),
    ];
    entry.strings_and("response", &strings, response.outcome.as_deref().map(|outcome| ("outcome", outcome)));
}

fn refused(error: &AppError, writing: &mut Writing, exchange: &Exchange) {
    let status: StatusCode = errors::status(&error.refusal);
    let status = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let outcome = json::write(&respond::outcome(&error.issues, exchange.reply.language, exchange.face.release));
    writing.entry().strings_and("response", &[("status", Some(status.trim()))], Some(("outcome", &outcome)));
    if let Some(cause) = &error.cause {
        tracing::error!(id = request_id::text(&exchange.id), cause = %cause, "an entry failed for a reason of our own");
    }
}
