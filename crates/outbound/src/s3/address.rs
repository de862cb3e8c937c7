//! `s3://bucket/prefix?endpoint=…&region=…`.

/// Where objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    origin: String,
    host: String,
    region: String,
    /// Bucket and prefix, with a slash at both ends.
    folder: String,
    place: String,
}

/// What is wrong with an address, and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(&'static str);

const FORM: AddressError = AddressError(
    "write s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION; bucket and prefix of letters, digits, '.', '-', '_'",
);

const ENDPOINT: AddressError = AddressError("the endpoint is http:// or https://, a host, and at most a port");

const UNKNOWN: AddressError = AddressError("the parameters are endpoint and region; keys come from the environment");

/// The region of stores that have none, and the first that ever was.
const REGION: &str = "us-east-1";

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let rest = text.strip_prefix("s3://").ok_or(FORM)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let folder = path.trim_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let step = |step: &str| !step.is_empty() && step != "." && step != ".." && step.chars().all(plain);
        if !folder.split('/').all(step) {
            return Err(FORM);
        }
        let (mut endpoint, mut region) = (None, REGION);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or(UNKNOWN)? {
                ("endpoint", value) => endpoint = Some(value.trim_end_matches('/')),
                ("region", value) if !value.is_empty() && value.chars().all(plain) => region = value,
                ("region", _) => return Err(FORM),
                _ => return Err(UNKNOWN),
            }
        }
        let origin = endpoint.map_or_else(|| format!("https://s3.{region}.amazonaws.com"), str::to_owned);
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).ok_or(ENDPOINT)?;
        if host.is_empty() || !host.chars().all(|c| plain(c) || matches!(c, ':' | '[' | ']')) {
            return Err(ENDPOINT);
        }
        let (host, region) = (host.to_owned(), region.to_owned());
        let place = format!("s3://{folder}?endpoint={origin}");
        Ok(Self { host, region, folder: format!("/{folder}/"), place, origin })
    }

    /// The same words for the same place. How it is signed for is no part of it.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Who is asked: scheme, host, port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// The path of an object. Its name needs no escaping, nor does the folder.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read() {
        let address = Address::parse("s3://notes/a/b/?endpoint=http://127.0.0.1:9000/&region=fr-par").unwrap();
        assert_eq!(address.path_of("0a"), "/notes/a/b/0a");
        assert_eq!((address.origin(), address.host()), ("http://127.0.0.1:9000", "127.0.0.1:9000"));
        assert_eq!(address.region(), "fr-par");
        let amazon = Address::parse("s3://notes?region=eu-west-3").unwrap();
        assert_eq!(
            (amazon.origin(), amazon.path_of("0a").as_str()),
            ("https://s3.eu-west-3.amazonaws.com", "/notes/0a")
        );
    }

    #[test]
    fn the_same_place_has_the_same_words() {
        let place = |text: &str| Address::parse(text).unwrap().place().to_owned();
        let one = place("s3://notes/a?endpoint=http://h:1&region=x");
        assert_eq!(one, place("s3://notes/a/?region=y&endpoint=http://h:1/"));
        assert_ne!(one, place("s3://notes/b?endpoint=http://h:1"));
        assert_ne!(one, place("s3://notes/a?endpoint=http://h:2"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "notes",
            "s3://",
            "s3://a b",
            "s3://notes/../x",
            "s3://notes//x",
            "s3://notes?endpoint=ftp://h",
            "s3://notes?endpoint=http://",
            "s3://notes?endpoint=http://user:pass@h",
            "s3://notes?secret=x",
            "s3://notes?region=",
            "s3://notes?region",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
