//! Who sent a request, as far as the network tells.

use std::net::IpAddr;

/// Who sent a request: an extension of every request that came over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Their address: of the connection, or the one that proxies on the way tell, as far as they are trusted.
    pub address: IpAddr,
    /// Whether others could read along.
    pub way: Way,
}

/// How a request came, from the caller to whoever ends the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the clear (`http`).
    Clear,
    /// Encrypted (`https`): to us, or to a proxy that is trusted.
    Encrypted,
}

impl Way {
    /// The scheme of addresses that lead this way.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Clear => "http",
            Self::Encrypted => "https",
        }
    }
}
