//! Asking others over HTTP.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pooled, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// How long a connection is kept that nobody uses: less than most servers keep it, so that a request is
/// seldom sent into one that is being closed.
const KEPT: Duration = Duration::from_secs(15);

/// A client that keeps its connections for the next request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    pooled: Pooled<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Time until all of it is there.
    pub time: Duration,
    /// Bytes of its body.
    pub bytes: usize,
}

/// Why there is no answer. Names nothing of the request: what that holds is for the caller to know.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// None in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// No connection, or one that broke.
    #[error("no connection")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// Longer than was allowed, or broken off.
    #[error("the answer was not read to its end")]
    Cut(#[source] Box<dyn Error + Send + Sync>),
}

impl HttpClient {
    /// A client without connections yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut trusted = RootCertStore::empty();
        // Without any, only plain HTTP is spoken; an attempt at the other says so.
        let (added, _) = trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        tracing::debug!(added, "certificates trusted");
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let mut pool = Pooled::builder(TokioExecutor::new());
        pool.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT);
        Ok(Self { pooled: pool.build(connector) })
    }

    /// Asks, and gives what is answered, whatever its status.
    ///
    /// # Errors
    /// When there is no answer within its bounds.
    pub async fn ask(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, NoAnswer> {
        let asking = async {
            let answer = self.pooled.request(request.map(Full::new)).await;
            let (head, body) = answer.map_err(|error| NoAnswer::Broken(Box::new(error)))?.into_parts();
            let body = Limited::new(body, bounds.bytes).collect().await.map_err(NoAnswer::Cut)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(bounds.time, asking).await.unwrap_or(Err(NoAnswer::Late(bounds.time)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// An address that answers each connection like this.
    fn answering(answer: &'static str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let _ = connection.read(&mut [0; 1024]);
                let _ = connection.write_all(answer.as_bytes());
                if answer.is_empty() {
                    // Taken, and never answered.
                    std::mem::forget(connection);
                }
            }
        });
        address
    }

    const BOUNDS: Bounds = Bounds { time: Duration::from_millis(300), bytes: 10 };

    async fn ask(address: &str) -> Result<Response<Bytes>, NoAnswer> {
        HttpClient::new().unwrap().ask(Request::get(address).body(Bytes::new()).unwrap(), BOUNDS).await
    }

    #[tokio::test]
    async fn an_answer_is_given_whatever_it_says() {
        let address = answering("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nno");
        let answer = ask(&address).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (302, b"no".as_slice()), "and not followed");
    }

    #[tokio::test]
    async fn an_answer_has_its_bounds() {
        assert!(matches!(ask(&answering("")).await, Err(NoAnswer::Late(_))));
        let long = answering("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n12345678901");
        assert!(matches!(ask(&long).await, Err(NoAnswer::Cut(_))));
        let short = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n1");
        assert!(matches!(ask(&short).await, Err(NoAnswer::Cut(_) | NoAnswer::Late(_))));
        assert!(matches!(ask("http://127.0.0.1:1/").await, Err(NoAnswer::Broken(_))));
    }
}
