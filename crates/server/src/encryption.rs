//! Encryption of connections: read when the server starts, and again when its files change.

use std::{
    fs::Metadata,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use liaison_inbound::{
    certificate::{AlternativeName, Read},
    listener::Manner,
    tls::{self, Files, Tls},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{failure::Failure, settings::Settings};

/// How often the files are looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// A certificate that ends sooner is to be renewed.
const SOON: Duration = Duration::from_secs(21 * 24 * 3600);

/// How connections are taken, with encryption when it ends here.
pub fn manner(settings: &Settings) -> Result<Manner, Failure> {
    let tls = settings.tls.clone().map(Tls::read).transpose();
    let tls = tls.map_err(|error| Failure::of("connections cannot be encrypted", error))?;
    Ok(Manner { tls, ..settings.manner.clone() })
}

/// Reads certificates again when their files change, and on SIGHUP, as long as the program runs.
pub async fn keep_up(tls: Tls) {
    let mut times = tokio::time::interval(LOOKED_AT_EVERY);
    let mut asked = match signal(SignalKind::hangup()) {
        Ok(asked) => asked,
        Err(error) => return tracing::error!(%error, "certificates are not read again: signals cannot be received"),
    };
    loop {
        let again = tokio::select! {
            _ = times.tick() => tls.is_outdated(),
            _ = asked.recv() => true,
        };
        if !again {
            continue;
        }
        match tls.read_again() {
            Ok(()) => tracing::info!("certificates were read again: connections from now on have them"),
            Err(error) => {
                let why = Failure::of("certificates cannot be read again, those from before stay", error);
                tracing::error!("{why}");
            }
        }
    }
}

/// What of the files of encryption is wrong, and what is worth knowing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// What keeps callers away.
    pub wrong: Vec<String>,
    /// What will, or could.
    pub notes: Vec<String>,
}

/// Looks at the files of encryption, for callers who come to this host if one is named.
pub fn examine(files: &Files, host: Option<&str>, now: SystemTime) -> Examined {
    let mut examined = Examined::default();
    // Whether they can be read, and go together.
    if let Err(error) = Tls::read(files.clone()) {
        examined.wrong.push(Failure::of("connections cannot be encrypted", error).to_string());
        return examined;
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let chain = read(&files.certificate);
    for certificate in &chain {
        examined.time(certificate, &files.certificate, now);
    }
    examined.order(&chain, &files.certificate);
    if let (Some(host), Some(own)) = (host, chain.first()) {
        examined.host(host, own);
    }
    for authority in files.authorities.iter().flat_map(|path| read(path)) {
        examined.time(&authority, files.authorities.as_deref().unwrap_or(&files.certificate), now);
    }
    if files.key.metadata().as_ref().is_ok_and(is_open) {
        let key = files.key.display();
        examined
            .notes
            .push(format!("others on this machine may read the key {key}: allow its owner alone (chmod 600)"));
    }
    examined
}

fn read(path: &Path) -> Vec<Read> {
    let read = tls::certificates(path).unwrap_or_default();
    read.iter().filter_map(|der| Read::of(der).ok()).collect()
}

fn is_open(about: &Metadata) -> bool {
    about.permissions().mode() & 0o077 != 0
}

impl Examined {
    fn time(&mut self, certificate: &Read, path: &Path, now: Duration) {
        let (subject, path) = (&certificate.subject, path.display());
        if certificate.until <= now {
            self.wrong.push(format!("the certificate of {subject} in {path} has expired: renew it"));
        } else if certificate.from > now {
            self.wrong.push(format!(
                "the certificate of {subject} in {path} does not hold yet: look at the clock of this machine"
            ));
        } else if certificate.until - now < SOON {
            let days = (certificate.until - now).as_secs() / (24 * 3600);
            self.notes.push(format!("the certificate of {subject} in {path} expires in {days} days: renew it"));
        }
    }

    fn order(&mut self, chain: &[Read], path: &Path) {
        let path = path.display();
        for pair in chain.windows(2) {
            if let [one, next] = pair
                && one.issuer != next.subject
            {
                self.wrong.push(format!(
                    "in {path} the certificate of {} is followed by that of {}, which did not sign it: write the \
                     server's own first, then each authority after the one that it signed",
                    one.subject, next.subject
                ));
            }
        }
        if let [own] = chain
            && own.is_self_signed()
        {
            self.notes
                .push(format!("the certificate in {path} is signed by itself: only who was given it believes it"));
        }
    }

    fn host(&mut self, host: &str, own: &Read) {
        let named = own.names.iter().any(|name| match name {
            AlternativeName::Dns(name) => is_named(host, name),
            AlternativeName::Address(address) => {
                host.trim_matches(['[', ']']).parse().is_ok_and(|host: std::net::IpAddr| host == *address)
            }
            AlternativeName::Uri(_) => false,
        });
        if !named {
            self.wrong.push(format!(
                "the certificate of {} does not name {host}, the host of public_url: callers will refuse it",
                own.subject
            ));
        }
    }
}

/// Whether a host is meant by a name of a certificate: a star stands for one part at the beginning.
fn is_named(host: &str, name: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(name) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(name)),
        None => host.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: &str, issuer: &str, names: &[&str]) -> Read {
        Read {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            names: names.iter().map(|name| AlternativeName::Dns((*name).to_owned())).collect(),
            fingerprint: [0; 32],
            from: Duration::from_secs(1000),
            until: Duration::from_secs(100_000_000),
        }
    }

    fn examined(look: impl Fn(&mut Examined)) -> (String, String) {
        let mut examined = Examined::default();
        look(&mut examined);
        (examined.wrong.join("; "), examined.notes.join("; "))
    }

    #[test]
    fn a_certificate_has_its_time() {
        let at = |seconds| {
            let now = Duration::from_secs(seconds);
            examined(|examined| examined.time(&certificate("CN=a", "CN=b", &[]), Path::new("a.pem"), now))
        };
        assert_eq!(at(5000), Default::default());
        assert!(at(999).0.contains("does not hold yet"));
        assert!(at(100_000_000).0.contains("has expired"));
        assert!(at(100_000_000 - 3 * 24 * 3600).1.contains("expires in 3 days"));
    }

    #[test]
    fn a_chain_has_its_order() {
        let of = |chain: &[Read]| examined(|examined| examined.order(chain, Path::new("a.pem")));
        let (own, middle, root) =
            (certificate("CN=own", "CN=m", &[]), certificate("CN=m", "CN=r", &[]), certificate("CN=r", "CN=r", &[]));
        assert_eq!(of(&[own.clone(), middle.clone(), root.clone()]), Default::default());
        assert_eq!(of(std::slice::from_ref(&own)), Default::default());
        assert!(of(&[own, root.clone(), middle]).0.contains("which did not sign it"));
        assert!(of(&[root]).1.contains("signed by itself"));
    }

    #[test]
    fn a_certificate_names_the_host_that_callers_come_to() {
        let of = |host: &str| {
            let own = certificate("CN=own", "CN=m", &["cahier.example.org", "*.soins.example.org"]);
            examined(|examined| examined.host(host, &own)).0.is_empty()
        };
        assert!(of("cahier.example.org") && of("CAHIER.example.org") && of("a.soins.example.org"));
        for other in ["example.org", "b.cahier.example.org", "a.b.soins.example.org", "soins.example.org", "192.0.2.7"]
        {
            assert!(!of(other), "{other}");
        }
    }
}
