//! A light HTTP/1.1 client: one connection, one request at a time, bodies by length or in chunks.
//!
//! It does as little as can be done, so that what is measured is the server. The same client
//! drives the server and its limits.

use std::net::SocketAddr;
use std::time::Duration;

use memchr::{memchr, memmem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use crate::error::BenchError;

/// An exchange that takes longer has failed.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);
/// An answer that is longer has failed.
const MAX_ANSWER: usize = 256 << 20;

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address to connect to.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// The path of the FHIR base, without a trailing `/`.
    pub path: String,
    /// The `Authorization` header, when there is to be one.
    pub authorization: Option<String>,
}

/// What went wrong with an exchange.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The connection failed.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The server closed the connection within an answer.
    #[error("connection closed within an answer")]
    Closed,
    /// What came is not HTTP/1.1.
    #[error("not an HTTP answer: {0}")]
    Malformed(&'static str),
    /// Longer than is accepted.
    #[error("answer of more than {MAX_ANSWER} bytes")]
    TooLong,
    /// No answer in time.
    #[error("no answer within {} s", EXCHANGE_TIMEOUT.as_secs())]
    Timeout,
}

/// An answer, borrowed from the connection that received it.
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: &'a [u8],
    /// The body, out of its chunks.
    pub body: &'a [u8],
}

/// A connection that is kept open between exchanges.
pub struct Connection {
    target: Target,
    stream: Option<TcpStream>,
    input: Vec<u8>,
    unchunked: Vec<u8>,
}

impl Target {
    /// From `http://HOST[:PORT][/PATH]`.
    pub async fn parse(base: &str) -> Result<Target, BenchError> {
        let bad = || BenchError::BadBase(base.to_owned());
        let rest = base.strip_prefix("http://").ok_or_else(bad)?;
        let (host, path) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let named = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let address = lookup_host(&named).await.ok().and_then(|mut all| all.next()).ok_or_else(bad)?;
        Ok(Target { address, host: host.to_owned(), path: path.trim_end_matches('/').to_owned(), authorization: None })
    }

    /// Writes a GET of `path` (below the base, beginning with `/`).
    pub fn get(&self, path: &str, into: &mut Vec<u8>) {
        self.head("GET", path, into);
        into.extend_from_slice(b"\r\n");
    }

    /// Writes a POST of a JSON body to `path` (below the base; empty for the base itself).
    pub fn post(&self, path: &str, body: &[u8], into: &mut Vec<u8>) {
        self.head("POST", path, into);
        into.extend_from_slice(b"Content-Type: application/fhir+json\r\nContent-Length: ");
        into.extend_from_slice(body.len().to_string().as_bytes());
        into.extend_from_slice(b"\r\n\r\n");
        into.extend_from_slice(body);
    }

    fn head(&self, method: &str, path: &str, into: &mut Vec<u8>) {
        for part in [method, " ", &self.path, path] {
            into.extend_from_slice(part.as_bytes());
        }
        if self.path.is_empty() && path.is_empty() {
            into.push(b'/');
        }
        into.extend_from_slice(b" HTTP/1.1\r\nHost: ");
        into.extend_from_slice(self.host.as_bytes());
        into.extend_from_slice(b"\r\nAccept: application/fhir+json\r\n");
        if let Some(authorization) = &self.authorization {
            into.extend_from_slice(b"Authorization: ");
            into.extend_from_slice(authorization.as_bytes());
            into.extend_from_slice(b"\r\n");
        }
    }
}

impl Connection {
    /// A connection that opens with its first exchange.
    pub fn new(target: &Target) -> Connection {
        Connection { target: target.clone(), stream: None, input: Vec::new(), unchunked: Vec::new() }
    }

    /// Sends a whole request and waits for the whole answer. After a failure the next exchange
    /// begins on a new connection.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, HttpError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.target.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        self.input.clear();
        let received = tokio::time::timeout(EXCHANGE_TIMEOUT, async {
            stream.write_all(request).await?;
            receive(&mut stream, &mut self.input, &mut self.unchunked).await
        })
        .await
        .map_err(|_| HttpError::Timeout)??;
        if received.reusable {
            self.stream = Some(stream);
        }
        let (head, rest) = self.input.split_at_checked(received.head).ok_or(HttpError::Closed)?;
        let body = match received.body {
            Body::Length(length) => rest.get(..length).ok_or(HttpError::Closed)?,
            Body::Chunked => &self.unchunked,
        };
        Ok(Answer { status: received.status, head, body })
    }
}

impl Answer<'_> {
    /// The beginning of the body, for messages.
    pub fn excerpt(&self) -> String {
        let text: String = String::from_utf8_lossy(self.body.get(..600).unwrap_or(self.body)).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

struct Received {
    status: u16,
    head: usize,
    body: Body,
    reusable: bool,
}

#[derive(Clone, Copy)]
enum Body {
    Length(usize),
    Chunked,
}

async fn receive(stream: &mut TcpStream, input: &mut Vec<u8>, unchunked: &mut Vec<u8>) -> Result<Received, HttpError> {
    let head = loop {
        if let Some(end) = memmem::find(input, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, input).await?;
    };
    let lines = input.get(..head).unwrap_or_default();
    let status = std::str::from_utf8(lines.get(9..12).unwrap_or_default()).ok().and_then(|digits| digits.parse().ok());
    let status = status.filter(|_| lines.starts_with(b"HTTP/1.1 ")).ok_or(HttpError::Malformed("status line"))?;
    let reusable = !header(lines, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if header(lines, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        unchunk(stream, input, head, unchunked).await?;
        return Ok(Received { status, head, body: Body::Chunked, reusable });
    }
    let length: usize = match header(lines, "content-length") {
        Some(text) => text.parse().map_err(|_| HttpError::Malformed("content-length"))?,
        None if status == 204 || status == 304 => 0,
        None => return Err(HttpError::Malformed("neither content-length nor chunks")),
    };
    if length > MAX_ANSWER {
        return Err(HttpError::TooLong);
    }
    while input.len() < head + length {
        more(stream, input).await?;
    }
    Ok(Received { status, head, body: Body::Length(length), reusable })
}

async fn unchunk(
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
    from: usize,
    into: &mut Vec<u8>,
) -> Result<(), HttpError> {
    into.clear();
    let mut at = from;
    loop {
        let end = loop {
            match memchr(b'\n', input.get(at..).unwrap_or_default()) {
                Some(offset) => break at + offset + 1,
                None => more(stream, input).await?,
            }
        };
        let line = String::from_utf8_lossy(input.get(at..end).unwrap_or_default());
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| HttpError::Malformed("chunk size"))?;
        if size > MAX_ANSWER || into.len() + size > MAX_ANSWER {
            return Err(HttpError::TooLong);
        }
        while input.len() < end + size + 2 {
            more(stream, input).await?;
        }
        into.extend_from_slice(input.get(end..end + size).unwrap_or_default());
        at = end + size + 2;
        // No trailers are asked for (no `TE` header), so the empty line after the last chunk ends it.
        if size == 0 {
            return Ok(());
        }
    }
}

async fn more(stream: &mut TcpStream, input: &mut Vec<u8>) -> Result<(), HttpError> {
    if input.len() > 2 * MAX_ANSWER {
        return Err(HttpError::TooLong);
    }
    input.reserve(16 << 10);
    if stream.read_buf(input).await? == 0 { Err(HttpError::Closed) } else { Ok(()) }
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (key, value) = line.split_at_checked(memchr(b':', line)?)?;
        if !key.eq_ignore_ascii_case(name.as_bytes()) {
            return None;
        }
        std::str::from_utf8(value.get(1..)?).ok().map(str::trim)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Answers each exchange on one connection with the next text, in pieces of three bytes.
    async fn serve(answers: &'static [&'static str]) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            for answer in answers {
                let _ = stream.read(&mut request).await.unwrap();
                for piece in answer.as_bytes().chunks(3) {
                    stream.write_all(piece).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        });
        Target { address, host: address.to_string(), path: "/fhir".to_owned(), authorization: None }
    }

    #[tokio::test]
    async fn reads_bodies_by_length_and_in_chunks_on_one_connection() {
        let target = serve(&[
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nETag: W/\"1\"\r\n\r\nhello",
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n, people.\n\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ])
        .await;
        let mut connection = Connection::new(&target);
        let mut request = Vec::new();
        target.get("/Patient/1", &mut request);
        assert!(request.starts_with(b"GET /fhir/Patient/1 HTTP/1.1\r\n"));

        let answer = connection.exchange(&request).await.unwrap();
        assert_eq!((answer.status, header(answer.head, "etag"), answer.body), (200, Some("W/\"1\""), &b"hello"[..]));
        let answer = connection.exchange(&request).await.unwrap();
        assert_eq!((answer.status, answer.body), (201, &b"hello, people.\n"[..]));
        let answer = connection.exchange(&request).await.unwrap();
        assert_eq!((answer.status, answer.body), (204, &b""[..]));
        assert!(matches!(connection.exchange(&request).await, Err(HttpError::Closed | HttpError::Io(_))));
    }

    #[tokio::test]
    async fn refuses_what_is_not_http() {
        for text in ["SMTP ready\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
            let target = serve(Box::leak(Box::new([text]))).await;
            assert!(matches!(Connection::new(&target).exchange(b"x").await, Err(HttpError::Malformed(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn reads_a_base() {
        let target = Target::parse("http://127.0.0.1:8080/fhir/r4/").await.unwrap();
        assert_eq!((target.address.port(), target.path.as_str()), (8080, "/fhir/r4"));
        assert!(Target::parse("https://127.0.0.1/fhir").await.is_err());
    }
}
