//! A signed token (RFC 7519), checked: signature, issuer, audience, time.

use jsonwebtoken::{Validation, decode, decode_header};

use crate::{
    claims::{Claims, Seconds},
    keys::KeySet,
    signature,
};

/// What a token must say.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Who issued it, to the letter.
    pub issuer: String,
    /// For whom: one of these must be among its audiences.
    pub audiences: Vec<String>,
    /// How far its clock may be from ours, in seconds.
    pub skew: i64,
}

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// It is no signed token, or signed in a way that is none (`none`, a shared secret).
    #[error("it is not a token signed in a way that is accepted here")]
    Unreadable,
    /// None of the keys known signed it: they may have been changed since.
    #[error("it is signed with a key that is not known")]
    UnknownKey,
    /// Its signature is not right.
    #[error("its signature is not right")]
    Forged,
    /// Another issuer than the one whose keys signed it.
    #[error("it says to come from somebody else")]
    OtherIssuer,
    /// It is meant for somebody else.
    #[error("it is not meant for this server")]
    OtherAudience,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// Its time has not come.
    #[error("its time has not come yet")]
    Early,
    /// It does not say until when it holds, or says it in no way that can be read.
    #[error("it does not say until when it holds")]
    Timeless,
}

/// Longer tokens are not read: headers are refused at 16 KiB anyway.
const LONGEST: usize = 16 * 1024;

/// The issuer that a token names, not believed yet: only to know whose keys to check it with.
#[must_use]
pub fn named_issuer(token: &str) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut parts = token.get(..LONGEST.min(token.len()))?.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let payload: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    payload.get("iss")?.as_str().map(str::to_owned)
}

/// Checks a token at a moment, in seconds since 1970 UTC.
///
/// # Errors
/// Why it is not believed; [`Disbelief::UnknownKey`] when other keys may make it so.
pub fn check(token: &str, keys: &KeySet, expected: &Expected, now: i64) -> Result<Claims, Disbelief> {
    let claims = signed(token, keys)?;
    holds(&claims, expected, now).map(|()| claims)
}

/// What a token says, when one of these keys signed it: nothing else is looked at.
pub(crate) fn signed(token: &str, keys: &KeySet) -> Result<Claims, Disbelief> {
    signature::in_force();
    if token.len() > LONGEST {
        return Err(Disbelief::Unreadable);
    }
    let header = decode_header(token).map_err(|_| Disbelief::Unreadable)?;
    // Extensions that must be understood are none of ours (RFC 7515 §4.1.11).
    if header.crit.is_some() || header.enc.is_some() {
        return Err(Disbelief::Unreadable);
    }
    let mut candidates = keys.candidates(header.kid.as_deref(), header.alg).peekable();
    if candidates.peek().is_none() {
        return Err(if is_secret(header.alg) { Disbelief::Unreadable } else { Disbelief::UnknownKey });
    }
    let signed = candidates.find_map(|key| {
        let mut validation = Validation::new(header.alg);
        // All of this is looked at below, by the clock that was given.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        decode(token, &key.decoding, &validation).ok().map(|decoded| Claims::new(decoded.claims))
    });
    signed.ok_or(Disbelief::Forged)
}

fn is_secret(algorithm: jsonwebtoken::Algorithm) -> bool {
    algorithm.family() == jsonwebtoken::AlgorithmFamily::Hmac
}

/// Whether what a token says, or an introspection of it, is meant for us and for now.
pub(crate) fn holds(claims: &Claims, expected: &Expected, now: i64) -> Result<(), Disbelief> {
    if claims.text("iss").as_deref() != Some(expected.issuer.as_str()) {
        return Err(Disbelief::OtherIssuer);
    }
    if !claims.texts("aud").iter().any(|audience| expected.audiences.contains(audience)) {
        return Err(Disbelief::OtherAudience);
    }
    in_time(claims, expected.skew, now)
}

/// Whether it is the time of claims.
pub(crate) fn in_time(claims: &Claims, skew: i64, now: i64) -> Result<(), Disbelief> {
    match claims.seconds("exp") {
        Some(Seconds::At(until)) if now < until.saturating_add(skew) => {}
        Some(Seconds::At(_)) => return Err(Disbelief::Expired),
        Some(Seconds::Unreadable) | None => return Err(Disbelief::Timeless),
    }
    for name in ["nbf", "iat"] {
        match claims.seconds(name) {
            Some(Seconds::At(from)) if from.saturating_sub(skew) > now => return Err(Disbelief::Early),
            Some(Seconds::Unreadable) => return Err(Disbelief::Timeless),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::issuing::{Issuing, NOW};

    fn expected() -> Expected {
        Expected { issuer: "https://idp.example".to_owned(), audiences: vec!["liaison".to_owned()], skew: 30 }
    }

    fn good() -> Value {
        json!({ "iss": "https://idp.example", "aud": "liaison", "sub": "s", "exp": NOW + 300, "iat": NOW })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn checked(claims: &Value) -> Result<Claims, Disbelief> {
        let issuing = Issuing::new("a");
        check(&issuing.sign(claims), &issuing.keys(), &expected(), NOW)
    }

    #[test]
    fn a_token_of_the_provider_for_us_in_its_time_is_believed() {
        assert_eq!(checked(&good()).unwrap().text("sub").as_deref(), Some("s"));
        assert!(checked(&with("aud", json!(["other", "liaison"]))).is_ok());
        assert!(checked(&with("exp", json!(NOW - 29))).is_ok(), "clocks differ a little");
    }

    #[test]
    fn each_thing_that_is_wrong_is_told_apart() {
        for (name, value, why) in [
            ("iss", json!("https://idp.example/"), Disbelief::OtherIssuer),
            ("iss", Value::Null, Disbelief::OtherIssuer),
            ("aud", json!("other"), Disbelief::OtherAudience),
            ("aud", json!([]), Disbelief::OtherAudience),
            ("exp", json!(NOW - 30), Disbelief::Expired),
            ("exp", json!("tomorrow"), Disbelief::Timeless),
            ("exp", Value::Null, Disbelief::Timeless),
            ("nbf", json!(NOW + 31), Disbelief::Early),
            ("iat", json!(NOW + 31), Disbelief::Early),
        ] {
            assert_eq!(checked(&with(name, value.clone())), Err(why), "{name} {value}");
        }
        let mut without = good();
        without.as_object_mut().unwrap().remove("exp");
        assert_eq!(checked(&without), Err(Disbelief::Timeless));
    }

    #[test]
    fn a_key_that_was_changed_is_asked_for_again_and_anothers_key_is_a_forgery() {
        let (ours, theirs) = (Issuing::new("a"), Issuing::new("b"));
        assert_eq!(check(&theirs.sign(&good()), &ours.keys(), &expected(), NOW), Err(Disbelief::UnknownKey));
        let same_name = Issuing::new("a");
        assert_eq!(check(&same_name.sign(&good()), &ours.keys(), &expected(), NOW), Err(Disbelief::Forged));
    }

    #[test]
    fn no_signature_and_secrets_are_no_signatures() {
        let issuing = Issuing::new("a");
        let token = issuing.sign(&good());
        let payload = token.split('.').nth(1).unwrap();
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "None", "kid": "a" }),
            json!({ "alg": "HS256", "kid": "a" }),
            json!({ "alg": "ES256", "kid": "a", "crit": ["b64"] }),
            json!({ "alg": "RSA-OAEP", "enc": "A128GCM" }),
        ] {
            for signature in ["", "c2lnbmF0dXJl"] {
                let forged = format!("{}.{payload}.{signature}", Issuing::part(&header));
                let why = check(&forged, &issuing.keys(), &expected(), NOW).unwrap_err();
                assert_eq!(why, Disbelief::Unreadable, "{header}");
            }
        }
        // The public key taken for the secret of an HMAC.
        let confused = issuing.sign_with_public_key_as_secret(&good());
        assert_eq!(check(&confused, &issuing.keys(), &expected(), NOW), Err(Disbelief::Unreadable));
    }

    #[test]
    fn a_token_changed_after_it_was_signed_is_a_forgery() {
        let issuing = Issuing::new("a");
        let token = issuing.sign(&good());
        let mut parts: Vec<&str> = token.split('.').collect();
        let widened = Issuing::part(&with("sub", json!("somebody else")));
        parts[1] = &widened;
        assert_eq!(check(&parts.join("."), &issuing.keys(), &expected(), NOW), Err(Disbelief::Forged));
    }

    #[test]
    fn the_issuer_is_read_without_being_believed() {
        let token = Issuing::new("a").sign(&good());
        assert_eq!(named_issuer(&token).as_deref(), Some("https://idp.example"));
        for no_token in ["", "a.b", "a.b.c", "opaque-token", "a.e30.c", "a.e30.c.d", "é.é.é"] {
            assert_eq!(named_issuer(no_token), None, "{no_token}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_token_and_none_upsets(text in "\\PC{0,200}") {
            prop_assert!(check(&text, &Issuing::fixed().keys(), &expected(), NOW).is_err());
            let _ = named_issuer(&text);
        }

        #[test]
        fn a_token_with_any_letter_changed_is_not_believed(place in 0_usize..400, letter in "[A-Za-z0-9_-]") {
            let token = Issuing::fixed().sign(&good());
            let place = place % token.len();
            let mut forged = token.clone();
            forged.replace_range(place..=place, &letter);
            let told = check(&forged, &Issuing::fixed().keys(), &expected(), NOW);
            // The last letter of a part carries bits that are not used: the decoder refuses those set.
            prop_assert!(forged == token || told.is_err(), "{forged}");
        }
    }
}
