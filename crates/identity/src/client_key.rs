//! A key by which this server shows a provider who it is (`private_key_jwt`, OpenID Connect Core §9).

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::json;

use crate::attempt::NoChance;

/// A key of this server.
pub struct ClientKey {
    id: Option<String>,
    pair: Pair,
}

enum Pair {
    Point(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// It is no private key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no private key in PKCS#8 (BEGIN PRIVATE KEY), of the curve P-256 or of RSA with 2048 bits or more")]
pub struct NoKey;

/// An assertion holds so long, in seconds.
const LASTING: i64 = 60;

impl ClientKey {
    /// Reads a key in PEM; the id is what the provider knows it by.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(pem: &str, id: Option<String>) -> Result<Self, NoKey> {
        let body = pem.split("-----BEGIN PRIVATE KEY-----").nth(1).and_then(|rest| rest.split("-----END").next());
        let letters: String = body.ok_or(NoKey)?.split_whitespace().collect();
        let document = STANDARD.decode(letters).map_err(|_| NoKey)?;
        let random = SystemRandom::new();
        let point = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &random)
            .map(Box::new)
            .map(Pair::Point);
        let pair = match point {
            Ok(pair) => pair,
            Err(_) => Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(&document).map_err(|_| NoKey)?)),
        };
        Ok(Self { id, pair })
    }

    /// Says to whoever answers at an address that this is the client, at a moment in seconds since 1970.
    ///
    /// # Errors
    /// When the machine gives no chance to sign with.
    pub(crate) fn assertion(&self, client: &str, audience: &str, now: i64) -> Result<String, NoChance> {
        let random = SystemRandom::new();
        let mut once = [0; 16];
        random.fill(&mut once).map_err(|_| NoChance)?;
        let algorithm = match self.pair {
            Pair::Point(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        };
        let mut header = json!({ "alg": algorithm, "typ": "JWT" });
        if let Some(id) = &self.id {
            header["kid"] = json!(id);
        }
        let claims = json!({
            "iss": client, "sub": client, "aud": audience, "jti": URL_SAFE_NO_PAD.encode(once),
            "iat": now, "exp": now + LASTING
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = match &self.pair {
            Pair::Point(pair) => pair.sign(&random, signed.as_bytes()).map_err(|_| NoChance)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).map_err(|_| NoChance)?;
                signature
            }
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        issuing::NOW,
        keys::KeySet,
        token::{self, Expected},
    };
    use ring::signature::KeyPair as _;

    fn pem() -> (String, Vec<u8>) {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        let text = STANDARD.encode(made.as_ref());
        (
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", text),
            pair.public_key().as_ref().to_vec(),
        )
    }

    #[test]
    fn a_provider_that_knows_the_key_believes_the_assertion() {
        let (pem, point) = pem();
        let key = ClientKey::read(&pem, Some("ours".to_owned())).unwrap();
        let assertion = key.assertion("liaison", "https://idp.example/token", NOW).unwrap();
        let published = json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "ours",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65])
        }] });
        let keys = KeySet::read(published.to_string().as_bytes()).unwrap();
        let audiences = vec!["https://idp.example/token".to_owned()];
        let expected = Expected { issuer: "liaison".to_owned(), audiences, skew: 0 };
        let claims = token::check(&assertion, &keys, &expected, NOW).unwrap();
        assert_eq!(claims.text("sub").as_deref(), Some("liaison"));
        assert_eq!(claims.text("jti").map(|once| once.len()), Some(22));
        assert!(token::check(&assertion, &keys, &expected, NOW + LASTING).is_err(), "for a minute");
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_key_is_not_shown() {
        let (pem, _) = pem();
        for wrong in
            ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----é"]
        {
            assert_eq!(ClientKey::read(wrong, None).err(), Some(NoKey), "{wrong}");
        }
        let shown = format!("{:?}", ClientKey::read(&pem, None).unwrap());
        assert_eq!(shown, "ClientKey { id: None, .. }");
    }
}
