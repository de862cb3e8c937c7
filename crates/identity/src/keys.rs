//! The public keys of a provider, as it publishes them (RFC 7517).

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde_json::Value;

/// Keys that tokens may be signed with.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// A key, with what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    id: Option<String>,
    /// The algorithms it may be used with: never more than one family.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) decoding: DecodingKey,
}

/// Why what a provider published is no set of keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// It is not JSON with an array `keys`.
    #[error("what was published is no set of keys (RFC 7517)")]
    Unreadable,
    /// None of its keys signs tokens by an algorithm known here.
    #[error("none of the keys published signs by an algorithm known here (RS, PS, ES256, ES384, EdDSA)")]
    NoneUsable,
}

impl KeySet {
    /// Reads a published set. Keys of other kinds (for encryption, shared secrets, other curves) are left
    /// out: a provider may have them for others.
    ///
    /// # Errors
    /// When it is no set of keys, or none of them is of use.
    pub fn read(published: &[u8]) -> Result<Self, NoKeys> {
        let published: Value = serde_json::from_slice(published).map_err(|_| NoKeys::Unreadable)?;
        let listed = published.get("keys").and_then(Value::as_array).ok_or(NoKeys::Unreadable)?;
        let keys: Vec<Key> = listed.iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(NoKeys::NoneUsable) } else { Ok(Self { keys }) }
    }

    /// The keys that a token with this header may have been signed with: those of its name, or all when it
    /// names none.
    pub(crate) fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        let named = move |key: &&Key| id.is_none() || key.id.as_deref() == id;
        self.keys.iter().filter(named).filter(move |key| key.algorithms.contains(&algorithm))
    }
}

impl Key {
    fn read(listed: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(listed.clone()).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let possible: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            // A secret that is published is none.
            _ => return None,
        };
        let algorithms = match listed.get("alg").and_then(Value::as_str) {
            None => possible.to_vec(),
            Some(name) => {
                let only = name.parse().ok()?;
                possible.contains(&only).then(|| vec![only])?
            }
        };
        Some(Self { id: jwk.common.key_id.clone(), algorithms, decoding: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuing::Issuing;

    fn read(keys: &str) -> Result<KeySet, NoKeys> {
        KeySet::read(format!("{{\"keys\":[{keys}]}}").as_bytes())
    }

    #[test]
    fn keys_that_are_of_no_use_here_are_left_out_not_refused() {
        let ours = Issuing::new("a").jwk();
        let others = [
            r#"{"kty":"oct","k":"c2VjcmV0","kid":"secret"}"#,
            r#"{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}"#,
            r#"{"kty":"future","kid":"f"}"#,
            r#"{"kty":"RSA","use":"enc","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"RSA","alg":"HS256","n":"AQAB","e":"AQAB"}"#,
            "7",
        ];
        for other in others {
            assert!(matches!(read(other), Err(NoKeys::NoneUsable)), "{other}");
            assert_eq!(read(&format!("{other},{ours}")).unwrap().keys.len(), 1, "{other}");
        }
    }

    #[test]
    fn what_is_no_set_of_keys_is_said_to_be_none() {
        for published in ["", "[]", "{}", "{\"keys\":{}}", "<html>"] {
            assert!(matches!(KeySet::read(published.as_bytes()), Err(NoKeys::Unreadable)), "{published}");
        }
    }

    #[test]
    fn a_key_is_for_its_own_algorithms() {
        let keys = read(&Issuing::new("a").jwk()).unwrap();
        assert_eq!(keys.candidates(Some("a"), Algorithm::ES256).count(), 1);
        assert_eq!(keys.candidates(None, Algorithm::ES256).count(), 1);
        assert_eq!(keys.candidates(Some("b"), Algorithm::ES256).count(), 0);
        assert_eq!(keys.candidates(Some("a"), Algorithm::HS256).count(), 0);
        assert_eq!(keys.candidates(Some("a"), Algorithm::RS256).count(), 0);
    }
}
