//! Signing in at a provider: on the way there, and on the way back.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use liaison_identity::{
    attempt::{Attempt, LASTING},
    form::with_query,
    provider::Provider,
    sign_in::{Browser, NotSignedIn},
};
use liaison_session::{
    cookie::Holding,
    sessions::{Arrival, SessionError},
};

use super::{
    BACK, People,
    local::{HOME, local, see_other},
    request::{arrive, away, browser, field, fields, is_from_elsewhere, keep, kept, now, visitor},
    sign_in::providers,
};
use crate::{frame, notice::Notice};

/// Sends the browser to a provider. Only the browser keeps anything of it.
pub async fn begin(
    State(people): State<Arc<People>>,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let language = frame::preferred(&headers);
    let query = fields(query.unwrap_or_default().as_bytes());
    let back = local(field(&query, "back").unwrap_or(HOME));
    // Nobody is signed in because a page elsewhere wants it: they choose here.
    if is_from_elsewhere(&headers) {
        return see_other(&with_query("/sign-in", &[("back", back)]));
    }
    let number: Option<usize> = number.parse().ok();
    let found = providers(&people).find(|(at, _)| Some(*at) == number);
    let Some((provider, asked)) = found.and_then(|(_, provider)| Some((provider, provider.browser()?))) else {
        return see_other("/sign-in");
    };
    let begun = Attempt::begin(&provider.trusted.expected.issuer, back, now());
    let Ok(attempt) = begun else { return Notice::Away.answer(language) };
    match provider.way_in(asked, &attempt, &way_back(&people), now()).await {
        Ok(way) => {
            let mut answer = see_other(&way);
            keep(&people, &mut answer, Holding::Attempt, Some(&attempt.text()));
            answer
        }
        Err(error) => {
            tracing::warn!(issuer = error.issuer, why = error.why, "nobody can sign in at a provider");
            Notice::ProviderAway.about(&asked.shown, language)
        }
    }
}

/// Where providers send people back to, as they know it.
fn way_back(people: &People) -> String {
    let root = people.providers.as_ref().map_or("", |providers| providers.root.as_str());
    format!("{root}{BACK}")
}

/// What a provider answers through the browser.
struct Said<'q> {
    state: Option<&'q str>,
    code: Option<&'q str>,
    error: Option<&'q str>,
    issuer: Option<&'q str>,
}

/// Takes what a provider answers through the browser.
pub async fn done(State(people): State<Arc<People>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = frame::preferred(&headers);
    let query = fields(query.unwrap_or_default().as_bytes());
    let said = Said {
        state: field(&query, "state"),
        code: field(&query, "code"),
        error: field(&query, "error"),
        issuer: field(&query, "iss"),
    };
    let attempt = kept(&people, &headers, Holding::Attempt).and_then(|text| Attempt::read(text, now()));
    let attempt = match attempt {
        Some(attempt) if said.state.is_some_and(|state| attempt.is_state(state)) => attempt,
        other => {
            // Who came back to an answer that was taken already is signed in, and need not be told of it.
            return match visitor(&people, &headers).await {
                Err(answer) => answer,
                Ok(Some(_)) => see_other(HOME),
                Ok(None) if other.is_some() => Notice::OtherAttempt.answer(language),
                Ok(None) => Notice::Expired.answer(language),
            };
        }
    };
    let mut answer = answered(&people, &headers, &attempt, &said).await;
    // An attempt is answered once, however it ends.
    keep(&people, &mut answer, Holding::Attempt, None);
    answer
}

/// The answer to an attempt of this very browser.
async fn answered(people: &People, headers: &HeaderMap, attempt: &Attempt, said: &Said<'_>) -> Response {
    let language = frame::preferred(headers);
    match people.sessions.use_up(&attempt.state(), attempt.begun.saturating_add(LASTING)).await {
        Ok(true) => {}
        Ok(false) => return Notice::Expired.answer(language),
        Err(error) => return away(headers, &error),
    }
    let found = providers(people).find(|(_, provider)| provider.trusted.expected.issuer == attempt.issuer);
    let Some((provider, asked)) = found.and_then(|(_, provider)| Some((provider, provider.browser()?))) else {
        return Notice::Expired.answer(language);
    };
    match provider.answers_as(said.issuer, now()).await {
        Ok(true) => {}
        Ok(false) => return Notice::OtherAttempt.answer(language),
        Err(_) => return Notice::ProviderAway.about(&asked.shown, language),
    }
    match (said.error, said.code) {
        (Some("access_denied"), _) => Notice::Denied.about(&asked.shown, language),
        (Some("temporarily_unavailable" | "server_error"), _) => Notice::ProviderAway.about(&asked.shown, language),
        (None, Some(code)) => signed_in(people, headers, (provider, asked), attempt, code).await,
        (error, _) => {
            // Only words of the specification are told: others could say anything.
            let known = error.filter(|error| error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            tracing::warn!(issuer = attempt.issuer, error = known.unwrap_or("no code"), "a provider signed nobody in");
            Notice::Failed.about(&asked.shown, language)
        }
    }
}

/// Brings the code to the provider, and lets in whom it names.
async fn signed_in(
    people: &People,
    headers: &HeaderMap,
    (provider, asked): (&Provider, &Browser),
    attempt: &Attempt,
    code: &str,
) -> Response {
    let language = frame::preferred(headers);
    let who = match provider.signed_in(asked, attempt, code, &way_back(people), now()).await {
        Ok(who) => who,
        Err(error) => {
            // For the operator; neither code nor token are in it.
            tracing::warn!(issuer = attempt.issuer, why = %error, "nobody was signed in");
            let notice = match error {
                NotSignedIn::Away(_) | NotSignedIn::Chance(_) => Notice::ProviderAway,
                NotSignedIn::Level => Notice::Level,
                _ => Notice::Failed,
            };
            return notice.about(&asked.shown, language);
        }
    };
    let arrival = Arrival {
        issuer: attempt.issuer.clone(),
        claims: who.claims,
        id_token: Some(who.id_token),
        browser: browser(headers),
    };
    match arrive(people, headers, arrival, &attempt.back).await {
        Ok(answer) => answer,
        Err(SessionError::Nobody) => {
            tracing::warn!(
                issuer = attempt.issuer,
                "nothing that was said tells who it is in a way that is known here"
            );
            Notice::Nobody.about(&asked.shown, language)
        }
        Err(error) => away(headers, &error),
    }
}
