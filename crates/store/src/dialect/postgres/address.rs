//! Where a database is, and how one gets there.

use std::fmt;
use std::future::Future;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::{CancelToken, Client, Config, NoTls, SimpleQueryMessage};

use super::socket::{self, Socket};
use crate::contract::StoreError;
use crate::dialect::unavailable;

/// How long one host is tried when the address does not say.
const CONNECT: Duration = Duration::from_secs(5);
/// Where PostgreSQL listens when nothing else is said.
const PORT: u16 = 5432;

/// The address of a database, as `postgres://…` says it. Several hosts are tried in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Arc<Config>);

/// Without its password: for messages and logs.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.0.get_user() {
            write!(f, "{user}@")?;
        }
        for (number, host) in self.0.get_hosts().iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match host {
                Host::Tcp(host) => write!(f, "{comma}{host}:{}", self.port(number))?,
                Host::Unix(folder) => write!(f, "{comma}{}:{}", folder.display(), self.port(number))?,
            }
        }
        write!(f, "/{}", self.0.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What carries a connection's bytes until it ends.
type Work = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

impl Address {
    /// Reads `postgres://…` or `postgresql://…`. `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_one = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let config = Config::from_str(text).ok().filter(|_| is_one)?;
        (!config.get_hosts().is_empty()).then(|| Self(Arc::new(config)))
    }

    /// Connects to the first host that answers as it should.
    pub(super) fn connect(&self) -> Result<(Client, Socket, Work), StoreError> {
        let mut last = None;
        for number in 0..self.0.get_hosts().len() {
            match self.connect_to(number) {
                Ok(connected) => return Ok(connected),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| unavailable("the address of the database names no host")))
    }

    fn connect_to(&self, number: usize) -> Result<(Client, Socket, Work), StoreError> {
        let until = Instant::now() + self.0.get_connect_timeout().copied().unwrap_or(CONNECT);
        let socket = self.socket(number, until).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let mut asked = std::pin::pin!(self.0.connect_raw(socket.clone(), NoTls));
        let connected = socket::run(&socket, Some(until), |context| asked.as_mut().poll(context));
        let (client, connection) = match connected {
            Ok(Some(Ok(connected))) => connected,
            Ok(Some(Err(error))) => return Err(super::waiting::classed(error, false)),
            Ok(None) => return Err(unavailable("the database does not answer")),
            Err(error) => return Err(StoreError::Unavailable(Box::new(error))),
        };
        let mut work: Work = Box::pin(connection);
        if self.0.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
            self.require_writable(&client, &socket, &mut work, until)?;
        }
        Ok((client, socket, work))
    }

    /// A standby answers, but does not write.
    fn require_writable(
        &self,
        client: &Client,
        socket: &Socket,
        work: &mut Work,
        until: Instant,
    ) -> Result<(), StoreError> {
        let mut asked = std::pin::pin!(client.simple_query("SHOW transaction_read_only"));
        let said = socket::run(socket, Some(until), |context| match asked.as_mut().poll(context) {
            std::task::Poll::Ready(said) => std::task::Poll::Ready(said.ok()),
            std::task::Poll::Pending => match work.as_mut().poll(context) {
                std::task::Poll::Ready(_) => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            },
        });
        let said = said.ok().flatten().flatten().unwrap_or_default();
        let writable = said.iter().any(|line| match line {
            SimpleQueryMessage::Row(row) => row.get(0) == Some("off"),
            _ => false,
        });
        if writable { Ok(()) } else { Err(unavailable("the database can only be read at this host")) }
    }

    fn socket(&self, number: usize, until: Instant) -> std::io::Result<Socket> {
        let port = self.port(number);
        match self.0.get_hosts().get(number) {
            Some(Host::Unix(folder)) => Socket::unix(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}")))?),
            Some(Host::Tcp(host)) => {
                let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
                for address in (host.as_str(), port).to_socket_addrs()? {
                    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                    match TcpStream::connect_timeout(&address, left) {
                        Ok(stream) => return Socket::tcp(stream),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn port(&self, number: usize) -> u16 {
        let ports = self.0.get_ports();
        ports.get(number).or_else(|| ports.first()).copied().unwrap_or(PORT)
    }

    /// Asks the server to stop what it does for a connection.
    pub(super) fn cancel(&self, token: &CancelToken) -> Result<(), StoreError> {
        let until = Instant::now() + Duration::from_millis(500);
        let mut last = Ok(());
        for number in 0..self.0.get_hosts().len() {
            let socket = match self.socket(number, until) {
                Ok(socket) => socket,
                Err(error) => {
                    last = Err(StoreError::Unavailable(Box::new(error)));
                    continue;
                }
            };
            let mut asked = std::pin::pin!(token.cancel_query_raw(socket.clone(), NoTls));
            // A host that does not know the connection does nothing.
            let done = socket::run(&socket, Some(until), |context| asked.as_mut().poll(context));
            if let Err(error) = done {
                last = Err(StoreError::Unavailable(Box::new(error)));
            }
        }
        last
    }
}
