//! An authority that signs certificates, made by openssl.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// An authority of its own; what it signed goes with it.
pub struct Authority {
    folder: TempDir,
    own: Certificate,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file of the certificate, in PEM.
    pub certificate: PathBuf,
    /// The file of its key, in PEM, for its owner alone.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, that nobody believes yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Two of one name would be taken for each other until a signature is looked at.
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let own =
            make(folder.path(), "authority", &format!("/CN={name}"), &["basicConstraints=critical,CA:TRUE"], None);
        Self { folder, own }
    }

    /// The file of its own certificate.
    pub fn certificate(&self) -> &Path {
        &self.own.certificate
    }

    /// Signs the certificate of a server at `127.0.0.1`, under a name of the file.
    pub fn server(&self, file: &str) -> Certificate {
        self.sign(file, "/CN=server", &["subjectAltName=IP:127.0.0.1,DNS:localhost"])
    }

    /// Signs a certificate under a name of the file, of this subject (`/C=FR/CN=x`), with these extensions.
    pub fn sign(&self, file: &str, subject: &str, extensions: &[&str]) -> Certificate {
        let extensions = [&["basicConstraints=critical,CA:FALSE"], extensions].concat();
        make(self.folder.path(), file, subject, &extensions, Some(&self.own))
    }
}

fn make(folder: &Path, file: &str, subject: &str, extensions: &[&str], by: Option<&Certificate>) -> Certificate {
    let place = |kind: &str| folder.join(format!("{file}.{kind}"));
    let made = Certificate { certificate: place("pem"), key: place("key") };
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "30", "-subj", subject]);
    for extension in extensions {
        openssl.args(["-addext", extension]);
    }
    if let Some(by) = by {
        openssl.arg("-CA").arg(&by.certificate).arg("-CAkey").arg(&by.key);
    }
    openssl.arg("-keyout").arg(&made.key).arg("-out").arg(&made.certificate);
    let output = openssl.output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::set_permissions(&made.key, fs::Permissions::from_mode(0o600)).expect("a key can be kept from others");
    made
}
