//! Programs started to be measured: our server, and the bare handler beside it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::error::BenchError;

/// A program that does not serve within this time has failed.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// A program that does not end within this time is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// A running program; killed when dropped.
pub struct Program {
    name: String,
    child: Child,
    /// What it serves at, as it printed it.
    pub base: String,
    /// When it was started.
    pub started: Instant,
}

/// What a running program has used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time, in microseconds (of the kernel and its own).
    pub cpu_us: u64,
    /// Resident memory, in bytes.
    pub resident: u64,
}

/// Our server, built when Cargo runs us, and found beside our own executable.
pub fn build_server() -> Result<PathBuf, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::file("the path of this program"))?;
    if let Some(cargo) = std::env::var_os("CARGO") {
        let built = Command::new(cargo).args(["build", "--release", "-q", "-p", "liaison-server"]).status();
        let built = built.map_err(BenchError::file("cargo"))?;
        if !built.success() {
            return Err(BenchError::Program { program: "cargo build".to_owned(), what: "failed".to_owned() });
        }
    }
    let server = own.with_file_name("liaison");
    if server.is_file() { Ok(server) } else { Err(BenchError::NotBuilt(server)) }
}

/// Who calls a server.
#[derive(Clone, Copy, Debug)]
pub enum Callers<'a> {
    /// Everybody is the system.
    TheSystem,
    /// Those who have a token of this issuer.
    Of(&'a str),
}

/// Our server on a store, on a free port of the loopback. Its log goes to a file beside the store.
pub fn start_server(server: &Path, store: &Path, callers: Callers<'_>) -> Result<Program, BenchError> {
    let log = store.with_extension("log");
    let errors = std::fs::File::create(&log).map_err(BenchError::file(&log))?;
    let mut command = Command::new(server);
    command.args(["serve", "--listen", "127.0.0.1:0", "--store"]);
    command.arg(format!("sqlite:{}", store.display())).stderr(errors);
    match callers {
        Callers::TheSystem => command.args(["--auth", "off"]),
        Callers::Of(issuer) => command
            .args(["--auth", "oidc", "--public-url", "http://127.0.0.1"])
            .env("LIAISON_OIDC_ISSUERS", issuer)
            .env("LIAISON_OIDC_AUDIENCE", crate::access::provider::AUDIENCE)
            // One caller stands for many.
            .env("LIAISON_RATE_PER_CALLER", "off")
            .env("LIAISON_RATE_PER_ADDRESS", "off"),
    };
    start("liaison serve", command, Some(&log))
}

/// The bare handler that gives an answer kept in a file, whatever it is asked.
pub fn start_handler(answer: &Path) -> Result<Program, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::file("the path of this program"))?;
    let mut command = Command::new(own);
    command.arg("handler").arg(answer);
    start("the bare handler", command, None)
}

fn start(name: &str, mut command: Command, log: Option<&Path>) -> Result<Program, BenchError> {
    let failed = |what: String| BenchError::Program { program: name.to_owned(), what };
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let output = child.stdout.take().ok_or_else(|| failed("has no output".to_owned()))?;
    let mut program = Program { name: name.to_owned(), child, base: String::new(), started };

    // Reads on after the line, so that the program never waits for a reader.
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(base) = line.strip_prefix("listening on ") {
                let _ = send.send(base.trim_end_matches('/').to_owned());
            }
        }
    });
    match receive.recv_timeout(START_TIMEOUT) {
        Ok(base) => {
            program.base = base;
            Ok(program)
        }
        Err(_) => {
            let said = log.and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
            let tail: Vec<&str> = said.lines().rev().take(10).collect();
            Err(failed(format!("did not serve: {}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))))
        }
    }
}

impl Program {
    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        usage(&self.child.id().to_string())
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) -> Result<(), BenchError> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        asked.map_err(BenchError::file("kill"))?;
        let failed = |what: String| BenchError::Program { program: self.name.clone(), what };
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(failed(format!("ended with {status}"))),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(failed(format!("could not be waited for: {error}"))),
            }
        }
        Err(failed(format!("did not end within {} s of SIGTERM", STOP_TIMEOUT.as_secs())))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most bytes of a process that were resident so far.
pub fn most_resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    kilobytes(&status, "VmHWM:") << 10
}

fn kilobytes(status: &str, of: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(of));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// What this program itself has used.
pub fn own_usage() -> Usage {
    usage("self")
}

/// Zeros where the system has no `/proc`: the report then leaves these figures out.
fn usage(process: &str) -> Usage {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold blanks: count fields after it. Times are in 1/100 s.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    Usage { cpu_us: (ticks(11) + ticks(12)) * 10_000, resident: kilobytes(&status, "VmRSS:") << 10 }
}
