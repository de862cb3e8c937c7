//! Letters by SMTP, to whomever they are for.

use std::{fmt, net::IpAddr, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

/// How long a server may take with a letter.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends letters, each over a connection of its own. Cheap to clone.
#[derive(Clone)]
pub struct Mail {
    way: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

/// It cannot be sent by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMail {
    /// The address of the server.
    #[error(
        "write smtps://USER:PASSWORD@HOST:PORT or smtp://…, with ?tls=opportunistic where a server that does not \
         encrypt may read along"
    )]
    Server,
    /// The sender.
    #[error("write an address, such as Liaison <cahier@example.org>")]
    Sender,
}

/// A letter was not sent. Names nobody: what servers answer may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// It cannot be written to that address.
    #[error("the letter cannot be written")]
    Unwritten,
    /// The server refused it, with this status when it said one.
    #[error("the mail server refused the letter ({0:?})")]
    Refused(Option<u16>),
    /// The server is away.
    #[error("the mail server cannot be reached")]
    Away,
}

impl Mail {
    /// By a server (`smtp://…`, `smtps://…`), from a sender. Encrypted but to the same machine, unless the address
    /// says that it need not be: what goes there are codes that open notebooks.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn by(server: &str, from: &str) -> Result<Self, NoMail> {
        // What the library does not know it takes for leave to send in the clear.
        let url = match (server.strip_prefix("smtp://"), server.split_once('?')) {
            (Some(rest), None) if is_this_machine(rest) => format!("{server}?tls=opportunistic"),
            (Some(_), None) => format!("{server}?tls=required"),
            (Some(_), Some((_, "tls=required" | "tls=opportunistic"))) | (None, None) => server.to_owned(),
            (_, Some(_)) => return Err(NoMail::Server),
        };
        let way = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| NoMail::Server)?;
        let from = from.parse().map_err(|_| NoMail::Sender)?;
        Ok(Self { way: way.timeout(Some(PATIENCE)).build(), from })
    }

    /// Sends a letter of plain text.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), NotSent> {
        // An address alone: a name beside it would be written into the letter.
        let to: Address = to.parse().map_err(|_| NotSent::Unwritten)?;
        let letter = Message::builder().from(self.from.clone()).to(to.into()).subject(subject);
        let letter = letter.header(ContentType::TEXT_PLAIN).body(text).map_err(|_| NotSent::Unwritten)?;
        match self.way.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() || error.is_transient() => {
                Err(NotSent::Refused(error.status().map(u16::from)))
            }
            Err(_) => Err(NotSent::Away),
        }
    }
}

/// Whether an address without its scheme leads to this very machine.
fn is_this_machine(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    #[test]
    fn only_on_this_machine_may_it_be_in_the_clear() {
        for here in ["localhost", "127.0.0.1:25", "u:p@localhost:2525/", "[::1]:25"] {
            assert!(is_this_machine(here), "{here}");
        }
        for there in
            ["mail.example", "localhost.example:25", "localhost@mail.example", "192.0.2.1", "[2001:db8::1]", ""]
        {
            assert!(!is_this_machine(there), "{there}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_encrypt_is_given_nothing_unless_it_is_said() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let said = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
            let mut lines = BufReader::new(&mut connection).lines();
            let mut said = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                said.push(line);
                lines.get_mut().get_mut().write_all(b"250 mail.example\r\n").await.unwrap();
            }
            said
        });
        let mail = Mail::by(&format!("smtp://u:secret@{address}?tls=required"), "a@example.org").unwrap();
        assert!(mail.send("b@example.org", "x", String::new()).await.is_err());
        drop(mail);
        let said = said.await.unwrap();
        assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{said:?}");
    }

    #[tokio::test]
    async fn what_is_no_server_or_no_sender_is_refused() {
        for server in ["smtp://localhost", "smtp://u:p@mail.example:587?tls=required", "smtps://mail.example"] {
            assert!(Mail::by(server, "Liaison <cahier@example.org>").is_ok(), "{server}");
        }
        for server in ["", "http://mail.example", "smtp://mail.example?tls=perhaps", "smtp://mail.example?colour=blue"]
        {
            assert_eq!(Mail::by(server, "a@example.org").err(), Some(NoMail::Server), "{server}");
        }
        assert_eq!(Mail::by("smtp://mail.example", "nobody").err(), Some(NoMail::Sender));
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_told_so() {
        let mail = Mail::by("smtp://127.0.0.1:1", "a@example.org").unwrap();
        assert_eq!(mail.send("b@example.org", "x", String::new()).await, Err(NotSent::Away));
        for wrong in ["b@example.org\r\nBcc: c@example.org", "B <b@example.org>", "b@example.org, c@example.org"] {
            assert_eq!(mail.send(wrong, "x", String::new()).await, Err(NotSent::Unwritten), "{wrong}");
        }
    }
}
