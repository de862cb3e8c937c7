//! Who sent a request: by the access token that came with it, or the session of the browser it came from.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use liaison_app::{
    caller::{Caller, Known},
    face::Face,
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};
use liaison_identity::authenticator::{Authenticator, Unbelieved};
use liaison_inbound::certificate::Read as Certificate;
use liaison_session::{
    guard::{self, Came},
    sessions::{Session, Sessions},
};

use crate::errors::Refused;

/// How it is known who sent a request.
#[derive(Clone, Debug, Default)]
pub struct Authentication {
    /// By what it carries.
    pub tokens: Tokens,
    /// By the session of the browser it comes from, when there are sessions.
    pub sessions: Option<Sessions>,
}

/// How it is known who sends a request that comes from no session.
#[derive(Clone, Debug, Default)]
pub enum Tokens {
    /// It is not: everybody is the system. On a loopback address only.
    #[default]
    Off,
    /// By access tokens (RFC 6750).
    Needed(Arc<Authenticator>),
}

/// The realm of our challenges.
const REALM: &str = "Bearer realm=\"liaison\"";

/// The header in which pages send what shows that they are ours.
static CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Authentication {
    /// Whether requests must carry an access token.
    #[must_use]
    pub const fn are_tokens_needed(&self) -> bool {
        matches!(self.tokens, Tokens::Needed(_))
    }

    /// Who sent a request with this method and these headers. A token says more than a session: it was
    /// sent on purpose.
    ///
    /// # Errors
    /// 401 when it is not known, 403 when another site may have sent it, 503 when those who could tell are away.
    pub async fn caller(&self, method: &Method, headers: &HeaderMap, face: &Face) -> Result<Caller, Refused> {
        let now = Timestamp::now().as_second();
        if !headers.contains_key(header::AUTHORIZATION)
            && let Some(sessions) = &self.sessions
            && let Some(session) = session(sessions, headers, now).await?
        {
            if !method.is_safe() && !is_ours(sessions, &session, headers) {
                return Err(forged());
            }
            return Ok(Caller::in_person(session.identity, Arc::clone(&face.bases)));
        }
        match &self.tokens {
            Tokens::Off => Ok(Caller::System),
            Tokens::Needed(authenticator) => by_token(authenticator, headers, face, now).await,
        }
    }
}

/// The session that a request comes from.
async fn session(sessions: &Sessions, headers: &HeaderMap, now: i64) -> Result<Option<Session>, Refused> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    sessions.opened_by(cookies, now).await.map_err(|error| {
        tracing::warn!(%error, "a session could not be looked up");
        Refused::away(Issue::error(
            IssueKind::Transient,
            "http.Cookie",
            text!(
                en: "Your session cannot be looked up now: try again in a moment.",
                fr: "Votre session ne peut pas être vérifiée pour l'instant : réessayez dans un instant.",
            ),
        ))
    })
}

/// Whether one of our own pages sent it, and of this very session.
fn is_ours(sessions: &Sessions, session: &Session, headers: &HeaderMap) -> bool {
    let said = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let came = Came { site: said(&FETCH_SITE), origin: said(&header::ORIGIN), host: said(&header::HOST) };
    sessions.own().sent(came) && said(&CSRF).is_some_and(|given| guard::is_token(&session.secret, given))
}

fn forged() -> Refused {
    let text = text!(
        en: "With the cookie of a session, only pages of this server change something: they send X-CSRF-Token, and \
             the browser says that they are from here. Programs send an access token instead.",
        fr: "Avec le cookie d'une session, seules les pages de ce serveur modifient quelque chose : elles envoient \
             X-CSRF-Token, et le navigateur dit qu'elles viennent d'ici. Les programmes envoient plutôt un jeton d'accès.",
    );
    Refused::new(StatusCode::FORBIDDEN, Issue::error(IssueKind::Forbidden, "http.X-CSRF-Token", text))
}

/// Who bears the token of a request.
async fn by_token(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    face: &Face,
    now: i64,
) -> Result<Caller, Refused> {
    let Some(token) = bearer(headers)? else {
        return Err(Refused::unauthorized(
            REALM.to_owned(),
            issue(text!(
                en: "Say who you are: send an access token as Authorization: Bearer, or sign in.",
                fr: "Dites qui vous êtes : envoyez un jeton d'accès, Authorization: Bearer, ou connectez-vous.",
            )),
        ));
    };
    match authenticator.authenticate(token, now).await {
        Ok(known) => Ok(Caller::Somebody(Arc::new(Known {
            identity: known.identity.clone(),
            scopes: known.scopes.clone(),
            patient: known.patient.clone(),
            bases: Arc::clone(&face.bases),
        }))),
        Err(Unbelieved::Away(away)) => {
            tracing::warn!(issuer = away.issuer, why = away.why, "a token could not be checked");
            Err(Refused::away(Issue::error(
                IssueKind::Transient,
                "http.Authorization",
                text!(
                    en: "Whoever issued your token cannot be asked about it now: try again in a moment.",
                    fr: "L'émetteur de votre jeton ne répond pas : réessayez dans un instant.",
                ),
            )))
        }
        Err(why) => {
            // For the operator; what a token holds is never logged.
            tracing::info!(why = %why, "a token was not believed");
            Err(Refused::unauthorized(format!("{REALM}, error=\"invalid_token\""), issue(unbelieved(&why))))
        }
    }
}

impl Authentication {
    /// Whether the token of these headers was believed a moment ago, and still is.
    #[must_use]
    pub fn remembers(&self, headers: &HeaderMap) -> bool {
        let Tokens::Needed(authenticator) = &self.tokens else { return false };
        let token = bearer(headers).ok().flatten();
        token.is_some_and(|token| authenticator.remembers(token, Timestamp::now().as_second()))
    }
}

impl Authentication {
    /// Whether the token of these headers, which was believed, came with the certificate that it is bound to
    /// (RFC 8705), if it is bound to one: whoever took it from its bearer has not the key.
    ///
    /// # Errors
    /// 401 when it did not.
    pub fn comes_with(&self, headers: &HeaderMap, certificate: Option<&Certificate>) -> Result<(), Refused> {
        let Tokens::Needed(authenticator) = &self.tokens else { return Ok(()) };
        let Some(bound) = bearer(headers)?.and_then(|token| authenticator.bound(token)) else { return Ok(()) };
        if certificate.is_some_and(|certificate| URL_SAFE_NO_PAD.encode(certificate.fingerprint) == bound) {
            return Ok(());
        }
        tracing::info!("a token came without the certificate that it is bound to");
        Err(Refused::unauthorized(
            format!("{REALM}, error=\"invalid_token\""),
            issue(text!(
                en: "Your access token is bound to a certificate: send it over a connection with that certificate.",
                fr: "Votre jeton d'accès est lié à un certificat : envoyez-le par une connexion munie de ce certificat.",
            )),
        ))
    }
}

/// The token of a request.
///
/// # Errors
/// 400 for several, 401 for another way to say who one is.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(first), second) = (given.next(), given.next()) else { return Ok(None) };
    let token = first.to_str().ok().and_then(|text| {
        let (scheme, token) = text.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match (token, second) {
        (Some(token), None) if !token.is_empty() => Ok(Some(token)),
        _ => Err(Refused::unauthorized(
            format!("{REALM}, error=\"invalid_request\""),
            issue(text!(
                en: "One Authorization header is taken, with one access token: Authorization: Bearer TOKEN.",
                fr: "Un seul en-tête Authorization est admis, avec un jeton d'accès : Authorization: Bearer JETON.",
            )),
        )),
    }
}

fn issue(text: liaison_fhir::outcome::Text) -> Issue {
    Issue::error(IssueKind::Login, "http.Authorization", text)
}

/// Why a token was not believed, as far as its bearer may know: what would help to forge one is not told.
fn unbelieved(why: &Unbelieved) -> liaison_fhir::outcome::Text {
    use liaison_identity::token::Disbelief;
    match why {
        Unbelieved::Token(Disbelief::Expired) | Unbelieved::Inactive => text!(
            en: "Your access token does not hold any more: sign in again.",
            fr: "Votre jeton d'accès n'est plus valable : reconnectez-vous.",
        ),
        Unbelieved::Token(Disbelief::OtherAudience) => text!(
            en: "Your access token is meant for another server: ask for one with the audience of this one.",
            fr: "Votre jeton d'accès est destiné à un autre serveur : demandez-en un pour celui-ci (audience).",
        ),
        Unbelieved::Nobody(_) => text!(
            en: "Your access token does not say who you are in a way that is known here: ask the operator of this server.",
            fr: "Votre jeton d'accès ne dit pas qui vous êtes d'une façon connue ici : demandez à l'exploitant de ce serveur.",
        ),
        Unbelieved::Scope(_) => text!(
            en: "Your access token has a scope that is not understood: ask for scopes such as user/DocumentReference.rs.",
            fr: "Votre jeton d'accès a une portée (scope) qui n'est pas comprise : demandez par exemple user/DocumentReference.rs.",
        ),
        _ => text!(
            en: "Your access token is not accepted here: sign in with a provider that this server trusts.",
            fr: "Votre jeton d'accès n'est pas accepté ici : connectez-vous avec un fournisseur que ce serveur reconnaît.",
        ),
    }
}
