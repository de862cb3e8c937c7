//! The index rows and unique keys of one version, in compact form beside its body.
//!
//! Kept so that a later version knows which rows to take away (no index table needs a way back
//! from a resource to its rows for that), so that includes are followed without a look-up, and so
//! that a page asked for later can order a resource as it stood when the first page was made.

use crate::contract::StoreError;
use crate::dialect::damaged as damaged_store;

/// An index row or unique key in terms of dictionary and resource keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    /// A code. System 0: none.
    Token { param: i64, system: i64, code: &'a str },
    /// A reference to a resource of this server; parameter 0: none covers the place.
    Reference { param: i64, target: i64, link: Link },
    /// A URI, or a reference to elsewhere.
    Uri { param: i64, value: &'a str },
    /// A string.
    Text { param: i64, folded: &'a str, exact: &'a str },
    /// A moment.
    Date { param: i64, low: i64, high: i64 },
    /// A number.
    Number { param: i64, low: f64, high: f64 },
    /// A quantity. System 0 and code "": none.
    Quantity { param: i64, low: f64, high: f64, system: i64, code: &'a str },
    /// A point on the unit sphere.
    Position { param: i64, x: f64, y: f64, z: f64 },
    /// A unique key.
    Key { scope: i64, key: &'a str },
}

/// Whether the target of a reference must stay live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// It need not.
    Loose,
    /// It must: it cannot be deleted while this version is the last.
    Firm,
}

/// The encoded entries of a version, sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries(Vec<Vec<u8>>);

impl Entries {
    /// Encodes, sorts, and drops what is there twice.
    pub(crate) fn new<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Self {
        let mut encoded: Vec<Vec<u8>> = entries.into_iter().map(encode).collect();
        encoded.sort_unstable();
        encoded.dedup();
        Self(encoded)
    }

    /// The bytes kept in the row.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.iter().map(|entry| entry.len() + 1).sum());
        for entry in &self.0 {
            put_number(&mut bytes, entry.len() as u64);
            bytes.extend_from_slice(entry);
        }
        bytes
    }

    /// Reads what [`Entries::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut rest = bytes;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let length = usize::try_from(take_number(&mut rest)?).map_err(|_| damaged())?;
            entries.push(take(&mut rest, length)?.to_vec());
        }
        Ok(Self(entries))
    }

    /// The entries.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<Entry<'_>, StoreError>> {
        self.0.iter().map(|entry| decode(entry))
    }

    /// What is here and not in `other`.
    pub(crate) fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Result<Entry<'a>, StoreError>> {
        self.0.iter().filter(|entry| other.0.binary_search(entry).is_err()).map(|entry| decode(entry))
    }
}

/// Calls `each` with every entry of a row's bytes, without copying them.
pub(crate) fn each_of(bytes: &[u8], mut each: impl FnMut(Entry<'_>)) -> Result<(), StoreError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = usize::try_from(take_number(&mut rest)?).map_err(|_| damaged())?;
        each(decode(take(&mut rest, length)?)?);
    }
    Ok(())
}

/// Calls `each` with parameter and target of every reference of a row's bytes, looking at nothing
/// else: entries are sorted, and what stands before references is passed over unread.
pub(crate) fn each_reference(bytes: &[u8], mut each: impl FnMut(i64, i64)) -> Result<(), StoreError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = usize::try_from(take_number(&mut rest)?).map_err(|_| damaged())?;
        let entry = take(&mut rest, length)?;
        match entry.first() {
            Some(&REFERENCE) => {
                if let Entry::Reference { param, target, .. } = decode(entry)? {
                    each(param, target);
                }
            }
            Some(kind) if *kind > REFERENCE => break,
            _ => {}
        }
    }
    Ok(())
}

/// The first byte of a reference.
const REFERENCE: u8 = 2;

fn encode(entry: Entry<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    match entry {
        Entry::Token { param, system, code } => {
            out.push(1);
            put_key(&mut out, param);
            put_key(&mut out, system);
            out.extend_from_slice(code.as_bytes());
        }
        Entry::Reference { param, target, link } => {
            out.push(REFERENCE);
            put_key(&mut out, param);
            put_key(&mut out, target);
            out.push(u8::from(link == Link::Firm));
        }
        Entry::Uri { param, value } => {
            out.push(3);
            put_key(&mut out, param);
            out.extend_from_slice(value.as_bytes());
        }
        Entry::Text { param, folded, exact } => {
            out.push(4);
            put_key(&mut out, param);
            put_number(&mut out, folded.len() as u64);
            out.extend_from_slice(folded.as_bytes());
            out.extend_from_slice(exact.as_bytes());
        }
        Entry::Date { param, low, high } => {
            out.push(5);
            put_key(&mut out, param);
            out.extend_from_slice(&low.to_le_bytes());
            out.extend_from_slice(&high.to_le_bytes());
        }
        Entry::Number { param, low, high } => {
            out.push(6);
            put_key(&mut out, param);
            put_reals(&mut out, &[low, high]);
        }
        Entry::Quantity { param, low, high, system, code } => {
            out.push(7);
            put_key(&mut out, param);
            put_reals(&mut out, &[low, high]);
            put_key(&mut out, system);
            out.extend_from_slice(code.as_bytes());
        }
        Entry::Position { param, x, y, z } => {
            out.push(8);
            put_key(&mut out, param);
            put_reals(&mut out, &[x, y, z]);
        }
        Entry::Key { scope, key } => {
            out.push(9);
            put_key(&mut out, scope);
            out.extend_from_slice(key.as_bytes());
        }
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Entry<'_>, StoreError> {
    let (kind, mut rest) = bytes.split_first().ok_or_else(damaged)?;
    let rest = &mut rest;
    let first = take_key(rest)?;
    Ok(match kind {
        1 => Entry::Token { param: first, system: take_key(rest)?, code: text(rest)? },
        &REFERENCE => Entry::Reference {
            param: first,
            target: take_key(rest)?,
            link: if take(rest, 1)? == [1] { Link::Firm } else { Link::Loose },
        },
        3 => Entry::Uri { param: first, value: text(rest)? },
        4 => {
            let length = usize::try_from(take_number(rest)?).map_err(|_| damaged())?;
            Entry::Text { param: first, folded: text(take(rest, length)?)?, exact: text(rest)? }
        }
        5 => Entry::Date { param: first, low: take_int(rest)?, high: take_int(rest)? },
        6 => Entry::Number { param: first, low: take_real(rest)?, high: take_real(rest)? },
        7 => Entry::Quantity {
            param: first,
            low: take_real(rest)?,
            high: take_real(rest)?,
            system: take_key(rest)?,
            code: text(rest)?,
        },
        8 => Entry::Position { param: first, x: take_real(rest)?, y: take_real(rest)?, z: take_real(rest)? },
        9 => Entry::Key { scope: first, key: text(rest)? },
        _ => return Err(damaged()),
    })
}

/// Appends a number, seven bits a byte, lowest first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes what [`put_number`] wrote.
pub(crate) fn take_number(from: &mut &[u8]) -> Result<u64, StoreError> {
    // Most are small.
    if let Some((&byte, rest)) = from.split_first()
        && byte < 0x80
    {
        *from = rest;
        return Ok(u64::from(byte));
    }
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first().ok_or_else(damaged)?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged())
}

/// Takes so many bytes.
pub(crate) fn take<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a [u8], StoreError> {
    let (taken, rest) = from.split_at_checked(length).ok_or_else(damaged)?;
    *from = rest;
    Ok(taken)
}

/// Dictionary and resource keys count from 1, so they never lose their sign here.
fn put_key(out: &mut Vec<u8>, key: i64) {
    put_number(out, key.cast_unsigned());
}

fn take_key(from: &mut &[u8]) -> Result<i64, StoreError> {
    take_number(from).map(u64::cast_signed)
}

fn put_reals(out: &mut Vec<u8>, reals: &[f64]) {
    for real in reals {
        out.extend_from_slice(&real.to_le_bytes());
    }
}

fn take_real(from: &mut &[u8]) -> Result<f64, StoreError> {
    take_word(from).map(f64::from_le_bytes)
}

fn take_int(from: &mut &[u8]) -> Result<i64, StoreError> {
    take_word(from).map(i64::from_le_bytes)
}

fn take_word(from: &mut &[u8]) -> Result<[u8; 8], StoreError> {
    take(from, 8)?.try_into().map_err(|_| damaged())
}

fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    damaged_store("a stored row is not as it was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Entry<'static>; 9] = [
        Entry::Token { param: 1, system: 0, code: "é|x" },
        Entry::Reference { param: 300, target: 1 << 40, link: Link::Firm },
        Entry::Uri { param: 3, value: "urn:x" },
        Entry::Text { param: 4, folded: "dupre", exact: "Dupré" },
        Entry::Date { param: 5, low: i64::MIN, high: i64::MAX },
        Entry::Number { param: 6, low: -1.5, high: 2.5 },
        Entry::Quantity { param: 7, low: 0.0, high: 1.0, system: 9, code: "mg" },
        Entry::Position { param: 8, x: 1.0, y: 0.0, z: -0.5 },
        Entry::Key { scope: 2, key: "a|b" },
    ];

    #[test]
    fn what_is_kept_is_read_back() {
        let bytes = Entries::new(ALL).to_bytes();
        let entries = Entries::from_bytes(&bytes).unwrap();
        let read: Vec<_> = entries.iter().map(Result::unwrap).collect();
        assert_eq!(read.len(), ALL.len());
        for entry in ALL {
            assert!(read.contains(&entry), "{entry:?}");
        }
    }

    #[test]
    fn references_are_found_among_all_others() {
        let more = Entry::Reference { param: 0, target: 9, link: Link::Loose };
        let bytes = Entries::new(ALL.into_iter().chain([more])).to_bytes();
        let mut found = Vec::new();
        each_reference(&bytes, |param, target| found.push((param, target))).unwrap();
        assert_eq!(found, [(0, 9), (300, 1 << 40)]);
        assert!(each_reference(&[2, 2], |_, _| {}).is_err(), "cut short");
    }

    #[test]
    fn only_what_changed_is_told() {
        let old = Entries::new([ALL[0], ALL[1], ALL[1], ALL[4]]);
        let new = Entries::new([ALL[1], ALL[2]]);
        assert_eq!(old.without(&new).map(Result::unwrap).collect::<Vec<_>>(), [ALL[0], ALL[4]]);
        assert_eq!(new.without(&old).map(Result::unwrap).collect::<Vec<_>>(), [ALL[2]]);
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = Entries::new(ALL).to_bytes();
        for cut in 1..bytes.len() {
            // A cut between entries reads as fewer entries; anywhere else it is found.
            let _ = each_of(&bytes[..cut], |_| {});
        }
        assert!(each_of(&[1], |_| {}).is_err());
        assert!(each_of(&[2, 77, 1], |_| {}).is_err());
        assert!(each_of(&[0xff; 12], |_| {}).is_err());
    }
}
