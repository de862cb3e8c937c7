//! Listening, and stopping without breaking off what runs.

use std::{future::IntoFuture as _, io::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use tokio::{net::TcpListener, sync::Notify};

use crate::failure::Failure;

/// A listener that is bound, so that its address is known before anything is served.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Takes the address.
    pub async fn to(address: SocketAddr) -> Result<Self, Failure> {
        let refused = |error: std::io::Error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "another program listens there: choose another port, or 0 for a free one"
                }
                std::io::ErrorKind::PermissionDenied => "this user may not listen there: choose a port from 1024",
                std::io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
                _ => "choose another address",
            };
            Failure::Failed(format!("cannot listen on {address} ({error}): {remedy}"))
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that was chosen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the program ends, beside what is served.
    pub async fn answer(self, router: Router) -> std::io::Result<()> {
        axum::serve(self.listener, router).await
    }

    /// Serves until asked to stop (SIGTERM, SIGINT), then lets what runs finish for at most this long.
    pub async fn serve(self, router: Router, finish_within: Duration) -> Result<(), Failure> {
        let stop = Arc::new(Notify::new());
        let asked = Arc::clone(&stop);
        // An answer goes out as soon as it is written: small answers must not wait for one another.
        let listener = self.listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let mut signals = Signals::listen()?;
        let server = axum::serve(listener, router).with_graceful_shutdown(async move { asked.notified().await });
        let mut server = tokio::spawn(server.into_future());
        announce(self.address);
        tokio::select! {
            ended = &mut server => return ended_by_itself(ended),
            name = signals.next() => tracing::info!("{name}: no new requests, finishing those that run"),
        }
        stop.notify_one();
        if tokio::time::timeout(finish_within, &mut server).await.is_err() {
            tracing::warn!("some requests did not finish in time and were broken off");
            server.abort();
        }
        Ok(())
    }
}

/// Says on standard output that requests are served, in the one line that scripts wait for.
fn announce(address: SocketAddr) {
    // Whoever started the program may not listen to it.
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "listening on http://{address}");
    let _ = output.flush();
}

fn ended_by_itself(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), Failure> {
    match ended {
        Ok(Ok(())) => Err(Failure::Failed("the server stopped without being asked".into())),
        Ok(Err(error)) => Err(Failure::of("the server stopped", error)),
        Err(error) => Err(Failure::of("the server stopped", error)),
    }
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Failure::of("signals cannot be received", error);
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
