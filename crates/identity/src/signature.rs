//! Signatures are checked by ring: what `jsonwebtoken` asks of whoever does its mathematics.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind, Result},
    signature::{self, Verifier},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// Makes `jsonwebtoken` use what is here, once for the process.
pub(crate) fn in_force() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: never_signs,
        verifier_factory: verifier,
        // Asked for thumbprints and for keys made of private ones: neither happens here.
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    // Whoever installed another before us did it in this very process, and it serves as well.
    ONCE.call_once(|| {
        PROVIDER.install_default().ok();
    });
}

/// Nothing is signed here, and secrets that two sides share are no signatures.
fn never_signs(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(refused())
}

fn refused() -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

/// A key, and how signatures by it are made.
struct Checked {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(RsaPublicKeyComponents<Vec<u8>>, &'static RsaParameters),
    Point(UnparsedPublicKey<Vec<u8>>),
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    // The family of the key was looked at before: it is what keeps a public key from being taken for a secret.
    let key = match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            let components = RsaPublicKeyComponents { n: n.clone(), e: e.clone() };
            Key::Rsa(components, rsa(*algorithm).ok_or_else(refused)?)
        }
        DecodingKeyKind::SecretOrDer(point) => {
            Key::Point(UnparsedPublicKey::new(curve(*algorithm).ok_or_else(refused)?, point.clone()))
        }
    };
    Ok(Box::new(Checked { algorithm: *algorithm, key }))
}

const fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &ED25519,
        _ => return None,
    })
}

impl Verifier<Vec<u8>> for Checked {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let checked = match &self.key {
            Key::Rsa(components, parameters) => components.verify(parameters, message, signed),
            Key::Point(point) => point.verify(message, signed),
        };
        checked.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Checked {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
