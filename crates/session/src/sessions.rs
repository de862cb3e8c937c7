//! The sessions: opened at sign-in, found with each request, listed and ended.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use liaison_care::access::Identity;
use liaison_identity::{claims::Claims, mapping::Mapping};
use liaison_store::{
    contract::{Instant, StoreError},
    lease::Lease,
    store::Store,
};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::{
    cookie::{Cookies, Holding},
    guard::Own,
    secret::Secret,
};

/// The sessions of a server. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    set_up: SetUp,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("set_up", &self.inner.set_up).finish_non_exhaustive()
    }
}

/// How sessions are set up.
#[derive(Clone, Debug)]
pub struct SetUp {
    /// Whose word on who somebody is holds, and how it is read.
    pub authorities: Vec<Authority>,
    /// How long sessions last.
    pub lasting: Lasting,
    /// The address at which browsers find the server; none on this machine.
    pub address: Option<String>,
    /// The bases of this server, for resources that claims name in full.
    pub bases: Vec<String>,
}

/// Somebody whose word on who people are holds.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its name.
    pub issuer: String,
    /// How its claims are read.
    pub mapping: Mapping,
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Without being used.
    pub idle: Duration,
    /// In all.
    pub whole: Duration,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No secrets can be made.
    #[error("the machine gives nothing to make secrets of")]
    Chance,
    /// What is said of somebody does not tell who they are here.
    #[error("nothing that was said tells who it is in a way that is known here")]
    Nobody,
}

/// Somebody who has just shown who they are.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who says so.
    pub issuer: String,
    /// What it says.
    pub claims: Claims,
    /// What to name them by when they sign out there.
    pub id_token: Option<String>,
    /// What their browser calls itself.
    pub browser: String,
}

/// A session that holds.
#[derive(Clone, Debug)]
pub struct Session {
    /// What opens it.
    pub secret: Secret,
    /// Who.
    pub identity: Identity,
    /// Who said so.
    pub issuer: String,
    /// What was said.
    pub claims: Claims,
    /// What to name them by when they sign out there.
    pub id_token: Option<String>,
}

/// What is shown of a session to whom it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name, which opens nothing.
    pub name: String,
    /// When it began, in seconds since 1970.
    pub begun: i64,
    /// What the browser called itself.
    pub browser: String,
    /// Whether it is the one that asks.
    pub asking: Asking,
}

/// Which session asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// This one.
    This,
    /// Another.
    Another,
}

/// What sessions are among leases.
const KIND: &str = "session";
/// What things that were used up are among leases.
const USED_UP: &str = "used-up";
/// Sessions of one person at once: with one more, the oldest ends.
const MOST: usize = 20;
/// Characters of what a browser calls itself.
const BROWSER: usize = 200;
/// The end of a session that is used is moved when it is nearer than it could be by this part of its time.
const MOVED: i64 = 10;

/// What is kept of a session.
struct Kept {
    issuer: String,
    claims: Claims,
    begun: i64,
    browser: String,
    id_token: Option<String>,
}

impl Sessions {
    /// The sessions in a store.
    #[must_use]
    pub fn new(store: Store, set_up: SetUp) -> Self {
        Self { inner: Arc::new(Inner { store, set_up }) }
    }

    /// How cookies travel.
    #[must_use]
    pub fn cookies(&self) -> Cookies {
        Cookies::at(self.inner.set_up.address.as_deref())
    }

    /// Where our own pages are.
    #[must_use]
    pub fn own(&self) -> Own {
        Own::at(self.inner.set_up.address.as_deref())
    }

    /// Opens a session at a moment in seconds since 1970; the one before it in the same browser ends.
    ///
    /// # Errors
    /// When it is not known who arrives, or the store is away.
    pub async fn open(&self, arrival: Arrival, before: Option<&Secret>, now: i64) -> Result<Secret, SessionError> {
        let authority = self.authority(&arrival.issuer).ok_or(SessionError::Nobody)?;
        let claims = arrival.claims.at_most(authority.mapping.of_people());
        let kept = Kept {
            issuer: arrival.issuer,
            claims,
            begun: now,
            browser: arrival.browser.chars().filter(|letter| !letter.is_control()).take(BROWSER).collect(),
            id_token: arrival.id_token,
        };
        let owner = self.whose(&kept).ok_or(SessionError::Nobody)?.name;
        let secret = Secret::new()?;
        let lease = Lease {
            kind: KIND.into(),
            id: secret.name().into(),
            owner: owner.as_str().into(),
            until: self.end(now, now),
            value: kept.write(),
        };
        let mut over: Vec<String> = before.map(Secret::name).into_iter().collect();
        let mut others: Vec<(i64, String)> =
            self.kept_of(&owner, now).await?.into_iter().map(|(name, kept)| (kept.begun, name)).collect();
        others.sort();
        let beyond = (others.len() + 1).saturating_sub(MOST);
        over.extend(others.into_iter().take(beyond).map(|(_, name)| name));
        let opened = self.inner.store.write(move |tx| {
            for name in &over {
                tx.drop_lease(KIND, name)?;
            }
            tx.put_lease(&lease)
        });
        opened.await.map_err(|error: StoreError| SessionError::Store(error))?;
        Ok(secret)
    }

    /// The session that a request's `Cookie` headers open; using it keeps it from ending.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn opened_by<'h>(
        &self,
        headers: impl IntoIterator<Item = &'h str>,
        now: i64,
    ) -> Result<Option<Session>, SessionError> {
        let Some(secret) = self.cookies().read(Holding::Session, headers).and_then(Secret::read) else {
            return Ok(None);
        };
        let name = secret.name();
        let found = self.inner.store.read_here(|reader| reader.lease(KIND, &name)).await;
        let Some(lease) = found.map_err(|error: StoreError| SessionError::Store(error))? else { return Ok(None) };
        let Some(kept) = Kept::read(&lease.value).filter(|kept| self.holds(&lease, kept, now)) else {
            return Ok(None);
        };
        let Some(identity) = self.whose(&kept) else { return Ok(None) };
        let end = self.end(kept.begun, now);
        if end.0.saturating_sub(lease.until.0) > micros(self.inner.set_up.lasting.idle) / MOVED {
            let moved = self.inner.store.write(move |tx| tx.extend_lease(KIND, &name, end));
            if !moved.await.map_err(|error: StoreError| SessionError::Store(error))? {
                // Ended at this very moment.
                return Ok(None);
            }
        }
        Ok(Some(Session { secret, identity, issuer: kept.issuer, claims: kept.claims, id_token: kept.id_token }))
    }

    /// All sessions of whoever this one is of, the latest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn beside(&self, session: &Session, now: i64) -> Result<Vec<Shown>, SessionError> {
        let own = session.secret.name();
        let shown = |(name, kept): (String, Kept)| {
            let asking = if name == own { Asking::This } else { Asking::Another };
            Shown { name, begun: kept.begun, browser: kept.browser, asking }
        };
        let mut all: Vec<Shown> = self.kept_of(&session.identity.name, now).await?.into_iter().map(shown).collect();
        all.sort_by(|one, other| other.begun.cmp(&one.begun).then_with(|| one.name.cmp(&other.name)));
        Ok(all)
    }

    /// Ends this session.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_this(&self, session: &Session) -> Result<(), SessionError> {
        self.end_named(session, session.secret.name()).await.map(drop)
    }

    /// Ends a session of whoever this one is of, by its name; `false` when there is none: those of others are
    /// as if they were not.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_named(&self, session: &Session, name: String) -> Result<bool, SessionError> {
        let owner = session.identity.name.clone();
        let ended = self.inner.store.write(move |tx| {
            let theirs = tx.lease(KIND, &name)?.is_some_and(|lease| *lease.owner == *owner);
            Ok::<_, StoreError>(theirs && tx.drop_lease(KIND, &name)?)
        });
        Ok(ended.await?)
    }

    /// Ends all sessions of whoever this one is of, this one too; says how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end_all(&self, session: &Session) -> Result<usize, SessionError> {
        let owner = session.identity.name.clone();
        let ended = self.inner.store.write(move |tx| {
            let mut ended = 0;
            for lease in tx.leases_of(KIND, &owner)? {
                ended += usize::from(tx.drop_lease(KIND, &lease.id)?);
            }
            Ok::<_, StoreError>(ended)
        });
        Ok(ended.await?)
    }

    /// Takes note that something that is good once was used; `false` when it was before. It is remembered
    /// until a moment in seconds since 1970.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn use_up(&self, once: &str, until: i64) -> Result<bool, SessionError> {
        let name = URL_SAFE_NO_PAD.encode(digest(&SHA256, once.as_bytes()));
        let used = Lease {
            kind: USED_UP.into(),
            id: name.into(),
            owner: "".into(),
            until: Instant(until.saturating_mul(1_000_000)),
            value: Vec::new(),
        };
        let first = self.inner.store.write(move |tx| {
            let first = tx.lease(&used.kind, &used.id)?.is_none();
            if first {
                tx.put_lease(&used)?;
            }
            Ok::<_, StoreError>(first)
        });
        Ok(first.await?)
    }

    async fn kept_of(&self, owner: &str, now: i64) -> Result<Vec<(String, Kept)>, SessionError> {
        let owner = owner.to_owned();
        let all = self.inner.store.read(move |reader| reader.leases_of(KIND, &owner)).await;
        let all = all.map_err(|error: StoreError| SessionError::Store(error))?;
        let of = all.into_iter().filter_map(|lease| {
            let kept = Kept::read(&lease.value).filter(|kept| self.holds(&lease, kept, now))?;
            Some((lease.id.into(), kept))
        });
        Ok(of.collect())
    }

    /// Whether a session holds at a moment: settings that were made stricter since count too.
    fn holds(&self, lease: &Lease, kept: &Kept, now: i64) -> bool {
        Instant(now.saturating_mul(1_000_000)) < lease.until.min(self.end(kept.begun, now))
    }

    /// When a session that began then and is used now ends.
    fn end(&self, begun: i64, now: i64) -> Instant {
        let Lasting { idle, whole } = self.inner.set_up.lasting;
        let after = |moment: i64, time| moment.saturating_mul(1_000_000).saturating_add(micros(time));
        Instant(after(now, idle).min(after(begun, whole)))
    }

    /// Whom somebody is who arrives; nobody when nothing that was said tells it.
    #[must_use]
    pub fn who(&self, arrival: &Arrival) -> Option<Identity> {
        self.vouched(&arrival.issuer, &arrival.claims)
    }

    fn whose(&self, kept: &Kept) -> Option<Identity> {
        self.vouched(&kept.issuer, &kept.claims)
    }

    /// Whom claims are about, when whoever said them is trusted still.
    pub(crate) fn vouched(&self, issuer: &str, claims: &Claims) -> Option<Identity> {
        let authority = self.authority(issuer)?;
        authority.mapping.identity(&authority.issuer, claims, &self.inner.set_up.bases).ok()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    fn authority(&self, issuer: &str) -> Option<&Authority> {
        self.inner.set_up.authorities.iter().find(|authority| authority.issuer == issuer)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

impl Kept {
    fn write(&self) -> Vec<u8> {
        let mut kept = json!({
            "issuer": self.issuer, "begun": self.begun, "browser": self.browser,
            "claims": self.claims.clone().into_value()
        });
        if let Some(id_token) = &self.id_token {
            kept["id_token"] = json!(id_token);
        }
        kept.to_string().into_bytes()
    }

    /// Nothing when another program wrote it otherwise.
    fn read(value: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut kept)) = serde_json::from_slice(value) else { return None };
        let mut text = |name: &str| match kept.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (issuer, browser, id_token) = (text("issuer")?, text("browser")?, text("id_token"));
        let begun = kept.get("begun")?.as_i64()?;
        let Some(Value::Object(claims)) = kept.remove("claims") else { return None };
        Some(Self { issuer, claims: Claims::new(claims), begun, browser, id_token })
    }
}

#[cfg(test)]
mod tests;
