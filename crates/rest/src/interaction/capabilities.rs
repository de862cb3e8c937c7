//! `capabilities`: <https://hl7.org/fhir/R4/http.html#capabilities>.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use liaison_app::{
    error::AppError,
    operation::capabilities::{Capabilities, OtherOrigins, Statement},
};
use liaison_fhir::{outcome::IssueKind, text};

use crate::{
    errors::Refused,
    exchange::{Answer, Exchange, Public},
    negotiate::{self, Format, Layout, Reply},
    options::Cors,
    preconditions::is_named,
    respond,
};

/// What this server can do.
pub async fn capabilities(Public(exchange): Public) -> Answer {
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
    let statement = exchange.base.statements.written(&statement, &exchange)?;
    let mut response = if is_named(&exchange.headers, &statement.etag)? {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        statement.content(&exchange)
    };
    response.headers_mut().insert(header::ETAG, statement.etag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    Ok(response)
}

/// The statements of a base as they were last written: they stay the same as long as the program
/// runs and its index stands as it does, and writing one takes longer than most searches.
#[derive(Debug, Default)]
pub struct Statements(Mutex<Vec<(Form, Written)>>);

/// As many as there are forms in use. Whoever asks under ever other names has each written anew.
const KEPT: usize = 4;

#[derive(Debug, PartialEq, Eq)]
struct Form {
    base: Arc<str>,
    format: Format,
    layout: Layout,
    /// Searches that are not ready are not said.
    generation: u64,
}

#[derive(Clone, Debug)]
struct Written {
    body: Bytes,
    /// The same, compressed: made when it is first asked for, which takes longer than the rest.
    compressed: Arc<OnceLock<Option<Bytes>>>,
    etag: HeaderValue,
}

impl Written {
    fn content(&self, exchange: &Exchange) -> Response {
        let compressed = if negotiate::takes_gzip(&exchange.headers) { self.compressed() } else { None };
        let Some(compressed) = compressed else { return respond::content(self.body.clone(), &exchange.reply) };
        let mut response = respond::content(compressed, &exchange.reply);
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    }

    fn compressed(&self) -> Option<Bytes> {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&self.body).and_then(|()| encoder.finish()).ok().map(Bytes::from)
        };
        self.compressed.get_or_init(compress).clone()
    }
}

impl Statements {
    fn written(&self, statement: &Statement, exchange: &Exchange) -> Result<Written, Refused> {
        let Reply { format, layout, .. } = exchange.reply;
        let generation = statement.generation();
        let form = Form { base: Arc::clone(&exchange.face.base), format, layout, generation };
        if let Some((_, written)) = self.kept().iter().find(|(kept, _)| *kept == form) {
            return Ok(written.clone());
        }
        let body = respond::written_out(&statement.resource(), &exchange.reply, exchange.face.release)?;
        let mut hash = DefaultHasher::new();
        body.hash(&mut hash);
        let etag = HeaderValue::from_str(&format!("W/\"{:016x}\"", hash.finish())).map_err(|_| Refused::defect())?;
        let written = Written { body, compressed: Arc::default(), etag };
        let mut kept = self.kept();
        kept.truncate(KEPT - 1);
        kept.insert(0, (form, written.clone()));
        Ok(written)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Form, Written)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
