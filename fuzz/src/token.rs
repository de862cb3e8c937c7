//! What comes with a request to say who sent it, and what providers publish.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use liaison_care::access::Scopes;
use liaison_identity::{
    claims::Claims,
    keys::KeySet,
    mapping::Mapping,
    token::{Expected, check, named_issuer},
};
use liaison_inbound::certificate::Read;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The moment of every check, in seconds since 1970.
const NOW: i64 = 1_790_000_000;

/// A provider whose key and tokens are the same in every run.
struct Issuer {
    keys: String,
    /// What it signed, and nothing else is to be believed.
    signed: Vec<String>,
}

static ISSUER: LazyLock<Issuer> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed is 32 bytes");
    let key = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let keys =
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "a", "x": key }] });
    let sign = |claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "a" })), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()).as_ref()))
    };
    let claims =
        |sub: &str, exp: i64| json!({ "iss": "https://idp.example", "aud": "liaison", "sub": sub, "exp": exp });
    let signed = vec![sign(&claims("a", NOW + 600)), sign(&claims("b", NOW + 601))];
    Issuer { keys: keys.to_string(), signed }
});

/// Bytes as a token; after a line `keys`, `claims`, `scope` or `certificate`, as that. No text is believed but what
/// was signed, letter by letter; whatever a provider publishes is read or refused.
pub fn token(bytes: &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n').map(|end| bytes.split_at(end)) {
        Some((b"keys", published)) => {
            // A set of keys that is changed is another one, or refused: what is left of it may still hold the key.
            if let Ok(keys) = KeySet::read(published) {
                let _ = ISSUER.signed.iter().filter(|token| check(token, &keys, &expected(), NOW).is_ok()).count();
            }
        }
        Some((b"claims", claims)) => {
            if let Ok(Value::Object(claims)) = serde_json::from_slice(claims) {
                let _ = Mapping::default().identity("https://idp.example", &Claims::new(claims), &[]);
            }
        }
        Some((b"scope", scope)) => {
            let _ = Scopes::read(&String::from_utf8_lossy(scope));
        }
        Some((b"certificate", der)) => {
            if let Ok(read) = Read::of(der.get(1..).unwrap_or_default()) {
                assert!(read.called().len() >= 2, "a certificate has a digest and a subject");
            }
        }
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let keys = KeySet::read(ISSUER.keys.as_bytes()).expect("the keys of the provider");
            let _ = named_issuer(&text);
            if check(&text, &keys, &expected(), NOW).is_ok() {
                assert!(ISSUER.signed.iter().any(|signed| *signed == text), "nobody signed this: {text}");
            }
        }
    }
}

fn expected() -> Expected {
    Expected { issuer: "https://idp.example".to_owned(), audiences: vec!["liaison".to_owned()], skew: 30 }
}

/// Tokens that are believed, and what providers publish.
pub fn samples() -> Vec<Vec<u8>> {
    let mut samples: Vec<Vec<u8>> = ISSUER.signed.iter().map(|token| token.clone().into_bytes()).collect();
    for sample in &samples {
        let text = String::from_utf8_lossy(sample);
        assert!(check(&text, &KeySet::read(ISSUER.keys.as_bytes()).expect("keys"), &expected(), NOW).is_ok(), "{text}");
    }
    samples.push(format!("keys\n{}", ISSUER.keys).into_bytes());
    let nurse = json!({ "sub": "a", "SubjectNameID": "810005678901", "SubjectRefPro": { "exercices": [
        { "codeProfession": "60", "activities": [{ "numeroFinessSite": "750803447" }] }
    ] }, "fhirUser": "Practitioner/a", "client_id": "x" });
    samples.push(format!("claims\n{nurse}").into_bytes());
    samples.push(b"scope\nopenid user/DocumentReference.rs?type=OBS patient/*.cruds system/Patient.read".to_vec());
    let pem = include_str!("../../crates/inbound/src/certificate/made.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).expect("a certificate");
    samples.push([b"certificate\n".as_slice(), &der].concat());
    samples
}
