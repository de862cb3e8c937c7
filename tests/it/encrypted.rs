//! Encrypted connections, as clients of others see them: curl and openssl.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use liaison_tests::{Authority, Certificate, Launch, Server, Store, binary};

/// A server that encrypts with this certificate.
async fn serving(own: &Certificate) -> Server {
    Server::launch(Launch::on(Store::new()).with(&settings(own))).await
}

fn settings(own: &Certificate) -> [(&str, &str); 2] {
    [("LIAISON_TLS_CERTIFICATE", text(&own.certificate)), ("LIAISON_TLS_KEY", text(&own.key))]
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

/// What curl gets, with the head of the answer; it believes this authority alone.
fn curl(authority: &Authority, arguments: &[&str]) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "20", "--cacert", text(authority.certificate())]);
    curl.args(arguments).output().expect("curl runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_in_either_version_of_http() {
    let authority = Authority::new();
    let server = serving(&authority.server("server")).await;
    assert!(server.root().starts_with("https://127.0.0.1:"), "{}", server.root());
    let address = format!("{}/fhir/r4/metadata", server.root());
    for (argument, version) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200")] {
        let answer = said(&curl(&authority, &[argument, &address]));
        assert!(answer.starts_with(version), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    }
    let page = said(&curl(&authority, &[server.root()]));
    assert!(page.contains(&format!("curl '{}/fhir/r4/", server.root())), "addresses lead to it as it is: {page}");
    let patient = "{\"resourceType\":\"Patient\",\"active\":true}";
    let made = curl(
        &authority,
        &[
            "--header",
            "content-type: application/fhir+json",
            "--data",
            patient,
            &address.replace("metadata", "Patient"),
        ],
    );
    assert!(said(&made).contains(&format!("location: {}/fhir/r4/Patient/", server.root())), "{}", said(&made));
    let stranger = Authority::new();
    assert!(!curl(&stranger, &[&address]).status.success(), "whoever does not know the authority believes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_or_in_the_clear_is_not_spoken() {
    let authority = Authority::new();
    let server = serving(&authority.server("server")).await;
    let address = format!("{}/healthz", server.root());
    for version in ["1.0", "1.1"] {
        // As far as openssl itself still speaks it.
        let old = ["--tls-max", version, "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0", &address];
        assert!(!curl(&authority, &old).status.success(), "TLS {version}");
    }
    assert!(curl(&authority, &["--tls-max", "1.2", &address]).status.success());
    assert!(curl(&authority, &["--tlsv1.3", &address]).status.success());
    let clear = curl(&authority, &["--max-time", "5", &address.replace("https", "http")]);
    assert!(!said(&clear).contains("ok"), "{}", said(&clear));
}

/// A connection by openssl that stays open.
struct Held {
    openssl: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Held {
    fn to(server: &Server) -> Self {
        let address = server.root().trim_start_matches("https://");
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-quiet", "-connect", address]);
        openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut openssl = openssl.spawn().expect("openssl runs");
        let answers = BufReader::new(openssl.stdout.take().expect("its output"));
        Self { openssl, answers }
    }

    fn ask(&mut self) -> String {
        let asked = self.openssl.stdin.as_mut().expect("its input");
        asked.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        while !answer.ends_with("ok\n") {
            let read = self.answers.read_line(&mut answer).expect("an answer");
            assert_ne!(read, 0, "the connection was closed: {answer}");
        }
        answer
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.openssl.kill();
        let _ = self.openssl.wait();
    }
}

/// The serial number of the certificate that a new connection is shown.
fn shown(server: &Server) -> String {
    let address = server.root().trim_start_matches("https://");
    let shown = Command::new("openssl").args(["s_client", "-connect", address]).stdin(Stdio::null()).output();
    serial_of(&String::from_utf8_lossy(&shown.expect("openssl runs").stdout))
}

fn serial_of(pem: &str) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-serial"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut openssl = openssl.spawn().expect("openssl runs");
    openssl.stdin.take().expect("its input").write_all(pem.as_bytes()).expect("it reads");
    String::from_utf8_lossy(&openssl.wait_with_output().expect("it ends").stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_without_breaking_a_connection() {
    let authority = Authority::new();
    let (own, renewed) = (authority.server("server"), authority.server("renewed"));
    let serial = |certificate: &Certificate| serial_of(&fs::read_to_string(&certificate.certificate).unwrap());
    let (before, after) = (serial(&own), serial(&renewed));
    let server = serving(&own).await;
    assert_eq!(shown(&server), before);
    let mut held = Held::to(&server);
    held.ask();
    // Half replaced: certificate and key do not go together, and nothing changes.
    fs::copy(&renewed.certificate, &own.certificate).unwrap();
    server.signal("HUP").await;
    until(|| server.log().contains("those from before stay")).await;
    assert_eq!(shown(&server), before);
    fs::copy(&renewed.key, &own.key).unwrap();
    server.signal("HUP").await;
    until(|| shown(&server) == after).await;
    held.ask();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_replaced_is_noticed_without_being_told() {
    let authority = Authority::new();
    let (own, renewed) = (authority.server("server"), authority.server("renewed"));
    let server = serving(&own).await;
    let before = shown(&server);
    fs::copy(&renewed.key, &own.key).unwrap();
    fs::copy(&renewed.certificate, &own.certificate).unwrap();
    until(|| shown(&server) != before).await;
}

async fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never happens");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_encrypt_does_not_serve_in_the_clear() {
    let authority = Authority::new();
    let (own, other) = (authority.server("server"), authority.server("other"));
    let no_pem = authority.certificate().with_file_name("no.pem");
    fs::write(&no_pem, "nothing").unwrap();
    for (certificate, key, expected) in [
        (text(&own.certificate), text(&other.key), "cannot be used with the key"),
        (text(&no_pem), text(&own.key), "holds no certificate"),
        (text(&own.certificate), text(&own.certificate), "cannot be read"),
        ("nowhere.pem", text(&own.key), "nowhere.pem cannot be read"),
        (text(&own.certificate), "", "set tls_key too"),
        ("", text(&own.key), "set tls_certificate too"),
    ] {
        let settings = [("LIAISON_TLS_CERTIFICATE", certificate), ("LIAISON_TLS_KEY", key)];
        let refused = Server::try_launch(Launch::on(Store::new()).with(&settings)).await.err().expect("a refusal");
        assert!(refused.said.contains(expected), "{expected}: {}", refused.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_looks_at_certificates() {
    let authority = Authority::new();
    let own = authority.server("server");
    let doctor = |settings: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("a.db").display());
        let mut doctor = Command::new(binary());
        doctor.args(["doctor", "--listen", "127.0.0.1:0", "--store", &store]).envs(settings.iter().copied());
        let output = doctor.output().expect("the program runs");
        (output.status.success(), said(&output))
    };
    let files = settings(&own);
    assert!(doctor(&files).0, "{}", doctor(&files).1);
    let named = [files[0], files[1], ("LIAISON_PUBLIC_URL", "https://localhost:8443")];
    assert!(doctor(&named).0, "{}", doctor(&named).1);
    let elsewhere = [files[0], files[1], ("LIAISON_PUBLIC_URL", "https://cahier.example.org")];
    let (fine, told) = doctor(&elsewhere);
    assert!(!fine && told.contains("does not name cahier.example.org"), "{told}");
    let other = authority.server("other");
    let (fine, told) = doctor(&[files[0], ("LIAISON_TLS_KEY", text(&other.key))]);
    assert!(!fine && told.contains("cannot be used with the key"), "{told}");
    Command::new("chmod").arg("644").arg(&own.key).status().unwrap();
    let (fine, told) = doctor(&files);
    assert!(fine && told.contains("others on this machine may read the key"), "{told}");
}

#[test]
fn doctor_shows_no_password() {
    let address = "postgres://liaison:hunter2@127.0.0.1:1/liaison";
    for arguments in [&["doctor", "--store", address][..], &["doctor", "--set", &format!("store={address}x@y")]] {
        let told = said(&Command::new(binary()).args(arguments).output().expect("the program runs"));
        assert!(told.contains("postgres://liaison:") && !told.contains("hunter2"), "{told}");
    }
    let wrong = said(&Command::new(binary()).args(["serve", "--store", "postgre://a:hunter2@b/c"]).output().unwrap());
    assert!(wrong.contains("store") && !wrong.contains("hunter2"), "{wrong}");
}
