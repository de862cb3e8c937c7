//! Encryption of connections, by certificates that may be replaced while it is served.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    server::{VerifierBuilderError, WebPkiClientVerifier},
};
use tokio_rustls::TlsAcceptor;

/// The files that encryption is read from, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Our certificate, then those of the authorities between it and one that callers trust.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of those whose software is known by its certificate; none: nobody is asked for one.
    pub authorities: Option<PathBuf>,
}

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read, or holds something else.
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] pem::Error),
    /// A file without what it should hold.
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    /// Certificate and key that do not go together, or are of a kind that is not spoken.
    #[error("the certificate cannot be used with the key")]
    Unusable(#[source] rustls::Error),
    /// Authorities that nobody can be checked by.
    #[error("nobody can be known by the authorities of software")]
    Authorities(#[source] VerifierBuilderError),
}

/// How connections are encrypted now. Cheap to clone; all clones change together.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    files: Files,
    config: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Option<Stamp>>,
}

/// What tells a file from the one that was there before.
type Stamp = Vec<(Option<SystemTime>, u64)>;

impl Tls {
    /// As the files say.
    ///
    /// # Errors
    /// When they do not hold what is needed.
    pub fn read(files: Files) -> Result<Self, TlsError> {
        let seen = Mutex::new(stamp(&files).ok());
        let config = RwLock::new(Arc::new(config(&files)?));
        Ok(Self(Arc::new(Kept { files, config, seen })))
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Whether the files are others than those that were read last.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        // While a file is being replaced it may not be there.
        let Ok(now) = stamp(&self.0.files) else { return false };
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).as_ref() != Some(&now)
    }

    /// Reads the files again, for connections from now on; those that are open stay.
    ///
    /// # Errors
    /// When they do not hold what is needed: what was read before stays in force.
    pub fn read_again(&self) -> Result<(), TlsError> {
        // Before the reading: what changes meanwhile is seen the next time. What is wrong is told once.
        *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamp(&self.0.files).ok();
        let config = Arc::new(config(&self.0.files)?);
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn stamp(files: &Files) -> io::Result<Stamp> {
    let all = [Some(&files.certificate), Some(&files.key), files.authorities.as_ref()];
    let stamp = |path: &PathBuf| path.metadata().map(|about| (about.modified().ok(), about.len()));
    all.into_iter().flatten().map(stamp).collect()
}

/// The certificates of a file, in its order.
///
/// # Errors
/// When it cannot be read or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| TlsError::Unreadable(path.into(), error))?;
    if found.is_empty() { Err(TlsError::Empty(path.into())) } else { Ok(found) }
}

fn config(files: &Files) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::Unreadable(files.key.clone(), error))?;
    let provider = Arc::new(ring::default_provider());
    // Versions 1.2 and 1.3; before them there is nothing that is safe.
    let building = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?;
    let building = match &files.authorities {
        None => building.with_no_client_auth(),
        Some(path) => {
            let mut trusted = RootCertStore::empty();
            for authority in certificates(path)? {
                trusted.add(authority).map_err(TlsError::Unusable)?;
            }
            // Who comes without a certificate may have a token.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider)
                .allow_unauthenticated()
                .build()
                .map_err(TlsError::Authorities)?;
            building.with_client_cert_verifier(verifier)
        }
    };
    let mut config = building.with_single_cert(chain, key).map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
