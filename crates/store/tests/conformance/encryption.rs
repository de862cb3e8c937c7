//! The way to PostgreSQL, encrypted: who is believed, and what is said when somebody is not.

use std::error::Error;

use liaison_store::contract::{NewVersion, StoreError};
use liaison_store::store::{Store, StoreUrl, Way};
use liaison_test_postgres::{Authority, Cluster, Setup};

use crate::bench::{body, create, name, on_postgres, options};

/// Who may come how: with nothing, with a password, with a certificate.
const RULES: &str = "local all all trust
host all liaison 127.0.0.1/32 trust
hostssl all lock 127.0.0.1/32 scram-sha-256
hostssl all known 127.0.0.1/32 cert
";

/// A server with the certificate of 127.0.0.1, and the authority that signed it.
struct Server {
    authority: Authority,
    cluster: Cluster,
}

fn server() -> Server {
    let authority = Authority::new();
    let setup = Setup::default().encrypted(&authority, "IP:127.0.0.1").letting_in(&authority, RULES);
    let cluster = Cluster::start(setup);
    cluster.sql("postgres", "CREATE ROLE known LOGIN");
    cluster.sql("postgres", "CREATE ROLE lock LOGIN PASSWORD 'sesame'");
    Server { authority, cluster }
}

impl Server {
    /// The way to it as somebody, by a host name, with these settings; or all that is said of why there is none.
    fn way(&self, who: &str, host: &str, settings: &str) -> Result<Way, String> {
        let url = format!("postgres://{who}@{host}:{}/postgres?{settings}", self.cluster.port());
        way(&url)
    }

    fn root(&self) -> String {
        format!("sslrootcert={}", self.authority.certificate().display())
    }
}

fn way(url: &str) -> Result<Way, String> {
    StoreUrl::parse(url)?.way().map_err(|error| {
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            said.push_str(&format!(": {next}"));
            cause = next.source();
        }
        said
    })
}

#[track_caller]
fn refused(way: Result<Way, String>, why: &str) {
    let said = way.unwrap_err();
    assert!(said.contains(why), "{said}");
}

#[test]
fn the_authority_that_was_named_is_believed() {
    if !on_postgres() {
        return;
    }
    let server = server();
    for mode in ["require", "verify-ca", "verify-full"] {
        server.way("liaison", "127.0.0.1", &format!("sslmode={mode}&{}", server.root())).unwrap();
    }
}

#[test]
fn another_authority_is_not() {
    if !on_postgres() {
        return;
    }
    let (server, other) = (server(), Authority::new());
    let root = other.certificate();
    // As with libpq, `require` looks at the certificate when an authority is named.
    for mode in ["require", "verify-ca", "verify-full"] {
        let settings = format!("sslmode={mode}&sslrootcert={}", root.display());
        refused(server.way("liaison", "127.0.0.1", &settings), "UnknownIssuer");
    }
    refused(server.way("liaison", "127.0.0.1", "sslrootcert=system"), "UnknownIssuer");
    // Anybody is believed where nobody is named.
    server.way("liaison", "127.0.0.1", "sslmode=require").unwrap();
}

#[test]
fn another_name_is_refused_when_names_are_looked_at() {
    if !on_postgres() {
        return;
    }
    let server = server();
    let said = |mode: &str| server.way("liaison", "localhost", &format!("sslmode={mode}&{}", server.root()));
    refused(said("verify-full"), "not valid for name \"localhost\"");
    said("verify-ca").unwrap();
}

#[test]
fn a_server_that_cannot_encrypt_is_refused_when_it_must() {
    if !on_postgres() {
        return;
    }
    let url = Cluster::shared().url("postgres");
    refused(way(&format!("{url}?sslmode=require")), "server does not support TLS");
    way(&format!("{url}?sslmode=prefer")).unwrap();
    way(&url).unwrap();
    // On a socket there is nothing to encrypt.
    let folder = Cluster::shared().socket_folder().display().to_string();
    let port = Cluster::shared().port();
    way(&format!("postgres://liaison@/postgres?host={folder}&port={port}&sslmode=require")).unwrap();
}

#[test]
fn a_client_shows_its_certificate() {
    if !on_postgres() {
        return;
    }
    let server = server();
    let known = server.authority.sign("known");
    let own = format!("sslcert={}&sslkey={}", known.certificate.display(), known.key.display());
    let settings = format!("sslmode=verify-full&{}&{own}", server.root());
    server.way("known", "127.0.0.1", &settings).unwrap();
    // Its name is who it is.
    let other = server.authority.sign("other");
    let own = format!("sslcert={}&sslkey={}", other.certificate.display(), other.key.display());
    let settings = format!("sslmode=verify-full&{}&{own}", server.root());
    refused(server.way("known", "127.0.0.1", &settings), "certificate authentication failed");
    let without = format!("sslmode=verify-full&{}", server.root());
    refused(server.way("known", "127.0.0.1", &without), "certificate");
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    if !on_postgres() {
        return;
    }
    let server = server();
    let known = server.authority.sign("careless");
    std::fs::set_permissions(&known.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let own = format!("sslcert={}&sslkey={}", known.certificate.display(), known.key.display());
    refused(server.way("liaison", "127.0.0.1", &format!("sslmode=require&{own}")), "can be read by others");
}

#[test]
fn a_password_is_bound_to_the_certificate() {
    if !on_postgres() {
        return;
    }
    let server = server();
    let bound = |settings: &str| server.way("lock:sesame", "127.0.0.1", &format!("channel_binding=require&{settings}"));
    bound("sslmode=require").unwrap();
    // Without encryption there is nothing to bind it to.
    refused(bound("sslmode=disable"), "no encryption");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let url = |settings: &str| StoreUrl::parse(&format!("postgres://liaison@db/notes?{settings}"));
    for (settings, why) in [
        ("sslmode=yes", "is none of"),
        ("sslmode=verify-full", "need sslrootcert"),
        ("sslmode=verify-ca", "need sslrootcert"),
        ("sslmode=require&sslrootcert=system", "goes with sslmode=verify-full"),
        ("sslmode=prefer&sslrootcert=a.pem", "need an sslmode"),
        ("sslmode=disable&sslcert=a.pem&sslkey=a.key", "need an sslmode"),
        ("sslmode=require&sslcert=a.pem", "go together"),
        ("sslcrl=a.pem", "sslcrl"),
    ] {
        let said = url(settings).expect_err(settings);
        assert!(said.contains(why), "{settings}: {said}");
    }
    assert!(url("sslrootcert=system").is_ok(), "whoever names them wants verify-full");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    if !on_postgres() {
        return;
    }
    let settings = "sslmode=verify-full&sslrootcert=/nowhere.pem";
    refused(server().way("liaison", "127.0.0.1", settings), "sslrootcert=/nowhere.pem cannot be used");
}

#[tokio::test]
async fn a_store_lives_over_it() {
    if !on_postgres() {
        return;
    }
    let server = server();
    server.cluster.sql("postgres", "CREATE DATABASE encrypted");
    let url = format!("postgres://liaison@127.0.0.1:{}/encrypted", server.cluster.port());
    let url = StoreUrl::parse(&format!("{url}?sslmode=verify-full&{}", server.root())).unwrap();
    let clock = std::sync::Arc::default();
    let store = Store::open(&url, options(&clock)).unwrap();
    // More than one record of TLS, and more than a socket takes at once, each way.
    let long = "é".repeat(3_000_000);
    let note = NewVersion { body: Some(body(&long)), ..create("Note/1") };
    let committed: Result<_, StoreError> = store.write(move |tx| tx.commit_version(&note)).await;
    committed.unwrap();
    let read = store.read_now(|reader| reader.current(&name("Note/1"))).unwrap();
    assert_eq!(read.unwrap().version, 1);
    let plain = "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
                 WHERE a.datname = 'encrypted' AND NOT s.ssl";
    assert_eq!(server.cluster.sql("postgres", plain), "0");
    let encrypted = "SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
                     WHERE a.datname = 'encrypted' AND s.ssl";
    assert_eq!(server.cluster.sql("postgres", encrypted), "t");
    store.close().await;
}
