//! The store that a test runs on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use liaison_test_postgres::{Cluster, Database};
use tempfile::TempDir;

/// A store of one test, which goes with the last of those that use it.
#[derive(Clone)]
pub struct Store {
    url: String,
    kept: Kept,
}

/// What goes with the store.
#[derive(Clone)]
enum Kept {
    Folder {
        _folder: Arc<TempDir>,
    },
    Database(Arc<Database<'static>>),
    /// Whoever named the store keeps it.
    Elsewhere,
}

/// Whether tests that are about either kind of store run on PostgreSQL: `LIAISON_TEST_STORE=postgres`.
pub fn on_postgres() -> bool {
    match std::env::var("LIAISON_TEST_STORE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("LIAISON_TEST_STORE is sqlite or postgres, not {other}"),
    }
}

impl Store {
    /// A new and empty one, of the kind that this run is about.
    pub fn new() -> Self {
        if on_postgres() { Self::in_a_database() } else { Self::in_a_file() }
    }

    /// A new and empty one in a file: for tests about the file.
    pub fn in_a_file() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let Self { url, .. } = Self::of_file(folder.path().join("liaison.db"));
        Self { url, kept: Kept::Folder { _folder: Arc::new(folder) } }
    }

    /// A new and empty one on the PostgreSQL of this run: for tests about several nodes.
    pub fn in_a_database() -> Self {
        let database = Cluster::shared().database();
        Self { url: database.url(), kept: Kept::Database(Arc::new(database)) }
    }

    /// The one in this file.
    pub fn of_file(path: impl AsRef<Path>) -> Self {
        Self::at(format!("sqlite:{}", path.as_ref().display()))
    }

    /// The one with this address.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), kept: Kept::Elsewhere }
    }

    /// Its address, as `--store` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file that it is.
    pub fn file(&self) -> PathBuf {
        self.url.strip_prefix("sqlite:").expect("a store in a file").into()
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> u64 {
        if let Kept::Database(database) = &self.kept {
            return database.sql("SELECT pg_database_size(current_database())").parse().expect("a number");
        }
        let length = |file: PathBuf| std::fs::metadata(file).map_or(0, |about| about.len());
        length(self.file()) + length(self.file().with_extension("db-wal"))
    }

    /// The database that it is.
    pub fn database(&self) -> &Database<'static> {
        match &self.kept {
            Kept::Database(database) => database,
            Kept::Folder { .. } | Kept::Elsewhere => panic!("{} is no database of this run", self.url),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}
