//! A provider: what it publishes about itself and its keys, asked for when needed and kept meanwhile.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    claims::Claims,
    keys::{KeySet, NoKeys},
    mapping::Mapping,
    sign_in::Browser,
    token::Expected,
};

/// What is asked of a provider, and the answer.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, NoAnswer>> + Send + 'a>>;

/// Whoever can ask providers over the network. Only successful answers are answers.
pub trait Ask: Send + Sync + fmt::Debug {
    /// `GET`, for JSON.
    fn get<'a>(&'a self, url: &'a str) -> Asked<'a>;

    /// `GET` with an access token, for JSON or a signed token.
    fn get_as<'a>(&'a self, url: &'a str, access: &'a str) -> Asked<'a>;

    /// `POST` of a form, for JSON; as this client when there is one.
    fn post<'a>(&'a self, url: &'a str, form: &'a [(&'a str, &'a str)], client: Option<&'a Client>) -> Asked<'a>;
}

/// A provider did not answer, or not with what was asked for. Says nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It says that the request is wrong: this status, from 400 to 499.
    #[error("it answered {0}")]
    Refused(u16),
    /// It cannot be reached, or is not well.
    #[error("no answer: {0}")]
    Silent(String),
}

/// How this server is known to a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The name of the client.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A provider that is trusted, and what is known of it beforehand.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// What its tokens must say.
    pub expected: Expected,
    /// How its claims are read.
    pub mapping: Mapping,
    /// How this server asks it about tokens that say nothing by themselves; without, those are refused.
    pub client: Option<Client>,
    /// How people sign in at it with a browser; without, they do not.
    pub browser: Option<Arc<Browser>>,
}

/// A provider while the program runs.
#[derive(Debug)]
pub struct Provider {
    /// What was set up.
    pub trusted: Trusted,
    ask: Arc<dyn Ask>,
    known: RwLock<Known>,
    /// One asks at a time, the others take what is there.
    asking: Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    keys: Option<Arc<KeySet>>,
    endpoints: Endpoints,
    /// When the keys were published to us, in seconds since 1970.
    fetched: i64,
    /// When they were last asked for, answered or not.
    asked: Option<i64>,
}

/// Where a provider is asked for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    introspection: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) userinfo: Option<String>,
    pub(crate) end_session: Option<String>,
    /// Whether its answers to browsers name it (RFC 9207).
    pub(crate) names_itself: bool,
    revocation: Option<String>,
    /// How clients may show who they are at the token endpoint.
    methods: Vec<String>,
    grants: Vec<String>,
    challenges: Vec<String>,
}

impl Endpoints {
    fn of(about: &Value) -> Self {
        let said = |name: &str| about.get(name).and_then(Value::as_str).map(str::to_owned);
        let listed = |name: &str, else_meant: &[&str]| match about.get(name).and_then(Value::as_array) {
            Some(said) => said.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => else_meant.iter().map(|one| (*one).to_owned()).collect(),
        };
        Self {
            introspection: said("introspection_endpoint"),
            authorization: said("authorization_endpoint"),
            token: said("token_endpoint"),
            userinfo: said("userinfo_endpoint"),
            end_session: said("end_session_endpoint"),
            revocation: said("revocation_endpoint"),
            // What is meant where nothing is said (OpenID Connect Discovery 1.0 §3).
            methods: listed("token_endpoint_auth_methods_supported", &["client_secret_basic"]),
            grants: listed("grant_types_supported", &["authorization_code", "implicit"]),
            challenges: listed("code_challenge_methods_supported", &[]),
            names_itself: about.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        }
    }

    fn addresses(&self) -> impl Iterator<Item = &str> {
        let all = [&self.introspection, &self.authorization, &self.token, &self.userinfo, &self.end_session];
        all.into_iter().flatten().map(String::as_str)
    }
}

/// What a provider says of itself that clients of ours need to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Where people give leave.
    pub authorization: Option<String>,
    /// Where tokens are given.
    pub token: Option<String>,
    /// Where tokens are looked up.
    pub introspection: Option<String>,
    /// Where tokens are taken back.
    pub revocation: Option<String>,
    /// How clients may show who they are.
    pub methods: Vec<String>,
    /// For what tokens are given.
    pub grants: Vec<String>,
    /// How codes may be bound to who asked for them (RFC 7636).
    pub challenges: Vec<String>,
}

/// The provider cannot be asked, and what it said before is no longer good enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider {issuer} cannot be asked: {why}")]
pub struct Away {
    /// Which.
    pub issuer: String,
    /// Why, in words for the operator.
    pub why: String,
}

/// Keys younger than this are not asked for again, unless a token names one that is not among them.
const FRESH: i64 = 10 * 60;
/// Keys serve so long while the provider is away.
const LASTING: i64 = 24 * 3600;
/// Keys that are not known make us ask this often at most: anybody can invent names of keys.
const GAP: i64 = 10;

impl Provider {
    /// A provider that nothing is known of yet.
    #[must_use]
    pub fn new(trusted: Trusted, ask: Arc<dyn Ask>) -> Self {
        Self { trusted, ask, known: RwLock::default(), asking: Mutex::new(()) }
    }

    /// Its keys, as they were published not long ago.
    ///
    /// # Errors
    /// When it is away and was for long.
    pub(crate) async fn keys(&self, now: i64) -> Result<Arc<KeySet>, Away> {
        let known = self.known();
        if let Some(keys) = &known.keys {
            let age = now - known.fetched;
            if age < FRESH || !self.may_ask(now) {
                return self.lasting(Arc::clone(keys), age);
            }
            // Somebody asks already: what is there serves meanwhile.
            let Ok(_one) = self.asking.try_lock() else { return self.lasting(Arc::clone(keys), age) };
            return match self.fetch(now).await {
                Ok(keys) => Ok(keys),
                Err(_) => self.lasting(Arc::clone(keys), age),
            };
        }
        let _one = self.asking.lock().await;
        match self.known().keys {
            Some(keys) => Ok(keys),
            None if self.may_ask(now) => self.fetch(now).await,
            None => Err(self.away("it did not answer a moment ago")),
        }
    }

    /// Its keys, asked for anew because a token names one that is not among them; `None` when they were
    /// asked for only a moment ago.
    pub(crate) async fn newer_keys(&self, now: i64) -> Option<Arc<KeySet>> {
        let before = self.known().fetched;
        let _one = self.asking.lock().await;
        let known = self.known();
        if known.fetched > before {
            return known.keys;
        }
        if !self.may_ask(now) {
            return None;
        }
        self.fetch(now).await.ok()
    }

    /// What it says of a token that says nothing by itself (RFC 7662); `None` when the token is not
    /// active, or this server is no client of the provider.
    ///
    /// # Errors
    /// When it is away.
    pub(crate) async fn introspect(&self, token: &str, now: i64) -> Result<Option<Claims>, Away> {
        let Some(client) = &self.trusted.client else { return Ok(None) };
        let Some(address) = self.endpoints(now).await?.introspection else { return Ok(None) };
        let form = [("token", token), ("token_type_hint", "access_token")];
        let answer = self.ask.post(&address, &form, Some(client)).await;
        let answer = answer.map_err(|error| self.away(&error.to_string()))?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| self.away("its answer is no JSON"))?;
        match answer {
            Value::Object(claims) if claims.get("active") == Some(&Value::Bool(true)) => Ok(Some(Claims::new(claims))),
            Value::Object(_) => Ok(None),
            _ => Err(self.away("its answer is no introspection (RFC 7662)")),
        }
    }

    /// Where it is asked for what, as it said not long ago.
    ///
    /// # Errors
    /// When it is away and was for long.
    pub(crate) async fn endpoints(&self, now: i64) -> Result<Endpoints, Away> {
        self.keys(now).await?;
        Ok(self.known().endpoints)
    }

    /// What it says of itself, as it said not long ago.
    ///
    /// # Errors
    /// When it is away and was for long.
    pub async fn about(&self, now: i64) -> Result<About, Away> {
        let Endpoints { authorization, token, introspection, revocation, methods, grants, challenges, .. } =
            self.endpoints(now).await?;
        Ok(About { authorization, token, introspection, revocation, methods, grants, challenges })
    }

    /// The same, once it answered a moment ago: nobody is sent to where nobody is.
    ///
    /// # Errors
    /// When it is away.
    pub(crate) async fn answering(&self, now: i64) -> Result<Endpoints, Away> {
        let _one = self.asking.lock().await;
        if self.may_ask(now) {
            self.fetch(now).await?;
        }
        let known = self.known();
        let answered = known.keys.is_some() && known.asked == Some(known.fetched);
        if answered { Ok(known.endpoints) } else { Err(self.away("it did not answer a moment ago")) }
    }

    /// The way to ask it.
    pub(crate) fn ask(&self) -> &dyn Ask {
        &*self.ask
    }

    /// Looks whether it can be asked and publishes keys: for whoever checks what was set up.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn probe(&self, now: i64) -> Result<(), Away> {
        let _one = self.asking.lock().await;
        self.fetch(now).await.map(drop)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_ask(&self, now: i64) -> bool {
        self.known().asked.is_none_or(|asked| (now - asked).abs() >= GAP)
    }

    fn lasting(&self, keys: Arc<KeySet>, age: i64) -> Result<Arc<KeySet>, Away> {
        if age < LASTING { Ok(keys) } else { Err(self.away("it has not answered for a day")) }
    }

    pub(crate) fn away(&self, why: &str) -> Away {
        Away { issuer: self.trusted.expected.issuer.clone(), why: why.to_owned() }
    }

    /// Asks for what it publishes. Only who holds `asking` calls this.
    async fn fetch(&self, now: i64) -> Result<Arc<KeySet>, Away> {
        self.know(|known| known.asked = Some(now));
        let fetched = self.published().await;
        match fetched {
            Ok((keys, endpoints)) => {
                let keys = Arc::new(keys);
                self.know(|known| {
                    known.keys = Some(Arc::clone(&keys));
                    known.endpoints = endpoints;
                    known.fetched = now;
                });
                Ok(keys)
            }
            Err(away) => {
                tracing::warn!(issuer = away.issuer, why = away.why, "a provider of identity cannot be asked");
                Err(away)
            }
        }
    }

    fn know(&self, learn: impl FnOnce(&mut Known)) {
        learn(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Its keys, and where it is asked for what, by discovery (OpenID Connect Discovery 1.0 §4).
    async fn published(&self) -> Result<(KeySet, Endpoints), Away> {
        let issuer = &self.trusted.expected.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let about = self.ask.get(&address).await.map_err(|error| self.away(&error.to_string()))?;
        let about: Value =
            serde_json::from_slice(&about).map_err(|_| self.away("what it says of itself is no JSON"))?;
        let said = |name: &str| about.get(name).and_then(Value::as_str);
        if said("issuer") != Some(issuer) {
            return Err(self.away("it says to be another issuer than the one set up"));
        }
        let keys = said("jwks_uri").ok_or_else(|| self.away("it does not say where its keys are"))?;
        let endpoints = Endpoints::of(&about);
        for address in endpoints.addresses().chain([keys]) {
            // Whoever is asked in the clear can be spoken for by anybody on the way.
            if issuer.starts_with("https:") && !address.starts_with("https:") {
                return Err(self.away("it leads from https to an address that is not encrypted"));
            }
        }
        let published = self.ask.get(keys).await.map_err(|error| self.away(&error.to_string()))?;
        let read = KeySet::read(&published).map_err(|error: NoKeys| self.away(&error.to_string()))?;
        Ok((read, endpoints))
    }
}
