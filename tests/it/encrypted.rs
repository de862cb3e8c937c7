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
    let mail = "smtp_url=smtp://liaison:hunter2@mail.example:587";
    let told = said(&Command::new(binary()).args(["doctor", "--set", mail]).output().expect("the program runs"));
    assert!(told.contains("smtp_url") && !told.contains("hunter2"), "{told}");
    let wrong = said(&Command::new(binary()).args(["serve", "--store", "postgre://a:hunter2@b/c"]).output().unwrap());
    assert!(wrong.contains("store") && !wrong.contains("hunter2"), "{wrong}");
}

mod software {
    //! Software that is known by its certificate.

    use liaison_tests::Provider;
    use serde_json::json;

    use super::*;

    /// A server that knows software by certificates of this authority.
    async fn knowing(authority: &Authority, provider: &Provider, software: &str) -> Server {
        let own = authority.server("server");
        let files = settings(&own);
        let authorities = ("LIAISON_TLS_CLIENT_AUTHORITIES", text(authority.certificate()));
        let settings = [files[0], files[1], authorities, ("LIAISON_CERTIFICATE_SOFTWARE", software)];
        Server::launch(Launch::on(Store::new()).for_callers_of(provider).with(&settings)).await
    }

    /// The status of an answer to who comes with a certificate, or none, and more arguments of curl; 0: none.
    fn status(authority: &Authority, server: &Server, with: Option<&Certificate>, more: &[&str]) -> u32 {
        let address = format!("{}/fhir/r4/DocumentReference", server.root());
        let mut arguments = vec!["--output", "/dev/null", "--write-out", "%{http_code}"];
        if let Some(with) = with {
            arguments.extend(["--cert", text(&with.certificate), "--key", text(&with.key)]);
        }
        arguments.extend(more);
        arguments.push(&address);
        let output = curl(authority, &arguments);
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn software_is_known_by_its_certificate() {
        let (authority, stranger, provider) = (Authority::new(), Authority::new(), Provider::start().await);
        let subject = "/C=FR/O=Exemple/CN=homecare";
        let homecare = authority.sign("homecare", subject, &["extendedKeyUsage=clientAuth"]);
        let by_host = authority.sign("host", "/CN=any", &["subjectAltName=DNS:his.example.org"]);
        let other = authority.sign("other", "/C=FR/O=Exemple/CN=homecare2", &[]);
        let forged = stranger.sign("forged", subject, &["extendedKeyUsage=clientAuth"]);
        let for_servers = authority.sign("servers", subject, &["extendedKeyUsage=serverAuth"]);
        let known =
            "dn:CN=homecare,O=Exemple,C=FR=staff@https://finess.esante.gouv.fr|750803447; dns:his.example.org=self";
        let server = knowing(&authority, &provider, known).await;
        let by = |with: Option<&Certificate>| status(&authority, &server, with, &[]);
        assert_eq!(by(Some(&homecare)), 200);
        assert_eq!(by(Some(&by_host)), 200);
        assert_eq!(by(Some(&other)), 401, "of the same authority, and nobody's");
        assert_eq!(by(None), 401, "who comes without one needs a token");
        assert_eq!(by(Some(&forged)), 0, "another authority: no connection");
        assert_eq!(by(Some(&for_servers)), 0, "not meant for callers: no connection");
        // A key without its certificate, or the other way round, is nothing.
        let stolen = Certificate { certificate: homecare.certificate.clone(), key: other.key.clone() };
        assert_eq!(by(Some(&stolen)), 0);
        // What a caller writes of itself is not believed, certificate or not.
        let der =
            Command::new("openssl").args(["x509", "-outform", "der", "-in", text(&homecare.certificate)]).output();
        let told = format!("Client-Cert: :{}:", base64(&der.unwrap().stdout));
        assert_eq!(status(&authority, &server, None, &["--header", &told]), 401);
        // A token says more than a certificate: a wrong one is not mended by it.
        assert_eq!(
            status(&authority, &server, Some(&homecare), &["--header", "Authorization: Bearer no.such.token"]),
            401
        );
        let nurse = provider.token(&json!({ "sub": "awa", "rpps": "10000000001", "profession": "60" }));
        assert_eq!(status(&authority, &server, None, &["--header", &format!("Authorization: Bearer {nurse}")]), 200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_token_that_is_bound_to_a_certificate_is_nothing_without_it() {
        let (authority, provider) = (Authority::new(), Provider::start().await);
        let (own, other) = (authority.sign("own", "/CN=own", &[]), authority.sign("other", "/CN=other", &[]));
        let server = knowing(&authority, &provider, "").await;
        let digest = Command::new("sh")
            .args([
                "-c",
                &format!("openssl x509 -in {} -outform der | openssl dgst -sha256 -binary", text(&own.certificate)),
            ])
            .output();
        let thumbprint = base64(&digest.unwrap().stdout).replace('+', "-").replace('/', "_").replace('=', "");
        let bound = |to| provider.token(&json!({ "sub": "awa", "rpps": "10000000001", "profession": "60", "cnf": to }));
        let send = |token: &str, with: Option<&Certificate>| {
            status(&authority, &server, with, &["--header", &format!("Authorization: Bearer {token}")])
        };
        let token = bound(json!({ "x5t#S256": thumbprint }));
        assert_eq!(send(&token, Some(&own)), 200);
        assert_eq!(send(&token, None), 401, "stolen");
        assert_eq!(send(&token, Some(&other)), 401, "stolen by other software");
        assert_eq!(send(&token, Some(&own)), 200);
        assert_eq!(send(&bound(json!({ "jkt": thumbprint })), Some(&own)), 401, "bound in a way that is not known");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_proxy_that_is_trusted_tells_the_certificate_of_software() {
        let (authority, provider) = (Authority::new(), Provider::start().await);
        let homecare = authority.sign("homecare", "/CN=homecare", &[]);
        let der =
            Command::new("openssl").args(["x509", "-outform", "der", "-in", text(&homecare.certificate)]).output();
        let told = format!(":{}:", base64(&der.unwrap().stdout));
        let known = ("LIAISON_CERTIFICATE_SOFTWARE", "dn:CN=homecare=self");
        let trusted = ("LIAISON_TRUSTED_PROXIES", "127.0.0.1");
        let ask = async |settings: &[(&str, &str)]| {
            let server = Server::launch(Launch::on(Store::new()).for_callers_of(&provider).with(settings)).await;
            server.r4().request("GET", "DocumentReference").header("client-cert", &told).send().await.status
        };
        assert_eq!(ask(&[known, trusted, ("LIAISON_PROXY_CERTIFICATES", "client-cert")]).await, 200);
        let nobody_could = Launch::on(Store::new()).for_callers_of(&provider).with(&[known, trusted]);
        let refused = Server::try_launch(nobody_could).await.err().expect("a refusal");
        assert!(refused.said.contains("nobody can come with a certificate"), "{}", refused.said);
        let without = [("LIAISON_CERTIFICATE_SOFTWARE", ""), trusted];
        assert_eq!(ask(&without).await, 401, "a header that the proxy does not write is the caller's");
        let other = ("LIAISON_TRUSTED_PROXIES", "192.0.2.1");
        assert_eq!(ask(&[known, other, ("LIAISON_PROXY_CERTIFICATES", "client-cert")]).await, 401);
    }

    fn base64(bytes: &[u8]) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(bytes)
    }
}
