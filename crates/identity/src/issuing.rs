//! A provider's side, for tests: keys made on the spot, and tokens signed with them.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use crate::keys::KeySet;

/// The moment of the tests, in seconds since 1970.
pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) struct Issuing {
    id: String,
    pair: EcdsaKeyPair,
}

impl Issuing {
    pub(crate) fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), pair }
    }

    pub(crate) fn fixed() -> &'static Self {
        static FIXED: LazyLock<Issuing> = LazyLock::new(|| Issuing::new("a"));
        &FIXED
    }

    /// Its key as it publishes it.
    pub(crate) fn jwk(&self) -> String {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)
        })
        .to_string()
    }

    /// All it publishes.
    pub(crate) fn published(&self) -> String {
        format!("{{\"keys\":[{}]}}", self.jwk())
    }

    pub(crate) fn keys(&self) -> KeySet {
        KeySet::read(self.published().as_bytes()).unwrap()
    }

    pub(crate) fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.id });
        let signed = format!("{}.{}", Self::part(&header), Self::part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    pub(crate) fn sign_with_public_key_as_secret(&self, claims: &Value) -> String {
        let header = json!({ "alg": "HS256", "kid": self.id });
        let signed = format!("{}.{}", Self::part(&header), Self::part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
    }
}
