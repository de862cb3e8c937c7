//! Which servers are believed.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Looks at the certificate of a server. That the server holds its key is looked at in any case.
#[derive(Debug)]
pub(super) struct Verifier {
    believed: Believed,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Believed {
    Anybody,
    Signed(RootCertStore),
    OfThisName(RootCertStore),
}

impl Verifier {
    /// Believes any certificate: the way is encrypted, but nobody knows to whom.
    pub(super) const fn anybody(provider: &CryptoProvider) -> Self {
        Self { believed: Believed::Anybody, algorithms: provider.signature_verification_algorithms }
    }

    /// Believes what these authorities signed, whatever its name.
    pub(super) const fn signed(provider: &CryptoProvider, roots: RootCertStore) -> Self {
        Self { believed: Believed::Signed(roots), algorithms: provider.signature_verification_algorithms }
    }

    /// Believes what these authorities signed for the host that was named.
    pub(super) const fn of_this_name(provider: &CryptoProvider, roots: RootCertStore) -> Self {
        Self { believed: Believed::OfThisName(roots), algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Believed::Signed(roots) | Believed::OfThisName(roots) = &self.believed {
            let certificate = ParsedCertificate::try_from(certificate)?;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, between, now, self.algorithms.all)?;
            if matches!(self.believed, Believed::OfThisName(_)) {
                verify_server_name(&certificate, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
