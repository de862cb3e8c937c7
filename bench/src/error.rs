//! What keeps a run from giving figures.

use std::path::PathBuf;

/// Why a run ended without figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file or directory could not be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program could not be started, or ended before it served.
    #[error("{program} {what}")]
    Program {
        /// Which.
        program: String,
        /// What it did, or did not.
        what: String,
    },
    /// The program that is measured is not there.
    #[error("{0} is missing: build it with `cargo build --release -p liaison-server`")]
    NotBuilt(PathBuf),
    /// Figures of a debug build would mean nothing.
    #[error("this is a debug build: run `cargo run --release -p bench`")]
    DebugBuild,
    /// The address of the server is not one we can speak to.
    #[error("--base {0}: expected http://HOST[:PORT][/PATH] (no TLS)")]
    BadBase(String),
    /// `--only` names what does not exist.
    #[error("no scenario is called {name:?}; there are: {known}")]
    UnknownScenario {
        /// As given.
        name: String,
        /// All names.
        known: String,
    },
    /// An exchange failed while preparing.
    #[error("{doing}: {source}")]
    Http {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: crate::http::HttpError,
    },
    /// The server answered otherwise than expected while preparing.
    #[error("{doing}: the server answered {status}: {body}")]
    Answered {
        /// What was being done.
        doing: &'static str,
        /// Its status.
        status: u16,
        /// The beginning of its body.
        body: String,
    },
    /// The bare SQLite loop failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The bare PostgreSQL loop failed.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// A part of this program stopped before its work was done.
    #[error("{0} stopped early")]
    Stopped(&'static str),
}

impl BenchError {
    /// For `map_err` on a file operation.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> BenchError {
        let path = path.into();
        move |source| BenchError::File { path, source }
    }

    /// For `map_err` on an exchange.
    pub fn http(doing: &'static str) -> impl FnOnce(crate::http::HttpError) -> BenchError {
        move |source| BenchError::Http { doing, source }
    }
}
