//! A server without sockets: the router over a store of its own.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use bytes::Bytes;
use liaison_app::{App, settings::Settings};
use liaison_rest::{RestOptions, router};
use liaison_store::store::{Store, StoreOptions, StoreUrl};
use serde_json::Value;
use tower::ServiceExt;

pub struct House {
    router: Router,
    _dir: tempfile::TempDir,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl House {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreUrl::Sqlite(dir.path().join("liaison.db")), StoreOptions::default()).unwrap();
        let app = App::open(store, Settings::default()).await.unwrap();
        Self { router: router(app, RestOptions::default()), _dir: dir }
    }

    /// Sends a request: `POST /fhir/r4/Patient`, headers, body.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send_as("notes.example.org", line, headers, body).await
    }

    /// Sends a request to the server by another of its names.
    pub async fn send_to(&self, host: &str, line: &str) -> Answer {
        self.send_as(host, line, &[], Body::empty()).await
    }

    async fn send_as(&self, host: &str, line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], Body::empty()).await
    }

    /// Sends FHIR in JSON.
    pub async fn put_json(&self, line: &str, body: &Value) -> Answer {
        self.send(line, &[("content-type", "application/fhir+json")], body.to_string()).await
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The id that a `Location` gives.
    pub fn id(&self) -> String {
        let location = self.header("location");
        let path = location.split("/_history/").next().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    }
}
