//! Accounts of people without a provider of identity: made by invitation, opened by codes that come by mail.
//!
//! What is kept knows no address: a digest of it finds the account, and whoever signs in writes the address
//! again. Of an invitation the digest of its secret is kept, of a code a signature by a secret that only the
//! browser has.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use liaison_identity::{claims::Claims, mapping::Mapping};
use liaison_store::{
    contract::{Instant, StoreError},
    lease::Lease,
    writer::Tx,
};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use serde_json::{Map, Value, json};

use crate::{
    secret::Secret,
    sessions::{SessionError, Sessions},
};

pub mod invitations;

/// Whose word it is who has an account: this server's own.
pub const ISSUER: &str = "urn:liaison:account";

/// A code holds so long, in seconds.
pub const CODE_FOR: i64 = 10 * 60;
/// Wrong tries after which a code is no more.
const TRIES: i64 = 5;
/// Codes for one account, and from one place of the network, within an hour.
const HOUR: i64 = 3600;
const CODES_OF_ACCOUNT: usize = 5;
const CODES_FROM_PLACE: usize = 20;

const CODE: &str = "code";
const ACCOUNT: &str = "account";
const ASKED: &str = "asked";

/// How claims of accounts are read: they name resources of this server and nothing else.
#[must_use]
pub fn mapping() -> Mapping {
    let nothing = Mapping::default();
    Mapping { identifiers: Vec::new(), professions: Vec::new(), structures: Vec::new(), operator: None, ..nothing }
}

/// A mail address in the only form in which it is used: letters go to what the account is called after, and not
/// to what somebody wrote that comes to the same in one place and not in another.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox(String);

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox")
    }
}

impl Mailbox {
    /// What somebody wrote; nothing when it is not one plain address. Letters that ASCII does not have are
    /// written in other ways (browsers write names of hosts with `xn--`): some of them become others in small letters.
    #[must_use]
    pub fn read(written: &str) -> Option<Self> {
        let text = written.trim().to_ascii_lowercase();
        let (local, host) = text.split_once('@')?;
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || OF_NAMES.contains(&byte))
        };
        let label = |label: &str| {
            let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !label.is_empty() && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
        };
        let plain = local.split('.').all(word) && host.split('.').all(label);
        let whole = text.len() <= 254 && local.len() <= 64 && host.contains('.');
        (plain && whole).then_some(Self(text))
    }

    /// Where letters go.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// As far as it is kept.
    #[must_use]
    pub fn address(&self) -> Address {
        Address(named(&self.0))
    }
}

/// What names in addresses may have beside letters, digits and dots (RFC 5322, `atext`).
const OF_NAMES: &[u8] = b"!#$%&'*+-/=?^_`{|}~";

/// A mail address, as far as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

/// What a code was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To accept the invitation of this name.
    Invitation(String),
}

/// A code that was asked for.
#[derive(Debug)]
pub struct Asked {
    /// What the browser keeps.
    pub browser: Secret,
    /// What goes by mail; nothing when there is no such account, or codes were asked for too often. The browser is
    /// not told.
    pub code: Option<String>,
}

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is right, and used up.
    Right(Address, Purpose),
    /// It is wrong, and may be tried again.
    Wrong,
    /// There is none any more.
    Gone,
}

impl Sessions {
    /// Asks for a code, from a place of the network. The same is done whether there is an account or not.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn ask_code(
        &self,
        address: &Address,
        purpose: &Purpose,
        place: &str,
        now: i64,
    ) -> Result<Asked, SessionError> {
        let (browser, digits) = (Secret::new()?, digits()?);
        let invitation = match purpose {
            Purpose::SignIn => None,
            Purpose::Invitation(name) => Some(name.as_str()),
        };
        let value = |signed: &str| json!({ "signed": browser.sign(signed), "tries": 0, "invitation": invitation });
        let code = |value| lease(CODE, browser.name(), &address.0, now + CODE_FOR, &value);
        // Whoever tries a code that was not sent is answered as with one that was.
        let (real, unknown) = (code(value(&digits)), code(value(&Secret::new()?.text())));
        let (account, place, invites) = (address.0.clone(), named(place), invitation.is_some());
        let sent = self.store().write(move |tx| {
            let known = invites || tx.lease(ACCOUNT, &account)?.is_some();
            // Who asks too often from one place uses nothing of others up.
            let sent =
                counts(tx, &place, CODES_FROM_PLACE, now)? && counts(tx, &account, CODES_OF_ACCOUNT, now)? && known;
            tx.put_lease(if sent { &real } else { &unknown })?;
            Ok::<_, StoreError>(sent)
        });
        let sent = sent.await.map_err(kept)?;
        Ok(Asked { browser, code: sent.then_some(digits) })
    }

    /// Tries a code in the browser that asked for it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn try_code(&self, browser: &Secret, written: &str, now: i64) -> Result<Tried, SessionError> {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let browser = browser.clone();
        let tried = self.store().write(move |tx| {
            let name = browser.name();
            let Some(mut lease) = tx.lease(CODE, &name)?.filter(|lease| instant(now) < lease.until) else {
                return Ok(Tried::Gone);
            };
            let Ok(mut said) = serde_json::from_slice::<Value>(&lease.value) else { return Ok(Tried::Gone) };
            if browser.signed(&digits, said["signed"].as_str().unwrap_or_default()) {
                tx.drop_lease(CODE, &name)?;
                let invitation = said["invitation"].as_str().map(str::to_owned);
                let purpose = invitation.map_or(Purpose::SignIn, Purpose::Invitation);
                return Ok(Tried::Right(Address(lease.owner.into()), purpose));
            }
            let tries = said["tries"].as_i64().unwrap_or(TRIES) + 1;
            if tries >= TRIES {
                tx.drop_lease(CODE, &name)?;
                return Ok(Tried::Gone);
            }
            said["tries"] = json!(tries);
            lease.value = said.to_string().into_bytes();
            tx.put_lease(&lease)?;
            Ok(Tried::Wrong)
        });
        tried.await.map_err(kept)
    }

    /// What is known of who has the account of an address.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn account(&self, address: &Address) -> Result<Option<Claims>, SessionError> {
        let name = address.0.clone();
        let found = self.store().read(move |reader| reader.lease(ACCOUNT, &name)).await.map_err(kept)?;
        Ok(found.and_then(|lease| claims(&lease.value)).map(Claims::new))
    }
}

fn kept(error: StoreError) -> SessionError {
    SessionError::Store(error)
}

fn claims(value: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(value) {
        Ok(Value::Object(claims)) => Some(claims),
        _ => None,
    }
}

fn instant(seconds: i64) -> Instant {
    Instant(seconds.saturating_mul(1_000_000))
}

fn lease(kind: &str, id: String, owner: &str, until: i64, value: &Value) -> Lease {
    let value = value.to_string().into_bytes();
    Lease { kind: kind.into(), id: id.into(), owner: owner.into(), until: instant(until), value }
}

/// What something is called that is not to be read.
fn named(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// Eight digits.
fn digits() -> Result<String, SessionError> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SessionError::Chance)?;
    Ok(format!("{:08}", u64::from_le_bytes(bytes) % 100_000_000))
}

/// Counts one more of something; `false` when there were too many within the last hour.
fn counts(tx: &mut Tx<'_>, of: &str, most: usize, now: i64) -> Result<bool, StoreError> {
    let before = tx.lease(ASKED, of)?.and_then(|lease| serde_json::from_slice::<Vec<i64>>(&lease.value).ok());
    let mut moments = before.unwrap_or_default();
    moments.retain(|moment| now - moment < HOUR);
    if moments.len() >= most {
        return Ok(false);
    }
    moments.push(now);
    tx.put_lease(&lease(ASKED, of.to_owned(), "", now + HOUR, &json!(moments)))?;
    Ok(true)
}

#[cfg(test)]
mod tests;
