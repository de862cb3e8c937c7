//! One attempt to sign in at a provider: what ties its answer to the browser that asked.
//!
//! An attempt is kept by the browser alone, in a cookie; what is sent to the provider is derived from the
//! secret in it. Nothing is written here for whoever only begins, and any node can take the answer.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// An attempt holds so long, in seconds: somebody has to find their card and its code.
pub const LASTING: i64 = 15 * 60;

/// An attempt to sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    secret: [u8; 32],
    /// The issuer that is to say who it is.
    pub issuer: String,
    /// When it began, in seconds since 1970.
    pub begun: i64,
    /// Where one wanted to go.
    pub back: String,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("issuer", &self.issuer).field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// The machine gives no chance to make secrets of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the machine gives nothing to make secrets of")]
pub struct NoChance;

impl Attempt {
    /// A new one.
    ///
    /// # Errors
    /// When the machine gives no chance.
    pub fn begin(issuer: &str, back: &str, now: i64) -> Result<Self, NoChance> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).map_err(|_| NoChance)?;
        Ok(Self { secret, issuer: issuer.to_owned(), begun: now, back: back.to_owned() })
    }

    /// As it stands in a cookie.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { secret, issuer, begun, back } = self;
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{begun}.{}.{}", encode(secret), encode(issuer.as_bytes()), encode(back.as_bytes()))
    }

    /// Reads it again; nothing when it is none, or too old.
    #[must_use]
    pub fn read(text: &str, now: i64) -> Option<Self> {
        let mut parts = text.split('.');
        let mut bytes = || URL_SAFE_NO_PAD.decode(parts.next()?).ok();
        let secret = bytes()?.try_into().ok()?;
        let begun = parts.next()?.parse().ok()?;
        let mut text = || String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
        let (issuer, back) = (text()?, text()?);
        let whole = parts.next().is_none() && (0..LASTING).contains(&(now - begun));
        whole.then_some(Self { secret, issuer, begun, back })
    }

    /// What the answer must carry. It holds all of the attempt: a cookie put together by others does not fit.
    #[must_use]
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// Whether an answer carries it. Takes the same time whatever is given.
    #[must_use]
    pub fn is_state(&self, given: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(given) else { return false };
        hmac::verify(&self.key(), self.said("state").as_bytes(), &given).is_ok()
    }

    /// What the ID token must carry.
    #[must_use]
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What shows that whoever brings the code asked for it (RFC 7636).
    #[must_use]
    pub fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// What the provider is told of the verifier beforehand, by S256.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier().as_bytes()))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.secret)
    }

    fn said(&self, what: &str) -> String {
        format!("{what}\n{}\n{}\n{}", self.begun, self.issuer, self.back)
    }

    fn derived(&self, what: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), self.said(what).as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn attempt() -> Attempt {
        Attempt::begin("https://idp.example", "/carnet?à=1", NOW).unwrap()
    }

    #[test]
    fn an_attempt_is_read_again_for_a_quarter_of_an_hour() {
        let attempt = attempt();
        assert_eq!(Attempt::read(&attempt.text(), NOW).as_ref(), Some(&attempt));
        assert_eq!(Attempt::read(&attempt.text(), NOW + LASTING - 1).as_ref(), Some(&attempt));
        assert_eq!(Attempt::read(&attempt.text(), NOW + LASTING), None);
        assert_eq!(Attempt::read(&attempt.text(), NOW - 1), None, "none comes from the future");
        for other in ["", ".", "a.b.c.d", "....", &format!("{}.x", attempt.text())] {
            assert_eq!(Attempt::read(other, NOW), None, "{other}");
        }
    }

    #[test]
    fn what_is_sent_differs_by_purpose_and_by_attempt() {
        let (one, other) = (attempt(), attempt());
        let sent = [one.state(), one.nonce(), one.verifier(), one.challenge(), other.state(), other.verifier()];
        let different: std::collections::BTreeSet<_> = sent.iter().collect();
        assert_eq!(different.len(), sent.len());
        assert!(sent.iter().all(|text| text.len() == 43), "RFC 7636 asks for 43 characters at least");
    }

    #[test]
    fn an_answer_fits_the_attempt_as_it_was_begun() {
        let attempt = attempt();
        assert!(attempt.is_state(&attempt.state()));
        let elsewhere = Attempt { back: "/elsewhere".to_owned(), ..attempt.clone() };
        let later = Attempt { begun: NOW + 60, ..attempt.clone() };
        let others = Attempt { issuer: "https://evil.example".to_owned(), ..attempt.clone() };
        for changed in [elsewhere, later, others] {
            assert!(!changed.is_state(&attempt.state()), "{changed:?}");
        }
        for other in ["", "x", &attempt.nonce(), &super::URL_SAFE_NO_PAD.encode([0; 32])] {
            assert!(!attempt.is_state(other), "{other}");
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let attempt = attempt();
        let secret = attempt.text().split('.').next().unwrap().to_owned();
        assert!(!format!("{attempt:?}").contains(&secret));
    }
}
