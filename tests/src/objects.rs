//! An S3-speaking server of a test's own: moto, of which `tests/objects/requirements.txt` names the
//! versions, from where Python's packages come from.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command as Run, Stdio},
    sync::OnceLock,
    time::Duration,
};

use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::process::{Child, Command};

/// The server; it ends, and what it holds with it, when it is dropped.
pub struct ObjectStore {
    child: Child,
    address: String,
    http: reqwest::Client,
}

/// Its program, installed when it is not there.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let wanted = std::fs::read_to_string(root.join("objects/requirements.txt")).expect("the requirements");
        let folder = root.join("../target/objects");
        let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
        if std::fs::read_to_string(&ready).is_ok_and(|there| there == wanted) {
            return python;
        }
        let run = |program: &Path, arguments: &[&str]| {
            let done = Run::new(program).args(arguments).stdout(Stdio::null()).status();
            assert!(done.is_ok_and(|status| status.success()), "{} {arguments:?}", program.display());
        };
        run(Path::new("python3"), &["-m", "venv", "--clear", folder.to_str().expect("a path")]);
        let requirements = root.join("objects/requirements.txt");
        let requirements = requirements.to_str().expect("a path");
        run(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
        std::fs::write(ready, wanted).expect("a mark");
        python
    })
}

impl ObjectStore {
    /// An empty one, with a bucket `notes`.
    pub async fn start() -> Self {
        // A moment later it is taken by the server: nobody else asks for this port.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let start = format!("from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])");
        let mut command = Command::new(program());
        command
            .args(["-c", &start])
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("a store of objects");
        // Of somebody; it does not look at the signature.
        let somebody =
            "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let headers = [(AUTHORIZATION, HeaderValue::from_static(somebody))].into_iter().collect();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client");
        let objects = Self { child, address: format!("http://127.0.0.1:{port}"), http };
        for _ in 0..600 {
            if objects
                .http
                .put(format!("{}/notes", objects.address))
                .send()
                .await
                .is_ok_and(|a| a.status().is_success())
            {
                return objects;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the store of objects did not start");
    }

    /// A part of it, as the setting names it.
    pub fn setting(&self, place: &str) -> String {
        format!("s3://{place}?endpoint={}&region=fr-par", self.address)
    }

    /// The names of all objects.
    pub async fn names(&self) -> Vec<String> {
        let list = format!("{}/notes?list-type=2", self.address);
        let text = self.http.get(list).send().await.expect("a list").text().await.expect("a list");
        text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).map(str::to_owned).collect()
    }

    /// The bytes of an object.
    pub async fn get(&self, name: &str) -> Vec<u8> {
        let answer = self.http.get(format!("{}/notes/{name}", self.address)).send().await.expect("an object");
        answer.bytes().await.expect("an object").to_vec()
    }

    /// Puts other bytes in the place of an object, as a fault would.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) {
        let put = self.http.put(format!("{}/notes/{name}", self.address)).body(bytes).send().await;
        assert!(put.is_ok_and(|answer| answer.status().is_success()));
    }

    /// Removes an object, as a fault would.
    pub async fn remove(&self, name: &str) {
        let removed = self.http.delete(format!("{}/notes/{name}", self.address)).send().await;
        assert!(removed.is_ok_and(|answer| answer.status().is_success()));
    }

    /// Sends the process a signal (`STOP`, `CONT`).
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let signalled = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(signalled.is_ok_and(|status| status.success()), "the store of objects cannot be signalled");
    }
}
