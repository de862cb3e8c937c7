//! Tokens that nobody issued: none is believed, none upsets the server, and none is in its log.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use liaison_tests::{Provider, Server};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use ring::hmac;
use serde_json::{Value, json};

use super::world::{nurse, serving, world};

/// A token taken apart.
struct Parts<'t> {
    header: &'t str,
    claims: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        Self { header: parts[0], claims: parts[1], signature: parts[2] }
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(Parts::of(token).claims).unwrap()).unwrap()
}

/// Those who change the header: no algorithm, another one, another's key.
fn under_another_header(token: &str, provider: &Provider, forger: &Provider) -> Vec<(String, String)> {
    let Parts { header, claims, signature } = Parts::of(token);
    let mut forged = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = part(&json!({ "alg": none, "kid": "first" }));
        forged.push((format!("alg {none:?}"), format!("{header}.{claims}.")));
        forged.push((format!("alg {none:?}, signed"), format!("{header}.{claims}.{signature}")));
    }
    for other in ["RS256", "PS256", "ES384", "ES512", "EdDSA", "HS512", "RSA1_5", "dir"] {
        let header = part(&json!({ "alg": other, "kid": "first" }));
        forged.push((format!("alg {other}"), format!("{header}.{claims}.{signature}")));
    }
    // What is published, taken for a secret that two sides share.
    let key = &provider.published()["keys"][0];
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    for (which, secret) in [("the point", point), ("the key", key.to_string().into_bytes()), ("nothing", Vec::new())] {
        let signed = format!("{}.{claims}", part(&json!({ "alg": "HS256", "kid": "first" })));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        forged.push((format!("a secret made of {which}"), format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))));
    }
    // A key that comes with the token, or that the token leads to.
    let words = claims_of(token).to_string();
    let theirs = &forger.published()["keys"][0];
    for header in [
        json!({ "alg": "ES256", "kid": "first" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "kid": "first", "jwk": theirs }),
        json!({ "alg": "ES256", "kid": "other", "jwk": theirs }),
        json!({ "alg": "ES256", "kid": "first", "jku": format!("{}/keys", forger.issuer()) }),
        json!({ "alg": "ES256", "kid": "first", "x5u": format!("{}/keys", forger.issuer()) }),
        json!({ "alg": "ES256", "kid": "first", "x5c": ["AAAA"] }),
        json!({ "alg": "ES256", "kid": "../../../../dev/null" }),
        json!({ "alg": "ES256", "kid": "first' OR '1'='1" }),
        json!({ "alg": "ES256", "kid": "" }),
        json!({ "alg": "ES256", "kid": "k".repeat(8000) }),
    ] {
        forged.push((
            format!("{header} of a forger").chars().take(200).collect(),
            forger.sign_as(&header.to_string(), &words),
        ));
    }
    // What must be understood and is not; what is no header.
    for header in [
        "{\"alg\":\"ES256\",\"kid\":\"first\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":[\"ES256\"]}",
        "[]",
        "\"\"",
        "{",
        "{}",
    ] {
        forged.push((format!("header {header}"), provider.sign_as(header, &words)));
    }
    forged.push(("header of nothing".to_owned(), format!(".{claims}.{signature}")));
    forged.push(("twice the header".to_owned(), format!("{header}.{header}.{signature}")));
    forged
}

/// Those who change the signature, or what is signed.
fn changed(token: &str) -> Vec<(String, String)> {
    let Parts { header, claims, signature } = Parts::of(token);
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |bytes: &[u8]| format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let mut widened = claims_of(token);
    widened["roles"] = json!(["operator"]);
    vec![
        ("claims changed".to_owned(), format!("{header}.{}.{signature}", part(&widened))),
        ("a signature of nothing".to_owned(), signed(&[])),
        ("a signature of zeros".to_owned(), signed(&[0; 64])),
        ("a signature of ones".to_owned(), signed(&[0xff; 64])),
        ("half a signature".to_owned(), signed(&bytes[..32])),
        ("a signature and more".to_owned(), signed(&[bytes.clone(), vec![0]].concat())),
        ("the halves the other way round".to_owned(), signed(&[&bytes[32..], &bytes[..32]].concat())),
        (
            "a signature in DER".to_owned(),
            signed(&[vec![0x30, 0x44, 2, 32], bytes[..32].to_vec(), vec![2, 32], bytes[32..].to_vec()].concat()),
        ),
        ("in another alphabet".to_owned(), format!("{header}.{claims}.{}", STANDARD.encode([0xfb; 64]))),
        ("filled up".to_owned(), format!("{header}.{claims}.{signature}==")),
        ("with a part more".to_owned(), format!("{token}.{signature}")),
        ("with a part less".to_owned(), format!("{header}.{claims}")),
        ("in five parts".to_owned(), format!("{header}..{claims}.{signature}.{signature}")),
        ("only points".to_owned(), "..".to_owned()),
        ("with a blank".to_owned(), token.replacen('.', ". ", 1)),
        ("the letters in capitals".to_owned(), token.to_uppercase()),
    ]
}

/// Those that the provider signed and that say something that is not to be believed.
fn said_wrongly(provider: &Provider, token: &str) -> Vec<(String, String)> {
    let header = json!({ "alg": "ES256", "kid": "first" }).to_string();
    let good = claims_of(token);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims.to_string()
    };
    let deep = format!("{{\"iss\":\"{}\",\"a\":{}{}}}", provider.issuer(), "[".repeat(3000), "]".repeat(3000));
    let twice = good.to_string().replacen('{', "{\"aud\":\"liaison\",\"exp\":9999999999,", 1).replacen(
        "\"aud\":\"liaison\",\"exp\":1",
        "",
        1,
    );
    let twice = twice.replace("\"aud\":\"liaison\"}", "\"aud\":\"other\"}");
    let mut words = vec![
        ("claims in a list".to_owned(), format!("[{good}]")),
        ("no claims".to_owned(), "{}".to_owned()),
        ("null".to_owned(), "null".to_owned()),
        ("claims without end".to_owned(), good.to_string()[..20].to_owned()),
        ("claims that are no text".to_owned(), "\u{0}\u{1}".to_owned()),
        ("claims too deep".to_owned(), deep),
    ];
    for (name, value) in [
        ("exp", json!(1)),
        ("exp", json!(-1)),
        ("exp", json!("9999999999")),
        ("exp", json!([9_999_999_999_i64])),
        ("exp", Value::Null),
        ("nbf", json!(9_999_999_999_i64)),
        ("nbf", json!("now")),
        ("iat", json!(9_999_999_999_i64)),
        ("aud", json!("other")),
        ("aud", json!("LIAISON")),
        ("aud", json!(["liaison ".to_uppercase()])),
        ("aud", json!({ "a": "other" })),
        ("aud", json!([])),
        ("iss", json!(format!("{}/", provider.issuer()))),
        ("iss", json!([])),
        ("iss", json!(provider.issuer().to_uppercase())),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("scope", json!("user/DocumentReference.everything")),
        ("cnf", json!({ "jkt": "a" })),
    ] {
        words.push((format!("{name} {value}"), with(name, value)));
    }
    // The last of two is what counts, for the check as for the look at whose it is.
    words.push(("an audience and another".to_owned(), twice));
    let mut tokens: Vec<(String, String)> =
        words.into_iter().map(|(what, words)| (what, provider.sign_as(&header, &words))).collect();
    // As strange as it gets where nothing is read at all.
    tokens.extend(
        ["a", "null", "{}", "%00", "\u{7f}", "é", "' OR 1=1 --", "../../etc/passwd"]
            .map(|text| (text.to_owned(), text.to_owned())),
    );
    tokens.push(("a token without end".to_owned(), format!("{token}{}", "A".repeat(20_000))));
    tokens
}

async fn ask(server: &Server, token: &str) -> u16 {
    let header = format!("Bearer {token}");
    let request = server.r4().request("GET", "Patient/jeanne");
    // What HTTP itself does not carry never gets there.
    match reqwest::header::HeaderValue::from_bytes(header.as_bytes()) {
        Ok(header) => request.header_of("authorization", header).try_send().await.map_or(0, |answer| answer.status),
        Err(_) => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_token_is_believed_whatever_it_is_made_of() {
    let (provider, forger) = (Provider::start().await, Provider::start().await);
    let server = serving(&provider, &world()).await;
    let token = provider.token(&nurse());
    assert_eq!(ask(&server, &token).await, 200);
    let forged =
        [under_another_header(&token, &provider, &forger), changed(&token), said_wrongly(&provider, &token)].concat();
    assert!(forged.len() > 70, "{}", forged.len());
    for (what, forged) in &forged {
        let status = ask(&server, forged).await;
        assert!(matches!(status, 0 | 401), "{what}: {status}");
    }
    // Neither by another way in.
    for address in [format!("Patient/jeanne?access_token={token}"), format!("Patient/jeanne?token={token}")] {
        server.r4().get(&address).await.is(401);
    }
    for scheme in ["Basic", "DPoP", "Token", "bearer:", ""] {
        let header = format!("{scheme} {token}");
        server.r4().request("GET", "Patient/jeanne").header("authorization", header.trim()).send().await.is(401);
    }
    for twice in [format!("Bearer {token}, Bearer {token}"), format!("Bearer {token} {token}")] {
        server.r4().request("GET", "Patient/jeanne").header("authorization", &twice).send().await.is(401);
    }
    assert_eq!(ask(&server, &token).await, 200, "and who was believed still is");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_to_a_token_is_believed() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let token = provider.token(&nurse());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9._=-]", 0..4_u8), 1..4);
    let mut tried = 0;
    for _ in 0..600 {
        let mut forged: Vec<char> = token.chars().collect();
        for (place, letter, kind) in edits.new_tree(&mut runner).expect("a value").current() {
            let place = place.index(forged.len());
            let letter = letter.chars().next().unwrap();
            match kind {
                0 => forged[place] = letter,
                1 => drop(forged.remove(place)),
                2 => forged.insert(place, letter),
                _ => forged.swap(place, 0),
            }
        }
        let forged: String = forged.into_iter().collect();
        if forged != token {
            assert_eq!(ask(&server, &forged).await, 401, "{forged}");
            tried += 1;
        }
    }
    assert!(tried > 550, "{tried}");
    assert_eq!(ask(&server, &token).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_the_log() {
    let provider = Provider::start().await;
    let launch = liaison_tests::Launch::on(liaison_tests::Store::new()).for_callers_of(&provider);
    let server = Server::launch(launch.with(&[("LIAISON_LOG_LEVEL", "trace")])).await;
    let mut tokens =
        vec![provider.token(&nurse()), provider.token(&json!({ "sub": "nobody" })), "opaque-s3cret".to_owned()];
    let mut late = nurse();
    late["exp"] = json!(1);
    tokens.push(provider.token(&late));
    for token in &tokens {
        server.r4().by(token).get("DocumentReference").await;
        server.r4().by(token).get(&format!("DocumentReference?access_token={token}")).await;
    }
    let log = server.log();
    assert!(log.contains("was not believed"), "there is a log: {log}");
    for token in &tokens {
        let secret = token.rsplit('.').next().unwrap();
        assert!(!log.contains(secret), "{token}\n{log}");
    }
}
