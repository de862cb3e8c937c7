//! What stands between a server and its database, and fails as a test wants it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It carries everything.
    Well,
    /// Each piece takes so long, in each direction.
    Slow(Duration),
    /// Nothing arrives any more, and nobody is told: connections stay open, what was sent waits.
    Stalled,
    /// Nobody answers: who connects is sent away at once.
    Gone,
    /// A connection is cut when the end of a transaction is asked for: in turn before the database hears of it, and
    /// after it has answered, when the answer does not arrive.
    CutAtCommit,
}

/// A way to a database that can be cut.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: u16,
    network: watch::Sender<Network>,
    /// Counts how often everything was cut: who sees it change ends.
    cuts: watch::Sender<u64>,
    at_commit: Mutex<[usize; 2]>,
    connections: AtomicUsize,
}

impl Proxy {
    /// To this port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            to: port,
            network: watch::Sender::new(Network::Well),
            cuts: watch::Sender::new(0),
            at_commit: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&accepting).carry(client));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on the network is like this, for those who are connected too.
    pub fn becomes(&self, network: Network) {
        self.shared.network.send_replace(network);
    }

    /// Cuts every connection that there is.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// How many connections were cut before the database heard of the commit, and how many after it was done.
    pub fn cut_at_commit(&self) -> [usize; 2] {
        *self.shared.at_commit.lock().expect("nobody panicked with it")
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

/// Why a connection ends here.
struct Ended;

/// The end of a transaction being asked for, as the protocol has it: in a query, or in one that was parsed before.
const COMMIT: &[u8] = b"COMMIT";

impl Shared {
    async fn carry(self: Arc<Self>, client: TcpStream) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let mut cuts = self.cuts.subscribe();
        if *self.network.borrow() == Network::Gone {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.to)).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        // Who waits for the answer to a commit that is to be lost.
        let lost = watch::Sender::new(false);
        tokio::select! {
            _ = self.requests(from_client, to_server, &lost) => {}
            _ = self.answers(from_server, to_client, &lost) => {}
            _ = cuts.changed() => {}
        }
    }

    async fn requests(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        lost: &watch::Sender<bool>,
    ) -> Result<(), Ended> {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = from.read(&mut buffer).await.ok().filter(|length| *length > 0).ok_or(Ended)?;
            let piece = buffer.get(..length).ok_or(Ended)?;
            self.passes().await;
            let is_commit = piece.windows(COMMIT.len()).any(|window| window == COMMIT);
            if is_commit && *self.network.borrow() == Network::CutAtCommit {
                let heard = {
                    let mut counts = self.at_commit.lock().map_err(|_| Ended)?;
                    let heard = usize::from(counts[0] > counts[1]);
                    counts[heard] += 1;
                    heard == 1
                };
                if !heard {
                    return Err(Ended);
                }
                lost.send_replace(true);
            }
            to.write_all(piece).await.map_err(|_| Ended)?;
        }
    }

    async fn answers(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        lost: &watch::Sender<bool>,
    ) -> Result<(), Ended> {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = from.read(&mut buffer).await.ok().filter(|length| *length > 0).ok_or(Ended)?;
            let piece = buffer.get(..length).ok_or(Ended)?;
            if *lost.borrow() && says_committed(piece) {
                return Err(Ended);
            }
            self.passes().await;
            to.write_all(piece).await.map_err(|_| Ended)?;
        }
    }

    /// Until the network carries a piece.
    async fn passes(&self) {
        let now = *self.network.borrow();
        match now {
            Network::Slow(how_long) => tokio::time::sleep(how_long).await,
            Network::Stalled => {
                let mut network = self.network.subscribe();
                // Its sender lives as long as this does.
                let _ = network.wait_for(|network| *network != Network::Stalled).await;
            }
            Network::Well | Network::Gone | Network::CutAtCommit => {}
        }
    }
}

/// `CommandComplete`, whose text is what was done.
fn says_committed(piece: &[u8]) -> bool {
    piece.windows(COMMIT.len() + 1).any(|window| window == b"COMMIT\0")
}

#[cfg(test)]
mod tests {
    use liaison_test_postgres::{Cluster, Database, Installation};
    use tokio::{process::Command, time::timeout};

    use super::*;

    /// Whether somebody who inserts a number through the proxy is told that it was done.
    async fn inserts(proxy: &Proxy, database: &Database<'_>, number: u32) -> Option<bool> {
        let url = format!("postgres://liaison@127.0.0.1:{}/{}", proxy.port(), database.name());
        let insert = format!("INSERT INTO kept VALUES ({number})");
        let mut psql = Command::new(Installation::find().program("psql"));
        psql.args([url.as_str(), "--set=ON_ERROR_STOP=1", "-c", "BEGIN", "-c", &insert, "-c", "COMMIT"]);
        let output = timeout(Duration::from_secs(2), psql.kill_on_drop(true).output()).await.ok()?;
        Some(output.expect("psql runs").status.success())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_fails_as_it_is_told() {
        let database = Cluster::shared().database();
        database.sql("CREATE TABLE kept (number int)");
        let kept = || database.sql("SELECT string_agg(number::text, ' ' ORDER BY number) FROM kept");
        let proxy = Proxy::to(Cluster::shared().port()).await;
        assert_eq!(inserts(&proxy, &database, 1).await, Some(true));
        proxy.becomes(Network::Slow(Duration::from_millis(50)));
        assert_eq!(inserts(&proxy, &database, 2).await, Some(true));
        proxy.becomes(Network::CutAtCommit);
        assert_eq!(inserts(&proxy, &database, 3).await, Some(false));
        assert_eq!(kept(), "1 2", "the database never heard of it");
        assert_eq!(inserts(&proxy, &database, 4).await, Some(false));
        assert_eq!(kept(), "1 2 4", "it was done, and nobody was told");
        assert_eq!(proxy.cut_at_commit(), [1, 1]);
        proxy.becomes(Network::Gone);
        assert_eq!(inserts(&proxy, &database, 5).await, Some(false));
        proxy.becomes(Network::Stalled);
        assert_eq!(inserts(&proxy, &database, 6).await, None, "nobody says anything");
        proxy.becomes(Network::Well);
        assert_eq!(inserts(&proxy, &database, 7).await, Some(true));
        assert_eq!(kept(), "1 2 4 7");
    }
}
