//! A second cluster that has what the first one has, and can take its place.

use std::{
    ffi::OsString,
    time::{Duration, Instant},
};

use crate::{Cluster, Installation, Log, Setup, cluster, installation::run};

impl Cluster {
    /// A replica that streams from this one. From now on this one acknowledges only what the replica has applied.
    pub fn replica(&self) -> Self {
        let setup = Setup { data: None, log: Log::WithData, under: Vec::new(), ..self.setup.clone() };
        let (folder, data) = cluster::folders(&setup);
        let mut words: Vec<OsString> = Installation::find().words("pg_basebackup");
        let source = format!("{} application_name=replica", self.words_of_connection());
        words.extend(["--pgdata".into(), data.clone().into(), "--dbname".into(), source.into()]);
        words.extend(["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"].map(Into::into));
        run(&words);
        let replica = Self::begin(setup, folder, data);
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'replica'");
        self.sql("postgres", "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
        self.sql("postgres", "SELECT pg_reload_conf()");
        self.wait_for_replica();
        replica
    }

    /// Waits until what is acknowledged is at the replica.
    pub fn wait_for_replica(&self) {
        let begun = Instant::now();
        while self.sql("postgres", "SELECT sync_state FROM pg_stat_replication") != "sync" {
            assert!(begun.elapsed() < Duration::from_secs(60), "the replica does not follow:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes a replica the one that is written to.
    pub fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote(true, 60)"), "t", "it is promoted");
    }

    /// An address of a database on the first of these that may be written to.
    pub fn url_of(clusters: &[&Self], database: &str) -> String {
        let hosts: Vec<String> = clusters.iter().map(|cluster| format!("127.0.0.1:{}", cluster.port())).collect();
        format!("postgres://liaison@{}/{database}?target_session_attrs=read-write", hosts.join(","))
    }

    fn words_of_connection(&self) -> String {
        format!("host=127.0.0.1 port={} user=liaison dbname=postgres", self.port())
    }
}
