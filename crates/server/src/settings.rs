//! What the program was told, wherever it was told: flag, then environment, then file.
//!
//! Each setting is described once, in [`ALL`]. What is given is first gathered as text with its
//! place, and read once: an error always names the setting, where it was given, and how to mend it.

mod connections;
mod given;
mod oidc;
mod read;
mod sign_in;

use std::{net::SocketAddr, time::Duration};

use jiff::tz::TimeZone;
use liaison_app::settings::Audit;
use liaison_identity::{certified::Certified, provider::Trusted};
use liaison_inbound::{listener::Manner, rates::Allowed, tls::Files};
use liaison_outbound::{
    mail::Mail,
    public::Named,
    s3::{Address, Credentials},
};
use liaison_session::sessions::Lasting;
use liaison_store::store::StoreUrl;

pub use given::{CONFIG_VARIABLE, Given, Place, shown};

/// A setting, by its name in the file. In the environment it is `LIAISON_` and the name in capitals.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// What is in force when nobody says otherwise.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every setting there is.
pub const ALL: [Setting; 45] = [
    Setting { key: "listen", default: "127.0.0.1:8080", meaning: "address to listen on; port 0 picks a free one" },
    Setting {
        key: "store",
        default: "sqlite:liaison.db",
        meaning: "where everything is kept: sqlite:PATH or postgres://…",
    },
    Setting {
        key: "attachments",
        default: "",
        meaning: "where attachments are kept: s3://BUCKET/PREFIX?endpoint=URL&region=REGION; empty: in the store",
    },
    Setting {
        key: "auth",
        default: "off",
        meaning: "who may call: off (everybody is the system; loopback only), or oidc (who has a token)",
    },
    Setting {
        key: "oidc_issuers",
        default: "",
        meaning: "issuers trusted for access tokens, by their addresses, separated by commas",
    },
    Setting { key: "oidc_audience", default: "", meaning: "the audience that access tokens must carry" },
    Setting {
        key: "oidc_operator",
        default: "",
        meaning: "the claim and value that those who run the server have, as CLAIM=VALUE; empty: nobody",
    },
    Setting {
        key: "oidc_software",
        default: "",
        meaning: "software that calls without a user, as CLIENT=self|staff|anybody|operator[@SYSTEM|VALUE], separated by commas",
    },
    Setting {
        key: "oidc_introspection",
        default: "",
        meaning: "as whom tokens that say nothing by themselves are looked up, as issuer=ADDRESS client=ID secret=FILE; …",
    },
    Setting {
        key: "sign_in",
        default: "",
        meaning: "where people sign in, as NAME: issuer=ADDRESS client=ID [secret=FILE | key=FILE]; …; empty: nowhere",
    },
    Setting {
        key: "smtp_url",
        default: "",
        meaning: "the server that sends mail: smtps://USER:PASSWORD@HOST:PORT or smtp://…[?tls=opportunistic]; empty: no accounts by invitation",
    },
    Setting { key: "mail_from", default: "", meaning: "whom mail is from, such as Liaison <cahier@example.org>" },
    Setting { key: "session_idle", default: "30m", meaning: "how long one stays signed in without doing anything" },
    Setting { key: "session_time", default: "12h", meaning: "how long one stays signed in at most" },
    Setting {
        key: "audit",
        default: "as-auth",
        meaning: "whether it is kept who did what: on, off, or as-auth (on when callers are known)",
    },
    Setting {
        key: "public_url",
        default: "",
        meaning: "address by which callers reach the server; empty: the one it listens on",
    },
    Setting {
        key: "tls_certificate",
        default: "",
        meaning: "file of the server's certificate and those that lead to its authority (PEM); empty: not encrypted",
    },
    Setting { key: "tls_key", default: "", meaning: "file of the key of that certificate (PEM)" },
    Setting {
        key: "tls_client_authorities",
        default: "",
        meaning: "file of the authorities of software that is known by its certificate (PEM); empty: none is",
    },
    Setting {
        key: "trusted_proxies",
        default: "",
        meaning: "addresses and networks of proxies that are believed about whom they speak for, separated by commas",
    },
    Setting {
        key: "proxy_headers",
        default: "x-forwarded",
        meaning: "the headers that these proxies write: x-forwarded, or forwarded (RFC 7239)",
    },
    Setting {
        key: "proxy_certificates",
        default: "off",
        meaning: "how these proxies tell the certificate of software: off, or client-cert (RFC 9440)",
    },
    Setting {
        key: "certificate_software",
        default: "",
        meaning: "software known by its certificate, as dn:|dns:|uri:|sha256:NAME=self|staff|anybody|operator[@SYSTEM|VALUE], separated by ;",
    },
    Setting {
        key: "outbound_allowed",
        default: "",
        meaning: "https:// addresses of hosts that a provider's documents may lead to although they are not public, separated by commas",
    },
    Setting { key: "max_connections", default: "4096", meaning: "most connections at a time; who comes then waits" },
    Setting {
        key: "max_connections_per_address",
        default: "256",
        meaning: "most connections at a time from one address, but for trusted proxies; who comes then is sent away",
    },
    Setting {
        key: "stall_time",
        default: "30s",
        meaning: "how long a caller may keep the server waiting in the middle of a head, a body or an answer",
    },
    Setting { key: "idle_time", default: "75s", meaning: "how long a connection is kept between requests" },
    Setting {
        key: "rate_per_caller",
        default: "300/s",
        meaning: "most requests of one caller who is known, in a second (300/s) or a minute (6000/m); off: no limit",
    },
    Setting { key: "rate_per_address", default: "1000/s", meaning: "most requests from one address, written the same" },
    Setting {
        key: "rate_wrong_tokens",
        default: "60/m",
        meaning: "most tokens from one address that are not believed, before no token from there is looked at",
    },
    Setting { key: "time_zone", default: "Europe/Paris", meaning: "zone of dates that have none" },
    Setting { key: "log", default: "text", meaning: "how logs are written on standard error: text or json" },
    Setting { key: "log_level", default: "info", meaning: "which logs are written: error, warn, info, debug, trace" },
    Setting {
        key: "metrics_listen",
        default: "",
        meaning: "address that shows figures to Prometheus, at /metrics; empty: none",
    },
    Setting {
        key: "otlp_endpoint",
        default: "",
        meaning: "address of a collector that takes traces by OTLP over HTTP; empty: OTEL_EXPORTER_OTLP_ENDPOINT, or none",
    },
    Setting {
        key: "reindex",
        default: "off",
        meaning: "whether a server makes anew by itself what its index lacks, while it serves: off or on",
    },
    Setting { key: "max_body", default: "30MB", meaning: "largest request body" },
    Setting { key: "max_attachment", default: "20MB", meaning: "largest attachment, decoded" },
    Setting { key: "max_bundle_entries", default: "500", meaning: "most entries in a bundle" },
    Setting { key: "max_page", default: "500", meaning: "most matches on a page; a larger _count is refused" },
    Setting { key: "max_chain_depth", default: "5", meaning: "most steps in a chained search parameter" },
    Setting { key: "max_includes", default: "1000", meaning: "most included resources on a page" },
    Setting { key: "query_time", default: "10s", meaning: "how long a search may take" },
    Setting {
        key: "shutdown_time",
        default: "20s",
        meaning: "how long running requests may take to finish when asked to stop",
    },
];

/// Everything the program needs to know, read and checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub store: StoreUrl,
    /// Where attachments are kept, when not in the store.
    pub attachments: Option<(Address, Credentials)>,
    /// Who may call.
    pub auth: Auth,
    /// Whether it is kept who did what.
    pub audit: Audit,
    /// The address by which callers reach the server, without a slash at the end.
    pub public_url: Option<String>,
    /// Zone of dates that have none.
    pub zone: TimeZone,
    /// How logs are written.
    pub log: LogForm,
    /// Which logs are written.
    pub log_level: tracing::Level,
    /// Where figures are shown, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that traces are told to, if any.
    pub otlp_endpoint: Option<String>,
    /// Whether a server makes anew what its index lacks.
    pub reindex: Reindexing,
    /// What is too much.
    pub limits: Limits,
    /// How long running requests may take to finish when asked to stop.
    pub shutdown_time: Duration,
    /// How connections are taken, but for encryption.
    pub manner: Manner,
    /// The files of encryption, when it ends here.
    pub tls: Option<Files>,
    /// How often somebody may ask.
    pub rates: Allowed,
    /// Whom documents of others may lead to, wherever they are.
    pub outbound_allowed: Vec<Named>,
    /// Software that is known by its certificate.
    pub certified: Certified,
    /// How long people stay signed in.
    pub lasting: Lasting,
    /// By whom mail is sent, if at all.
    pub mail: Option<Mail>,
}

/// Who may call.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Everybody is the system: on a loopback address only.
    Off,
    /// Who has an access token of a provider that is trusted.
    Oidc(Vec<Trusted>),
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// For machines, one object per line.
    Json,
}

/// Whether a server makes anew by itself what its index lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reindexing {
    /// Whoever runs it says when, by `liaison reindex`.
    Off,
    /// When it starts.
    On,
}

/// What is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request body.
    pub body: usize,
    /// Bytes of an attachment, decoded.
    pub attachment: usize,
    /// Entries of a bundle.
    pub bundle_entries: usize,
    /// Matches of a page.
    pub page: u32,
    /// Steps of a chained parameter.
    pub chain_depth: usize,
    /// Included resources of a page.
    pub includes: u32,
    /// Time of a search.
    pub query_time: Duration,
}

/// A setting that cannot be used: which, where it was given, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SettingError {
    /// Where it was given: names the flag, the variable, or the file and line.
    pub place: Place,
    /// What is wrong and how to mend it.
    pub problem: String,
}

impl Settings {
    /// Reads what was given. All that is wrong is said at once.
    pub fn read(given: &Given) -> Result<Self, Vec<SettingError>> {
        read::settings(given)
    }

    /// The host by which callers reach the server, when it is said.
    pub fn public_host(&self) -> Option<&str> {
        let after = self.public_url.as_deref()?.split_once("://")?.1;
        let authority = after.split('/').next().unwrap_or_default();
        // Not the colons of an address of version 6.
        let port = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        Some(port.map_or(authority, |(host, _)| host))
    }
}

#[cfg(test)]
mod tests;
