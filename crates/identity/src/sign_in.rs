//! Signing people in with a browser: the authorization code with PKCE (OpenID Connect Core §3.1, RFC 7636), as
//! a client of a provider.

use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::{
    attempt::{Attempt, NoChance},
    claims::Claims,
    client_key::ClientKey,
    form::with_query,
    provider::{Away, Client, NoAnswer, Provider},
    token::{self, Disbelief, Expected},
};

/// How this server signs people in at a provider.
#[derive(Debug)]
pub struct Browser {
    /// The name of the client, other than the audience of access tokens.
    pub client: String,
    /// How it shows who it is.
    pub proof: Proof,
    /// What people call the provider.
    pub shown: String,
    /// What is asked for; `openid` is among it.
    pub scopes: String,
    /// How surely people must have shown who they are (`acr`): one of these, when there are any.
    pub levels: Vec<String>,
}

/// How a client shows who it is.
#[derive(Debug)]
pub enum Proof {
    /// Not at all: only PKCE protects the code.
    None,
    /// By a secret that it shares with the provider.
    Secret(Client),
    /// By a key of its own.
    Key(Box<ClientKey>),
}

/// What a provider says of somebody who signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// What it says of them.
    pub claims: Claims,
    /// The ID token, to name them by when they sign out.
    pub id_token: String,
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSignedIn {
    /// The provider cannot be asked.
    #[error(transparent)]
    Away(#[from] Away),
    /// It did not take the code, or not from us.
    #[error("the provider refused the code: {0}")]
    Code(String),
    /// Its ID token is not right.
    #[error("the ID token: {0}")]
    Token(#[from] Disbelief),
    /// The ID token answers another attempt.
    #[error("the ID token answers another attempt")]
    OtherAttempt,
    /// The ID token was issued to another client.
    #[error("the ID token was issued to another client")]
    OtherClient,
    /// The access token beside the ID token is another than it says.
    #[error("the access token is not the one that came with the ID token")]
    OtherAccess,
    /// They showed less surely who they are than is asked.
    #[error("signed in less surely than is asked")]
    Level,
    /// The provider says of somebody else than its ID token.
    #[error("what the provider says is about somebody else")]
    OtherPerson,
    /// No secrets can be made.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl Provider {
    /// How people are called to sign in here, when they may.
    #[must_use]
    pub fn browser(&self) -> Option<&Browser> {
        self.trusted.browser.as_deref()
    }

    /// Where the browser goes to sign in; the answer comes to the address `back`.
    ///
    /// # Errors
    /// When the provider is away, or signs nobody in.
    pub async fn way_in(&self, browser: &Browser, attempt: &Attempt, back: &str, now: i64) -> Result<String, Away> {
        let address = self.answering(now).await?.authorization;
        let address = address.ok_or_else(|| self.away("it does not say where one signs in"))?;
        let levels = browser.levels.join(" ");
        let (state, nonce, challenge) = (attempt.state(), attempt.nonce(), attempt.challenge());
        let mut asked = vec![
            ("response_type", "code"),
            ("client_id", &browser.client),
            ("redirect_uri", back),
            ("scope", &browser.scopes),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if !levels.is_empty() {
            asked.push(("acr_values", &levels));
        }
        Ok(with_query(&address, &asked))
    }

    /// Whether an answer that says to come from this issuer does (RFC 9207): a provider that names itself in
    /// its answers does so in each.
    ///
    /// # Errors
    /// When the provider is away.
    pub async fn answers_as(&self, named: Option<&str>, now: i64) -> Result<bool, Away> {
        let names_itself = self.endpoints(now).await?.names_itself;
        Ok(match named {
            Some(named) => named == self.trusted.expected.issuer,
            None => !names_itself,
        })
    }

    /// Who it is that signed in, for the code that their browser brought.
    ///
    /// # Errors
    /// Why nobody is.
    pub async fn signed_in(
        &self,
        browser: &Browser,
        attempt: &Attempt,
        code: &str,
        back: &str,
        now: i64,
    ) -> Result<SignedIn, NotSignedIn> {
        let endpoints = self.endpoints(now).await?;
        let address = endpoints.token.ok_or_else(|| self.away("it does not say where codes are taken"))?;
        let verifier = attempt.verifier();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", back),
            ("code_verifier", &verifier),
        ];
        let (client, assertion) = match &browser.proof {
            Proof::None => (None, None),
            Proof::Secret(client) => (Some(client), None),
            Proof::Key(key) => (None, Some(key.assertion(&browser.client, &address, now)?)),
        };
        if client.is_none() {
            form.push(("client_id", &browser.client));
        }
        if let Some(assertion) = &assertion {
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            form.push(("client_assertion", assertion));
        }
        let answer = self.ask().post(&address, &form, client).await.map_err(|error| match error {
            NoAnswer::Refused(status) => NotSignedIn::Code(status.to_string()),
            NoAnswer::Silent(why) => self.away(&why).into(),
        })?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| self.away("its answer is no JSON"))?;
        let said = |name: &str| answer.get(name).and_then(Value::as_str);
        let id_token = said("id_token").ok_or_else(|| self.away("it gave no ID token"))?;
        let claims = self.id_claims(browser, attempt, id_token, said("access_token"), now).await?;
        let claims = match (endpoints.userinfo, said("access_token")) {
            (Some(address), Some(access)) => self.told_more(browser, claims, &address, access, now).await?,
            _ => claims,
        };
        Ok(SignedIn { claims, id_token: id_token.to_owned() })
    }

    /// Where the browser goes to end what it has at the provider too, when that is offered (OpenID Connect
    /// RP-Initiated Logout 1.0); it comes back to the address `back`.
    pub async fn way_out(&self, browser: &Browser, id_token: &str, back: &str, now: i64) -> Option<String> {
        let address = self.endpoints(now).await.ok()?.end_session?;
        let said = [("id_token_hint", id_token), ("client_id", &browser.client), ("post_logout_redirect_uri", back)];
        Some(with_query(&address, &said))
    }

    /// The claims of an ID token (OpenID Connect Core §3.1.3.7).
    async fn id_claims(
        &self,
        browser: &Browser,
        attempt: &Attempt,
        id_token: &str,
        access: Option<&str>,
        now: i64,
    ) -> Result<Claims, NotSignedIn> {
        let claims = self.checked(id_token, browser, now).await?;
        if claims.text("nonce").as_deref() != Some(&attempt.nonce()) {
            return Err(NotSignedIn::OtherAttempt);
        }
        let party = claims.text("azp");
        if party.as_ref().is_some_and(|party| *party != browser.client)
            || (party.is_none() && claims.texts("aud").len() > 1)
        {
            return Err(NotSignedIn::OtherClient);
        }
        if let (Some(said), Some(access)) = (claims.text("at_hash"), access)
            && !is_hash_of(&said, access, id_token)
        {
            return Err(NotSignedIn::OtherAccess);
        }
        let level = claims.text("acr");
        if !browser.levels.is_empty() && !level.is_some_and(|level| browser.levels.contains(&level)) {
            return Err(NotSignedIn::Level);
        }
        Ok(claims)
    }

    /// The claims of a token that is meant for the browser's client.
    async fn checked(&self, token: &str, browser: &Browser, now: i64) -> Result<Claims, NotSignedIn> {
        let trusted = &self.trusted.expected;
        let audiences = vec![browser.client.clone()];
        let expected = Expected { issuer: trusted.issuer.clone(), audiences, skew: trusted.skew };
        let keys = self.keys(now).await?;
        match token::check(token, &keys, &expected, now) {
            Err(Disbelief::UnknownKey) => match self.newer_keys(now).await {
                Some(keys) => Ok(token::check(token, &keys, &expected, now)?),
                None => Err(Disbelief::UnknownKey.into()),
            },
            checked => Ok(checked?),
        }
    }

    /// What the provider says beside its ID token, of the same person; what the ID token says stands.
    async fn told_more(
        &self,
        browser: &Browser,
        claims: Claims,
        address: &str,
        access: &str,
        now: i64,
    ) -> Result<Claims, NotSignedIn> {
        let answer = self.ask().get_as(address, access).await.map_err(|error| self.away(&error.to_string()))?;
        let told = match serde_json::from_slice(&answer) {
            Ok(Value::Object(told)) => Claims::new(told),
            Ok(_) => return Err(self.away("what it says of people is no object").into()),
            // Signed (§5.3.2), as Pro Santé Connect does. It need not say until when it holds, but it says it is for us.
            Err(_) => {
                let text = std::str::from_utf8(&answer).map_err(|_| self.away("what it says of people is no text"))?;
                self.signed_for(text.trim(), browser, now).await?
            }
        };
        match (claims.text("sub"), told.text("sub")) {
            (Some(signed_in), Some(told_of)) if signed_in == told_of => Ok(claims.or(told)),
            _ => Err(NotSignedIn::OtherPerson),
        }
    }

    async fn signed_for(&self, token: &str, browser: &Browser, now: i64) -> Result<Claims, NotSignedIn> {
        let keys = self.keys(now).await?;
        let claims = token::signed(token, &keys)?;
        let meant = claims.text("iss").as_ref() == Some(&self.trusted.expected.issuer)
            && claims.texts("aud").contains(&browser.client);
        if meant { Ok(claims) } else { Err(NotSignedIn::OtherClient) }
    }
}

/// Whether this is the left half of the digest of an access token (OpenID Connect Core §3.1.3.6), as far as the
/// algorithm of the ID token is one with SHA-256; of the others it is not looked at.
fn is_hash_of(said: &str, access: &str, id_token: &str) -> bool {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let algorithm = jsonwebtoken::decode_header(id_token).map(|header| format!("{:?}", header.alg));
    if !algorithm.is_ok_and(|algorithm| algorithm.ends_with("256")) {
        return true;
    }
    let whole = digest(&SHA256, access.as_bytes());
    let half = whole.as_ref().get(..16).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half) == said
}
