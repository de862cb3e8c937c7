//! Texts that are found by: PostgreSQL's indexes take none that is very long.

/// Longer texts are not indexed: a row of an index has at most 2,704 bytes, of which one code or
/// address may be three times as long in UTF-8 as it looks.
pub(crate) const LONGEST_KEY: usize = 1000;

/// Of a longer one so much is kept as it is.
const KEPT_OF_KEY: usize = 900;

/// What is kept in the place of a text that is too long to be indexed: as good to compare by equality,
/// and in the order of its beginning.
pub(crate) fn stand_in(text: &str) -> String {
    let end = (0..=KEPT_OF_KEY.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let mut kept = text.get(..end).unwrap_or_default().to_owned();
    kept.push('…');
    for byte in ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref() {
        // Writing to a text does not fail.
        let _ = std::fmt::Write::write_fmt(&mut kept, format_args!("{byte:02x}"));
    }
    kept
}
