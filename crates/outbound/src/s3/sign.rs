//! Signature Version 4:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use ring::{digest, hmac};

/// Who asks. Neither shown nor logged.
#[derive(Clone)]
pub struct Credentials {
    /// The name of the key.
    pub key: String,
    /// The key.
    pub secret: String,
    /// That of a session, where the key is one of a session.
    pub session: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A request to be signed: without a query, its path without anything to be escaped.
pub(super) struct Signed<'r> {
    pub(super) method: &'r str,
    pub(super) host: &'r str,
    pub(super) path: &'r str,
    pub(super) region: &'r str,
    pub(super) body: &'r [u8],
    pub(super) at: Timestamp,
}

impl Signed<'_> {
    /// The headers that sign it, without `host`, which the client sends.
    pub(super) fn headers(&self, credentials: &Credentials) -> Vec<(&'static str, String)> {
        let at = self.at.to_zoned(TimeZone::UTC);
        let (moment, day) = (at.strftime("%Y%m%dT%H%M%SZ").to_string(), at.strftime("%Y%m%d").to_string());
        let body = hex(digest::digest(&digest::SHA256, self.body).as_ref());
        // In the order of their names, as they are signed.
        let mut headers = vec![("x-amz-content-sha256", body.clone()), ("x-amz-date", moment.clone())];
        headers.extend(credentials.session.iter().map(|session| ("x-amz-security-token", session.clone())));
        let mut lines = format!("host:{}\n", self.host);
        let mut names = "host".to_owned();
        for (name, value) in &headers {
            lines.push_str(&format!("{name}:{value}\n"));
            names.push_str(&format!(";{name}"));
        }
        let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{body}", self.method, self.path);
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");
        let first = format!("AWS4{}", credentials.secret);
        let key = [day.as_str(), self.region, "s3", "aws4_request"]
            .iter()
            .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
        let signature = hex(&mac(&key, to_sign.as_bytes()));
        let key = &credentials.key;
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization", authorization));
        headers
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(session: Option<&str>) -> Credentials {
        Credentials {
            key: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session: session.map(str::to_owned),
        }
    }

    fn authorization(body: &[u8], session: Option<&str>) -> String {
        let at = "2015-08-30T12:36:00Z".parse().unwrap();
        let signed =
            Signed { method: "PUT", host: "example.amazonaws.com", path: "/notes/a", region: "us-east-1", body, at };
        signed.headers(&credentials(session)).pop().unwrap().1
    }

    /// As botocore 1.44 signs the same requests.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        for (session, signature) in [
            (None, "b2e87db2e9325a1aa3c896c32a3ccfa040a8d63513cafbf844e5b9eb02c7ae46"),
            (Some("s"), "db826d77ae09cbdee816a1ec488ed78c6c3e7a9a2547bfccf29deaedde49a98c"),
        ] {
            let also = session.map_or("", |_| ";x-amz-security-token");
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date{also}, Signature={signature}"
            );
            assert_eq!(authorization(b"a", session), expected);
        }
    }

    #[test]
    fn a_signature_covers_the_body() {
        assert_ne!(authorization(b"a", None), authorization(b"b", None));
    }

    #[test]
    fn nobody_is_shown_a_key() {
        assert_eq!(format!("{:?}", credentials(Some("s"))), "Credentials(…)");
    }
}
