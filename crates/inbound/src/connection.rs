//! One connection, from its first byte to its last.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::{sleep_until, timeout},
};
use tower::Service as _;

use crate::{
    activity::{Activity, Verdict},
    answering::{Answering, Running},
    arriving::Arriving,
    certificate::Read,
    figures::{self, Why},
    listener::Manner,
    protection::protect,
    sender::Way,
    watched::Watched,
};

/// Bytes of a head: addresses with long searches, and a token.
const HEAD: usize = 64 * 1024;

/// Requests that come together over one connection.
const TOGETHER: u32 = 64;

/// How long a connection that is closed for idleness has to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a connection needs besides its own bytes.
#[derive(Debug)]
pub(crate) struct Taking {
    pub(crate) router: Router,
    pub(crate) manner: Manner,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
struct Opened {
    peer: SocketAddr,
    way: Way,
    /// What whoever is at the other end proved to be.
    certificate: Option<Arc<Read>>,
}

/// Answers what comes over a connection until it ends.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, taking: Arc<Taking>, stopping: watch::Receiver<bool>) {
    // An answer goes out as soon as it is written: small answers must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let Some(tls) = &taking.manner.tls else {
        return speak(stream, Opened { peer, way: Way::Clear, certificate: None }, taking, stopping).await;
    };
    match timeout(taking.manner.stalled, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates();
            // What rustls checked, it read too.
            let certificate = certificates.and_then(<[_]>::first).and_then(|der| Read::of(der).ok()).map(Arc::new);
            speak(stream, Opened { peer, way: Way::Encrypted, certificate }, taking, stopping).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection was not encrypted");
            figures::refused(Why::Handshake);
        }
        Err(_) => figures::refused(Why::Stalled),
    }
}

async fn speak<S>(stream: S, opened: Opened, taking: Arc<Taking>, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let patience = taking.manner.patience();
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity), patience.stalled));
    let service = service_fn({
        let (taking, activity) = (Arc::clone(&taking), Arc::clone(&activity));
        move |request| answer(request, opened.clone(), Arc::clone(&taking), Running::begin(&activity))
    });
    let mut builder = Builder::new(TokioExecutor::new());
    // A head is read whole before anything is done with it.
    builder.http1().max_buf_size(HEAD);
    builder.http2().max_concurrent_streams(TOGETHER).max_header_list_size(HEAD as u32);
    let mut connection = pin!(builder.serve_connection(stream, service));
    let mut closing = false;
    loop {
        let then = match activity.verdict(patience) {
            Verdict::Again(then) => then,
            Verdict::Idle => {
                connection.as_mut().graceful_shutdown();
                // Whether it is heard or not, it is over.
                let _ = timeout(FAREWELL, connection).await;
                return;
            }
            Verdict::Stalled => {
                tracing::debug!("a connection stalls and is closed");
                figures::refused(Why::Stalled);
                return;
            }
        };
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(error, "a connection ended early");
                }
                return;
            }
            () = sleep_until(then) => {}
            changed = stopping.changed(), if !closing => {
                closing = true;
                if changed.is_ok() {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    opened: Opened,
    taking: Arc<Taking>,
    running: Running,
) -> Result<Response<Answering<axum::body::Body>>, Infallible> {
    let manner = &taking.manner;
    let sender = manner.proxies.sender(opened.peer, opened.way, request.headers());
    let mut request = request.map(|body| Arriving::new(body, manner.stalled));
    named_host(&mut request);
    request.extensions_mut().insert(sender);
    if let Some(certificate) = manner.proxies.certificate(opened.peer, opened.certificate.as_ref(), request.headers()) {
        request.extensions_mut().insert(certificate);
    }
    let mut response = taking.router.clone().call(request).await?;
    protect(response.headers_mut(), sender.way);
    Ok(response.map(|body| Answering::new(body, running)))
}

/// HTTP/2 names the host in the address instead of in a header.
fn named_host<B>(request: &mut Request<B>) {
    if !request.headers().contains_key(header::HOST)
        && let Some(host) = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    {
        request.headers_mut().insert(header::HOST, host);
    }
}
