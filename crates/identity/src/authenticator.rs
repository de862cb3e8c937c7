//! From the token that came with a request to who asks.

use std::{fmt, sync::Arc};

use liaison_care::access::{Identity, Scopes, scopes::NoScope};
use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::{
    claims::{Claims, Seconds},
    mapping::Nobody,
    provider::{Ask, Away, Provider, Trusted},
    token::{self, Disbelief},
};

/// Who may be believed, and what was believed lately.
pub struct Authenticator {
    providers: Vec<Provider>,
    /// The bases of this server, for resources that claims name in full.
    bases: Vec<String>,
    /// By the digest of the token: a token itself is kept nowhere.
    believed: Cache<[u8; 32], Arc<Authenticated>>,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("providers", &self.providers).finish_non_exhaustive()
    }
}

/// Somebody who was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// Who.
    pub identity: Identity,
    /// What the token was granted.
    pub scopes: Scopes,
    /// The id of the one person that the token was launched for (SMART's launch context).
    pub patient: Option<String>,
    /// The certificate that its bearer must come with (RFC 8705): its SHA-256, as claims write it.
    pub bound: Option<String>,
    /// Until when this is believed without looking again, in seconds since 1970.
    until: i64,
}

/// Why somebody is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelieved {
    /// By an issuer that is not trusted here, or saying none.
    #[error("no provider that is trusted here issued the token")]
    Stranger,
    /// The token is not right.
    #[error(transparent)]
    Token(#[from] Disbelief),
    /// The provider says that it does not hold any more.
    #[error("the token does not hold any more")]
    Inactive,
    /// Who its bearer is cannot be told.
    #[error(transparent)]
    Nobody(#[from] Nobody),
    /// It is bound to a key in a way that is not known here (RFC 7800): whoever bears it proves nothing.
    #[error("the token is bound to a key in a way that is not known here")]
    Bound,
    /// It carries a scope that is not understood.
    #[error(transparent)]
    Scope(#[from] NoScope),
    /// The provider cannot be asked: nothing is wrong with the token as far as is known.
    #[error(transparent)]
    Away(#[from] Away),
}

/// What was believed is believed so long without looking again, in seconds: a key that was withdrawn, or a
/// session that was ended where tokens are looked up, is noticed by then.
const SIGNED_FOR: i64 = 300;
const LOOKED_UP_FOR: i64 = 60;

/// As many tokens are remembered.
const REMEMBERED: usize = 20_000;

impl Authenticator {
    /// One that trusts these providers, reached in this way.
    #[must_use]
    pub fn new(trusted: Vec<Trusted>, ask: &Arc<dyn Ask>, bases: Vec<String>) -> Self {
        let providers = trusted.into_iter().map(|trusted| Provider::new(trusted, Arc::clone(ask))).collect();
        Self { providers, bases, believed: Cache::new(REMEMBERED) }
    }

    /// The providers that are trusted.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Who bears a token at a moment, in seconds since 1970 UTC.
    ///
    /// # Errors
    /// Why its bearer is not believed.
    pub async fn authenticate(&self, token: &str, now: i64) -> Result<Arc<Authenticated>, Unbelieved> {
        let name = name(token);
        if let Some(believed) = self.believed.get(&name) {
            if now < believed.until {
                return Ok(believed);
            }
            self.believed.remove(&name);
        }
        let (provider, claims, lasting) = match token::named_issuer(token) {
            Some(issuer) => {
                let provider = self.providers.iter().find(|provider| provider.trusted.expected.issuer == issuer);
                let provider = provider.ok_or(Unbelieved::Stranger)?;
                (provider, signed(provider, token, now).await?, SIGNED_FOR)
            }
            None => {
                let (provider, claims) = self.looked_up(token, now).await?;
                (provider, claims, LOOKED_UP_FOR)
            }
        };
        let trusted = &provider.trusted;
        let until = match claims.seconds("exp") {
            Some(Seconds::At(end)) => end.saturating_add(trusted.expected.skew).min(now + lasting),
            _ => now + lasting,
        };
        let believed = Arc::new(Authenticated {
            identity: trusted.mapping.identity(&trusted.expected.issuer, &claims, &self.bases)?,
            scopes: Scopes::read(&claims.texts("scope").join(" "))?,
            patient: claims.text("patient"),
            bound: bound(&claims)?,
            until,
        });
        self.believed.insert(name, Arc::clone(&believed));
        Ok(believed)
    }

    /// Whether a token was believed before, and is at this moment without being looked at again.
    #[must_use]
    pub fn remembers(&self, token: &str, now: i64) -> bool {
        self.believed.get(&name(token)).is_some_and(|believed| now < believed.until)
    }

    /// The certificate that the bearer of a token that is remembered must come with.
    #[must_use]
    pub fn bound(&self, token: &str) -> Option<String> {
        self.believed.get(&name(token))?.bound.clone()
    }

    /// What a provider says of a token that says nothing by itself: the first that knows it.
    async fn looked_up(&self, token: &str, now: i64) -> Result<(&Provider, Claims), Unbelieved> {
        let mut last = Unbelieved::Stranger;
        for provider in self.providers.iter().filter(|provider| provider.trusted.client.is_some()) {
            match provider.introspect(token, now).await {
                Ok(Some(claims)) => {
                    // It answered for its own token: who issued it need not be said again (RFC 7662 §2.2).
                    let expected = &provider.trusted.expected;
                    if claims.text("iss").is_some_and(|issuer| issuer != expected.issuer) {
                        return Err(Disbelief::OtherIssuer.into());
                    }
                    let audiences = claims.texts("aud");
                    if !audiences.iter().any(|audience| expected.audiences.contains(audience)) {
                        return Err(Disbelief::OtherAudience.into());
                    }
                    if claims.seconds("exp").is_some() {
                        token::in_time(&claims, expected.skew, now)?;
                    }
                    return Ok((provider, claims));
                }
                Ok(None) => last = Unbelieved::Inactive,
                Err(away) => last = away.into(),
            }
        }
        Err(last)
    }
}

/// What claims say of the certificate that must come with them.
fn bound(claims: &Claims) -> Result<Option<String>, Unbelieved> {
    match claims.text("cnf.x5t#S256") {
        Some(thumbprint) => Ok(Some(thumbprint)),
        None if claims.at("cnf").is_empty() => Ok(None),
        None => Err(Unbelieved::Bound),
    }
}

/// What a token is remembered by.
fn name(token: &str) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    name
}

/// The claims of a signed token; keys are asked for anew when it names one that is not known.
async fn signed(provider: &Provider, token: &str, now: i64) -> Result<Claims, Unbelieved> {
    let expected = &provider.trusted.expected;
    let keys = provider.keys(now).await?;
    match token::check(token, &keys, expected, now) {
        Err(Disbelief::UnknownKey) => match provider.newer_keys(now).await {
            Some(keys) => Ok(token::check(token, &keys, expected, now)?),
            None => Err(Disbelief::UnknownKey.into()),
        },
        checked => Ok(checked?),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        issuing::{Issuing, NOW},
        mapping::Mapping,
        provider::{Asked, Client, NoAnswer},
        token::Expected,
    };

    const ISSUER: &str = "https://idp.example";

    /// A provider that answers what it is told to.
    #[derive(Debug, Default)]
    struct Answers {
        keys: Mutex<Option<String>>,
        about: Mutex<Value>,
        introspection: Mutex<Option<Value>>,
        asked: AtomicUsize,
    }

    impl Answers {
        fn publishing(keys: String) -> Arc<Self> {
            let about = json!({
                "issuer": ISSUER, "jwks_uri": "https://idp.example/keys",
                "introspection_endpoint": "https://idp.example/introspect"
            });
            Arc::new(Self { keys: Mutex::new(Some(keys)), about: Mutex::new(about), ..Self::default() })
        }

        fn publish(&self, keys: Option<String>) {
            *self.keys.lock().unwrap() = keys;
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl Ask for Answers {
        fn get<'a>(&'a self, url: &'a str) -> Asked<'a> {
            Box::pin(async move {
                let keys = self.keys.lock().unwrap().clone().ok_or_else(|| NoAnswer::Silent("away".to_owned()))?;
                if url.ends_with("/keys") {
                    self.asked.fetch_add(1, Ordering::SeqCst);
                    return Ok(keys.into_bytes());
                }
                assert_eq!(url, "https://idp.example/.well-known/openid-configuration");
                Ok(self.about.lock().unwrap().to_string().into_bytes())
            })
        }

        fn get_as<'a>(&'a self, _: &'a str, _: &'a str) -> Asked<'a> {
            Box::pin(async { Err(NoAnswer::Refused(404)) })
        }

        fn post<'a>(&'a self, url: &'a str, form: &'a [(&'a str, &'a str)], client: Option<&'a Client>) -> Asked<'a> {
            Box::pin(async move {
                assert_eq!((url, client.unwrap().id.as_str()), ("https://idp.example/introspect", "liaison"));
                assert_eq!(form[0], ("token", "opaque"));
                let answer = self.introspection.lock().unwrap().clone();
                answer.map(|answer| answer.to_string().into_bytes()).ok_or_else(|| NoAnswer::Silent("away".to_owned()))
            })
        }
    }

    fn authenticator(answers: &Arc<Answers>) -> Authenticator {
        let trusted = Trusted {
            expected: Expected { issuer: ISSUER.to_owned(), audiences: vec!["liaison".to_owned()], skew: 30 },
            mapping: Mapping::default(),
            client: Some(Client { id: "liaison".to_owned(), secret: "s".to_owned() }),
            browser: None,
        };
        let ask: Arc<dyn Ask> = Arc::clone(answers) as Arc<dyn Ask>;
        Authenticator::new(vec![trusted], &ask, Vec::new())
    }

    fn claims() -> Value {
        json!({ "iss": ISSUER, "aud": "liaison", "sub": "nurse", "rpps": "10005678901", "exp": NOW + 3600,
                "scope": "openid user/DocumentReference.rs" })
    }

    #[tokio::test]
    async fn a_token_is_believed_and_its_provider_asked_once() {
        let issuing = Issuing::new("a");
        let answers = Answers::publishing(issuing.published());
        let authenticator = authenticator(&answers);
        for second in 0..20 {
            let mut claims = claims();
            claims["jti"] = json!(second);
            let believed = authenticator.authenticate(&issuing.sign(&claims), NOW + second).await.unwrap();
            assert_eq!(believed.identity.name, "https://idp.example#nurse");
            assert!(!believed.scopes.is_silent());
        }
        assert_eq!(answers.asked(), 1);
    }

    #[tokio::test]
    async fn keys_are_changed_while_running() {
        let (old, new) = (Issuing::new("old"), Issuing::new("new"));
        let answers = Answers::publishing(old.published());
        let authenticator = authenticator(&answers);
        assert!(authenticator.authenticate(&old.sign(&claims()), NOW).await.is_ok());
        answers.publish(Some(new.published()));
        assert!(authenticator.authenticate(&new.sign(&claims()), NOW + 60).await.is_ok());
        // What was signed with a key that is withdrawn is not believed for long.
        let kept = old.sign(&claims());
        assert!(authenticator.authenticate(&kept, NOW + SIGNED_FOR + 60).await.is_err());
    }

    #[tokio::test]
    async fn invented_keys_do_not_make_us_ask_again_and_again() {
        let ours = Issuing::new("a");
        let answers = Answers::publishing(ours.published());
        let authenticator = authenticator(&answers);
        for attempt in 0..100 {
            let stranger = Issuing::new(&format!("invented-{attempt}"));
            let refused = authenticator.authenticate(&stranger.sign(&claims()), NOW + 20).await.unwrap_err();
            assert_eq!(refused, Unbelieved::Token(Disbelief::UnknownKey));
        }
        assert!(answers.asked() <= 2, "{}", answers.asked());
    }

    #[tokio::test]
    async fn a_provider_that_is_away_is_believed_on_its_last_keys_for_a_day() {
        let issuing = Issuing::new("a");
        let answers = Answers::publishing(issuing.published());
        let authenticator = authenticator(&answers);
        let long = |second: i64| {
            let mut claims = claims();
            (claims["exp"], claims["jti"]) = (json!(NOW + 10 * 24 * 3600), json!(second));
            issuing.sign(&claims)
        };
        assert!(authenticator.authenticate(&long(0), NOW).await.is_ok());
        answers.publish(None);
        assert!(authenticator.authenticate(&long(1), NOW + 23 * 3600).await.is_ok());
        let refused = authenticator.authenticate(&long(2), NOW + 25 * 3600).await.unwrap_err();
        assert!(matches!(refused, Unbelieved::Away(_)), "{refused:?}");
        answers.publish(Some(issuing.published()));
        assert!(authenticator.authenticate(&long(3), NOW + 26 * 3600).await.is_ok(), "and is asked when it is back");
    }

    #[tokio::test]
    async fn nobody_signs_in_while_a_provider_never_answered_and_it_is_not_asked_for_each() {
        let issuing = Issuing::new("a");
        let answers = Answers::publishing(issuing.published());
        answers.publish(None);
        let authenticator = authenticator(&answers);
        for second in 0..5 {
            let refused = authenticator.authenticate(&issuing.sign(&claims()), NOW + second).await.unwrap_err();
            assert!(matches!(refused, Unbelieved::Away(_)));
        }
        answers.publish(Some(issuing.published()));
        assert!(authenticator.authenticate(&issuing.sign(&claims()), NOW + GAP_AND_MORE).await.is_ok());
    }

    const GAP_AND_MORE: i64 = 11;

    #[tokio::test]
    async fn a_token_may_be_bound_to_a_certificate_and_to_nothing_else() {
        let issuing = Issuing::new("a");
        let authenticator = authenticator(&Answers::publishing(issuing.published()));
        let bound = |to: Value| {
            let mut claims = claims();
            claims["cnf"] = to;
            issuing.sign(&claims)
        };
        let token = bound(json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
        let believed = authenticator.authenticate(&token, NOW).await.unwrap();
        assert_eq!(believed.bound.as_deref(), Some("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"));
        assert_eq!(authenticator.bound(&token), believed.bound);
        for unknown in [json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }), json!("x"), json!({})] {
            let refused = authenticator.authenticate(&bound(unknown.clone()), NOW).await.unwrap_err();
            assert_eq!(refused, Unbelieved::Bound, "{unknown}");
        }
    }

    #[tokio::test]
    async fn other_issuers_and_text_that_is_no_token_are_strangers() {
        let issuing = Issuing::new("a");
        let authenticator = authenticator(&Answers::publishing(issuing.published()));
        let mut elsewhere = claims();
        elsewhere["iss"] = json!("https://evil.example");
        let refused = authenticator.authenticate(&issuing.sign(&elsewhere), NOW).await.unwrap_err();
        assert_eq!(refused, Unbelieved::Stranger);
    }

    #[tokio::test]
    async fn a_token_that_says_nothing_is_looked_up_each_minute() {
        let answers = Answers::publishing(Issuing::new("a").published());
        let authenticator = authenticator(&answers);
        let active =
            json!({ "active": true, "aud": "liaison", "sub": "nurse", "rpps": "10005678901", "exp": NOW + 900 });
        *answers.introspection.lock().unwrap() = Some(active);
        assert!(authenticator.authenticate("opaque", NOW).await.is_ok());
        // The session was ended.
        *answers.introspection.lock().unwrap() = Some(json!({ "active": false }));
        assert!(authenticator.authenticate("opaque", NOW + 30).await.is_ok());
        assert_eq!(authenticator.authenticate("opaque", NOW + 60).await.unwrap_err(), Unbelieved::Inactive);
        *answers.introspection.lock().unwrap() = None;
        assert!(matches!(authenticator.authenticate("opaque", NOW + 90).await, Err(Unbelieved::Away(_))));
        for wrong in [
            json!({ "active": "true", "aud": "liaison", "sub": "nurse", "rpps": "10005678901" }),
            json!({ "active": true, "aud": "other", "sub": "nurse", "rpps": "10005678901" }),
            json!({ "active": true, "sub": "nurse", "rpps": "10005678901" }),
            json!({ "active": true, "aud": "liaison", "iss": "https://other.example", "sub": "n", "rpps": "10005678901" }),
            json!({ "active": true, "aud": "liaison", "sub": "n", "rpps": "10005678901", "exp": NOW }),
            json!([]),
        ] {
            *answers.introspection.lock().unwrap() = Some(wrong.clone());
            assert!(authenticator.authenticate("opaque", NOW + 90).await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_provider_that_says_to_be_another_or_leads_into_the_clear_is_not_believed() {
        let issuing = Issuing::new("a");
        for (name, value) in [("issuer", "https://idp.example/other"), ("jwks_uri", "http://idp.example/keys")] {
            let answers = Answers::publishing(issuing.published());
            answers.about.lock().unwrap()[name] = json!(value);
            let refused = authenticator(&answers).authenticate(&issuing.sign(&claims()), NOW).await.unwrap_err();
            assert!(matches!(refused, Unbelieved::Away(_)), "{name}");
        }
    }

    #[tokio::test]
    async fn a_scope_that_is_not_understood_makes_the_token_one_that_is_not() {
        let issuing = Issuing::new("a");
        let authenticator = authenticator(&Answers::publishing(issuing.published()));
        let mut half = claims();
        half["scope"] = json!("user/DocumentReference.rz");
        let refused = authenticator.authenticate(&issuing.sign(&half), NOW).await.unwrap_err();
        assert!(matches!(refused, Unbelieved::Scope(_)));
    }
}
