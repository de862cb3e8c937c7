//! What it costs to believe a token: the signature alone, as the library checks it; the token, when the key is kept; and
//! one that was believed before. `cargo bench -p liaison-identity` prints microseconds for each, and ratios to the first.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be taken stops, and is printed"
)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use liaison_identity::{
    authenticator::Authenticator,
    keys::KeySet,
    mapping::Mapping,
    provider::{Ask, Asked, Client, Trusted},
    token::{self, Expected},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use serde_json::json;

const NOW: i64 = 1_790_000_000;
const ISSUER: &str = "https://idp.example";
/// Each thing is done for so long.
const LASTING: Duration = Duration::from_secs(2);

/// A provider that publishes one key.
#[derive(Debug)]
struct Published(String);

impl Ask for Published {
    fn get<'a>(&'a self, url: &'a str) -> Asked<'a> {
        let told = match url.ends_with("/jwks") {
            true => self.0.clone(),
            false => json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks") }).to_string(),
        };
        Box::pin(async move { Ok(told.into_bytes()) })
    }

    fn get_as<'a>(&'a self, url: &'a str, _: &'a str) -> Asked<'a> {
        self.get(url)
    }

    fn post<'a>(&'a self, url: &'a str, _: &'a [(&'a str, &'a str)], _: Option<&'a Client>) -> Asked<'a> {
        self.get(url)
    }
}

fn expected() -> Expected {
    Expected { issuer: ISSUER.to_owned(), audiences: vec!["liaison".to_owned()], skew: 30 }
}

/// Microseconds that something takes, on average.
fn micros(mut work: impl FnMut()) -> f64 {
    for _ in 0..200 {
        work();
    }
    let (begun, mut times) = (Instant::now(), 0_u32);
    while begun.elapsed() < LASTING {
        for _ in 0..50 {
            work();
        }
        times += 50;
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn main() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let published = json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "a", "x": part(&point[1..33]), "y": part(&point[33..65])
    }] })
    .to_string();
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "a" });
    let claims = json!({
        "iss": ISSUER, "aud": "liaison", "sub": "f:550e8400:899700000001", "exp": NOW + 300, "iat": NOW, "jti": "0c6f7d2e",
        "scope": "openid user/*.cruds", "SubjectNameID": "899700000001", "given_name": "Nadia", "family_name": "Benali",
        "SubjectRefPro": { "exercices": [{ "codeProfession": "60", "codeCategorieProfessionnelle": "C" }] }
    });
    let signed = format!("{}.{}", part(header.to_string().as_bytes()), part(claims.to_string().as_bytes()));
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    let text = format!("{signed}.{}", part(signature.as_ref()));

    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let keys = KeySet::read(published.as_bytes()).unwrap();
    let expected = expected();
    let trusted = Trusted { expected: expected.clone(), mapping: Mapping::default(), client: None, browser: None };
    let ask: Arc<dyn Ask> = Arc::new(Published(published));
    let authenticator = Authenticator::new(vec![trusted], &ask, Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(authenticator.authenticate(&text, NOW)).unwrap();

    let bare = micros(|| key.verify(black_box(signed.as_bytes()), signature.as_ref()).unwrap());
    let mapping = Mapping::default();
    let whole = micros(|| {
        let claims = token::check(black_box(&text), &keys, &expected, NOW).unwrap();
        drop(black_box(mapping.identity(ISSUER, &claims, &[]).unwrap()));
    });
    let again =
        micros(|| drop(black_box(runtime.block_on(authenticator.authenticate(black_box(&text), NOW)).unwrap())));
    println!("| ES256 | µs | of the signature alone |");
    println!("|---|--:|--:|");
    for (what, micros) in [
        ("the signature alone", bare),
        ("a token, its key kept: signature, claims, who it is", whole),
        ("a token that was believed before", again),
    ] {
        println!("| {what} | {micros:.1} | {:.2} |", micros / bare);
    }
}
