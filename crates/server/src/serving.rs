//! Listening, and stopping without breaking off what runs.

use std::{io::Write as _, net::SocketAddr, time::Duration};

use axum::Router;
use liaison_inbound::{
    listener::{Listener, Manner},
    sender::Way,
};
use tokio::sync::oneshot;

use crate::{descriptors, encryption, failure::Failure};

/// A listener that is bound, so that its address is known before anything is served.
pub struct Bound {
    listener: Listener,
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
        Ok(Self { listener: Listener::bind(address).await.map_err(refused)? })
    }

    /// The address, with the port that was chosen.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Answers until the program ends, beside what is served.
    pub async fn answer(self, router: Router) {
        // Nobody tells it to stop.
        let (_never, stop) = oneshot::channel();
        self.listener.serve(router, Manner::default(), stop).await;
    }

    /// Serves until asked to stop (SIGTERM, SIGINT), then lets what runs finish for at most this long.
    pub async fn serve(self, router: Router, manner: Manner, finish_within: Duration) -> Result<(), Failure> {
        let mut signals = Signals::listen()?;
        let manner = descriptors::within(manner);
        let address = self.address();
        let way = if manner.tls.is_some() { Way::Encrypted } else { Way::Clear };
        if let Some(tls) = &manner.tls {
            tokio::spawn(encryption::keep_up(tls.clone()));
        }
        let (stop, asked) = oneshot::channel();
        let mut server = tokio::spawn(self.listener.serve(router, manner, asked));
        announce(address, way);
        tokio::select! {
            ended = &mut server => return Err(ended_by_itself(ended)),
            name = signals.next() => tracing::info!("{name}: no new requests, finishing those that run"),
        }
        // When nobody hears it, it has ended.
        let _ = stop.send(());
        if tokio::time::timeout(finish_within, &mut server).await.is_err() {
            tracing::warn!("some requests did not finish in time and were broken off");
            server.abort();
        }
        Ok(())
    }
}

/// Says on standard output that requests are served, in the one line that scripts wait for.
fn announce(address: SocketAddr, way: Way) {
    // Whoever started the program may not listen to it.
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "listening on {}://{address}", way.scheme());
    let _ = output.flush();
}

fn ended_by_itself(ended: Result<(), tokio::task::JoinError>) -> Failure {
    match ended {
        Ok(()) => Failure::Failed("the server stopped without being asked".into()),
        Err(error) => Failure::of("the server stopped", error),
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
