//! The encrypted way to a server: libpq's settings of it, kept over rustls.
//!
//! Files are read for each connection, so that a certificate that was renewed needs no restart.

use std::future::Future;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use super::socket::Socket;
use super::{binding, certificates};
use crate::contract::StoreError;
use crate::dialect::unavailable;

/// How connections are encrypted, and whom they believe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Encryption {
    mode: Mode,
    roots: Option<Roots>,
    own: Option<Own>,
}

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    Disable,
    /// Encrypted when the server can; believes anybody.
    #[default]
    Prefer,
    /// Believes anybody, unless authorities are named.
    Require,
    VerifyCa,
    VerifyFull,
}

/// libpq's `sslrootcert`: the authorities that are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Roots {
    /// Those of this machine.
    System,
    File(PathBuf),
}

/// What we show of ourselves: libpq's `sslcert` and `sslkey`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    certificate: PathBuf,
    key: PathBuf,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(format!("sslmode={text} is none of disable, prefer, require, verify-ca and verify-full")),
        }
    }
}

impl Encryption {
    /// Reads what the named settings say.
    ///
    /// # Errors
    /// Why they contradict each other.
    pub(super) fn read(settings: &[(String, String)]) -> Result<Self, String> {
        let said = |name: &str| settings.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let roots = said("sslrootcert").map(|text| match text {
            "system" => Roots::System,
            file => Roots::File(file.into()),
        });
        let own = match (said("sslcert"), said("sslkey")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Own { certificate: certificate.into(), key: key.into() }),
            _ => return Err("sslcert and sslkey go together: name the certificate and its key".into()),
        };
        let mode = said("sslmode").map(str::parse).transpose()?;
        let mode = match (mode, &roots) {
            // Whoever names those who are believed by everybody wants to know that it is this server.
            (None, Some(Roots::System)) => Mode::VerifyFull,
            (Some(mode), Some(Roots::System)) if mode != Mode::VerifyFull => {
                return Err(
                    "sslrootcert=system goes with sslmode=verify-full only: anybody has a certificate of these \
                     authorities, for some name"
                        .into(),
                );
            }
            (Some(Mode::VerifyCa | Mode::VerifyFull), None) => {
                return Err("sslmode=verify-ca and verify-full need sslrootcert: a file of the authorities that are \
                     believed, or system (with verify-full)"
                    .into());
            }
            (mode, _) => mode.unwrap_or_default(),
        };
        if matches!(mode, Mode::Disable | Mode::Prefer) && (roots.is_some() || own.is_some()) {
            return Err("sslrootcert, sslcert and sslkey need an sslmode that keeps to them: require, verify-ca or \
                 verify-full"
                .into());
        }
        Ok(Self { mode, roots, own })
    }

    /// What is asked of a server.
    pub(super) const fn asked(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    /// Whether somebody else may stand in the place of the server.
    pub(super) const fn believes_anybody(&self) -> bool {
        self.roots.is_none()
    }

    /// What encrypts a connection to this host.
    pub(super) fn to_host(&self, host: &str) -> Result<Tls, StoreError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| unavailable(format!("{host} is no name that a certificate could have")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = match (&self.roots, self.mode) {
            (None, _) => certificates::Verifier::anybody(&provider),
            (Some(roots), Mode::VerifyFull) => certificates::Verifier::of_this_name(&provider, roots.read()?),
            (Some(roots), _) => certificates::Verifier::signed(&provider, roots.read()?),
        };
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(boxed)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.own {
            None => config.with_no_client_auth(),
            Some(own) => {
                let (certificate, key) = own.read()?;
                config.with_client_auth_cert(certificate, key).map_err(boxed)?
            }
        };
        // PostgreSQL 17 asks for it where TLS comes first.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Tls { config: Arc::new(config), name, used: Arc::default() })
    }
}

impl Roots {
    fn read(&self) -> Result<RootCertStore, StoreError> {
        let mut store = RootCertStore::empty();
        match self {
            Self::System => {
                let (added, _) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if added == 0 {
                    return Err(unavailable("sslrootcert=system: this machine has no authorities that it believes"));
                }
            }
            Self::File(path) => {
                for certificate in certificates(path, "sslrootcert")? {
                    store.add(certificate).map_err(|error| unreadable(path, "sslrootcert", &error))?;
                }
            }
        }
        Ok(store)
    }
}

impl Own {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), StoreError> {
        let about = std::fs::metadata(&self.key).map_err(|error| unreadable(&self.key, "sslkey", &error))?;
        // As libpq: one of root's may be lent to a group.
        let others = if about.uid() == 0 { 0o027 } else { 0o077 };
        if about.mode() & others != 0 {
            let path = self.key.display();
            return Err(unavailable(format!("sslkey={path} can be read by others: chmod 0600 {path}")));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unreadable(&self.key, "sslkey", &error))?;
        Ok((certificates(&self.certificate, "sslcert")?, key))
    }
}

/// The certificates in a file, of which there is one at least.
fn certificates(path: &Path, setting: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(unreadable(path, setting, &"it has no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, setting, &error)),
    }
}

fn unreadable(path: &Path, setting: &str, error: &dyn std::fmt::Display) -> StoreError {
    unavailable(format!("{setting}={} cannot be used: {error}", path.display()))
}

fn boxed(error: rustls::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Encrypts one connection.
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    used: Arc<AtomicBool>,
}

impl Tls {
    /// Says, once connected, whether the connection is encrypted.
    pub(super) fn witness(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.used)
    }
}

impl TlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let stream = tokio_rustls::TlsConnector::from(self.config).connect(self.name, socket).await?;
            self.used.store(true, Ordering::Relaxed);
            Ok(Encrypted(stream))
        })
    }
}

/// A socket whose bytes are encrypted.
pub(super) struct Encrypted(tokio_rustls::client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        let certificates = self.0.get_ref().1.peer_certificates().unwrap_or_default();
        match certificates.first().and_then(|certificate| binding::end_point(certificate)) {
            Some(digest) => ChannelBinding::tls_server_end_point(digest),
            None => ChannelBinding::none(),
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, into)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
