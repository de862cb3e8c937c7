//! Where a database is, and how one gets there.

use std::fmt;
use std::future::Future;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{CancelToken, Client, Config, NoTls, SimpleQueryMessage};

use super::encryption::Encryption;
use super::socket::{self, Socket};
use crate::contract::StoreError;
use crate::dialect::unavailable;

/// How long one host is tried when the address does not say.
const CONNECT: Duration = Duration::from_secs(5);
/// Where PostgreSQL listens when nothing else is said.
const PORT: u16 = 5432;

/// The address of a database, as `postgres://…` says it. Several hosts are tried in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Arc<Parts>);

#[derive(PartialEq, Eq)]
struct Parts {
    config: Config,
    encryption: Encryption,
}

/// What lies between this program and its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing but this machine.
    Here,
    /// Others could read what is sent.
    Open,
    /// Nobody reads what is sent, but who answers was not looked at.
    EncryptedToAnybody,
    /// Encrypted, to a server that was looked at.
    Encrypted,
}

/// A connection that was made.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) socket: Socket,
    pub(super) work: Work,
    pub(super) way: Way,
}

/// The settings of an address that are ours, not the driver's.
const OURS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Without its password: for messages and logs.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.0.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (number, host) in self.0.config.get_hosts().iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match host {
                Host::Tcp(host) => write!(f, "{comma}{host}:{}", self.port(number))?,
                Host::Unix(folder) => write!(f, "{comma}{}:{}", folder.display(), self.port(number))?,
            }
        }
        write!(f, "/{}", self.0.config.get_dbname().unwrap_or_default())
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
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        let is_one = text.starts_with("postgres://") || text.starts_with("postgresql://");
        is_one.then(|| Self::read(text))
    }

    fn read(text: &str) -> Result<Self, String> {
        // A password may have a question mark.
        let (who, rest) = text.split_at(text.find('@').unwrap_or_default());
        let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
        let place = format!("{who}{place}");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            if OURS.contains(&key) {
                let value = percent_encoding::percent_decode_str(value).decode_utf8();
                let value = value.map_err(|_| format!("{key} is not text"))?;
                ours.push((key.to_owned(), value.into_owned()));
            } else {
                theirs.push(setting);
            }
        }
        let address = if theirs.is_empty() { place } else { format!("{place}?{}", theirs.join("&")) };
        let mut config = Config::from_str(&address).map_err(|error| with_causes(&error))?;
        if config.get_hosts().is_empty() {
            return Err("the address of the database names no host".into());
        }
        let encryption = Encryption::read(&ours)?;
        config.ssl_mode(encryption.asked());
        Ok(Self(Arc::new(Parts { config, encryption })))
    }

    /// What lies between this program and its database now.
    pub(crate) fn way(&self) -> Result<Way, StoreError> {
        self.connect().map(|connected| connected.way)
    }

    /// Connects to the first host that answers as it should.
    pub(super) fn connect(&self) -> Result<Connected, StoreError> {
        let mut last = None;
        for number in 0..self.0.config.get_hosts().len() {
            match self.connect_to(number) {
                Ok(connected) => return Ok(connected),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| unavailable("the address of the database names no host")))
    }

    fn connect_to(&self, number: usize) -> Result<Connected, StoreError> {
        let until = Instant::now() + self.0.config.get_connect_timeout().copied().unwrap_or(CONNECT);
        let socket = self.socket(number, until).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let mut config = self.0.config.clone();
        let mut encrypted = None;
        let (client, mut work) = match self.name_to_encrypt_for(number) {
            None => {
                config.ssl_mode(SslMode::Disable);
                begin(&config, &socket, NoTls, until)?
            }
            Some(host) => {
                let tls = self.0.encryption.to_host(host)?;
                encrypted = Some(tls.witness());
                begin(&config, &socket, tls, until)?
            }
        };
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
            self.require_writable(&client, &socket, &mut work, until)?;
        }
        let way = match encrypted.is_some_and(|encrypted| encrypted.load(Ordering::Relaxed)) {
            _ if socket.stays_here() => Way::Here,
            false => Way::Open,
            true if self.0.encryption.believes_anybody() => Way::EncryptedToAnybody,
            true => Way::Encrypted,
        };
        Ok(Connected { client, socket, work, way })
    }

    /// The name of a host to which the way is encrypted; never on a socket of this machine, as with libpq.
    fn name_to_encrypt_for(&self, number: usize) -> Option<&str> {
        match self.0.config.get_hosts().get(number)? {
            Host::Tcp(host) if self.0.encryption.asked() != SslMode::Disable => Some(host),
            _ => None,
        }
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
        match self.0.config.get_hosts().get(number) {
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
        let ports = self.0.config.get_ports();
        ports.get(number).or_else(|| ports.first()).copied().unwrap_or(PORT)
    }

    /// Asks the server to stop what it does for a connection.
    pub(super) fn cancel(&self, token: &CancelToken) -> Result<(), StoreError> {
        let until = Instant::now() + Duration::from_millis(500);
        let mut last = Ok(());
        for number in 0..self.0.config.get_hosts().len() {
            let socket = match self.socket(number, until) {
                Ok(socket) => socket,
                Err(error) => {
                    last = Err(StoreError::Unavailable(Box::new(error)));
                    continue;
                }
            };
            // A host that does not know the connection does nothing.
            let done = match self.name_to_encrypt_for(number) {
                None => {
                    let mut asked = std::pin::pin!(token.cancel_query_raw(socket.clone(), NoTls));
                    socket::run(&socket, Some(until), |context| asked.as_mut().poll(context))
                }
                Some(host) => {
                    let tls = self.0.encryption.to_host(host)?;
                    let mut asked = std::pin::pin!(token.cancel_query_raw(socket.clone(), tls));
                    socket::run(&socket, Some(until), |context| asked.as_mut().poll(context))
                }
            };
            if let Err(error) = done {
                last = Err(StoreError::Unavailable(Box::new(error)));
            }
        }
        last
    }
}

/// Greets the server.
fn begin<T>(config: &Config, socket: &Socket, tls: T, until: Instant) -> Result<(Client, Work), StoreError>
where
    T: TlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let mut asked = std::pin::pin!(config.connect_raw(socket.clone(), tls));
    match socket::run(socket, Some(until), |context| asked.as_mut().poll(context)) {
        Ok(Some(Ok((client, connection)))) => Ok((client, Box::pin(connection))),
        Ok(Some(Err(error))) => Err(super::waiting::classed(error, false)),
        Ok(None) => Err(unavailable("the database does not answer")),
        Err(error) => Err(StoreError::Unavailable(Box::new(error))),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
