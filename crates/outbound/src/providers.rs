//! Asking providers of identity what they publish, and about tokens.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use liaison_identity::{
    form::encoded,
    provider::{Ask, Asked, Client, NoAnswer},
};

use crate::http_client::{Bounds, HttpClient};

/// Providers, over HTTP.
#[derive(Clone)]
pub struct Providers {
    client: HttpClient,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Providers")
    }
}

/// Requests wait for the answer, so not for long; what providers publish is small.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 512 * 1024 };

impl Providers {
    /// Over this client.
    #[must_use]
    pub const fn new(client: HttpClient) -> Self {
        Self { client }
    }

    async fn ask(&self, request: Result<Request<Bytes>, http::Error>) -> Result<Vec<u8>, NoAnswer> {
        let request = request.map_err(|error| NoAnswer::Silent(error.to_string()))?;
        let answer = self.client.ask(request, BOUNDS).await.map_err(|error| NoAnswer::Silent(error.to_string()))?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body().to_vec()),
            other if other.is_client_error() => Err(NoAnswer::Refused(other.as_u16())),
            other => Err(NoAnswer::Silent(format!("it answered {other}"))),
        }
    }
}

impl Ask for Providers {
    fn get<'a>(&'a self, url: &'a str) -> Asked<'a> {
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Bytes::new());
        Box::pin(self.ask(request))
    }

    fn get_as<'a>(&'a self, url: &'a str, access: &'a str) -> Asked<'a> {
        let request = Request::get(url)
            .header(header::ACCEPT, "application/json, application/jwt")
            .header(header::AUTHORIZATION, format!("Bearer {access}"))
            .body(Bytes::new());
        Box::pin(self.ask(request))
    }

    fn post<'a>(&'a self, url: &'a str, form: &'a [(&'a str, &'a str)], client: Option<&'a Client>) -> Asked<'a> {
        let fields: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let mut request = Request::post(url)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(client) = client {
            request = request.header(header::AUTHORIZATION, basic(client));
        }
        Box::pin(self.ask(request.body(Bytes::from(fields.join("&")))))
    }
}

/// `client_secret_basic` (RFC 6749 §2.3.1): both parts are encoded as in a form first.
fn basic(client: &Client) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(&client.id), encoded(&client.secret))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_encoded_before_it_is_joined() {
        let client = Client { id: "liaison".to_owned(), secret: "p:w".to_owned() };
        assert_eq!(basic(&client), "Basic bGlhaXNvbjpwJTNBdw==");
    }
}
