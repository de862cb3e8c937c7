//! A bare axum handler that gives one kept answer to whatever it is asked.

use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use memchr::memmem;
use tokio::net::TcpListener;

use crate::error::BenchError;

/// As much as a server of ours accepts.
const BODY_LIMIT: usize = 30 << 20;
/// What the connection decides, not the answer.
const OF_THE_CONNECTION: [&str; 5] = ["content-length", "transfer-encoding", "connection", "date", "keep-alive"];

#[derive(Clone)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Serves the answer in this file (head, empty line, body) on a free port of the loopback, and
/// prints the address as our server does. Ends when killed.
pub async fn serve(answer: &Path) -> Result<(), BenchError> {
    let kept = read(&std::fs::read(answer).map_err(BenchError::file(answer))?);
    let router = Router::new()
        .route("/", get(give).post(take))
        .route("/{*path}", get(give).post(take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(kept);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(BenchError::file("a port of the loopback"))?;
    let address = listener.local_addr().map_err(BenchError::file("a port of the loopback"))?;
    println!("listening on http://{address}");
    axum::serve(listener, router).await.map_err(BenchError::file("the bare handler"))
}

async fn give(State(kept): State<Kept>) -> impl IntoResponse {
    (kept.status, kept.headers, kept.body)
}

/// The body is received whole before the answer, as a server must.
async fn take(State(kept): State<Kept>, _body: Bytes) -> impl IntoResponse {
    (kept.status, kept.headers, kept.body)
}

fn read(answer: &[u8]) -> Kept {
    let end = memmem::find(answer, b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let (head, body) = answer.split_at_checked(end).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let status = head.get(9..12).and_then(|digits| StatusCode::from_bytes(digits.as_bytes()).ok()).unwrap_or_default();
    let headers = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| OF_THE_CONNECTION.iter().all(|other| !name.eq_ignore_ascii_case(other)))
        .filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?))
        })
        .collect();
    Kept { status, headers, body: Bytes::copy_from_slice(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_answer_and_leaves_the_connection_to_the_connection() {
        let kept = read(b"HTTP/1.1 201 Created\r\nETag: W/\"1\"\r\nContent-Length: 9\r\n\r\n{}");
        assert_eq!((kept.status, kept.headers.len(), &kept.body[..]), (StatusCode::CREATED, 1, &b"{}"[..]));
        assert_eq!(kept.headers["etag"], "W/\"1\"");
    }
}
