//! From text to what it means.

use std::{net::SocketAddr, time::Duration};

use jiff::tz::TimeZone;
use liaison_outbound::{
    public::Named,
    s3::{Address, Credentials},
};
use liaison_store::store::StoreUrl;

use super::{
    Audit, Auth, Given, Limits, LogForm, Place, Reindexing, SettingError, Settings, connections, given::shown, oidc,
    sign_in,
};

/// Reads all settings. All that is wrong is said at once.
pub fn settings(given: &Given) -> Result<Settings, Vec<SettingError>> {
    let mut reader = Reader { given, errors: Vec::new() };
    let listen = reader.read("listen", address);
    let store = reader.read("store", StoreUrl::parse);
    let attachments = attachments(&mut reader);
    let public_url = reader.read("public_url", web_address);
    let auth = auth(&mut reader, public_url.as_ref().and_then(Option::as_deref));
    let audit = audit(&mut reader, auth.as_ref());
    let zone = reader.read("time_zone", zone);
    let log = reader.read("log", log_form);
    let log_level = reader.read("log_level", log_level);
    let metrics_listen = reader.read("metrics_listen", metrics_address);
    let otlp_endpoint = reader.read("otlp_endpoint", web_address);
    let reindex = reader.read("reindex", reindexing);
    let limits = limits(&mut reader);
    let shutdown_time = reader.read("shutdown_time", duration);
    let lasting = sign_in::lasting(&mut reader);
    let mail = sign_in::mail(&mut reader, auth.as_ref(), public_url.as_ref().and_then(Option::as_deref));
    let manner = connections::manner(&mut reader, auth.as_ref());
    let tls = connections::files(&mut reader);
    let rates = connections::rates(&mut reader, auth.as_ref());
    let outbound_allowed = reader.read("outbound_allowed", named);
    let certified = reader.read("certificate_software", oidc::certified);
    if let (Some(certified), Some(tls), Some(manner)) = (&certified, &tls, &manner) {
        connections::can_be_shown(&mut reader, certified, tls.as_ref(), manner);
    }
    match (listen, &auth, &public_url) {
        (Some(listen), Some(Auth::Off), _) => reader.errors.extend(open_to_everybody(listen, &given.get("listen").1)),
        (_, Some(Auth::Oidc(_)), Some(None)) => reader.errors.push(SettingError {
            place: given.get("public_url").1,
            problem: "with auth = oidc the server must know its own address: set public_url, such as https://cahier.example.org"
                .into(),
        }),
        _ => {}
    }
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    // What could not be read left an error.
    let whole = || {
        Some(Settings {
            listen: listen?,
            store: store?,
            attachments: attachments?,
            auth: auth?,
            audit: audit?,
            public_url: public_url?,
            zone: zone?,
            log: log?,
            log_level: log_level?,
            metrics_listen: metrics_listen?,
            otlp_endpoint: otlp_endpoint?,
            reindex: reindex?,
            limits: limits?,
            shutdown_time: shutdown_time?,
            manner: manner?,
            tls: tls?,
            rates: rates?,
            certified: certified?,
            outbound_allowed: outbound_allowed?,
            lasting: lasting?,
            mail: mail?,
        })
    };
    whole().ok_or_else(Vec::new)
}

fn audit(reader: &mut Reader<'_>, auth: Option<&Auth>) -> Option<Audit> {
    let said = reader.read("audit", |text| match text {
        "as-auth" => Ok(None),
        "on" => Ok(Some(Audit::On)),
        "off" => Ok(Some(Audit::Off)),
        _ => Err("write on, off or as-auth".into()),
    })?;
    Some(said.unwrap_or(match auth? {
        // Everybody is the system: there is little to tell.
        Auth::Off => Audit::Off,
        Auth::Oidc(_) => Audit::On,
    }))
}

fn limits(reader: &mut Reader<'_>) -> Option<Limits> {
    let body = reader.read("max_body", bytes);
    let attachment = reader.read("max_attachment", bytes);
    let bundle_entries = reader.read("max_bundle_entries", count);
    let page = reader.read("max_page", count);
    let chain_depth = reader.read("max_chain_depth", count);
    let includes = reader.read("max_includes", count);
    let query_time = reader.read("query_time", duration);
    Some(Limits {
        body: body?,
        attachment: attachment?,
        bundle_entries: usize::try_from(bundle_entries?).ok()?,
        page: page?,
        chain_depth: usize::try_from(chain_depth?).ok()?,
        includes: includes?,
        query_time: query_time?,
    })
}

/// What was given, being read.
pub(super) struct Reader<'a> {
    pub(super) given: &'a Given,
    errors: Vec<SettingError>,
}

impl Reader<'_> {
    pub(super) fn read<T>(&mut self, key: &'static str, meaning: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (text, place) = self.given.get(key);
        match meaning(text.trim()) {
            Ok(value) => Some(value),
            Err(remedy) => {
                let problem = format!("{key} cannot be {:?}: {remedy}", shown(text));
                self.errors.push(SettingError { place, problem });
                None
            }
        }
    }

    /// Refuses a setting for a reason of its own.
    pub(super) fn refuse<T>(&mut self, key: &'static str, problem: &str) -> Option<T> {
        let place = self.given.get(key).1;
        self.errors.push(SettingError { place, problem: problem.to_owned() });
        None
    }
}

fn open_to_everybody(listen: SocketAddr, place: &Place) -> Option<SettingError> {
    let problem = format!(
        "with auth = off everybody who reaches {listen} could read and change everything, so only a loopback address is \
         allowed: listen on 127.0.0.1:{port} (or write auth = oidc, so that callers need a token)",
        port = listen.port()
    );
    (!listen.ip().is_loopback()).then(|| SettingError { place: place.clone(), problem })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:8080 or [::1]:8080".into())
}

fn metrics_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() { Ok(None) } else { address(text).map(Some) }
}

fn reindexing(text: &str) -> Result<Reindexing, String> {
    match text {
        "off" => Ok(Reindexing::Off),
        "on" => Ok(Reindexing::On),
        _ => Err("write off or on".into()),
    }
}

/// Where attachments are, with the key that opens it.
fn attachments(reader: &mut Reader<'_>) -> Option<Option<(Address, Credentials)>> {
    let address = reader.read("attachments", |text| match text {
        "" => Ok(None),
        text => Address::parse(text).map(Some).map_err(|error| error.to_string()),
    })?;
    match (address, &reader.given.objects_key) {
        (None, _) => Some(None),
        (Some(address), Some(key)) => Some(Some((address, key.clone()))),
        (Some(_), None) => {
            let problem = "attachments need a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
            reader.errors.push(SettingError { place: reader.given.get("attachments").1, problem: problem.into() });
            None
        }
    }
}

/// Who may call, with what that needs.
fn auth(reader: &mut Reader<'_>, public_url: Option<&str>) -> Option<Auth> {
    let asked = reader.read("auth", |text| match text {
        "off" => Ok(false),
        "oidc" => Ok(true),
        _ => Err("write off or oidc".into()),
    })?;
    let issuers = reader.read("oidc_issuers", oidc::issuers);
    let audience = reader.read("oidc_audience", |text| Ok(text.to_owned()));
    let operator = reader.read("oidc_operator", oidc::operator);
    let software = reader.read("oidc_software", oidc::software);
    let clients = reader.read("oidc_introspection", oidc::introspection);
    let ways = reader.read("sign_in", sign_in::ways);
    if !asked {
        return Some(Auth::Off);
    }
    let (issuers, audience, operator, software, clients, ways) =
        (issuers?, audience?, operator?, software?, clients?, ways?);
    for (missing, key) in [(issuers.is_empty(), "oidc_issuers"), (audience.is_empty(), "oidc_audience")] {
        if missing {
            let problem =
                format!("with auth = oidc, {key} must say whose tokens are believed, and for whom they are meant");
            reader.errors.push(SettingError { place: reader.given.get(key).1, problem });
        }
    }
    let mut trusted = oidc::trusted(issuers, &audience, operator.as_ref(), &software);
    if let Err(problem) = oidc::look_up(&mut trusted, clients) {
        let (place, problem) = (reader.given.get("oidc_introspection").1, format!("oidc_introspection: {problem}"));
        reader.errors.push(SettingError { place, problem });
    }
    if let Err(problem) = sign_in::allow(&mut trusted, ways, public_url) {
        reader
            .errors
            .push(SettingError { place: reader.given.get("sign_in").1, problem: format!("sign_in: {problem}") });
    }
    Some(Auth::Oidc(trusted))
}

/// `http(s)://host[:port][/path]`, nothing more: what follows is added to it.
pub(super) fn web_address(text: &str) -> Result<Option<String>, String> {
    const REMEDY: &str =
        "write http:// or https://, a host, and at most a port and a path, such as https://cahier.example.org";
    if text.is_empty() {
        return Ok(None);
    }
    let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(REMEDY)?;
    let host = after.split('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '"' | '<' | '>' | '\\' | '\'' | '&');
    if host.is_empty() || !after.chars().all(plain) {
        return Err(REMEDY.into());
    }
    Ok(Some(text.trim_end_matches('/').into()))
}

fn named(text: &str) -> Result<Vec<Named>, String> {
    let listed = text.split(',').map(str::trim).filter(|address| !address.is_empty());
    let one = |address| web_address(address).ok().flatten().and_then(|address| Named::by(&address));
    let wrong = |address| format!("{address} is no address such as https://keys.example.org:8443");
    listed.map(|address| one(address).ok_or_else(|| wrong(address))).collect()
}

fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "write the name of a zone, such as Europe/Paris or Indian/Reunion".into())
}

fn log_form(text: &str) -> Result<LogForm, String> {
    match text {
        "text" => Ok(LogForm::Text),
        "json" => Ok(LogForm::Json),
        _ => Err("write text or json".into()),
    }
}

fn log_level(text: &str) -> Result<tracing::Level, String> {
    text.parse().map_err(|_| "write error, warn, info, debug or trace".into())
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a whole number from 1".into())
}

/// `512`, `64KB`, `30MB`, `1GB`; a kilobyte is 1,024 bytes.
fn bytes(text: &str) -> Result<usize, String> {
    const REMEDY: &str = "write a number of bytes, such as 30MB or 512KB";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let factor: usize = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return Err(REMEDY.into()),
    };
    let number: usize = digits.parse().map_err(|_| REMEDY)?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| REMEDY.into())
}

/// `250ms`, `10s`, `2m`, `12h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const REMEDY: &str = "write a duration, such as 500ms, 10s, 2m or 12h";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let number: u64 = digits.parse().ok().filter(|number| (1..=86_400_000).contains(number)).ok_or(REMEDY)?;
    match text[digits.len()..].trim() {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        "h" => Ok(Duration::from_secs(number * 3600)),
        _ => Err(REMEDY.into()),
    }
}
