//! Proxies that are trusted to say whom they speak for.
//!
//! Anybody can write a header. It is believed when the connection comes from a proxy that is trusted, and
//! read from its end: each proxy adds what it saw itself, so the last address that is not one of ours is the
//! caller's, and whatever stands before it was written by the caller.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, header};

use crate::{
    certificate::Read,
    network::{Network, plain},
    sender::{Sender, Way},
};

/// Which proxies are trusted, and how they say whom they speak for.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their addresses; none: nobody is believed.
    pub trusted: Vec<Network>,
    /// The headers they write.
    pub headers: Headers,
    /// How they tell the certificate that a caller proved to have.
    pub certificates: Certificates,
}

/// How proxies tell the certificate that a caller proved to have to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// They do not: a header that says so is the caller's.
    #[default]
    Untold,
    /// In `Client-Cert` (RFC 9440).
    ClientCert,
}

/// The headers in which proxies say whom they speak for. Those of the other kind are not looked at: a proxy
/// that does not write them passes on what the caller wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

static CERTIFICATE: HeaderName = HeaderName::from_static("client-cert");

/// Longer chains of proxies are nobody's.
const LONGEST: usize = 32;

impl Proxies {
    /// Whether an address is one of theirs.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Who sent a request with these headers, over a connection from this peer.
    #[must_use]
    pub fn sender(&self, peer: SocketAddr, way: Way, headers: &HeaderMap) -> Sender {
        let direct = Sender { address: plain(peer.ip()), way };
        if !self.trusts(peer.ip()) {
            return direct;
        }
        let told = match self.headers {
            Headers::XForwarded => x_forwarded(headers),
            Headers::Forwarded => forwarded(headers),
        };
        let mut sender = direct;
        for hop in told.into_iter().rev() {
            // What cannot be read, nobody of ours wrote: who is known so far is the sender.
            let Some(address) = hop.address else { break };
            sender = Sender { address, way: hop.way.unwrap_or(sender.way) };
            if !self.trusts(address) {
                break;
            }
        }
        sender
    }
}

impl Proxies {
    /// The certificate that the sender of these headers proved to have, over a connection from this peer who
    /// came with that certificate. One of a proxy is the proxy's, and nobody else's.
    pub(crate) fn certificate(
        &self,
        peer: SocketAddr,
        own: Option<&Arc<Read>>,
        headers: &HeaderMap,
    ) -> Option<Arc<Read>> {
        if !self.trusts(peer.ip()) {
            return own.cloned();
        }
        let mut told = headers.get_all(&CERTIFICATE).iter();
        match (self.certificates, told.next(), told.next()) {
            (Certificates::ClientCert, Some(one), None) => told_by(one.to_str().ok()?).map(Arc::new),
            _ => None,
        }
    }
}

/// A certificate as a proxy tells it: its bytes in base64, between colons (RFC 8941).
fn told_by(text: &str) -> Option<Read> {
    let bytes = STANDARD.decode(text.trim().strip_prefix(':')?.strip_suffix(':')?).ok()?;
    Read::of(&bytes).ok()
}

/// What one proxy says of who came to it.
struct Hop {
    address: Option<IpAddr>,
    way: Option<Way>,
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    // Of several, the last was written by the proxy that came to us.
    let way = listed(headers, &PROTO).last().and_then(way);
    listed(headers, &FOR).map(|text| Hop { address: address(text), way }).collect()
}

fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let hop = |element: &str| {
        let pairs = || element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let value = |wanted: &str| {
            let found = pairs().find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim().trim_matches('"'))
        };
        Hop { address: value("for").and_then(address), way: value("proto").and_then(way) }
    };
    listed(headers, &header::FORWARDED).map(hop).collect()
}

/// The elements of a header, of all its lines.
fn listed<'h>(headers: &'h HeaderMap, name: &'h HeaderName) -> impl Iterator<Item = &'h str> {
    let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let elements: Vec<&str> = lines.into_iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    let skipped = elements.len().saturating_sub(LONGEST);
    elements.into_iter().skip(skipped)
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.ok().or_else(bracketed).map(plain)
}

fn way(text: &str) -> Option<Way> {
    match text {
        text if text.eq_ignore_ascii_case("https") => Some(Way::Encrypted),
        text if text.eq_ignore_ascii_case("http") => Some(Way::Clear),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn sent(peer: &str, kind: Headers, lines: &[(&'static str, &str)]) -> (String, Way) {
        let trusted = ["10.0.0.0/8", "127.0.0.1"].map(|network| Network::parse(network).unwrap()).into();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let proxies = Proxies { trusted, headers: kind, certificates: Certificates::Untold };
        let sender = proxies.sender(peer, Way::Clear, &headers);
        (sender.address.to_string(), sender.way)
    }

    fn x(peer: &str, lines: &[(&'static str, &str)]) -> (String, Way) {
        sent(peer, Headers::XForwarded, lines)
    }

    fn said(address: &str, way: Way) -> (String, Way) {
        (address.to_owned(), way)
    }

    #[test]
    fn who_is_no_trusted_proxy_is_who_they_are_whatever_they_write() {
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=1.2.3.4")];
        assert_eq!(x("203.0.113.9", &lines), said("203.0.113.9", Way::Clear));
        assert_eq!(sent("203.0.113.9", Headers::Forwarded, &lines), said("203.0.113.9", Way::Clear));
    }

    #[test]
    fn a_proxy_tells_who_came_to_it_and_how() {
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https")];
        assert_eq!(x("10.1.2.3", &lines), said("198.51.100.1", Way::Encrypted));
        assert_eq!(x("::ffff:10.1.2.3", &lines), said("198.51.100.1", Way::Encrypted));
        let lines = [("forwarded", "for=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1")];
        assert_eq!(sent("127.0.0.1", Headers::Forwarded, &lines), said("2001:db8::1", Way::Encrypted));
    }

    #[test]
    fn what_the_caller_wrote_before_the_proxies_is_not_believed() {
        let invented = [("x-forwarded-for", "192.0.2.66, 198.51.100.1, 10.9.9.9")];
        assert_eq!(x("10.1.2.3", &invented), said("198.51.100.1", Way::Clear));
        let in_two_lines = [("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(x("10.1.2.3", &in_two_lines), said("198.51.100.1", Way::Clear));
        let invented = [("forwarded", "for=192.0.2.66;proto=https, for=198.51.100.1;proto=http")];
        assert_eq!(sent("10.1.2.3", Headers::Forwarded, &invented), said("198.51.100.1", Way::Clear));
    }

    #[test]
    fn headers_of_the_kind_that_the_proxy_does_not_write_are_the_callers() {
        assert_eq!(x("10.1.2.3", &[("forwarded", "for=192.0.2.66")]), said("10.1.2.3", Way::Clear));
        let lines = [("x-forwarded-for", "192.0.2.66")];
        assert_eq!(sent("10.1.2.3", Headers::Forwarded, &lines), said("10.1.2.3", Way::Clear));
    }

    #[test]
    fn what_cannot_be_read_ends_what_is_believed() {
        for unreadable in ["unknown", "_hidden", "", "1.2.3", "198.51.100.1 and more", "[::1", "a,b"] {
            let lines = [("x-forwarded-for", unreadable)];
            assert_eq!(x("10.1.2.3", &lines).0, "10.1.2.3", "{unreadable}");
            let element = format!("for={unreadable}");
            let lines = [("forwarded", element.as_str())];
            assert_eq!(sent("10.1.2.3", Headers::Forwarded, &lines).0, "10.1.2.3", "{unreadable}");
        }
        let behind = [("x-forwarded-for", "198.51.100.1, unknown, 10.9.9.9")];
        assert_eq!(x("10.1.2.3", &behind).0, "10.9.9.9");
        let way_without_address = [("x-forwarded-proto", "https")];
        assert_eq!(x("10.1.2.3", &way_without_address), said("10.1.2.3", Way::Clear));
    }

    #[test]
    fn a_certificate_is_told_by_a_proxy_that_is_trusted_and_set_up_to_tell_it() {
        let told = |peer: &str, certificates, own: Option<&Arc<Read>>, lines: &[&str]| {
            let trusted = vec![Network::parse("10.0.0.0/8").unwrap()];
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&CERTIFICATE, HeaderValue::from_str(line).unwrap());
            }
            let proxies = Proxies { trusted, certificates, ..Proxies::default() };
            let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
            proxies.certificate(peer, own, &headers).map(|certificate| certificate.subject.clone())
        };
        let made: String = include_str!("certificate/made.pem").lines().filter(|line| !line.starts_with('-')).collect();
        let line = format!(":{made}:");
        let subject = Some("CN=homecare,O=Exemple,C=FR".to_owned());
        assert_eq!(told("10.1.2.3", Certificates::ClientCert, None, &[&line]), subject);
        assert_eq!(told("10.1.2.3", Certificates::Untold, None, &[&line]), None);
        assert_eq!(told("192.0.2.1", Certificates::ClientCert, None, &[&line]), None);
        for wrong in ["", ":", "::", &made, ":AAAA:", &format!("{line}, {line}")] {
            assert_eq!(told("10.1.2.3", Certificates::ClientCert, None, &[wrong]), None, "{wrong}");
        }
        assert_eq!(told("10.1.2.3", Certificates::ClientCert, None, &[&line, &line]), None, "not one of two");
        let own = Arc::new(told_by(&line).unwrap());
        assert_eq!(told("192.0.2.1", Certificates::ClientCert, Some(&own), &[]), subject);
        assert_eq!(told("10.1.2.3", Certificates::ClientCert, Some(&own), &[]), None, "that is the proxy's own");
    }

    #[test]
    fn a_chain_without_end_is_cut() {
        let long = vec!["10.0.0.1"; 100_000].join(",");
        assert_eq!(x("10.1.2.3", &[("x-forwarded-for", &long)]).0, "10.0.0.1");
    }
}
