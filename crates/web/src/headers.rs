//! The headers that keep a browser from doing more with a page than it should.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Only our own style sheet and pictures, and forms that are sent to us; no script, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

const PROTECTION: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Adds them to an answer.
pub async fn protect(mut answer: Response) -> Response {
    for (name, value) in PROTECTION {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
