//! Whoever keeps the server waiting is not waited for, nobody has all of it, and every answer tells browsers what
//! they may not do with it.

use std::time::{Duration, Instant};

use liaison_tests::{Answer, Fhir, Server, sample};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// A server that waits for a second at most.
async fn impatient() -> Server {
    Server::start_with(&[("LIAISON_STALL_TIME", "1s"), ("LIAISON_IDLE_TIME", "3s")]).await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(address(server)).await.expect("the server listens")
}

fn address(server: &Server) -> String {
    server.root().trim_start_matches("http://").to_owned()
}

/// How long a connection lasts, from now, and what came over it.
async fn until_closed(stream: &mut TcpStream) -> (Duration, String) {
    let began = Instant::now();
    let mut came = Vec::new();
    let closed = timeout(Duration::from_secs(30), stream.read_to_end(&mut came)).await;
    assert!(closed.is_ok(), "it is never closed");
    (began.elapsed(), String::from_utf8_lossy(&came).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_letter_by_letter_is_not_waited_for() {
    let server = impatient().await;
    let mut stream = connect(&server).await;
    let began = Instant::now();
    let head = "GET /fhir/r4/metadata HTTP/1.1\r\nHost: x\r\nX-A: ".to_owned() + &"a".repeat(1000);
    for letter in head.bytes() {
        if stream.write_all(&[letter]).await.is_err() || began.elapsed() > Duration::from_secs(20) {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let lasted = began.elapsed();
    assert!(lasted > Duration::from_millis(900) && lasted < Duration::from_secs(10), "{lasted:?}");
    server.r4().get("metadata").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_over_which_nothing_comes_is_closed() {
    let server = impatient().await;
    let (lasted, _) = until_closed(&mut connect(&server).await).await;
    assert!(lasted > Duration::from_millis(2500) && lasted < Duration::from_secs(10), "{lasted:?}");
    // Between requests too.
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let (lasted, answer) = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(lasted > Duration::from_millis(2500) && lasted < Duration::from_secs(10), "{lasted:?}");
    // The preface of HTTP/2 and no request, broken off and whole.
    for preface in [&b"PRI * HT"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut stream = connect(&server).await;
        stream.write_all(preface).await.unwrap();
        let (lasted, _) = until_closed(&mut stream).await;
        assert!(lasted < Duration::from_secs(10), "{lasted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up_with_words() {
    let server = impatient().await;
    let mut stream = connect(&server).await;
    let head = "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (lasted, answer) = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("OperationOutcome"), "{answer}");
    assert!(lasted > Duration::from_millis(900) && lasted < Duration::from_secs(10), "{lasted:?}");
    assert_eq!(server.r4().get("Patient").await.matches().len(), 0, "and nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_byte_by_byte_is_given_up() {
    let server = impatient().await;
    let mut stream = connect(&server).await;
    let head = "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let (mut reading, mut writing) = stream.into_split();
    let dribbling = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let mut answer = vec![0; 12];
    timeout(Duration::from_secs(20), reading.read_exact(&mut answer)).await.expect("an answer in time").unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    dribbling.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_slowly_but_steadily_is_taken() {
    let server = impatient().await;
    let patient = sample::patient("1", "Morel", "Jeanne").to_string();
    let head = format!(
        "POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        patient.len() + 4000
    );
    let mut stream = connect(&server).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        stream.write_all(&[b' '; 200]).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    stream.write_all(patient.as_bytes()).await.unwrap();
    let (_, answer) = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// A store with an attachment that no buffer of the machine takes whole.
async fn with_something_large(server: &Server) -> String {
    let bytes = vec![7_u8; 12_000_000];
    let answer = server.r4().request("POST", "Binary").body("application/octet-stream", bytes).send().await.is(201);
    format!("Binary/{}", answer.id())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_taken_is_given_up() {
    let server = impatient().await;
    let name = with_something_large(&server).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address(&server).parse().unwrap()).await.unwrap();
    let head = format!("GET /fhir/r4/{name} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(4)).await;
    // What lies in buffers can still be read; the rest never comes.
    let mut came = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut came)).await.expect("it is closed");
    assert!(came.starts_with(b"HTTP/1.1 200") && came.len() < 12_000_000, "{} bytes", came.len());
    assert_eq!(server.r4().get(&name).await.is(200).body.len(), 12_000_000, "who reads gets it whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_taken_slowly_but_steadily_comes_whole() {
    let server = impatient().await;
    let name = with_something_large(&server).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address(&server).parse().unwrap()).await.unwrap();
    let head = format!("GET /fhir/r4/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: */*\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut count = 0;
    let mut piece = vec![0; 4096];
    for _ in 0..120 {
        count += stream.read(&mut piece).await.unwrap();
        sleep(Duration::from_millis(30)).await;
    }
    assert!(count < 1_000_000, "this is not slow: {count} bytes");
    let (_, rest) = until_closed(&mut stream).await;
    assert!(count + rest.len() > 12_000_000, "{} bytes", count + rest.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_not_all_connections() {
    let server = Server::start_with(&[("LIAISON_MAX_CONNECTIONS_PER_ADDRESS", "5")]).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(&server).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stream.read_u8().await.expect("an answer");
        open.push(stream);
    }
    let (lasted, answer) = until_closed(&mut connect(&server).await).await;
    assert!(lasted < Duration::from_secs(2) && answer.is_empty(), "sent away");
    open.pop();
    sleep(Duration::from_millis(200)).await;
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(until_closed(&mut stream).await.1.starts_with("HTTP/1.1 200"), "and what is free is given");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_when_all_connections_are_taken_waits() {
    let server = Server::start_with(&[("LIAISON_MAX_CONNECTIONS", "2"), ("LIAISON_IDLE_TIME", "2s")]).await;
    let _idle = (connect(&server).await, connect(&server).await);
    sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    server.r4().get("metadata").await.is(200);
    assert!(began.elapsed() > Duration::from_millis(500), "the idle ones were closed for it");
}

/// What every answer says to browsers.
fn protected(answer: &Answer) {
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), expected, "{name}: {}", answer.asked);
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{}", answer.asked);
    for open in ["unsafe", "*", "data:", "http:"] {
        assert!(!policy.contains(open), "{policy}: {}", answer.asked);
    }
    assert!(!answer.header("cache-control").is_empty(), "{}", answer.asked);
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_not_do() {
    let server = Server::start().await;
    let (r4, site) = (server.r4(), server.site());
    let circle = sample::circle(&r4).await;
    let everything: [(&Fhir, &str, &str); 14] = [
        (&site, "GET", ""),
        (&site, "GET", "assets/liaison.css"),
        (&site, "GET", "nothing"),
        (&site, "GET", "healthz"),
        (&site, "GET", "readyz"),
        (&site, "GET", "fhir/nowhere"),
        (&site, "POST", "healthz"),
        (&r4, "GET", "metadata"),
        (&r4, "GET", &circle.patient),
        (&r4, "GET", "Patient/none"),
        (&r4, "GET", "Patient?_sort=wrong"),
        (&r4, "DELETE", "metadata"),
        (&r4, "OPTIONS", "Patient"),
        (&r4, "GET", "Patient"),
    ];
    for (client, method, address) in everything {
        let answer = client.request(method, address).send().await;
        protected(&answer);
        assert_eq!(answer.header("strict-transport-security"), "", "in the clear it means nothing");
        let kept = answer.header("cache-control");
        assert!(["no-store", "no-cache", "public"].iter().any(|word| kept.contains(word)), "{kept}: {}", answer.asked);
        if answer.asked.contains("/fhir/") {
            assert!(answer.header("content-security-policy").contains("sandbox"), "{}", answer.asked);
            assert!(!kept.contains("public") || address == "metadata", "{kept}: {}", answer.asked);
        }
    }
    let made = r4.post("Patient", &json!({ "resourceType": "Patient" })).await;
    protected(&made);
}

#[tokio::test]
async fn proxies_are_believed_when_they_are_trusted() {
    let forwarded = async |server: &Server, name: &str, value: &str| {
        let answer = server.site().request("GET", "healthz").header(name, value).send().await.is(200);
        answer.header("strict-transport-security").to_owned()
    };
    let strange = Server::start().await;
    assert_eq!(forwarded(&strange, "x-forwarded-proto", "https").await, "", "anybody can write a header");
    let trusting = Server::start_with(&[("LIAISON_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let request = trusting.site().request("GET", "healthz");
    let answer = request.header("x-forwarded-proto", "https").header("x-forwarded-for", "192.0.2.1").send().await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(forwarded(&trusting, "forwarded", "for=192.0.2.1;proto=https").await, "");
    let settings = [("LIAISON_TRUSTED_PROXIES", "127.0.0.1"), ("LIAISON_PROXY_HEADERS", "forwarded")];
    let modern = Server::start_with(&settings).await;
    assert_eq!(forwarded(&modern, "forwarded", "for=192.0.2.1;proto=https").await, "max-age=31536000");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_http_2_that_is_hardly_taken_is_given_up() {
    // Longer than curl itself pauses to keep to a rate.
    let settings = [("LIAISON_STALL_TIME", "4s"), ("LIAISON_LOG_LEVEL", "debug")];
    let server = Server::start_with(&settings).await;
    let name = with_something_large(&server).await;
    let whole = format!("{}/fhir/r4/{name}", server.root());
    let taking = |rate: &str| {
        let mut curl = tokio::process::Command::new("curl");
        curl.args(["--silent", "--http2-prior-knowledge", "--limit-rate", rate, "--max-time", "30", "--header"]);
        curl.args(["accept: */*", &whole]).kill_on_drop(true).stdout(std::process::Stdio::piped());
        curl.spawn().expect("curl runs")
    };
    let given_up = || server.log().lines().any(|line| line.contains("is not taken") || line.contains("stalls"));
    let steady = taking("6M").wait_with_output().await.unwrap();
    assert!(steady.status.success() && steady.stdout.len() == 12_000_000 && !given_up(), "who takes it gets it whole");
    // Its machine takes megabytes for it meanwhile, but not all.
    let _hardly = taking("1000");
    let began = Instant::now();
    while !given_up() {
        assert!(began.elapsed() < Duration::from_secs(28), "it is waited for");
        sleep(Duration::from_millis(100)).await;
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short frame").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(content);
    frame
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
/// `GET / HTTP/2` of a host `x`, in HPACK.
const HEAD: [u8; 6] = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];

async fn over_http_2(server: &Server) -> TcpStream {
    let mut stream = connect(server).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Writes until the server cuts it off; how many frames it took.
async fn until_cut_off(stream: TcpStream, mut next: impl FnMut(u32) -> Vec<u8>) -> u32 {
    let (mut reading, mut writing) = stream.into_split();
    let closed = tokio::spawn(async move {
        let mut came = [0; 4096];
        while reading.read(&mut came).await.is_ok_and(|count| count > 0) {}
    });
    for number in 0..200_000 {
        if closed.is_finished() || writing.write_all(&next(number)).await.is_err() {
            return number;
        }
    }
    panic!("it is never cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_requests_and_gives_them_up_again_and_again_is_cut_off() {
    let server = Server::start().await;
    let stream = over_http_2(&server).await;
    let count = until_cut_off(stream, |number| {
        let stream = 2 * number + 1;
        [frame(HEADERS, 0x5, stream, &HEAD), frame(RESET, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let count = timeout(Duration::from_secs(30), count).await.expect("in time");
    assert!(count < 100_000, "{count} requests");
    server.r4().get("metadata").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_over_http_2_that_goes_on_and_on_is_cut_off() {
    let server = Server::start().await;
    let stream = over_http_2(&server).await;
    // A field that is not kept, with 100 letters in name and value.
    let field = [&[0x00, 100][..], &[b'a'; 100], &[100], &[b'b'; 100]].concat();
    let count = until_cut_off(stream, |number| match number {
        0 => frame(HEADERS, 0, 1, &HEAD),
        _ => frame(CONTINUATION, 0, 1, &field),
    });
    let count = timeout(Duration::from_secs(30), count).await.expect("in time");
    assert!(count < 10_000, "{count} frames");
    server.r4().get("metadata").await.is(200);
}
