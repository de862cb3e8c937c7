//! What a password is bound to, so that nobody in between can use it: RFC 5929's `tls-server-end-point`, the
//! digest of the server's certificate.

use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

/// RSA's signatures (1.2.840.113549.1.1) but for their last number.
const RSA: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// ECDSA's with SHA-2 (1.2.840.10045.4.3) but for their last number.
const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The digest of a certificate in DER, by the algorithm that its signature uses; none for a signature without one.
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (_, after_body) = element(whole, SEQUENCE)?;
    let (signature, _) = element(after_body, SEQUENCE)?;
    let (identifier, _) = element(signature, OBJECT_IDENTIFIER)?;
    Some(digest(algorithm(identifier)?, certificate).as_ref().to_vec())
}

fn algorithm(identifier: &[u8]) -> Option<&'static Algorithm> {
    let (last, family) = identifier.split_last()?;
    match (family, last) {
        // What MD5 and SHA-1 would be is SHA-256.
        (family, 4 | 5 | 11) if family == RSA => Some(&SHA256),
        (family, 12) if family == RSA => Some(&SHA384),
        (family, 13) if family == RSA => Some(&SHA512),
        (family, 2) if family == ECDSA => Some(&SHA256),
        (family, 3) if family == ECDSA => Some(&SHA384),
        (family, 4) if family == ECDSA => Some(&SHA512),
        _ => None,
    }
}

/// What an element of this kind holds, and what comes after it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ ..=0x7f => (usize::from(short), rest),
        // Of no length that is said before.
        0x80 => return None,
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == kind).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate in shape only, of a body and a signature.
    fn certificate(signature: &[u8]) -> Vec<u8> {
        let of = |kind: u8, held: &[u8]| [&[kind, u8::try_from(held.len()).unwrap_or_default()], held].concat();
        let body = of(SEQUENCE, &[0; 40]);
        let algorithm = of(SEQUENCE, &of(OBJECT_IDENTIFIER, signature));
        of(SEQUENCE, &[body, algorithm].concat())
    }

    #[test]
    fn the_digest_is_the_one_of_the_signature() {
        let length = |family: &[u8], last: u8| end_point(&certificate(&[family, &[last]].concat())).map(|it| it.len());
        assert_eq!([5, 11, 12, 13, 10].map(|last| length(&RSA, last)), [Some(32), Some(32), Some(48), Some(64), None]);
        assert_eq!([2, 3, 4, 1].map(|last| length(&ECDSA, last)), [Some(32), Some(48), Some(64), None]);
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let whole = certificate(&[&RSA[..], &[11]].concat());
        for end in 0..whole.len() {
            assert_eq!(end_point(&whole[..end]), None, "{end}");
        }
        assert_eq!(end_point(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(end_point(&[SEQUENCE, 0x80, 0, 0]), None);
    }
}
