//! What a certificate says: whose it is, by which names it is known, and when it holds.

use std::{fmt::Write as _, time::Duration};

use ring::digest::{SHA256, digest};
use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// A certificate, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose it is, as RFC 4514 writes it: `CN=homecare,O=Example,C=FR`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its names of hosts and addresses on the web.
    pub names: Vec<AlternativeName>,
    /// The SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// From when it holds, since 1970 UTC.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// Another name than that of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// A host.
    Dns(String),
    /// An address on the web.
    Uri(String),
    /// An address of the network.
    Address(std::net::IpAddr),
}

/// Bytes that are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no certificate")]
pub struct NoCertificate;

impl Read {
    /// Reads one in DER.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(der: &[u8]) -> Result<Self, NoCertificate> {
        let certificate = Certificate::from_der(der).map_err(|_| NoCertificate)?;
        let body = &certificate.tbs_certificate;
        let alternative = body.get::<SubjectAltName>().map_err(|_| NoCertificate)?;
        let names = alternative.map(|(_, names)| names.0).unwrap_or_default();
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, der).as_ref());
        Ok(Self {
            subject: body.subject.to_string(),
            issuer: body.issuer.to_string(),
            names: names.iter().filter_map(alternative_name).collect(),
            fingerprint,
            from: body.validity.not_before.to_unix_duration(),
            until: body.validity.not_after.to_unix_duration(),
        })
    }

    /// What it can be called by whoever lists certificates: `sha256:…`, `dn:…`, `dns:…`, `uri:…`.
    #[must_use]
    pub fn called(&self) -> Vec<String> {
        let mut called = vec![format!("sha256:{}", hex(&self.fingerprint)), format!("dn:{}", self.subject)];
        called.extend(self.names.iter().filter_map(|name| match name {
            AlternativeName::Dns(host) => Some(format!("dns:{}", host.to_ascii_lowercase())),
            AlternativeName::Uri(uri) => Some(format!("uri:{uri}")),
            AlternativeName::Address(_) => None,
        }));
        called
    }

    /// Whether it was signed by nobody else.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn alternative_name(name: &GeneralName) -> Option<AlternativeName> {
    match name {
        GeneralName::DnsName(host) => Some(AlternativeName::Dns(host.as_str().to_owned())),
        GeneralName::UniformResourceIdentifier(uri) => Some(AlternativeName::Uri(uri.as_str().to_owned())),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
            let six = || <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from);
            four.or_else(|_| six()).ok().map(AlternativeName::Address)
        }
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    use super::*;

    /// Made by `openssl ca -selfsign` for `/C=FR/O=Exemple/CN=homecare`, from 2020 to 2030, with other names.
    const MADE: &str = include_str!("certificate/made.pem");

    fn made() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(MADE.as_bytes()).unwrap()
    }

    #[test]
    fn a_certificate_says_whose_it_is_and_when_it_holds() {
        let read = Read::of(&made()).unwrap();
        assert_eq!(read.subject, "CN=homecare,O=Exemple,C=FR");
        assert!(read.is_self_signed());
        assert_eq!((read.from.as_secs(), read.until.as_secs()), (1_577_836_800, 1_893_456_000));
        assert_eq!(read.names.last(), Some(&AlternativeName::Address([192, 0, 2, 7].into())));
        let called = read.called();
        assert_eq!(called[1..], ["dn:CN=homecare,O=Exemple,C=FR", "dns:his.example.org", "uri:urn:x"]);
        assert_eq!(called[0], format!("sha256:{}", include_str!("certificate/made.sha256").trim()));
    }

    #[test]
    fn what_is_no_certificate_is_none_wherever_it_is_cut_or_changed() {
        let whole = made().to_vec();
        for end in 0..whole.len() {
            assert_eq!(Read::of(&whole[..end]), Err(NoCertificate), "{end}");
        }
        let fingerprint = Read::of(&whole).unwrap().fingerprint;
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x55;
            // Whatever it is then, it is not this one.
            assert_ne!(Read::of(&changed).map(|read| read.fingerprint), Ok(fingerprint), "{place}");
        }
    }
}
