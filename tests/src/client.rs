//! A FHIR client, as thin as tests need it: nothing is hidden, nothing is retried.

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use crate::{Answer, recorder};

/// A client of one FHIR base.
#[derive(Clone, Debug)]
pub struct Fhir {
    http: reqwest::Client,
    base: String,
    /// The access token that goes with each request.
    token: Option<String>,
}

/// A request being made ready.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    builder: reqwest::RequestBuilder,
    asked: String,
}

const JSON: &str = "application/fhir+json";

impl Fhir {
    /// A client of the base at this address.
    pub fn new(http: reqwest::Client, base: String) -> Self {
        Self { http, base, token: None }
    }

    /// The same for who has this access token.
    pub fn by(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The address of the base, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to an address in the base (`Patient/1`), or to a whole address (a page link).
    pub fn request(&self, method: &str, address: &str) -> Request {
        let whole = match address {
            "" => self.base.clone(),
            whole if whole.starts_with("http") => whole.into(),
            relative => format!("{}/{relative}", self.base),
        };
        let asked = format!("{method} {whole}");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let builder = self.http.request(method, whole);
        let builder = match &self.token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        };
        Request { builder, asked }
    }

    /// Reads or searches.
    pub async fn get(&self, address: &str) -> Answer {
        self.request("GET", address).send().await
    }

    /// Deletes.
    pub async fn delete(&self, address: &str) -> Answer {
        self.request("DELETE", address).send().await
    }

    /// Creates, or sends a bundle to the base (with an empty address).
    pub async fn post(&self, address: &str, body: &Value) -> Answer {
        self.request("POST", address).json(body).send().await
    }

    /// Updates.
    pub async fn put(&self, address: &str, body: &Value) -> Answer {
        self.request("PUT", address).json(body).send().await
    }
}

impl Request {
    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a header of any bytes.
    pub fn header_of(mut self, name: &str, value: reqwest::header::HeaderValue) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With a body of FHIR JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body(JSON, body.to_string())
    }

    /// With a body of any type.
    pub fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.header("content-type", media_type).body(body);
        self
    }

    /// Sends it and reads the answer whole. A 500 fails the test: no input may cause one.
    pub async fn send(self) -> Answer {
        let answer = self.try_send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"));
        assert_ne!(answer.status, 500, "{}\n{}", answer.asked, answer.text());
        answer
    }

    /// Sends it to a server that may be killed meanwhile.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        let status = response.status().as_u16();
        let headers: HeaderMap = response.headers().clone();
        let body = response.bytes().await?;
        recorder::keep(&self.asked, &body);
        Ok(Answer { status, headers, body, asked: self.asked })
    }
}
