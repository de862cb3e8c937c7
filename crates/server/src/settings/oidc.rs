//! Whose tokens are believed, and how they are read.

use liaison_care::access::{Acting, Office};
use liaison_identity::{
    certified::Certified,
    mapping::{Mapping, Software},
    provider::{Client, Trusted},
    token::Expected,
};

use super::read::web_address;

/// Clocks of providers and ours may differ by this, in seconds.
const SKEW: i64 = 30;

/// The addresses of issuers, each to the letter as its tokens say it.
pub(super) fn issuers(text: &str) -> Result<Vec<String>, String> {
    let listed = text.split(',').map(str::trim).filter(|issuer| !issuer.is_empty());
    listed
        .map(|issuer| match web_address(issuer)? {
            // Only to the same machine does an address that is not encrypted lead to whom it names.
            Some(_) if issuer.starts_with("http://") && !is_loopback(issuer) => {
                Err(format!("{issuer} is not encrypted: write its https:// address"))
            }
            Some(_) => Ok(issuer.to_owned()),
            None => Err("write the https:// address of each issuer".into()),
        })
        .collect()
}

pub(super) fn is_loopback(address: &str) -> bool {
    let host = address.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `CLAIM=VALUE`.
pub(super) fn operator(text: &str) -> Result<Option<(String, String)>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let pair = text.split_once('=').map(|(claim, value)| (claim.trim().to_owned(), value.trim().to_owned()));
    let whole = pair.filter(|(claim, value)| !claim.is_empty() && !value.is_empty());
    whole.map(Some).ok_or_else(|| "write CLAIM=VALUE, such as roles=liaison-operator".into())
}

/// `CLIENT=self|staff|anybody|operator[@SYSTEM|VALUE]`, separated by commas.
pub(super) fn software(text: &str) -> Result<Vec<Software>, String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(one_software).collect()
}

/// `NAME=self|staff|anybody|operator[@SYSTEM|VALUE]`, separated by semicolons, since names of subjects have
/// commas. A name says what of the certificate it is: `sha256:…`, `dn:…`, `dns:…`, `uri:…`.
pub(super) fn certified(text: &str) -> Result<Certified, String> {
    let listed = text.split(';').map(str::trim).filter(|one| !one.is_empty());
    let software: Result<Vec<Software>, String> = listed.map(one_certified).collect();
    software.map(Certified)
}

fn one_certified(text: &str) -> Result<Software, String> {
    // What a subject is called has equals signs of its own.
    let software = text.rsplit_once('=').map(|(name, what)| granted(text, name, what)).ok_or_else(|| wrong(text))??;
    let Some((kind, name)) = software.client.split_once(':') else { return Err(wrong(text)) };
    let name = match kind {
        // As openssl and browsers show it: in capitals, with colons.
        "sha256" => {
            let digits: String = name.chars().filter(|c| *c != ':').collect();
            let whole = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            whole.then(|| digits.to_ascii_lowercase()).ok_or_else(|| format!("{text:?}: a SHA-256 has 64 digits"))?
        }
        "dns" => name.to_ascii_lowercase(),
        "dn" | "uri" => name.to_owned(),
        _ => return Err(wrong(text)),
    };
    if name.is_empty() {
        return Err(wrong(text));
    }
    Ok(Software { client: format!("{kind}:{name}"), ..software })
}

fn one_software(text: &str) -> Result<Software, String> {
    let (client, what) = text.split_once('=').ok_or_else(|| wrong(text))?;
    granted(text, client, what)
}

fn wrong(text: &str) -> String {
    format!(
        "{text:?} is not NAME=self|staff|anybody|operator[@SYSTEM|VALUE], such as \
         homecare=staff@https://finess.esante.gouv.fr|750803447; certificates have names such as \
         dn:CN=homecare,O=Exemple,C=FR, dns:homecare.example.org, uri:urn:homecare or sha256:… and are separated by ;"
    )
}

fn granted(text: &str, client: &str, what: &str) -> Result<Software, String> {
    let wrong = || wrong(text);
    let (what, structure) = match what.split_once('@') {
        Some((what, structure)) => (what, Some(structure.split_once('|').ok_or_else(wrong)?)),
        None => (what, None),
    };
    let (acting, office) = match what.trim() {
        "self" => (Acting::ForOneself, Office::None),
        "staff" => (Acting::ForItsStaff, Office::None),
        "anybody" => (Acting::ForAnybody, Office::None),
        "operator" => (Acting::ForOneself, Office::Operator),
        _ => return Err(wrong()),
    };
    // Nobody works for a structure that is not named.
    if client.trim().is_empty() || (acting == Acting::ForItsStaff && structure.is_none()) {
        return Err(wrong());
    }
    let structure = structure.map(|(system, value)| (system.trim().to_owned(), value.trim().to_owned()));
    Ok(Software { client: client.trim().to_owned(), structure, acting, office })
}

/// `issuer=ADDRESS client=ID secret=FILE`, separated by semicolons: as which client tokens that say nothing by
/// themselves are looked up at a provider.
pub(super) fn introspection(text: &str) -> Result<Vec<(String, Client)>, String> {
    text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(one_introspection).collect()
}

fn one_introspection(text: &str) -> Result<(String, Client), String> {
    const SHAPE: &str = "write issuer=ADDRESS client=ID secret=FILE, where the file has the secret of the client";
    let (mut issuer, mut client, mut secret) = (None, None, None);
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').filter(|(_, value)| !value.is_empty()).ok_or(SHAPE)?;
        let place = match name {
            "issuer" => &mut issuer,
            "client" => &mut client,
            "secret" => &mut secret,
            _ => return Err(SHAPE.into()),
        };
        if place.replace(value).is_some() {
            return Err(format!("{name} is there twice: {SHAPE}"));
        }
    }
    let (Some(issuer), Some(client), Some(file)) = (issuer, client, secret) else { return Err(SHAPE.into()) };
    let secret = std::fs::read_to_string(file).map_err(|error| format!("the file {file} cannot be read: {error}"))?;
    Ok((issuer.to_owned(), Client { id: client.to_owned(), secret: secret.trim().to_owned() }))
}

/// Has providers asked about tokens as these clients; says what stands in the way.
///
/// # Errors
/// What to mend.
pub(super) fn look_up(trusted: &mut [Trusted], clients: Vec<(String, Client)>) -> Result<(), String> {
    for (issuer, client) in clients {
        let found = trusted.iter_mut().find(|trusted| trusted.expected.issuer == issuer);
        match found {
            Some(trusted) if trusted.client.is_none() => trusted.client = Some(client),
            Some(_) => return Err(format!("{issuer} is there twice")),
            None => return Err(format!("{issuer} is not among oidc_issuers: name it there too")),
        }
    }
    Ok(())
}

/// The providers, as they are trusted.
pub(super) fn trusted(
    issuers: Vec<String>,
    audience: &str,
    operator: Option<&(String, String)>,
    software: &[Software],
) -> Vec<Trusted> {
    let mapping = Mapping { operator: operator.cloned(), software: software.to_vec(), ..Mapping::default() };
    let expected = |issuer| Expected { issuer, audiences: vec![audience.to_owned()], skew: SKEW };
    let trusted =
        |issuer| Trusted { expected: expected(issuer), mapping: mapping.clone(), client: None, browser: None };
    issuers.into_iter().map(trusted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_encrypted_or_on_this_machine() {
        assert_eq!(issuers(" https://a.example/realm , http://127.0.0.1:9/b").unwrap().len(), 2);
        assert_eq!(issuers("http://[::1]:9/b, http://localhost").unwrap().len(), 2);
        assert_eq!(issuers("").unwrap(), Vec::<String>::new());
        for wrong in ["http://idp.example", "idp.example", "http://127.0.0.1.example.org", "http://localhost.example"] {
            assert!(issuers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_issuer_is_kept_to_the_letter() {
        assert_eq!(issuers("https://a.example/").unwrap(), ["https://a.example/"]);
    }

    #[test]
    fn software_says_in_whose_name_it_writes() {
        let read =
            software("homecare=staff@https://finess.esante.gouv.fr|750803447, hub=anybody,desk=operator").unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].structure, Some(("https://finess.esante.gouv.fr".to_owned(), "750803447".to_owned())));
        assert_eq!((read[0].acting, read[1].acting), (Acting::ForItsStaff, Acting::ForAnybody));
        assert_eq!(read[2].office, Office::Operator);
        for wrong in ["homecare", "=self", "a=everything", "a=staff", "a=self@7", "a=self@x|"] {
            assert_eq!(software(wrong).is_err(), wrong != "a=self@x|", "{wrong}");
        }
    }

    #[test]
    fn certificates_are_called_by_what_of_them_is_meant() {
        let fingerprint = "AB:".repeat(31) + "CD";
        let text = format!(
            "dn:CN=homecare,O=Exemple,C=FR=staff@https://finess.esante.gouv.fr|750803447; sha256:{fingerprint}=anybody;\
             dns:HIS.example.org=self; uri:urn:x=operator"
        );
        let names: Vec<String> = certified(&text).unwrap().0.into_iter().map(|software| software.client).collect();
        let digits = "ab".repeat(31) + "cd";
        assert_eq!(
            names,
            [
                "dn:CN=homecare,O=Exemple,C=FR".to_owned(),
                format!("sha256:{digits}"),
                "dns:his.example.org".to_owned(),
                "uri:urn:x".to_owned()
            ]
        );
        for wrong in ["CN=homecare=self", "dn:=self", "sha256:abc=self", "dn:CN=a", "email:a=self", "dn:CN=a=staff"] {
            assert!(certified(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_are_looked_up_as_a_client_whose_secret_stands_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "s3cret\n").unwrap();
        let whole = format!("issuer=https://a.example client=liaison-api secret={}", file.display());
        let read = introspection(&format!("{whole};")).unwrap();
        assert_eq!((read[0].1.id.as_str(), read[0].1.secret.as_str()), ("liaison-api", "s3cret"));
        let mut providers = trusted(vec!["https://a.example".to_owned()], "liaison", None, &[]);
        look_up(&mut providers, read.clone()).unwrap();
        assert_eq!(providers[0].client.as_ref().unwrap().id, "liaison-api");
        assert!(look_up(&mut providers, read.clone()).is_err(), "twice");
        assert!(look_up(&mut [], read).unwrap_err().contains("oidc_issuers"));
        for wrong in [
            "issuer=https://a.example",
            "client=c",
            &format!("{whole} scope=x"),
            &format!("{whole} client=d"),
            "issuer=https://a.example client=c secret=/nowhere/at/all",
        ] {
            assert!(introspection(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_operator_is_a_claim_and_its_value() {
        assert_eq!(operator("roles=op").unwrap(), Some(("roles".to_owned(), "op".to_owned())));
        assert_eq!(operator("").unwrap(), None);
        assert!(operator("roles").is_err() && operator("roles=").is_err() && operator("=op").is_err());
    }
}
