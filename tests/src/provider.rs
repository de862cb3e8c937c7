//! A provider of identity, as small as an OpenID provider can be: it publishes its keys and signs what it is
//! told to. Codes are made by whoever tests, and taken as often as they are brought: what keeps a code from
//! being used again must not be the provider alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA256, digest},
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
    codes: Codes,
    serving: tokio::task::JoinHandle<()>,
}

/// What is given for a code: the challenge that its verifier must meet, and the ID token.
type Codes = Arc<Mutex<BTreeMap<String, (String, String)>>>;

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
        Self::serving(listener, issuer, keys_at, keys)
    }

    /// One that says that its keys are at this address.
    pub async fn with_keys_at(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let keys = Arc::new(Mutex::new(Keys::new("first")));
        Self::serving(listener, issuer, address.to_owned(), keys)
    }

    fn serving(listener: TcpListener, issuer: String, keys_at: String, keys: Arc<Mutex<Keys>>) -> Self {
        let codes = Codes::default();
        let answering = serve(listener, issuer.clone(), keys_at, Arc::clone(&keys), Arc::clone(&codes));
        Self { issuer, keys, codes, serving: tokio::spawn(answering) }
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

    /// A code for an attempt with this challenge, for which the provider says this in the ID token.
    pub fn code(&self, challenge: &str, claims: &Value) -> String {
        let mut said = claims.clone();
        if said["aud"].is_null() {
            said["aud"] = json!("liaison-web");
        }
        let mut codes = self.codes.lock().expect("its codes");
        let code = format!("code-{}-{}", codes.len(), URL_SAFE_NO_PAD.encode(digest(&SHA256, challenge.as_bytes())));
        codes.insert(code.clone(), (challenge.to_owned(), self.token(&said)));
        code
    }

    /// Answers nobody any more.
    pub fn go_away(&self) {
        self.serving.abort();
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

    /// A token that says nothing by itself: whoever looks it up is told this of it.
    pub fn opaque(claims: &Value) -> String {
        let mut all = json!({ "active": true, "aud": "liaison" });
        for (name, value) in claims.as_object().expect("claims") {
            all[name] = value.clone();
        }
        format!("opaque-{}", URL_SAFE_NO_PAD.encode(all.to_string()))
    }

    /// Signs claims as they are.
    pub fn sign(&self, claims: &Value) -> String {
        let name = self.keys.lock().expect("its keys").name.clone();
        self.sign_as(&json!({ "alg": "ES256", "kid": name }).to_string(), &claims.to_string())
    }

    /// Signs these words under this header, whatever they are.
    pub fn sign_as(&self, header: &str, words: &str) -> String {
        let keys = self.keys.lock().expect("its keys");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(words));
        let signature = keys.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Its public key, as it publishes it.
    pub fn published(&self) -> Value {
        self.keys.lock().expect("its keys").published()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, issuer: String, keys_at: String, keys: Arc<Mutex<Keys>>, codes: Codes) {
    while let Ok((mut connection, _)) = listener.accept().await {
        let asked = request(&mut connection).await;
        let answer = match asked.split(' ').nth(1) {
            Some("/.well-known/openid-configuration") => Some(json!({
                "issuer": issuer, "jwks_uri": keys_at,
                "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
                "end_session_endpoint": format!("{issuer}/end"),
                "introspection_endpoint": format!("{issuer}/introspect"),
                "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
                "code_challenge_methods_supported": ["S256", "plain"],
                "authorization_response_iss_parameter_supported": true
            })),
            Some("/token") => given_for(&asked, &codes),
            Some("/introspect") => looked_up(&asked),
            _ => Some(keys.lock().expect("its keys").published()),
        };
        let status = if answer.is_some() { "200 OK" } else { "400 Bad Request" };
        let body = answer.unwrap_or_else(|| json!({ "error": "invalid_grant" })).to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // Whoever asked may be gone.
        let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

/// A request, with as much body as it says to have.
async fn request(connection: &mut tokio::net::TcpStream) -> String {
    let mut asked = Vec::new();
    loop {
        let mut part = [0; 4096];
        let length = connection.read(&mut part).await.unwrap_or(0);
        asked.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&asked).to_ascii_lowercase();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let said = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            body.len() >= said.unwrap_or(0)
        });
        if length == 0 || whole {
            return String::from_utf8_lossy(&asked).into_owned();
        }
    }
}

/// What is said of an opaque token, to the client that may ask: it is made so that it says itself what it stands for.
fn looked_up(asked: &str) -> Option<Value> {
    let by = format!("authorization: basic {}", STANDARD.encode("liaison-api:s3cret"));
    let (head, body) = asked.split_once("\r\n\r\n")?;
    head.lines().find(|line| line.eq_ignore_ascii_case(&by))?;
    let token = body.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    let claims = token.strip_prefix("opaque-").and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<Value>(&claims).ok());
    Some(claims.unwrap_or_else(|| json!({ "active": false })))
}

/// What is given for the code in a request, when its verifier meets the challenge of the code.
fn given_for(asked: &str, codes: &Codes) -> Option<Value> {
    let body = asked.split_once("\r\n\r\n")?.1;
    let field = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let codes = codes.lock().expect("its codes");
    let (challenge, id_token) = codes.get(field("code")?)?;
    let met = URL_SAFE_NO_PAD.encode(digest(&SHA256, field("code_verifier")?.as_bytes())) == *challenge;
    met.then(|| json!({ "token_type": "Bearer", "access_token": "opaque-access", "id_token": id_token }))
}
