//! Invitations: a secret that makes whoever opens it first somebody in a notebook.
//!
//! An invitation is open until it is taken by who accepts it, given back when nothing came of that, withdrawn, or too old.

use liaison_care::access::Identity;
use liaison_identity::claims::Claims;
use liaison_store::{
    contract::{Instant, StoreError},
    lease::Lease,
    writer::Tx,
};
use serde_json::{Map, Value, json};

use super::{ACCOUNT, Address, claims, instant, kept, lease};
use crate::{
    secret::Secret,
    sessions::{Session, SessionError, Sessions},
};

/// An invitation holds so long, in seconds.
pub const INVITED_FOR: i64 = 7 * 24 * 3600;
/// As many wait for one notebook.
pub const WAITING: usize = 20;

const INVITATION: &str = "invitation";

/// What one is invited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The id of the person whose notebook it is.
    pub notebook: String,
    /// Who is invited.
    pub given: String,
    /// See above.
    pub family: String,
    /// What they are to the person: a code.
    pub relation: String,
}

/// An invitation that holds.
#[derive(Clone, Debug)]
pub struct Invited {
    /// To what.
    pub to: Invitation,
    /// By whom, as they are known now.
    pub by: Identity,
    /// What it is called, which opens nothing.
    pub name: String,
}

/// An invitation that nobody has accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// To what.
    pub to: Invitation,
    /// What it is called, which opens nothing.
    pub name: String,
    /// Until when it holds, in seconds since 1970.
    pub until: i64,
}

impl Sessions {
    /// Invites somebody; whoever opens the secret first accepts. Nothing when too many invitations wait.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn invite(&self, by: &Session, to: &Invitation, now: i64) -> Result<Option<Secret>, SessionError> {
        let secret = Secret::new()?;
        let value = json!({
            "notebook": to.notebook, "given": to.given, "family": to.family, "relation": to.relation,
            "issuer": by.issuer, "claims": by.claims.clone().into_value()
        });
        let lease = lease(INVITATION, secret.name(), &to.notebook, now + INVITED_FOR, &value);
        let made = self.store().write(move |tx| {
            let waiting = tx.leases_of(INVITATION, &lease.owner)?.iter().filter(|one| is_open(one, now)).count();
            if waiting >= WAITING {
                return Ok(false);
            }
            tx.put_lease(&lease).map(|()| true)
        });
        Ok(made.await.map_err(kept)?.then_some(secret))
    }

    /// The invitations to a notebook that wait, those that end first first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn waiting(&self, notebook: &str, now: i64) -> Result<Vec<Waiting>, SessionError> {
        let owner = notebook.to_owned();
        let all = self.store().read(move |reader| reader.leases_of(INVITATION, &owner)).await.map_err(kept)?;
        let open = all.into_iter().filter(|lease| is_open(lease, now));
        let read = |lease: Lease| {
            let to = Invitation::read(&claims(&lease.value)?)?;
            Some(Waiting { to, name: lease.id.into(), until: lease.until.0 / 1_000_000 })
        };
        let mut waiting: Vec<Waiting> = open.filter_map(read).collect();
        waiting.sort_by(|one, other| (one.until, &one.name).cmp(&(other.until, &other.name)));
        Ok(waiting)
    }

    /// Withdraws an invitation to a notebook; `false` when none of this name waits there.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn withdraw(&self, notebook: &str, name: &str, now: i64) -> Result<bool, SessionError> {
        let (notebook, name) = (notebook.to_owned(), name.to_owned());
        let withdrawn = self.store().write(move |tx| {
            let found = tx.lease(INVITATION, &name)?.filter(|lease| *lease.owner == *notebook && is_open(lease, now));
            Ok::<_, StoreError>(found.is_some() && tx.drop_lease(INVITATION, &name)?)
        });
        withdrawn.await.map_err(kept)
    }

    /// The invitation that a secret opens, as long as it holds and who made it is trusted.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn invited(&self, secret: &Secret, now: i64) -> Result<Option<Invited>, SessionError> {
        let name = secret.name();
        let found = {
            let name = name.clone();
            self.store().read(move |reader| reader.lease(INVITATION, &name)).await.map_err(kept)?
        };
        let Some(lease) = found.filter(|lease| is_open(lease, now)) else { return Ok(None) };
        Ok(self.read_invitation(&lease.value).map(|(to, by)| Invited { to, by, name }))
    }

    fn read_invitation(&self, value: &[u8]) -> Option<(Invitation, Identity)> {
        let mut said = claims(value)?;
        let Some(Value::Object(of)) = said.remove("claims") else { return None };
        let by = self.vouched(said.get("issuer")?.as_str()?, &Claims::new(of))?;
        Some((Invitation::read(&said)?, by))
    }

    /// Takes an invitation, so that nobody else does and it cannot be withdrawn; `false` when somebody was faster.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn take(&self, invited: &Invited, now: i64) -> Result<bool, SessionError> {
        let name = invited.name.clone();
        let taken = self.store().write(move |tx| {
            let open = tx.lease(INVITATION, &name)?.filter(|lease| is_open(lease, now));
            open.map_or(Ok(false), |lease| mark(tx, lease, State::Taken))
        });
        taken.await.map_err(kept)
    }

    /// Opens an invitation again that was taken, and of which nothing came.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn give_back(&self, invited: &Invited) -> Result<(), SessionError> {
        let name = invited.name.clone();
        let back = self.store().write(move |tx| {
            let found = tx.lease(INVITATION, &name)?;
            found.map_or(Ok(false), |lease| mark(tx, lease, State::Open))
        });
        back.await.map(drop).map_err(kept)
    }

    /// Ends an invitation that was taken, and has whoever has this address be this resource from now on. Nothing when
    /// it was not taken.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn accept(
        &self,
        invited: &Invited,
        address: &Address,
        resource: &str,
    ) -> Result<Option<Claims>, SessionError> {
        let Invitation { given, family, .. } = invited.to.clone();
        let (invitation, account, resource) = (invited.name.clone(), address.0.clone(), resource.to_owned());
        let new = Secret::new()?.name();
        let accepted = self.store().write(move |tx| {
            let taken = tx.lease(INVITATION, &invitation)?.is_some_and(|lease| state(&lease) == State::Taken);
            if !taken || !tx.drop_lease(INVITATION, &invitation)? {
                return Ok(None);
            }
            let before = tx.lease(ACCOUNT, &account)?.and_then(|lease| claims(&lease.value));
            let mut said = before.unwrap_or_else(|| {
                let name = [("sub", &new), ("given_name", &given), ("family_name", &family)];
                name.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
            });
            let mut resources = said.get("fhirUser").and_then(Value::as_array).cloned().unwrap_or_default();
            resources.push(json!(resource));
            said.insert("fhirUser".to_owned(), Value::Array(resources));
            let value = Value::Object(said.clone());
            let mut lease = lease(ACCOUNT, account.clone(), value["sub"].as_str().unwrap_or_default(), 0, &value);
            lease.until = Instant(i64::MAX);
            tx.put_lease(&lease)?;
            Ok::<_, StoreError>(Some(Claims::new(said)))
        });
        accepted.await.map_err(kept)
    }
}

impl Invitation {
    fn read(said: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| said.get(name)?.as_str().map(str::to_owned);
        let (notebook, relation) = (text("notebook")?, text("relation")?);
        Some(Self { notebook, given: text("given")?, family: text("family")?, relation })
    }
}

/// How far an invitation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Somebody is being brought in by it.
    Taken,
}

const TAKEN: &str = "taken";

fn state(lease: &Lease) -> State {
    match claims(&lease.value).is_some_and(|said| said.contains_key(TAKEN)) {
        true => State::Taken,
        false => State::Open,
    }
}

fn is_open(lease: &Lease, now: i64) -> bool {
    instant(now) < lease.until && state(lease) == State::Open
}

fn mark(tx: &mut Tx<'_>, mut lease: Lease, state: State) -> Result<bool, StoreError> {
    let Some(mut said) = claims(&lease.value) else { return Ok(false) };
    match state {
        State::Taken => said.insert(TAKEN.to_owned(), json!(true)),
        State::Open => said.remove(TAKEN),
    };
    lease.value = Value::Object(said).to_string().into_bytes();
    tx.put_lease(&lease).map(|()| true)
}
