//! A running server with a store of its own.

use std::{
    ffi::OsString,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{Fhir, Provider, Store, binary};

/// Longer than any start: a server that does not say that it listens by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that was started for one test. It is killed, and its store removed, when it is dropped.
pub struct Server {
    child: Child,
    root: String,
    launch: Launch,
    log: Arc<Mutex<String>>,
    http: reqwest::Client,
}

/// How a server is started.
#[derive(Clone, Default)]
pub struct Launch {
    /// What it serves.
    pub store: Store,
    /// Settings and other variables of the environment.
    pub settings: Vec<(String, String)>,
    /// The program, with its arguments, that starts it.
    pub under: Vec<OsString>,
    /// Who may call.
    pub calls: Calls,
}

/// Who may call a server.
#[derive(Clone, Copy, Default)]
pub enum Calls {
    /// Everybody is the system.
    #[default]
    Anybody,
    /// Who has a token.
    Tokens,
}

impl Launch {
    /// On this store, without settings.
    pub fn on(store: Store) -> Self {
        Self { store, ..Self::default() }
    }

    /// On the store in this file, without settings.
    pub fn on_file(path: impl AsRef<Path>) -> Self {
        Self::on(Store::of_file(path))
    }

    /// The same for callers who have a token of this provider.
    pub fn for_callers_of(mut self, provider: &Provider) -> Self {
        self.calls = Calls::Tokens;
        // Tests ask faster than anybody; those about rates set their own.
        let rates = ["CALLER", "ADDRESS"].map(|of| (format!("LIAISON_RATE_PER_{of}"), "off".to_owned()));
        self.settings.extend(rates);
        self.with(&[("LIAISON_RATE_WRONG_TOKENS", "off")]).with(&provider.settings("http://liaison.example"))
    }

    /// The same where people sign in at this provider, and browsers find the server at [`ORIGIN`](crate::browser::ORIGIN).
    pub fn where_people_sign_in(mut self, provider: &Provider) -> Self {
        self.calls = Calls::Tokens;
        let way = format!("My provider: issuer={} client=liaison-web", provider.issuer());
        self.with(&provider.settings(crate::browser::ORIGIN)).with(&[("LIAISON_SIGN_IN", &way)])
    }

    /// The same with settings as in the environment (`LIAISON_MAX_PAGE`).
    pub fn with(mut self, settings: &[(&str, &str)]) -> Self {
        self.settings.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }
}

/// A server that ended instead of serving.
#[derive(Debug)]
pub struct Refused {
    /// Its exit status.
    pub status: Option<i32>,
    /// What it said.
    pub said: String,
}

impl Server {
    /// A server on an empty store.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server on an empty store, with settings as in the environment (`LIAISON_MAX_PAGE`).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::launch(Launch::on(Store::new()).with(settings)).await
    }

    /// A server on an empty store in a file: for tests about the file.
    pub async fn start_on_file() -> Self {
        Self::on(Store::in_a_file()).await
    }

    /// A server on this store.
    pub async fn on(store: Store) -> Self {
        Self::launch(Launch::on(store)).await
    }

    /// A server that is started like this; the test fails when it does not serve.
    pub async fn launch(launch: Launch) -> Self {
        match Self::try_launch(launch).await {
            Ok(server) => server,
            Err(refused) => panic!("the server did not start: {:?}\n{}", refused.status, refused.said),
        }
    }

    /// A server that is started like this, or what it said instead of serving.
    pub async fn try_launch(launch: Launch) -> Result<Self, Refused> {
        let mut words = launch.under.clone();
        words.push(binary().into());
        let mut command = Command::new(words.remove(0));
        let auth = match launch.calls {
            Calls::Anybody => "off",
            Calls::Tokens => "oidc",
        };
        command.args(words).args(["serve", "--listen", "127.0.0.1:0", "--auth", auth, "--store"]);
        command.arg(launch.store.url());
        command.envs(launch.settings.clone()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary().display()));
        let log = Arc::new(Mutex::new(String::new()));
        let errors = child.stderr.take().expect("standard error is piped");
        let collecting = tokio::spawn(collect(errors, Arc::clone(&log)));
        let output = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(output).lines();
        let first = timeout(PATIENCE, lines.next_line()).await;
        let said = || log.lock().map(|log| log.clone()).unwrap_or_default();
        let line = match first {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => {
                let status = timeout(PATIENCE, child.wait()).await.expect("it ends").expect("its status").code();
                collecting.await.expect("all it said");
                return Err(Refused { status, said: said() });
            }
            other => panic!("the server neither started nor ended: {other:?}\n{}", said()),
        };
        let root = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}\n{}", said())).to_owned();
        let http = client(PATIENCE);
        Ok(Self { child, root, launch, log, http })
    }

    /// The address of the server, without a slash at the end.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// A client of the R4 base.
    pub fn r4(&self) -> Fhir {
        Fhir::new(self.http.clone(), format!("{}/fhir/r4", self.root))
    }

    /// A client of the R4 base that gives up after so long.
    pub fn r4_within(&self, patience: Duration) -> Fhir {
        Fhir::new(client(patience), format!("{}/fhir/r4", self.root))
    }

    /// A client of the STU3 base.
    pub fn stu3(&self) -> Fhir {
        Fhir::new(self.http.clone(), format!("{}/fhir/stu3", self.root))
    }

    /// A client of everything else (`/`, `/healthz`).
    pub fn site(&self) -> Fhir {
        Fhir::new(self.http.clone(), self.root.clone())
    }

    /// What it serves.
    pub fn store(&self) -> Store {
        self.launch.store.clone()
    }

    /// The process, for signals.
    pub fn process_id(&self) -> u32 {
        self.child.id().expect("a running server has a process id")
    }

    /// What the server wrote to standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// Ends the server as a power cut would, as far as a process can (`SIGKILL`).
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the server was running");
    }

    /// Sends the process a signal (`STOP`, `CONT`).
    pub async fn signal(&self, name: &str) {
        let signalled = Command::new("kill").args(["-s", name, &self.process_id().to_string()]).status().await;
        assert!(signalled.is_ok_and(|status| status.success()), "the server cannot be signalled");
    }

    /// How it was started, to be started again after it was killed or stopped.
    pub fn how(&self) -> Launch {
        self.launch.clone()
    }

    /// Asks the server to stop (`SIGTERM`) and waits for it.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("TERM").await;
        timeout(PATIENCE, self.child.wait()).await.expect("the server stops when asked").expect("its status")
    }

    /// Starts it again on the same store after it was killed; its address is another.
    pub async fn restart(mut self) -> Self {
        self.child.kill().await.ok();
        let next = Self::launch(self.launch.clone()).await;
        drop(self);
        next
    }
}

/// A client that gives up after so long. A redirect or a proxy of the machine would hide what the
/// server says.
fn client(patience: Duration) -> reqwest::Client {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    http.timeout(patience).build().expect("a client")
}

impl Drop for Server {
    fn drop(&mut self) {
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- what the server said ---\n{log}");
        } else {
            assert!(!log.contains("panicked at"), "the server panicked:\n{log}");
        }
    }
}

async fn collect(errors: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(mut log) = log.lock() {
            log.push_str(&line);
            log.push('\n');
        }
    }
}
