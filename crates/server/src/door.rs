//! The FHIR API, called in process: what the program itself writes goes the way every caller goes.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use liaison_fhir::{
    json::{self, Limits},
    tree::Object,
};
use tower::ServiceExt as _;

use crate::failure::Failure;

/// The address under which the API knows itself when it is called in process.
pub const ROOT: &str = "http://localhost";

/// Our own answers are not bounded by the limits of what others send.
pub const UNBOUNDED: Limits = Limits { depth: Limits::DEEPEST, bytes: usize::MAX, nodes: usize::MAX };

/// The API.
#[derive(Clone)]
pub struct Door {
    router: Router,
}

/// What it answered.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The resource of the body; without members when there is none.
    pub resource: Object,
}

impl Door {
    /// The API of a server that is put together.
    pub const fn new(router: Router) -> Self {
        Self { router }
    }

    /// Asks, and gives what is answered, whatever it is.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Object>) -> Result<Reply, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{ROOT}/fhir/{path}"))
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/fhir+json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::CONTENT_TYPE, "application/fhir+json");
        let body = body.map_or_else(Body::empty, |resource| json::write(resource).into());
        let request = request.body(body).map_err(|error| Failure::of(path, error))?;
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.map_err(|error| Failure::of(path, error))?;
        let resource = match bytes.len() {
            0 => Object::new(),
            _ => json::read(&bytes, &UNBOUNDED).map_err(|_| Failure::Failed(format!("{path}: not FHIR")))?,
        };
        Ok(Reply { status, resource })
    }

    /// Asks for what must work.
    pub async fn must(&self, method: &str, path: &str, body: Option<&Object>) -> Result<Object, Failure> {
        let reply = self.ask(method, path, body).await?;
        match reply.status {
            200..=299 => Ok(reply.resource),
            status => Err(Failure::Failed(format!("{method} {path}: {status}: {}", reply.said()))),
        }
    }
}

impl Reply {
    /// What the outcome says, in one line.
    pub fn said(&self) -> String {
        let issues = self.resource.objects("issue").map(|issue| {
            let said = issue.object("details").and_then(|details| details.str("text")).or(issue.str("diagnostics"));
            let place = issue.items("expression").first().and_then(|place| place.as_str()).unwrap_or_default();
            format!("{place} {}", said.unwrap_or_default()).trim().to_owned()
        });
        issues.collect::<Vec<_>>().join("; ")
    }
}
