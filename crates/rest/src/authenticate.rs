//! Who sent a request: by the access token that came with it.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
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

use crate::errors::Refused;

/// How it is known who sent a request.
#[derive(Clone, Debug, Default)]
pub enum Authentication {
    /// It is not: everybody is the system. On a loopback address only.
    #[default]
    Off,
    /// By access tokens (RFC 6750).
    Tokens(Arc<Authenticator>),
}

/// The realm of our challenges.
const REALM: &str = "Bearer realm=\"liaison\"";

impl Authentication {
    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// 401 when it is not known, 503 when those who could tell are away.
    pub async fn caller(&self, headers: &HeaderMap, face: &Face) -> Result<Caller, Refused> {
        let Self::Tokens(authenticator) = self else { return Ok(Caller::System) };
        let Some(token) = bearer(headers)? else {
            return Err(Refused::unauthorized(
                REALM.to_owned(),
                issue(text!(
                    en: "Say who you are: send an access token as Authorization: Bearer.",
                    fr: "Dites qui vous êtes : envoyez un jeton d'accès, Authorization: Bearer.",
                )),
            ));
        };
        match authenticator.authenticate(token, Timestamp::now().as_second()).await {
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
}

impl Authentication {
    /// Whether the token of these headers was believed a moment ago, and still is.
    #[must_use]
    pub fn remembers(&self, headers: &HeaderMap) -> bool {
        let Self::Tokens(authenticator) = self else { return false };
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
        let Self::Tokens(authenticator) = self else { return Ok(()) };
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
