//! Where people sign in with a browser, and for how long.

use std::{fs, sync::Arc};

use liaison_identity::{
    client_key::ClientKey,
    provider::{Client, Trusted},
    sign_in::{Browser, Proof},
};
use liaison_outbound::mail::{Mail, NoMail};
use liaison_session::sessions::Lasting;

use super::{
    Auth,
    oidc::is_loopback,
    read::{Reader, duration},
};

/// A provider at which people sign in.
#[derive(Clone, Debug)]
pub(super) struct Way {
    issuer: String,
    browser: Arc<Browser>,
}

/// What is asked for when nothing is said: who it is, and what they are called.
const SCOPES: &str = "openid profile";

const SHAPE: &str = "write NAME: issuer=ADDRESS client=ID, then secret=FILE or key=FILE, and at will key_id=ID, \
                     scope=A,B and acr=A,B; a semicolon before the next";

/// `NAME: issuer=ADDRESS client=ID [secret=FILE | key=FILE [key_id=ID]] [scope=A,B] [acr=A,B]; …`
pub(super) fn ways(text: &str) -> Result<Vec<Way>, String> {
    text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(way).collect()
}

fn way(text: &str) -> Result<Way, String> {
    let (shown, rest) = text.split_once(':').ok_or(SHAPE)?;
    let mut said = Said::default();
    for pair in rest.split_whitespace() {
        let (name, value) = pair.split_once('=').filter(|(_, value)| !value.is_empty()).ok_or(SHAPE)?;
        let place = match name {
            "issuer" => &mut said.issuer,
            "client" => &mut said.client,
            "secret" => &mut said.secret,
            "key" => &mut said.key,
            "key_id" => &mut said.key_id,
            "scope" => &mut said.scope,
            "acr" => &mut said.acr,
            _ => return Err(format!("{name} is not known: {SHAPE}")),
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(format!("{name} is there twice: {SHAPE}"));
        }
    }
    let (Some(issuer), Some(client), false) = (said.issuer, said.client, shown.trim().is_empty()) else {
        return Err(SHAPE.into());
    };
    let proof = match (said.secret, said.key) {
        (None, None) => Proof::None,
        (Some(file), None) => {
            let secret = content(&file)?.trim().to_owned();
            if secret.is_empty() {
                return Err(format!("the file {file} holds no secret"));
            }
            Proof::Secret(Client { id: client.clone(), secret })
        }
        (None, Some(file)) => {
            let key = ClientKey::read(&content(&file)?, said.key_id);
            Proof::Key(Box::new(key.map_err(|error| format!("the file {file} cannot be used: {error}"))?))
        }
        (Some(_), Some(_)) => return Err(format!("a client shows a secret or a key: {SHAPE}")),
    };
    let scopes = said.scope.map_or_else(|| SCOPES.to_owned(), |scope| scope.replace(',', " "));
    if !scopes.split(' ').any(|scope| scope == "openid") {
        return Err("scope must have openid among it".into());
    }
    let levels = said.acr.map(|acr| acr.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let browser = Browser { client, proof, shown: shown.trim().to_owned(), scopes, levels };
    Ok(Way { issuer, browser: Arc::new(browser) })
}

#[derive(Default)]
struct Said {
    issuer: Option<String>,
    client: Option<String>,
    secret: Option<String>,
    key: Option<String>,
    key_id: Option<String>,
    scope: Option<String>,
    acr: Option<String>,
}

/// Secrets stand in files: settings are shown.
fn content(file: &str) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("the file {file} cannot be read: {error}"))
}

/// How long sessions last.
pub(super) fn lasting(reader: &mut Reader<'_>) -> Option<Lasting> {
    let idle = reader.read("session_idle", duration);
    let whole = reader.read("session_time", duration);
    Some(Lasting { idle: idle?, whole: whole? })
}

/// By whom mail is sent, from whom: both are said, or neither.
pub(super) fn mail(reader: &mut Reader<'_>, auth: Option<&Auth>, public_url: Option<&str>) -> Option<Option<Mail>> {
    let server = reader.read("smtp_url", |text| Ok(text.to_owned()))?;
    let from = reader.read("mail_from", |text| Ok(text.to_owned()))?;
    if server.is_empty() && from.is_empty() {
        return Some(None);
    }
    let mail = Mail::by(&server, &from);
    let (key, problem) = match (mail, auth, public_url) {
        (Err(error @ NoMail::Server), ..) => ("smtp_url", error.to_string()),
        (Err(error @ NoMail::Sender), ..) => ("mail_from", error.to_string()),
        (Ok(_), Some(Auth::Off), _) => ("smtp_url", "nobody signs in with auth = off: leave it out".into()),
        (Ok(_), _, Some(address)) if !is_private(address) => ("public_url", not_private(address)),
        (Ok(mail), ..) => return Some(Some(mail)),
    };
    reader.refuse(key, &format!("{key}: {problem}"))
}

/// Whether nobody reads along on the way to an address.
fn is_private(address: &str) -> bool {
    address.starts_with("https://") || is_loopback(address)
}

fn not_private(address: &str) -> String {
    format!("people sign in only where it is encrypted, and public_url is {address}: make it https://")
}

/// Lets people sign in where they are to; says what stands in the way.
///
/// # Errors
/// What to mend.
pub(super) fn allow(trusted: &mut [Trusted], ways: Vec<Way>, public_url: Option<&str>) -> Result<(), String> {
    if !ways.is_empty()
        && let Some(address) = public_url.filter(|address| !is_private(address))
    {
        return Err(not_private(address));
    }
    for way in ways {
        let found = trusted.iter_mut().find(|trusted| trusted.expected.issuer == way.issuer);
        match found {
            // What is said of somebody at sign-in would be taken for leave to call.
            Some(trusted) if trusted.expected.audiences.contains(&way.browser.client) => {
                return Err(format!("the client {} must be another than oidc_audience", way.browser.client));
            }
            Some(trusted) if trusted.browser.is_none() => trusted.browser = Some(way.browser),
            Some(_) => return Err(format!("{} is there twice", way.issuer)),
            None => return Err(format!("{} is not among oidc_issuers: name it there too", way.issuer)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_in_says_where_and_as_which_client() {
        let read = ways(
            "Pro Santé Connect: issuer=https://a.example/realm client=liaison scope=openid,scope_all acr=eidas1;\n Ma famille: client=b issuer=https://b.example",
        );
        let read = read.unwrap();
        let (first, second) = (&read[0], &read[1]);
        assert_eq!(first.issuer, "https://a.example/realm");
        assert_eq!(first.browser.shown, "Pro Santé Connect");
        assert_eq!((first.browser.client.as_str(), first.browser.scopes.as_str()), ("liaison", "openid scope_all"));
        assert_eq!(first.browser.levels, ["eidas1"]);
        assert_eq!(second.browser.scopes, SCOPES);
        assert!(second.browser.levels.is_empty() && matches!(second.browser.proof, Proof::None));
        assert!(ways("").unwrap().is_empty());
    }

    #[test]
    fn a_secret_stands_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "s3cret\n").unwrap();
        let read = ways(&format!("A: issuer=https://a.example client=c secret={}", file.display())).unwrap();
        let Proof::Secret(client) = &read[0].browser.proof else { panic!("{read:?}") };
        assert_eq!((client.id.as_str(), client.secret.as_str()), ("c", "s3cret"));
        let key = ways(&format!("A: issuer=https://a.example client=c key={}", file.display())).unwrap_err();
        assert!(key.contains("PKCS#8"), "{key}");
    }

    #[test]
    fn what_is_missing_or_not_known_is_refused() {
        for wrong in [
            "issuer=https://a.example client=c",
            ": issuer=https://a.example client=c",
            "A: client=c",
            "A: issuer=https://a.example",
            "A: issuer=https://a.example client=c client=d",
            "A: issuer=https://a.example client=",
            "A: issuer=https://a.example client=c colour=blue",
            "A: issuer=https://a.example client=c scope=profile",
            "A: issuer=https://a.example client=c secret=/nowhere/at/all",
            "A: issuer=https://a.example client=c secret=/a key=/b",
        ] {
            assert!(ways(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn people_sign_in_at_those_who_are_trusted_where_it_is_encrypted() {
        let allowed = |ways_text: &str, public_url: &str| {
            let mut trusted = super::super::oidc::trusted(vec!["https://a.example".into()], "liaison", None, &[]);
            allow(&mut trusted, ways(ways_text).unwrap(), Some(public_url)).map(|()| trusted[0].browser.is_some())
        };
        let a = "A: issuer=https://a.example client=c";
        assert_eq!(allowed(a, "https://cahier.example.org"), Ok(true));
        assert_eq!(allowed(a, "http://127.0.0.1:8080"), Ok(true));
        assert_eq!(allowed("", "http://cahier.example.org"), Ok(false));
        assert!(allowed(a, "http://cahier.example.org").is_err());
        assert!(allowed("A: issuer=https://a.example client=liaison", "https://cahier.example.org").is_err());
        assert!(allowed(&format!("{a}; {a}"), "https://cahier.example.org").is_err());
        assert!(allowed("B: issuer=https://b.example client=c", "https://cahier.example.org").is_err());
    }
}
