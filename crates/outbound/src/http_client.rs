//! Asking others over HTTP.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client as Pooled,
        connect::{Connect, HttpConnector, dns::GaiResolver},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::public::{self, Named, NotPublic, PublicOnly};

/// How long a connection is kept that nobody uses: less than most servers keep it, so that a request is
/// seldom sent into one that is being closed.
const KEPT: Duration = Duration::from_secs(15);

/// A client that keeps its connections for the next request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// Whom the operator named: they may be anywhere.
    named: Arc<[Named]>,
    to_named: Pool<GaiResolver>,
    to_others: Pool<PublicOnly>,
}

type Pool<R> = Pooled<HttpsConnector<HttpConnector<R>>, Full<Bytes>>;

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
    /// It was not asked.
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
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
    /// A client without connections yet, of these whom the operator named, and of everybody else's public
    /// addresses.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn to(named: Vec<Named>) -> Result<Self, rustls::Error> {
        Self::resolving(named, PublicOnly::of_machine())
    }

    fn resolving(named: Vec<Named>, public: PublicOnly) -> Result<Self, rustls::Error> {
        let mut trusted = RootCertStore::empty();
        // Without any, only plain HTTP is spoken; an attempt at the other says so.
        let (added, _) = trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        tracing::debug!(added, "certificates trusted");
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Ok(Self { named: named.into(), to_named: pool(GaiResolver::new(), &tls), to_others: pool(public, &tls) })
    }

    /// Asks, and gives what is answered, whatever its status.
    ///
    /// # Errors
    /// When there is no answer within its bounds.
    pub async fn ask(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, NoAnswer> {
        let asking = async {
            let is_named = Named::of(request.uri()).is_some_and(|asked| self.named.contains(&asked));
            let request = request.map(Full::new);
            let answer = if is_named {
                self.to_named.request(request).await
            } else {
                public::look(request.uri())?;
                self.to_others.request(request).await
            };
            let (head, body) = answer.map_err(broken)?.into_parts();
            let body = Limited::new(body, bounds.bytes).collect().await.map_err(NoAnswer::Cut)?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(bounds.time, asking).await.unwrap_or(Err(NoAnswer::Late(bounds.time)))
    }
}

fn pool<R>(resolver: R, tls: &ClientConfig) -> Pool<R>
where
    HttpsConnector<HttpConnector<R>>: Connect + Clone,
{
    let mut connector = HttpConnector::new_with_resolver(resolver);
    // What is encrypted is for the connector around it.
    connector.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
    let mut pool = Pooled::builder(TokioExecutor::new());
    pool.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT);
    pool.build(builder.wrap_connector(connector))
}

fn broken(error: hyper_util::client::legacy::Error) -> NoAnswer {
    if is_not_public(&error) { NotPublic.into() } else { NoAnswer::Broken(Box::new(error)) }
}

fn is_not_public(error: &(dyn Error + 'static)) -> bool {
    // What an error of the machine was made of is not its source, but part of it.
    let made_of = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<NotPublic>()
        || made_of.is_some_and(|inner| inner.is::<NotPublic>())
        || error.source().is_some_and(is_not_public)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        sync::atomic::{AtomicUsize, Ordering},
    };

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
        let client = HttpClient::to(Named::by(address).into_iter().collect()).unwrap();
        client.ask(Request::get(address).body(Bytes::new()).unwrap(), BOUNDS).await
    }

    /// A machine of ours, and how often somebody came to it.
    fn ours() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, came) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&came);
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        (address, came)
    }

    #[tokio::test]
    async fn whoever_is_not_named_is_asked_at_public_addresses_only() {
        let (inside, came) = ours();
        // What the name leads to changes with each look, as whoever holds it likes: a public address, one of
        // ours, both.
        let looks = Arc::new(AtomicUsize::new(0));
        let rebinding = PublicOnly::by(move |name| {
            assert_eq!(name, "keys.evil.example");
            let public = std::net::SocketAddr::from(([93, 184, 216, 34], 0));
            let found = match looks.fetch_add(1, Ordering::SeqCst) % 3 {
                0 => vec![inside],
                1 => vec![public, inside],
                _ => vec![inside, public],
            };
            Box::pin(async move { Ok(found) })
        });
        let named = Named::by("https://idp.evil.example").unwrap();
        let client = HttpClient::resolving(vec![named], rebinding).unwrap();
        let ask = async |address: String| {
            client.ask(Request::get(address).body(Bytes::new()).unwrap(), BOUNDS).await.expect_err("it is not asked")
        };
        for _ in 0..6 {
            let why = ask(format!("https://keys.evil.example:{}/", inside.port())).await;
            assert!(matches!(why, NoAnswer::NotPublic(_)), "{why:?}");
        }
        // However it is written, and whatever the machine makes of it.
        let of_machine = HttpClient::to(Vec::new()).unwrap();
        for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "localhost.", "2130706433", "0x7f.1", "127.1"] {
            let request = Request::get(format!("https://{host}:{}/", inside.port())).body(Bytes::new()).unwrap();
            let why = of_machine.ask(request, BOUNDS).await.expect_err("it is not asked");
            assert!(matches!(why, NoAnswer::NotPublic(_) | NoAnswer::Broken(_)), "{host}: {why:?}");
        }
        assert!(matches!(ask(format!("http://{inside}/")).await, NoAnswer::NotPublic(_)));
        assert_eq!(came.load(Ordering::SeqCst), 0, "nobody ever came");
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
