//! A provider of identity: it publishes a key and signs tokens with it.

use std::time::{Duration, SystemTime};

use axum::{Router, http::header, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::error::BenchError;

/// Whom its tokens are for.
pub const AUDIENCE: &str = "liaison";

/// Longer than any run.
const LASTING: Duration = Duration::from_secs(24 * 3600);

/// A provider that answers as long as the program runs.
pub struct Provider {
    /// Its address.
    pub issuer: String,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Provider {
    /// One on a free port of the loopback.
    pub async fn start() -> Result<Self, BenchError> {
        let random = SystemRandom::new();
        let failed = |_| BenchError::Stopped("making a key");
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        let pair = pair.map_err(|_| BenchError::Stopped("making a key"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(BenchError::file("a port"))?;
        let issuer = format!("http://{}", listener.local_addr().map_err(BenchError::file("a port"))?);
        let about = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let keys = published(pair.public_key().as_ref());
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(move || async move { json_of(&about) }))
            .route("/keys", get(move || async move { json_of(&keys) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { issuer, pair, random })
    }

    /// A token that says this, besides what every token says.
    pub fn token(&self, claims: &Value) -> Result<String, BenchError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut all =
            json!({ "iss": self.issuer, "aud": AUDIENCE, "iat": now.as_secs(), "exp": (now + LASTING).as_secs() });
        if let (Some(all), Some(claims)) = (all.as_object_mut(), claims.as_object()) {
            all.extend(claims.clone());
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": "bench" })), part(&all));
        let signature = self.pair.sign(&self.random, signed.as_bytes());
        let signature = signature.map_err(|_| BenchError::Stopped("signing a token"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

fn json_of(value: &Value) -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

/// The key, of which the point is 0x04 and its two coordinates.
fn published(point: &[u8]) -> Value {
    let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
    json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench",
        "x": coordinate(1), "y": coordinate(33)
    }] })
}
