//! Secrets that open something, of which only a digest is kept.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use crate::sessions::SessionError;

/// 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the machine gives no chance.
    pub fn new() -> Result<Self, SessionError> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SessionError::Chance)?;
        Ok(Self(bytes))
    }

    /// Reads one again; nothing when it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As whoever has it keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// By which it is found, and from which it cannot be made again.
    #[must_use]
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.0))
    }

    /// What shows that somebody has it, for one purpose, and is not it.
    #[must_use]
    pub fn sign(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), purpose.as_bytes()))
    }

    /// Whether this is what [`Secret::sign`] gives. Takes the same time whatever is given.
    #[must_use]
    pub fn signed(&self, purpose: &str, given: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(given) else { return false };
        hmac::verify(&self.key(), purpose.as_bytes(), &given).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_again_and_nothing_else_is_one() {
        let secret = Secret::new().unwrap();
        assert_eq!(Secret::read(&secret.text()), Some(secret.clone()));
        assert_ne!(secret, Secret::new().unwrap());
        for other in ["", "x", &secret.text()[1..], &format!("{}A", secret.text()), "é"] {
            assert_eq!(Secret::read(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_shown_of_a_secret_is_not_the_secret() {
        let secret = Secret::new().unwrap();
        let shown = [secret.name(), secret.sign("a"), secret.sign("b"), format!("{secret:?}")];
        assert!(shown.iter().all(|shown| *shown != secret.text()));
        assert_ne!(shown[1], shown[2]);
        assert!(secret.signed("a", &shown[1]) && !secret.signed("b", &shown[1]));
        assert!(!Secret::new().unwrap().signed("a", &shown[1]));
        assert!(!secret.signed("a", "") && !secret.signed("a", "é"));
    }
}
