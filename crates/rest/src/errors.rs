//! From refusals to answers: the one table of statuses, and the one place that writes
//! their `OperationOutcome`s.

use std::{error::Error, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use liaison_app::{
    error::{AppError, Refusal},
    query_string,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};
use liaison_inbound::rates::TooOften;

use crate::{
    exchange::Base,
    figures,
    negotiate::{self, Reply},
    request_id, respond,
};

/// A refusal on its way to the caller. Becomes an `OperationOutcome` in the form that the caller
/// asked for in [`explain`], whatever layer it was made in.
#[derive(Clone, Debug)]
pub struct Refused(Arc<Refusing>);

#[derive(Debug)]
struct Refusing {
    status: StatusCode,
    issues: Vec<Issue>,
    about: About,
    /// Why it failed, when the fault is ours: for the log alone.
    cause: Option<String>,
}

/// What else than the findings the answer carries.
#[derive(Debug)]
enum About {
    Nothing,
    /// `Location`: relative to the base.
    Holder(String),
    Allow(String),
    ETag(u32),
    RetryAfter(u32),
    Challenge(String),
    Length(u64),
}

impl Refused {
    /// A refusal that only HTTP knows of.
    #[must_use]
    pub fn new(status: StatusCode, issue: Issue) -> Self {
        Self::made(status, vec![issue], About::Nothing)
    }

    /// 405: what the address takes instead.
    #[must_use]
    pub fn method(allow: &str, issue: Issue) -> Self {
        Self::made(StatusCode::METHOD_NOT_ALLOWED, vec![issue], About::Allow(allow.to_owned()))
    }

    /// 401: how to say who one is.
    #[must_use]
    pub fn unauthorized(challenge: String, issue: Issue) -> Self {
        Self::made(StatusCode::UNAUTHORIZED, vec![issue], About::Challenge(challenge))
    }

    /// 503: somebody else has to be asked first, who is away.
    #[must_use]
    pub fn away(issue: Issue) -> Self {
        Self::made(StatusCode::SERVICE_UNAVAILABLE, vec![issue], About::RetryAfter(5))
    }

    /// 416: how long the content is.
    #[must_use]
    pub fn range(length: u64) -> Self {
        let issue = Issue::error(
            IssueKind::Value,
            "http.Range",
            text!(
                en: "The range asked for is outside of the content, which has {length} bytes.",
                fr: "L'intervalle demandé est hors du contenu, qui fait {length} octets.",
            ),
        );
        Self::made(StatusCode::RANGE_NOT_SATISFIABLE, vec![issue], About::Length(length))
    }

    /// 415: the body is compressed in a way that is not undone here.
    #[must_use]
    pub fn encoding(encoding: &str) -> Self {
        let encoding: String = encoding.chars().take(40).collect();
        let issue = Issue::error(
            IssueKind::NotSupported,
            "http.Content-Encoding",
            text!(
                en: "Bodies encoded as “{encoding}” are not taken here: send them as they are, or with gzip.",
                fr: "Les corps encodés en « {encoding} » ne sont pas acceptés ici : envoyez-les tels quels, ou en gzip.",
            ),
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, issue)
    }

    /// 429: when to ask again.
    #[must_use]
    pub fn too_many(issue: Issue, seconds: u32) -> Self {
        Self::made(StatusCode::TOO_MANY_REQUESTS, vec![issue], About::RetryAfter(seconds))
    }

    /// 429: somebody asks too often.
    #[must_use]
    pub fn too_often(TooOften { seconds }: TooOften) -> Self {
        let text = text!(
            en: "Too many requests: try again in {seconds} s.",
            fr: "Trop de requêtes : réessayez dans {seconds} s.",
        );
        Self::too_many(Issue::error(IssueKind::Throttled, "", text), seconds)
    }

    /// 503: the request was given up after the time limit of all requests.
    #[must_use]
    pub fn timeout() -> Self {
        let issue = Issue::error(
            IssueKind::Timeout,
            "",
            text!(
                en: "The request took too long and was given up: read what it was to change before you try again.",
                fr: "La requête a été abandonnée car trop longue : relisez ce qu'elle devait modifier avant de réessayer.",
            ),
        );
        Self::made(StatusCode::SERVICE_UNAVAILABLE, vec![issue], About::RetryAfter(5))
    }

    /// 500: a defect of this program. Its cause goes to the log alone.
    #[must_use]
    pub fn defect_of(cause: String) -> Self {
        match Arc::try_unwrap(Self::defect().0) {
            Ok(refusing) => Self(Arc::new(Refusing { cause: Some(cause), ..refusing })),
            Err(shared) => Self(shared),
        }
    }

    /// 500: a defect of this program. Nothing of its cause is told.
    #[must_use]
    pub fn defect() -> Self {
        let issue = Issue::error(
            IssueKind::Exception,
            "",
            text!(
                en: "The server failed on this request; the failure is in its log under the id of the request.",
                fr: "Le serveur a échoué sur cette requête ; l'échec est dans son journal, sous l'identifiant de la requête.",
            ),
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, issue)
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    fn made(status: StatusCode, issues: Vec<Issue>, about: About) -> Self {
        Self(Arc::new(Refusing { status, issues, about, cause: None }))
    }
}

/// The status of a refusal.
///
/// A search that was given up is 503 rather than 504: no other server is waited for, and the same
/// search may well succeed when the server is less busy.
#[must_use]
pub const fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotUnderstood => StatusCode::BAD_REQUEST,
        Refusal::Forbidden => StatusCode::FORBIDDEN,
        Refusal::Unknown => StatusCode::NOT_FOUND,
        Refusal::NotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Gone(_) => StatusCode::GONE,
        Refusal::Conflict | Refusal::Duplicate(_) | Refusal::Referred(_) => StatusCode::CONFLICT,
        Refusal::Precondition => StatusCode::PRECONDITION_FAILED,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::AgainstARule => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Full => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::TooSlow | Refusal::ReadOnly | Refusal::Damaged | Refusal::NotIndexed | Refusal::Away => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refusal::Defect => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error, with those that caused it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        let about = match &error.refusal {
            Refusal::Duplicate(holder) => About::Holder(format!("{}/{}", holder.resource_type, holder.id)),
            Refusal::NotAllowed(methods) => About::Allow(methods.join(", ")),
            Refusal::Gone(version) => About::ETag(*version),
            Refusal::TooSlow | Refusal::Away => About::RetryAfter(5),
            // Somebody must come and mend it.
            Refusal::Full | Refusal::ReadOnly | Refusal::Damaged | Refusal::NotIndexed => About::RetryAfter(60),
            _ => About::Nothing,
        };
        let cause = error.cause.as_deref().map(|cause| chain(cause));
        Self(Arc::new(Refusing { status: status(&error.refusal), issues: error.issues, about, cause }))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the `OperationOutcome` of a refusal, in the form and language that the request asks for;
/// in JSON when that could not be understood. An answer that is no refusal stays as it is.
#[must_use]
pub fn explain(mut response: Response, headers: &HeaderMap, uri: &Uri, id: &HeaderValue, base: &Base) -> Response {
    let Some(Refused(refused)) = response.extensions_mut().remove::<Refused>() else { return response };
    figures::refused(&refused.issues);
    if let Some(cause) = &refused.cause {
        tracing::error!(id = request_id::text(id), cause, "the request failed for a reason of our own");
    }
    let language = negotiate::language(headers);
    let reply = query_string::read(uri.query().unwrap_or_default().as_bytes())
        .ok()
        .and_then(|query| negotiate::reply(&query, headers, base.release).ok())
        .unwrap_or(Reply::plain(language));
    let outcome = respond::outcome(&refused.issues, language, base.release);
    let mut written = respond::resource(&outcome, &reply, base.release);
    *written.status_mut() = refused.status;
    written.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    // What an inner layer set stays.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            written.headers_mut().insert(name, value.clone());
        }
    }
    let (name, value) = match &refused.about {
        About::Nothing => return written,
        About::Holder(reference) => (header::LOCATION, format!("{}{reference}", base.address(headers))),
        About::Allow(methods) => (header::ALLOW, methods.clone()),
        About::ETag(version) => (header::ETAG, format!("W/\"{version}\"")),
        About::RetryAfter(seconds) => (header::RETRY_AFTER, seconds.to_string()),
        About::Challenge(challenge) => (header::WWW_AUTHENTICATE, challenge.clone()),
        About::Length(length) => (header::CONTENT_RANGE, format!("bytes */{length}")),
    };
    if let Ok(value) = HeaderValue::from_str(&value) {
        written.headers_mut().insert(name, value);
    }
    written
}
