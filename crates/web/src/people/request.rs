//! What pages for people read of a request: who sent it, from where, with which form.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use jiff::Timestamp;
use liaison_app::{audit::Call, caller::Caller, query_string};
use liaison_session::{
    cookie::Holding,
    guard::{self, Came},
    sessions::{Arrival, Session},
};

use super::{People, local::see_other};
use crate::{frame, language::Language, notice::Notice};

static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The moment, in seconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The text of a header.
pub fn said<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok())
}

/// Whose session a request comes from.
///
/// # Errors
/// The page that says that it cannot be told now.
pub async fn visitor(people: &People, headers: &HeaderMap) -> Result<Option<Session>, Response> {
    let session = people.sessions.opened_by(cookies(headers), now()).await.map_err(|error| away(headers, &error))?;
    if let Some(session) = &session {
        Call::comes_from(&Caller::in_person(session.identity.clone(), Arc::clone(&people.bases)));
    }
    Ok(session)
}

/// The page of a store that is away.
pub fn away(headers: &HeaderMap, error: &dyn std::fmt::Display) -> Response {
    tracing::warn!(%error, "pages for people cannot be answered");
    Notice::Away.answer(frame::preferred(headers))
}

/// What the browser keeps under a name.
pub fn kept<'h>(people: &People, headers: &'h HeaderMap, holding: Holding) -> Option<&'h str> {
    people.sessions.cookies().read(holding, cookies(headers))
}

/// Has the browser keep something, or forget it with nothing to keep.
pub fn keep(people: &People, answer: &mut Response, holding: Holding, value: Option<&str>) {
    let cookies = people.sessions.cookies();
    let text = value.map_or_else(|| cookies.forget(holding), |value| cookies.keep(holding, value));
    // Cookies of ours are letters and digits.
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Whether a page of this server sent a request.
pub fn is_from_here(people: &People, headers: &HeaderMap) -> bool {
    let came = Came {
        site: said(headers, &FETCH_SITE),
        origin: said(headers, &header::ORIGIN),
        host: said(headers, &header::HOST),
    };
    people.sessions.own().sent(came)
}

/// Whether a browser says that another site led here.
pub fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    said(headers, &FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// The only value of a field; nothing when it is missing or there twice.
pub fn field<'f>(form: &'f [(String, String)], wanted: &str) -> Option<&'f str> {
    let mut values = form.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Fields as they are written in addresses and bodies; none when they are written wrongly.
pub fn fields(text: &[u8]) -> Vec<(String, String)> {
    query_string::read(text).unwrap_or_default()
}

/// A session and the form that one of its own pages sent.
///
/// # Errors
/// The way to sign in without a session; the refusal of what another page sent.
pub async fn own_form(
    people: &People,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Session, Vec<(String, String)>), Response> {
    let Some(session) = visitor(people, headers).await? else { return Err(see_other("/sign-in")) };
    let form = fields(body);
    let token = field(&form, "csrf");
    if is_from_here(people, headers) && token.is_some_and(|given| guard::is_token(&session.secret, given)) {
        Ok((session, form))
    } else {
        Err(Notice::Forged.answer(frame::preferred(headers)))
    }
}

/// Signs somebody in: a session that nobody knew before takes the place of the one in this browser, if any.
pub async fn arrive(
    people: &People,
    headers: &HeaderMap,
    arrival: Arrival,
    back: &str,
) -> Result<Response, liaison_session::sessions::SessionError> {
    let before = kept(people, headers, Holding::Session).and_then(liaison_session::secret::Secret::read);
    let identity = people.sessions.who(&arrival);
    let secret = people.sessions.open(arrival, before.as_ref(), now()).await?;
    if let Some(identity) = identity {
        Call::comes_from(&Caller::in_person(identity, Arc::clone(&people.bases)));
    }
    let mut answer = see_other(super::local::local(back));
    keep(people, &mut answer, Holding::Session, Some(&secret.text()));
    Ok(answer)
}

/// What the browser calls itself.
pub fn browser(headers: &HeaderMap) -> String {
    said(headers, &header::USER_AGENT).unwrap_or_default().to_owned()
}

/// What is answered when it is a page in the reader's language.
pub fn page(title: &str, main: &str, language: Language) -> Response {
    let page = frame::Page { title, lead: "", main, footer: "", keep: frame::Keep::Never };
    page.answer(StatusCode::OK, language)
}
