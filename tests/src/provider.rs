//! A provider of identity, as small as an OpenID provider can be: it publishes its keys and signs what it is
//! told to.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A provider that runs until it is dropped.
pub struct Provider {
    issuer: String,
    keys: Arc<Mutex<Keys>>,
    serving: tokio::task::JoinHandle<()>,
}

/// What it signs with, under which name.
struct Keys {
    name: String,
    pair: EcdsaKeyPair,
}

impl Keys {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).expect("a key");
        Self { name: name.to_owned(), pair }
    }

    fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65])
        }] })
    }
}

impl Provider {
    /// One that answers on an address of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let keys = Arc::new(Mutex::new(Keys::new("first")));
        let keys_at = format!("{issuer}/keys");
        let serving = tokio::spawn(serve(listener, issuer.clone(), keys_at, Arc::clone(&keys)));
        Self { issuer, keys, serving }
    }

    /// One that says that its keys are at this address.
    pub async fn with_keys_at(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let keys = Arc::new(Mutex::new(Keys::new("first")));
        let serving = tokio::spawn(serve(listener, issuer.clone(), address.to_owned(), Arc::clone(&keys)));
        Self { issuer, keys, serving }
    }

    /// What it is called.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Settings of a server that believes it, and is to be found at this address.
    pub fn settings<'s>(&'s self, public_url: &'s str) -> [(&'s str, &'s str); 4] {
        [
            ("LIAISON_OIDC_ISSUERS", &self.issuer),
            ("LIAISON_OIDC_AUDIENCE", "liaison"),
            ("LIAISON_OIDC_OPERATOR", "roles=operator"),
            ("LIAISON_PUBLIC_URL", public_url),
        ]
    }

    /// Signs with another key from now on, and publishes that one alone.
    pub fn change_keys(&self, name: &str) {
        *self.keys.lock().expect("its keys") = Keys::new(name);
    }

    /// A token that says this besides what every token says.
    pub fn token(&self, claims: &Value) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let mut all = json!({ "iss": self.issuer, "aud": "liaison", "iat": now, "exp": now + 600 });
        for (name, value) in claims.as_object().expect("claims") {
            all[name] = value.clone();
        }
        self.sign(&all)
    }

    /// Signs claims as they are.
    pub fn sign(&self, claims: &Value) -> String {
        let keys = self.keys.lock().expect("its keys");
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": keys.name })), part(claims));
        let signature = keys.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, issuer: String, keys_at: String, keys: Arc<Mutex<Keys>>) {
    while let Ok((mut connection, _)) = listener.accept().await {
        let mut asked = vec![0; 4096];
        let Ok(length) = connection.read(&mut asked).await else { continue };
        let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
        let answer = match asked.split(' ').nth(1) {
            Some("/.well-known/openid-configuration") => {
                json!({ "issuer": issuer, "jwks_uri": keys_at })
            }
            _ => keys.lock().expect("its keys").published(),
        };
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // Whoever asked may be gone.
        let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
    }
}
