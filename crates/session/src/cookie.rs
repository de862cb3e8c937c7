//! The cookies of signing in, as text.

/// How cookies may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// Encrypted only, and set by this very host (`__Host-`): wherever the server is reached by https.
    Encrypted,
    /// In the clear, which a browser and a server on the same machine may: not every browser takes `Secure`
    /// cookies from there.
    OnThisMachine,
}

/// What a cookie holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The secret of a session.
    Session,
    /// An attempt to sign in.
    Attempt,
}

impl Cookies {
    /// How cookies travel to a server that is reached at this address; without one, it is on this machine.
    #[must_use]
    pub fn at(address: Option<&str>) -> Self {
        match address {
            Some(address) if address.starts_with("https://") => Self::Encrypted,
            _ => Self::OnThisMachine,
        }
    }

    /// What a cookie is called.
    #[must_use]
    pub const fn name(self, holding: Holding) -> &'static str {
        match (self, holding) {
            (Self::Encrypted, Holding::Session) => "__Host-liaison-session",
            (Self::Encrypted, Holding::Attempt) => "__Host-liaison-attempt",
            (Self::OnThisMachine, Holding::Session) => "liaison-session",
            (Self::OnThisMachine, Holding::Attempt) => "liaison-attempt",
        }
    }

    /// The value of a cookie in the `Cookie` headers of a request. Of two of the same name, one is somebody
    /// else's: neither is taken.
    pub fn read<'h>(self, holding: Holding, headers: impl IntoIterator<Item = &'h str>) -> Option<&'h str> {
        let name = self.name(holding);
        let pairs = headers.into_iter().flat_map(|header| header.split(';'));
        let mut values = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(given, _)| *given == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The `Set-Cookie` header that has the browser keep a value until it is closed.
    #[must_use]
    pub fn keep(self, holding: Holding, value: &str) -> String {
        format!("{}={value}{}", self.name(holding), self.attributes())
    }

    /// The `Set-Cookie` header that has the browser forget it.
    #[must_use]
    pub fn forget(self, holding: Holding) -> String {
        format!("{}={}; Max-Age=0", self.name(holding), self.attributes())
    }

    const fn attributes(self) -> &'static str {
        match self {
            Self::Encrypted => "; Path=/; Secure; HttpOnly; SameSite=Lax",
            Self::OnThisMachine => "; Path=/; HttpOnly; SameSite=Lax",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Cookies::{Encrypted, OnThisMachine},
        Holding::{Attempt, Session},
        *,
    };

    #[test]
    fn cookies_are_encrypted_wherever_https_leads() {
        assert_eq!(Cookies::at(Some("https://cahier.example.org")), Encrypted);
        assert_eq!(Cookies::at(Some("http://127.0.0.1:8080")), OnThisMachine);
        assert_eq!(Cookies::at(None), OnThisMachine);
        assert_eq!(Encrypted.keep(Session, "x"), "__Host-liaison-session=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(
            Encrypted.forget(Attempt),
            "__Host-liaison-attempt=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_and_taken_only_when_it_is_alone() {
        let read = |headers: &[&'static str]| Encrypted.read(Session, headers.iter().copied());
        assert_eq!(read(&["a=1; __Host-liaison-session=x; b=2"]), Some("x"));
        assert_eq!(read(&["a=1", "__Host-liaison-session=x="]), Some("x="));
        assert_eq!(read(&["__Host-liaison-session=x; __Host-liaison-session=y"]), None);
        assert_eq!(read(&["__Host-liaison-session=x", "__Host-liaison-session=x"]), None);
        assert_eq!(read(&["liaison-session=x; __host-liaison-session=y; ;=;__Host-liaison-session"]), None);
        assert_eq!(read(&[]), None);
    }
}
