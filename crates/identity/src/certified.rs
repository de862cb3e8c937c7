//! Software that is known by its certificate, without a token.
//!
//! Whether a certificate is right was looked at where the connection was encrypted. Here it is known by a
//! name: `sha256:…` of the certificate itself, `dn:…` of its subject, `dns:…` or `uri:…` of its other names.

use liaison_care::access::Identity;

use crate::mapping::Software;

/// Software by the names of its certificates; each [`Software::client`] is such a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certified(pub Vec<Software>);

impl Certified {
    /// Whose certificate is called by these names: of the first software listed that is meant by one of them.
    #[must_use]
    pub fn identity(&self, called: &[String]) -> Option<Identity> {
        let software = self.0.iter().find(|software| called.contains(&software.client))?;
        Some(software.identity(software.client.clone()))
    }
}

#[cfg(test)]
mod tests {
    use liaison_care::access::{Acting, Office};

    use super::*;

    #[test]
    fn software_is_known_by_any_name_of_its_certificate_and_by_none_of_anothers() {
        let software =
            |name: &str, acting| Software { client: name.to_owned(), structure: None, acting, office: Office::None };
        let certified = Certified(vec![
            software("dn:CN=hub,O=Exemple", Acting::ForAnybody),
            software("dns:desk.example.org", Acting::ForOneself),
        ]);
        let called = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            certified.identity(&names).map(|identity| (identity.name, identity.acting))
        };
        let hub = ("dn:CN=hub,O=Exemple".to_owned(), Acting::ForAnybody);
        assert_eq!(called(&["sha256:00", "dn:CN=hub,O=Exemple"]), Some(hub));
        for other in ["dn:CN=hub", "dn:CN=hub,O=Exemple,C=FR", "CN=hub,O=Exemple", "dn:cn=hub,o=exemple", "uri:desk"] {
            assert_eq!(called(&[other]), None, "{other}");
        }
    }
}
