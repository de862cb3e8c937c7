//! What a request must show beside the cookie before it changes something: that a page of this server sent
//! it, and not one of somebody else (cross-site request forgery).

use crate::secret::Secret;

/// What the browser says of where a request comes from: the values of its headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Came<'r> {
    /// `Sec-Fetch-Site`.
    pub site: Option<&'r str>,
    /// `Origin`.
    pub origin: Option<&'r str>,
    /// `Host`.
    pub host: Option<&'r str>,
}

/// Where this server's own pages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// At this origin.
    At(String),
    /// In the clear, at whatever host was asked for: on this machine.
    AsAsked,
}

/// For which purpose the secret of a session signs what its pages send along.
const PURPOSE: &str = "csrf";

impl Own {
    /// The origin of an address of this server; without one, it is on this machine.
    #[must_use]
    pub fn at(address: Option<&str>) -> Self {
        let Some(address) = address else { return Self::AsAsked };
        let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
        let host = rest.split('/').next().unwrap_or_default();
        // Browsers leave out the port that goes without saying.
        let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let host = host.strip_suffix(usual).unwrap_or(host);
        Self::At(format!("{scheme}://{host}").to_ascii_lowercase())
    }

    /// Whether a page of this server sent a request. What the browser says decides; when it says nothing,
    /// none did.
    #[must_use]
    pub fn sent(&self, came: Came<'_>) -> bool {
        // A page that tells nobody where it is has a browser say `null`.
        let origin = came.origin.filter(|origin| *origin != "null");
        let ours = origin.map(|origin| match self {
            Self::At(own) => origin.eq_ignore_ascii_case(own),
            Self::AsAsked => came.host.is_some_and(|host| origin == format!("http://{host}")),
        });
        match (came.site, ours) {
            (Some(site), ours) => site == "same-origin" && ours != Some(false),
            (None, ours) => ours == Some(true),
        }
    }
}

/// What pages of a session send along with what changes something.
#[must_use]
pub fn token(session: &Secret) -> String {
    session.sign(PURPOSE)
}

/// Whether it was sent along.
#[must_use]
pub fn is_token(session: &Secret, given: &str) -> bool {
    session.signed(PURPOSE, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(own: &Own, site: Option<&str>, origin: Option<&str>) -> bool {
        own.sent(Came { site, origin, host: Some("127.0.0.1:8080") })
    }

    #[test]
    fn what_another_page_sends_is_not_ours() {
        let own = Own::at(Some("https://Cahier.example.org/liaison"));
        assert_eq!(own, Own::At("https://cahier.example.org".to_owned()));
        assert_eq!(own, Own::at(Some("https://cahier.example.org:443")));
        assert_ne!(own, Own::at(Some("https://cahier.example.org:80")));
        let ours = Some("https://cahier.example.org");
        assert!(sent(&own, Some("same-origin"), ours));
        assert!(sent(&own, Some("same-origin"), None));
        assert!(sent(&own, None, ours));
        assert!(sent(&own, Some("same-origin"), Some("null")));
        for (site, origin) in [
            (Some("cross-site"), Some("https://evil.example")),
            (Some("same-site"), Some("https://other.example.org")),
            (Some("cross-site"), ours),
            (Some("none"), ours),
            (Some("same-origin"), Some("https://evil.example")),
            (None, Some("https://evil.example")),
            (None, Some("https://cahier.example.org.evil.example")),
            (None, Some("http://cahier.example.org")),
            (None, Some("https://cahier.example.org:8443")),
            (None, Some("null")),
            (None, None),
        ] {
            assert!(!sent(&own, site, origin), "{site:?} {origin:?}");
        }
    }

    #[test]
    fn on_this_machine_our_pages_are_at_the_host_that_was_asked_for() {
        assert!(sent(&Own::AsAsked, None, Some("http://127.0.0.1:8080")));
        assert!(sent(&Own::AsAsked, Some("same-origin"), None));
        assert!(!sent(&Own::AsAsked, None, Some("http://127.0.0.1:8081")));
        assert!(!Own::AsAsked.sent(Came { site: None, origin: Some("http://"), host: None }));
    }

    #[test]
    fn a_token_is_of_one_session() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert!(is_token(&one, &token(&one)));
        assert!(!is_token(&other, &token(&one)));
        assert!(!is_token(&one, &one.text()) && !is_token(&one, ""));
    }
}
