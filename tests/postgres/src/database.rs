//! A database of one test.

use crate::Cluster;

/// A database, which goes when it is dropped.
pub struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Database<'a> {
    pub(crate) fn new(cluster: &'a Cluster, name: String) -> Self {
        Self { cluster, name }
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address: `postgres://…`
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// What a statement answers in it, one row a line with `|` between its columns.
    #[track_caller]
    pub fn sql(&self, statement: &str) -> String {
        self.cluster.sql(&self.name, statement)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // It goes with its cluster at the latest, whose replica may be gone already.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = self.cluster.ask_with("-c synchronous_commit=local", "postgres", &drop);
    }
}
