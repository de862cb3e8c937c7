//! A cluster: a server with its folder, its port and its settings.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Database, Installation, guard::Guard, installation::run};

/// Longer than any start, with the log of a crash to be read again.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a cluster is to be.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Settings beyond those that every one has, as `postgresql.conf` has them: `("max_connections", "20")`.
    pub settings: Vec<(String, String)>,
    /// Whether what is committed is synchronised with the disk: for tests that look at what is left after a fault.
    /// Others are faster without.
    pub durable: bool,
    /// The folder that the data is in, which must be empty; its own otherwise.
    pub data: Option<PathBuf>,
    /// Where its log of changes is.
    pub log: Log,
    /// The words that the programs run under, for instance to see another file system.
    pub under: Vec<OsString>,
}

/// Where the log of changes is, without which PostgreSQL does not live.
#[derive(Clone, Debug, Default)]
pub enum Log {
    /// With the data.
    #[default]
    WithData,
    /// In a folder of its own.
    Apart,
    /// In this folder, which must be empty.
    In(PathBuf),
}

/// How a cluster is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Those who are connected are sent away, and everything is written.
    Fast,
    /// As if the power went: nothing is written, and the next start recovers.
    Immediate,
}

/// A server of PostgreSQL that was started for tests. It ends, and its data goes, when this is dropped.
pub struct Cluster {
    /// Nothing while it is stopped.
    running: Mutex<Option<Guard>>,
    pub(crate) setup: Setup,
    data: PathBuf,
    port: u16,
    databases: AtomicUsize,
    folder: TempDir,
}

impl Cluster {
    /// The one that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Setup::default()))
    }

    /// One of its own, running.
    pub fn start(setup: Setup) -> Self {
        let (folder, data) = folders(&setup);
        let mut words = setup.under.clone();
        words.extend(Installation::find().words("initdb"));
        words.extend(["--username=liaison", "--auth=trust", "--encoding=UTF8", "--no-instructions"].map(Into::into));
        // The order of French is not that of bytes, nor that of C.
        words.extend(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=fr-FR"].map(Into::into));
        if !setup.durable {
            words.push("--no-sync".into());
        }
        match &setup.log {
            Log::WithData => {}
            Log::Apart => words.extend(["--waldir".into(), folder.path().join("wal").into()]),
            Log::In(place) => words.extend(["--waldir".into(), place.into()]),
        }
        words.extend(["--pgdata".into(), data.clone().into()]);
        run(&words);
        Self::begin(setup, folder, data)
    }

    /// One whose data is there.
    pub(crate) fn begin(setup: Setup, folder: TempDir, data: PathBuf) -> Self {
        let cluster =
            Self { running: Mutex::new(None), setup, data, port: free_port(), databases: AtomicUsize::new(0), folder };
        cluster.start_again();
        cluster
    }

    /// Starts it again, with all it had, and waits until it answers.
    pub fn start_again(&self) {
        if let Err(said) = self.try_start() {
            panic!("PostgreSQL does not start:\n{said}");
        }
    }

    /// Starts it again, or gives the log of why it does not start.
    pub fn try_start(&self) -> Result<(), String> {
        let mut running = self.running();
        assert!(running.is_none(), "it runs");
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log");
        let guard = Guard::start(&self.words(), self.folder.path(), log);
        let begun = Instant::now();
        while self.ask("postgres", "SELECT 1").is_err() {
            if !guard.runs() {
                guard.end("QUIT");
                return Err(self.log());
            }
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        *running = Some(guard);
        Ok(())
    }

    /// Stops it; its data stays.
    pub fn stop(&self, how: Stop) {
        let guard = self.running().take().expect("it runs");
        guard.end(match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        });
    }

    /// Whether it runs: one that could not go on ends by itself.
    pub fn runs(&self) -> bool {
        self.running().as_ref().is_some_and(Guard::runs)
    }

    /// Forgets a server that ended by itself, so that it can be started again.
    pub fn ended(&self) {
        let guard = self.running().take().expect("it ran");
        let begun = Instant::now();
        while guard.runs() {
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        guard.end("QUIT");
    }

    /// A new and empty database in it.
    pub fn database(&self) -> Database<'_> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database::new(self, name)
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://liaison@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a statement answers, one row a line with `|` between its columns; the test fails when it fails.
    #[track_caller]
    pub fn sql(&self, database: &str, statement: &str) -> String {
        self.ask(database, statement).unwrap_or_else(|said| panic!("{statement}: {said}"))
    }

    /// What a statement answers, or why it does not.
    pub fn ask(&self, database: &str, statement: &str) -> Result<String, String> {
        self.ask_with("", database, statement)
    }

    /// The same with settings of the session, as `PGOPTIONS` has them.
    pub(crate) fn ask_with(&self, settings: &str, database: &str, statement: &str) -> Result<String, String> {
        let output = Command::new(Installation::find().program("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
            .args(["--dbname", &self.url(database), "--command", statement])
            .env("PGCONNECT_TIMEOUT", "10")
            .env("PGOPTIONS", settings)
            .output()
            .expect("psql runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn running(&self) -> MutexGuard<'_, Option<Guard>> {
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The words that run the server.
    fn words(&self) -> Vec<OsString> {
        let mut words = self.setup.under.clone();
        words.extend(Installation::find().words("postgres"));
        words.extend(["-D".into(), self.data.clone().into()]);
        let mut set = |name: &str, value: &str| words.extend(["-c".into(), format!("{name}={value}").into()]);
        set("port", &self.port.to_string());
        set("unix_socket_directories", &self.folder.path().display().to_string());
        for (name, value) in EVERYWHERE {
            set(name, value);
        }
        if !self.setup.durable {
            set("fsync", "off");
            set("full_page_writes", "off");
        }
        // The last one given counts.
        for (name, value) in &self.setup.settings {
            set(name, value);
        }
        words
    }
}

/// What holds in every cluster.
const EVERYWHERE: [(&str, &str); 8] = [
    ("listen_addresses", "127.0.0.1"),
    ("max_connections", "200"),
    ("shared_buffers", "64MB"),
    ("max_wal_size", "1GB"),
    ("timezone", "Europe/Paris"),
    ("datestyle", "SQL, DMY"),
    ("log_line_prefix", "%m [%p] %d "),
    ("log_min_messages", "warning"),
];

/// A folder for what is the cluster's, and the one of its data.
pub(crate) fn folders(setup: &Setup) -> (TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("liaison-pg-").tempdir().expect("a temporary folder");
    Installation::find().give(folder.path());
    let data = setup.data.clone().unwrap_or_else(|| folder.path().join("data"));
    (folder, data)
}

/// A port that nobody listens on, below those that the system gives away by itself: a server that is started again
/// finds its port free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id().wrapping_mul(97) as u16;
    for _ in 0..12_000 {
        let port = 20_000 + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
