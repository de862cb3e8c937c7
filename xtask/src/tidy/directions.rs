//! Who may depend on whom, read from the manifests.

use super::{File, Finding, Tree};

/// Which of our crates each may use. A crate that is not here may use none until it is added.
const OURS: [(&str, &[&str]); 13] = [
    ("fhir", &[]),
    ("care", &["fhir"]),
    ("pages", &[]),
    ("store", &["fhir", "pages"]),
    ("app", &["fhir", "care", "store"]),
    ("identity", &["fhir", "care"]),
    ("deliver", &["care", "app"]),
    ("inbound", &[]),
    ("session", &["care", "store", "identity"]),
    ("rest", &["fhir", "app", "identity", "session", "inbound"]),
    ("web", &["app", "identity", "session", "inbound"]),
    ("outbound", &["store", "identity"]),
    (
        "server",
        &["fhir", "care", "store", "app", "identity", "deliver", "session", "inbound", "rest", "web", "outbound"],
    ),
];

/// Libraries that belong to some crates only, and why.
const OTHERS: [(&[&str], &[&str], &str); 12] = [
    (
        &["rusqlite", "tokio-postgres", "deadpool-postgres", "sqlx"],
        &["pages", "store"],
        "a driver belongs to the store",
    ),
    (
        &["axum", "axum-extra", "axum-server", "hyper", "tower-http"],
        &["inbound", "rest", "web", "server"],
        "HTTP belongs to the edge",
    ),
    (&["tower"], &["inbound", "rest", "web", "outbound", "server"], "HTTP belongs to the edge"),
    (
        &["http", "http-body", "http-body-util"],
        &["inbound", "rest", "web", "outbound", "server"],
        "HTTP belongs to the edge",
    ),
    (&["hyper-rustls"], &["outbound"], "what goes out goes one way"),
    (&["hyper-util"], &["inbound", "outbound"], "what comes in comes one way, and what goes out goes one way"),
    (
        &["rustls", "rustls-native-certs", "tokio-rustls"],
        &["store", "inbound", "outbound"],
        "what comes in comes one way, and what goes out goes one way, but for the way to the database",
    ),
    (&["lettre"], &["outbound"], "what goes out goes one way"),
    (&["reqwest", "rusmpp", "rusmppc"], &["deliver"], "connections to the outside belong to deliveries"),
    (
        &[
            "clap",
            "toml",
            "tracing-subscriber",
            "mimalloc",
            "opentelemetry",
            "opentelemetry_sdk",
            "opentelemetry-otlp",
            "opentelemetry-http",
            "tracing-opentelemetry",
        ],
        &["server"],
        "settings and wiring belong to the program",
    ),
    (
        &["metrics"],
        &["store", "app", "inbound", "rest", "server"],
        "the engine and the rules are pure: they count nothing",
    ),
    (
        &["tokio", "futures-util", "crossbeam-channel", "uuid", "rand", "getrandom", "tracing"],
        &["pages", "store", "app", "identity", "deliver", "inbound", "rest", "web", "outbound", "server"],
        "the engine and the rules are pure: no I/O, no waiting, no chance",
    ),
];

/// Whether the crates depend only on what they may.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests()
        .filter_map(|(folder, file)| Some((folder.strip_prefix("crates/")?, file)))
        .flat_map(|(name, file)| check_crate(name, file))
        .collect()
}

fn check_crate(name: &str, manifest: &File) -> Vec<Finding> {
    let table: toml::Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![manifest.finding(0, format!("not TOML: {error}"))],
    };
    let mut findings = Vec::new();
    if OURS.iter().all(|(known, _)| *known != name) {
        findings.push(manifest.finding(0, "a new crate: say in xtask/src/tidy/directions.rs what it may use"));
    }
    for section in ["dependencies", "build-dependencies"] {
        for library in table.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys) {
            findings.extend(forbidden(name, library).map(|why| manifest.finding(line_of(manifest, library), why)));
        }
    }
    // Tests may use any library, but of ours only what lies below: they may put together what the
    // crate itself may not name.
    for library in table.get("dev-dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys)
    {
        // A crate that only serves tests knows none of ours.
        let only_tests = library.starts_with("liaison-test-");
        if !only_tests && library.strip_prefix("liaison-").is_some_and(|ours| !below(name).contains(&ours)) {
            findings.push(manifest.finding(line_of(manifest, library), format!("{library} is not below {name}")));
        }
    }
    findings
}

/// Why a crate may not use a library, when it may not.
fn forbidden(name: &str, library: &str) -> Option<String> {
    if let Some(ours) = library.strip_prefix("liaison-") {
        let allowed = OURS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, allowed)| allowed);
        return (!allowed.contains(&ours)).then(|| format!("{name} may not use {ours}: see ARCHITECTURE.md"));
    }
    let (_, _, why) =
        OTHERS.iter().find(|(libraries, crates, _)| libraries.contains(&library) && !crates.contains(&name))?;
    Some(format!("{name} may not use {library}: {why}"))
}

/// What a crate may use, and what that may use, and so on.
fn below(name: &str) -> Vec<&'static str> {
    let direct = OURS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, allowed)| allowed);
    direct.iter().flat_map(|ours| std::iter::once(*ours).chain(below(ours))).collect()
}

fn line_of(manifest: &File, library: &str) -> usize {
    let named = |line: &str| line.strip_prefix(library).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.text.lines().position(named).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    fn findings(path: &str, manifest: &str) -> Vec<String> {
        check(&Tree::of([(path, manifest)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_uses_only_those_below_it() {
        assert_eq!(findings("crates/store/Cargo.toml", "[dependencies]\nliaison-fhir.workspace = true"), [""; 0]);
        assert_eq!(
            findings("crates/store/Cargo.toml", "[dependencies]\nliaison-care.workspace = true"),
            ["crates/store/Cargo.toml:2: store may not use care: see ARCHITECTURE.md"]
        );
        assert_eq!(findings("crates/web/Cargo.toml", "[dependencies]\nliaison-rest = \"1\"").len(), 1);
        assert_eq!(findings("crates/fhir/Cargo.toml", "[dev-dependencies]\nliaison-care = \"1\"").len(), 1);
        assert_eq!(findings("crates/rest/Cargo.toml", "[dev-dependencies]\nliaison-store = \"1\""), [""; 0]);
        assert_eq!(findings("crates/rest/Cargo.toml", "[dependencies]\nliaison-store = \"1\"").len(), 1);
    }

    #[test]
    fn drivers_http_and_runtimes_stay_where_they_belong() {
        assert_eq!(findings("crates/app/Cargo.toml", "[dependencies]\nrusqlite.workspace = true").len(), 1);
        assert_eq!(findings("crates/app/Cargo.toml", "[dependencies]\naxum.workspace = true").len(), 1);
        assert_eq!(findings("crates/care/Cargo.toml", "[dependencies]\ntokio.workspace = true").len(), 1);
        assert_eq!(findings("crates/store/Cargo.toml", "[dependencies]\nrusqlite.workspace = true"), [""; 0]);
        assert_eq!(findings("crates/fhir/Cargo.toml", "[dev-dependencies]\ntokio.workspace = true"), [""; 0]);
    }

    #[test]
    fn a_new_crate_must_say_what_it_may_use() {
        assert_eq!(findings("crates/agenda/Cargo.toml", "[dependencies]").len(), 1);
    }
}
