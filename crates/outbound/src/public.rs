//! Where documents of others may lead: to addresses that everybody could ask anyway.
//!
//! An operator says whom to ask; what those say may name somebody else (`jwks_uri`). Without a look at where it leads,
//! whoever writes such a document would ask what only this machine can reach: databases, consoles, the
//! metadata of a cloud. A name is looked at once it is resolved, in the very connection that is made: what it
//! resolves to a moment later does not matter.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use http::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

/// Somebody whom the operator named: a host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    host: String,
    port: u16,
}

impl Named {
    /// Whom an address leads to (`https://keys.example.org/a`), when it leads to somebody.
    #[must_use]
    pub fn by(address: &str) -> Option<Self> {
        Self::of(&address.parse().ok()?)
    }

    pub(crate) fn of(address: &Uri) -> Option<Self> {
        let port = address.port_u16().or(match address.scheme_str()? {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })?;
        Some(Self { host: address.host()?.to_ascii_lowercase(), port })
    }
}

/// It leads to an address that is not everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it leads to an address that only this network reaches, and that nobody allowed")]
pub struct NotPublic;

/// Refuses an address whose host is no name but an address that is not everybody's, or that is not encrypted.
pub(crate) fn look(address: &Uri) -> Result<(), NotPublic> {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    let literal: Option<IpAddr> = host.parse().ok();
    let private = literal.is_some_and(|address| !is_public(address));
    if private || address.scheme_str() != Some("https") { Err(NotPublic) } else { Ok(()) }
}

/// What a name resolves to.
pub(crate) type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Resolves names to what of it is everybody's.
#[derive(Clone)]
pub struct PublicOnly {
    resolve: Arc<dyn Fn(String) -> Resolving + Send + Sync>,
}

impl fmt::Debug for PublicOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicOnly")
    }
}

impl PublicOnly {
    /// By what the machine says.
    pub(crate) fn of_machine() -> Self {
        Self::by(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) }))
    }

    pub(crate) fn by(resolve: impl Fn(String) -> Resolving + Send + Sync + 'static) -> Self {
        Self { resolve: Arc::new(resolve) }
    }
}

impl Service<Name> for PublicOnly {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = (self.resolve)(name.as_str().to_owned());
        Box::pin(async move {
            let found = resolving.await?;
            let (public, private): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| is_public(found.ip()));
            // A name that leads to both is nobody's honest name.
            if private.is_empty() { Ok(public.into_iter()) } else { Err(io::Error::other(NotPublic)) }
        })
    }
}

/// Whether an address is everybody's, by the registries of special purposes (RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_4(four),
        IpAddr::V6(six) => is_public_6(six),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    let [first, second, third, _] = address.octets();
    !special
        && match (first, second, third) {
            // This network; between providers and subscribers; protocols; 6to4 relays; benchmarks; reserved.
            (0 | 240..=255, ..) | (192, 0, 0) | (192, 88, 99) => false,
            (100, second, _) => !(64..128).contains(&second),
            (198, 18 | 19, _) => false,
            _ => true,
        }
}

fn is_public_6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // Version 4 in other clothes: as it is written in version 6, and behind a translator.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocols (Teredo among them), documentation, 6to4, which hides an address of version 4.
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        // All that was given to anybody so far.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_special_purposes_are_not_everybodys() {
        for public in ["93.184.216.34", "1.1.1.1", "100.63.0.1", "172.32.0.1", "2a00:1450::1", "64:ff9b::5db8:d822"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "64:ff9b:1::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn somebody_is_a_host_and_a_port() {
        assert_eq!(Named::by("https://IDP.example/a"), Named::by("https://idp.example:443"));
        assert_ne!(Named::by("https://idp.example/a"), Named::by("https://idp.example:8443/a"));
        assert_ne!(Named::by("https://idp.example/a"), Named::by("https://idp.example.org/a"));
        assert_eq!(Named::by("idp.example"), None);
    }

    #[test]
    fn an_address_without_a_name_is_looked_at_as_it_is() {
        for wrong in ["https://127.0.0.1/", "https://[::1]:8443/", "https://169.254.169.254/", "http://example.org/"] {
            assert_eq!(look(&wrong.parse().unwrap()), Err(NotPublic), "{wrong}");
        }
        for right in ["https://example.org/", "https://93.184.216.34/", "https://[2a00:1450::1]/"] {
            assert_eq!(look(&right.parse().unwrap()), Ok(()), "{right}");
        }
    }
}
