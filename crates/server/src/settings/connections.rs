//! How connections are taken.

use std::path::PathBuf;

use liaison_identity::certified::Certified;
use liaison_inbound::{
    listener::Manner,
    network::Network,
    proxies::{Certificates, Headers, Proxies},
    rates::{Allowed, Per, Rate},
    tls::Files,
};

use super::{
    Auth, Place,
    read::{Reader, count, duration},
};

/// How connections are taken; without login, on a loopback address, nobody has a share of them unless it is said.
pub(super) fn manner(reader: &mut Reader<'_>, auth: Option<&Auth>) -> Option<Manner> {
    let trusted = reader.read("trusted_proxies", networks);
    let headers = reader.read("proxy_headers", headers);
    let certificates = reader.read("proxy_certificates", certificates);
    let connections = reader.read("max_connections", count);
    let of_each = reader.read("max_connections_per_address", count);
    let stalled = reader.read("stall_time", duration);
    let idle = reader.read("idle_time", duration);
    let by_default = matches!(reader.given.get("max_connections_per_address").1, Place::Default(_));
    let everybody = by_default && matches!(auth, Some(Auth::Off));
    let connections = usize::try_from(connections?).ok()?;
    Some(Manner {
        tls: None,
        proxies: Proxies { trusted: trusted?, headers: headers?, certificates: certificates? },
        connections,
        of_each: if everybody { connections } else { usize::try_from(of_each?).ok()? },
        stalled: stalled?,
        idle: idle?,
    })
}

/// How often somebody may ask; without login only what is said.
pub(super) fn rates(reader: &mut Reader<'_>, auth: Option<&Auth>) -> Option<Allowed> {
    let caller = reader.read("rate_per_caller", rate)?;
    let address = reader.read("rate_per_address", rate)?;
    let unbelieved = reader.read("rate_wrong_tokens", rate)?;
    let by_default = matches!(reader.given.get("rate_per_address").1, Place::Default(_));
    let everybody = by_default && matches!(auth, Some(Auth::Off));
    Some(Allowed { caller, address: address.filter(|_| !everybody), unbelieved })
}

/// `300/s`, `60/m`, `off`.
fn rate(text: &str) -> Result<Option<Rate>, String> {
    const REMEDY: &str = "write how many in a second or a minute, such as 300/s or 60/m, or off";
    if text == "off" {
        return Ok(None);
    }
    let (count, per) = text.split_once('/').ok_or(REMEDY)?;
    let per = match per.trim() {
        "s" => Per::Second,
        "m" => Per::Minute,
        _ => return Err(REMEDY.into()),
    };
    let count = count.trim().parse().map_err(|_| REMEDY)?;
    Ok(Some(Rate { count, per }))
}

/// The files of encryption: certificate and key, or neither.
pub(super) fn files(reader: &mut Reader<'_>) -> Option<Option<Files>> {
    let file = |text: &str| Ok((!text.is_empty()).then(|| PathBuf::from(text)));
    let certificate = reader.read("tls_certificate", file)?;
    let key = reader.read("tls_key", file)?;
    let authorities = reader.read("tls_client_authorities", file)?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Some(Files { certificate, key, authorities })),
        (Some(_), None) => reader.refuse("tls_certificate", "tls_certificate needs the key of it: set tls_key too"),
        (None, Some(_)) => reader.refuse("tls_key", "tls_key needs the certificate: set tls_certificate too"),
        (None, None) if authorities.is_some() => reader.refuse(
            "tls_client_authorities",
            "software is known by its certificate where encryption ends: set tls_certificate and tls_key too",
        ),
        (None, None) => Some(None),
    }
}

/// Refuses certificates that nobody could come with.
pub(super) fn can_be_shown(reader: &mut Reader<'_>, certified: &Certified, tls: Option<&Files>, manner: &Manner) {
    let by_us = tls.is_some_and(|files| files.authorities.is_some());
    let by_proxies = manner.proxies.certificates == Certificates::ClientCert && !manner.proxies.trusted.is_empty();
    if !certified.0.is_empty() && !by_us && !by_proxies {
        let problem = "nobody can come with a certificate: set tls_client_authorities, or trusted_proxies and \
                       proxy_certificates = client-cert";
        reader.refuse::<()>("certificate_software", problem);
    }
}

fn networks(text: &str) -> Result<Vec<Network>, String> {
    let listed = text.split(',').map(str::trim).filter(|network| !network.is_empty());
    listed.map(|network| Network::parse(network).map_err(|error| error.to_string())).collect()
}

fn headers(text: &str) -> Result<Headers, String> {
    match text {
        "x-forwarded" => Ok(Headers::XForwarded),
        "forwarded" => Ok(Headers::Forwarded),
        _ => Err("write x-forwarded (X-Forwarded-For and -Proto) or forwarded (RFC 7239)".into()),
    }
}

fn certificates(text: &str) -> Result<Certificates, String> {
    match text {
        "off" => Ok(Certificates::Untold),
        "client-cert" => Ok(Certificates::ClientCert),
        _ => Err("write off, or client-cert (RFC 9440)".into()),
    }
}
