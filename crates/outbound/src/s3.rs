//! An S3-compatible store of objects: put, read a range, remove; nothing else of S3 is used.
//!
//! Requests are signed with Signature Version 4, the body included, so that a store keeps what was sent or
//! refuses it. Addresses are those that every such store understands: `endpoint/bucket/key`.

mod address;
mod sign;

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use liaison_store::{
    contract::StoreError,
    objects::{Asked, Objects},
};

use crate::http_client::{Bounds, HttpClient, NoAnswer};
pub use address::{Address, AddressError};
pub use sign::Credentials;

/// Attempts at a request that may be repeated without harm: all of ours.
const ATTEMPTS: u32 = 3;

/// How long is waited before the second attempt; before the third, twice that.
const PAUSE: Duration = Duration::from_millis(150);

/// Time of one attempt. All of them together take less than a request may.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than a piece of an attachment, and than any error.
const LARGEST_ANSWER: usize = 1 << 20;

/// A bucket, or a part of one.
pub struct S3 {
    address: Address,
    credentials: Credentials,
    client: HttpClient,
}

/// Why a store of objects did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum S3Error {
    #[error("the store of objects does not answer")]
    NoAnswer(#[from] NoAnswer),
    #[error("the store of objects answers {0}{1}")]
    Refused(StatusCode, String),
    #[error("the store of objects gave {given} bytes of {asked}")]
    Short { asked: u64, given: usize },
    #[error("not an address")]
    Address(#[from] http::Error),
}

impl S3Error {
    /// Whether the same request may well succeed a moment later.
    fn passes(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Refused(status, _) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Short { .. } | Self::Address(_) => false,
        }
    }
}

impl From<S3Error> for StoreError {
    fn from(error: S3Error) -> Self {
        match error {
            // It was there, and so long, when the row that names it was committed.
            S3Error::Refused(_, ref code) if code == ": NoSuchKey" || code == ": InvalidRange" => {
                Self::Damaged(Box::new(error))
            }
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

impl S3 {
    /// The objects at an address.
    #[must_use]
    pub const fn new(address: Address, credentials: Credentials, client: HttpClient) -> Self {
        Self { address, credentials, client }
    }

    async fn ask(
        &self,
        method: Method,
        name: &str,
        range: Option<&Range<u64>>,
        body: Bytes,
    ) -> Result<Response<Bytes>, S3Error> {
        let mut attempt = 1;
        loop {
            let answer = self.ask_once(&method, name, range, body.clone()).await;
            match answer {
                Err(error) if error.passes() && attempt < ATTEMPTS => {
                    tracing::debug!(%error, attempt, "a request to the store of objects is repeated");
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn ask_once(
        &self,
        method: &Method,
        name: &str,
        range: Option<&Range<u64>>,
        body: Bytes,
    ) -> Result<Response<Bytes>, S3Error> {
        let path = self.address.path_of(name);
        let signed = sign::Signed {
            method: method.as_str(),
            host: self.address.host(),
            path: &path,
            region: self.address.region(),
            body: &body,
            at: Timestamp::now(),
        };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address.origin()));
        for (name, value) in signed.headers(&self.credentials) {
            request = request.header(name, value);
        }
        if let Some(range) = range {
            request = request.header(header::RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        }
        let bounds = Bounds { time: PATIENCE, bytes: LARGEST_ANSWER };
        let answer = self.client.ask(request.body(body)?, bounds).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(S3Error::Refused(answer.status(), code(answer.body())))
    }
}

/// The code of an error, for the log: `: NoSuchKey`. Of the rest of it nothing, since it repeats the request.
fn code(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default();
    let plain = !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { format!(": {code}") } else { String::new() }
}

impl Objects for S3 {
    fn place(&self) -> &str {
        self.address.place()
    }

    fn put<'o>(&'o self, name: &'o str, bytes: Bytes) -> Asked<'o, ()> {
        Box::pin(async move { Ok(self.ask(Method::PUT, name, None, bytes).await.map(drop)?) })
    }

    fn get<'o>(&'o self, name: &'o str, range: Range<u64>) -> Asked<'o, Bytes> {
        Box::pin(async move {
            let answer = self.ask(Method::GET, name, Some(&range), Bytes::new()).await?.into_body();
            let asked = range.end.saturating_sub(range.start);
            if answer.len() as u64 == asked {
                Ok(answer)
            } else {
                Err(S3Error::Short { asked, given: answer.len() }.into())
            }
        })
    }

    fn remove<'o>(&'o self, name: &'o str) -> Asked<'o, ()> {
        Box::pin(async move {
            match self.ask(Method::DELETE, name, None, Bytes::new()).await {
                Ok(_) => Ok(()),
                Err(S3Error::Refused(_, code)) if code == ": NoSuchKey" => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_an_error_is_told() {
        assert_eq!(code(b"<Error><Code>NoSuchKey</Code><Key>a/b</Key></Error>"), ": NoSuchKey");
        assert_eq!(code(b"<Code>x y</Code>"), "");
        assert_eq!(code(b"\xff"), "");
    }

    #[test]
    fn what_is_not_there_is_damage_and_what_does_not_answer_is_away() {
        let gone = S3Error::Refused(StatusCode::NOT_FOUND, ": NoSuchKey".to_owned());
        assert!(!gone.passes() && matches!(StoreError::from(gone), StoreError::Damaged(_)));
        let nowhere = S3Error::Refused(StatusCode::NOT_FOUND, ": NoSuchBucket".to_owned());
        assert!(matches!(StoreError::from(nowhere), StoreError::Unavailable(_)));
        let slow = S3Error::Refused(StatusCode::SERVICE_UNAVAILABLE, String::new());
        assert!(slow.passes() && matches!(StoreError::from(slow), StoreError::Unavailable(_)));
        let forbidden = S3Error::Refused(StatusCode::FORBIDDEN, String::new());
        assert!(!forbidden.passes() && matches!(StoreError::from(forbidden), StoreError::Unavailable(_)));
    }
}
