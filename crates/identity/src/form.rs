//! Text in forms and addresses.

use std::fmt::Write as _;

/// As in a form: all but letters, digits and `-._~` is written by its bytes.
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// An address with these added to its query.
#[must_use]
pub fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", fields.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_byte_by_byte() {
        assert_eq!(encoded("a b&é=1~"), "a%20b%26%C3%A9%3D1~");
    }

    #[test]
    fn a_query_that_is_there_is_added_to() {
        assert_eq!(with_query("https://a/b", &[("c", "d e"), ("f", "&")]), "https://a/b?c=d%20e&f=%26");
        assert_eq!(with_query("https://a/b?x=1", &[("c", "d")]), "https://a/b?x=1&c=d");
    }
}
