//! An authority that signs certificates, for servers and for those who come to them.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{Installation, Setup, installation::run};

/// An authority of its own; what it signed goes with it.
pub struct Authority {
    folder: TempDir,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file of the certificate, in PEM.
    pub certificate: PathBuf,
    /// The file of its key, in PEM, for its owner alone.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, that nobody believes yet.
    #[expect(clippy::new_without_default, reason = "files are made")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("liaison-authority-").tempdir().expect("a temporary folder");
        // Servers read what is in it.
        Installation::find().give(folder.path());
        // Two of one name would be taken for each other until a signature is looked at.
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let authority = Self { folder };
        authority.make("authority", &name, &["basicConstraints=critical,CA:TRUE"], None);
        authority
    }

    /// The file of its own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Signs the certificate of somebody whose name is not a host's.
    pub fn sign(&self, name: &str) -> Certificate {
        self.make(name, name, &["basicConstraints=critical,CA:FALSE"], Some(&self.certificate()))
    }

    /// Signs the certificate of a server with this name or address (`DNS:localhost`, `IP:127.0.0.1`).
    fn sign_server(&self, host: &str) -> Certificate {
        let alternative = format!("subjectAltName={host}");
        let extensions = ["basicConstraints=critical,CA:FALSE", &alternative];
        let signed = self.make("server", "server", &extensions, Some(&self.certificate()));
        Installation::find().give(&signed.key);
        signed
    }

    fn make(&self, file: &str, name: &str, extensions: &[&str], by: Option<&Path>) -> Certificate {
        let place = |kind: &str| self.folder.path().join(format!("{file}.{kind}"));
        let made = Certificate { certificate: place("pem"), key: place("key") };
        let mut words: Vec<OsString> = Vec::new();
        words.extend(["openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec"].map(Into::into));
        words.extend(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj"].map(Into::into));
        words.push(format!("/CN={name}").into());
        for extension in extensions {
            words.extend(["-addext".into(), extension.into()]);
        }
        if let Some(by) = by {
            words.extend(["-CA".into(), by.into(), "-CAkey".into(), by.with_extension("key").into()]);
        }
        words.extend(["-keyout".into(), made.key.clone().into(), "-out".into(), made.certificate.clone().into()]);
        run(&words);
        fs::set_permissions(&made.key, fs::Permissions::from_mode(0o600)).expect("a key can be kept from others");
        made
    }
}

impl Setup {
    /// With a certificate of this authority for a name or an address (`DNS:localhost`, `IP:127.0.0.1`); those who
    /// come with one of its certificates are believed.
    #[must_use]
    pub fn encrypted(mut self, authority: &Authority, host: &str) -> Self {
        let own = authority.sign_server(host);
        let file = |path: &Path| path.display().to_string();
        self.settings.extend([
            ("ssl".into(), "on".into()),
            ("ssl_cert_file".into(), file(&own.certificate)),
            ("ssl_key_file".into(), file(&own.key)),
            ("ssl_ca_file".into(), file(&authority.certificate())),
        ]);
        self
    }

    /// With these rules about who may come how, as `pg_hba.conf` has them.
    #[must_use]
    pub fn letting_in(mut self, authority: &Authority, rules: &str) -> Self {
        let file = authority.folder.path().join("hba");
        fs::write(&file, rules).expect("a file can be written");
        Installation::find().give(&file);
        self.settings.push(("hba_file".into(), file.display().to_string()));
        self
    }
}
