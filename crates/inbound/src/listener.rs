//! Listening, and stopping without breaking off what runs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::{
    activity::Patience,
    connection::{self, Taking},
    crowd::Crowd,
    figures::{self, Open, Why},
    proxies::Proxies,
    tls::Tls,
};

/// How connections are taken.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Encryption, when it ends here.
    pub tls: Option<Tls>,
    /// Proxies that are believed about whom they speak for.
    pub proxies: Proxies,
    /// Connections at a time; who comes then waits.
    pub connections: usize,
    /// Connections at a time from one address, but for those of proxies that are trusted; who comes then is
    /// sent away.
    pub of_each: usize,
    /// How long a caller may keep us waiting in the middle of something.
    pub stalled: Duration,
    /// How long a connection is kept between requests.
    pub idle: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            tls: None,
            proxies: Proxies::default(),
            connections: 4096,
            of_each: 4096,
            stalled: Duration::from_secs(30),
            idle: Duration::from_secs(75),
        }
    }
}

impl Manner {
    pub(crate) const fn patience(&self) -> Patience {
        Patience { stalled: self.stalled, idle: self.idle }
    }
}

/// An address that is taken, so that it is known before anything is served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// So many bytes of an answer wait in the machine before more are taken: what lies there is seen to move only
/// when it has moved, and with megabytes of it a slow caller could not be told from one who takes nothing.
const UNSENT: u32 = 64 * 1024;

/// Resources of the machine are short for a moment: so long is waited before the next connection.
const BREATH: Duration = Duration::from_millis(500);

impl Listener {
    /// Takes an address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        // Connections have it of the socket that they come to.
        if let Err(error) = SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT) {
            tracing::debug!(%error, "answers wait in the machine as the machine likes");
        }
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The address, with the port that was chosen.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is told to stop, or whoever could tell is gone; then takes no more, and ends when
    /// what runs is finished. What is dropped earlier breaks it off.
    pub async fn serve(self, router: Router, manner: Manner, stop: oneshot::Receiver<()>) {
        let crowd = Crowd::of(manner.connections, manner.of_each);
        let taking = Arc::new(Taking { router, manner });
        let (told, stopping) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let next = async {
                let free = crowd.free().await?;
                let (stream, peer) = self.next().await;
                Some((free, stream, peer))
            };
            tokio::select! {
                _ = &mut stop => break,
                Some(_) = connections.join_next() => {}
                next = next => {
                    let Some((free, stream, peer)) = next else { break };
                    let room = if taking.manner.proxies.trusts(peer.ip()) {
                        Some(crowd.enter_uncounted(free))
                    } else {
                        crowd.enter(peer.ip(), free)
                    };
                    let Some(room) = room else {
                        tracing::debug!(address = %peer.ip(), "too many connections from one address");
                        figures::refused(Why::Crowd);
                        continue;
                    };
                    let (taking, stopping) = (Arc::clone(&taking), stopping.clone());
                    connections.spawn(async move {
                        let _taken = (room, Open::one());
                        connection::serve(stream, peer, taking, stopping).await;
                    });
                }
            }
        }
        // Nobody waits in the queue of an address that nothing is taken from.
        drop(self);
        told.send_replace(true);
        while connections.join_next().await.is_some() {}
    }

    async fn next(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    // Such as too many open files: it passes when others end.
                    tracing::error!(%error, "connections cannot be taken for a moment");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }
}

/// Whether an error concerns the one connection that was to be taken.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
