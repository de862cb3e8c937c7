//! The headers that keep a browser from doing more with an answer than it should: on every answer, whoever
//! made it. What an answer says for itself stays.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::sender::Way;

/// For answers that say nothing for themselves.
static FLOOR: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// A year: so long browsers come back encrypted, whatever a link says.
static TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds them to an answer that goes this way.
pub fn protect(headers: &mut HeaderMap, way: Way) {
    for (name, value) in &FLOOR {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    // Said in the clear it means nothing (RFC 6797 §7.2).
    if way == Way::Encrypted {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_says_nothing_can_do_nothing() {
        let mut headers = HeaderMap::new();
        protect(&mut headers, Way::Clear);
        assert_eq!(headers.len(), FLOOR.len());
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn what_an_answer_says_for_itself_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        protect(&mut headers, Way::Encrypted);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=3600");
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    }
}
