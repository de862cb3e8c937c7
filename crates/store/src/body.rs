//! The stored bytes of a version: putting number and instant in, checking that nothing changed
//! since, and the places that are filled when it is answered.

use bytes::Bytes;
use liaison_pages::seal;

use crate::contract::{BlobId, Filler, Hole, Instant, PreparedBody, StoreError};
use crate::dialect::damaged;
use crate::entry::{put_number, take, take_number};

/// The final bytes of a body, and its holes counted in them.
pub(crate) fn finish(prepared: &PreparedBody, version: u32, updated: Instant) -> (Vec<u8>, Vec<Hole>) {
    let mut bytes = Vec::with_capacity(prepared.head.len() + prepared.tail.len() + 72);
    bytes.extend_from_slice(&prepared.head);
    bytes.extend_from_slice(b"\"versionId\":\"");
    bytes.extend_from_slice(version.to_string().as_bytes());
    bytes.extend_from_slice(b"\",\"lastUpdated\":\"");
    bytes.extend_from_slice(updated.text().as_bytes());
    bytes.push(b'"');
    let before = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&prepared.tail);
    let holes = prepared.holes.iter().map(|hole| Hole { at: hole.at.saturating_add(before), ..hole.clone() }).collect();
    (bytes, holes)
}

/// The bytes of a row, if they are those that were written.
pub(crate) fn opened(bytes: &[u8], sealed: i64) -> Result<Bytes, StoreError> {
    if seal(bytes) == sealed {
        Ok(Bytes::copy_from_slice(bytes))
    } else {
        Err(damaged("stored bytes are not those that were written"))
    }
}

/// Holes as kept in a row.
pub(crate) fn pack_holes(holes: &[Hole]) -> Vec<u8> {
    let mut out = Vec::new();
    for hole in holes {
        put_number(&mut out, u64::from(hole.at));
        match &hole.filler {
            Filler::Base => out.push(0),
            Filler::Data(blob) => {
                out.push(1);
                out.extend_from_slice(&blob.0);
            }
        }
    }
    out
}

/// Reads what [`pack_holes`] wrote.
pub(crate) fn unpack_holes(mut from: &[u8]) -> Result<Vec<Hole>, StoreError> {
    let damaged = || damaged("the places of a stored body are not as they were written");
    let mut holes = Vec::new();
    while !from.is_empty() {
        let at = u32::try_from(take_number(&mut from)?).map_err(|_| damaged())?;
        let filler = match take(&mut from, 1)? {
            [0] => Filler::Base,
            _ => Filler::Data(BlobId(take(&mut from, 32)?.try_into().map_err(|_| damaged())?)),
        };
        holes.push(Hole { at, filler });
    }
    Ok(holes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_instant_go_between_head_and_tail() {
        let prepared = PreparedBody {
            head: Bytes::from_static(b"{\"meta\":{"),
            tail: Bytes::from_static(b"},\"x\":}"),
            holes: vec![Hole { at: 6, filler: Filler::Data(BlobId([7; 32])) }, Hole { at: 6, filler: Filler::Base }],
        };
        let (bytes, holes) = finish(&prepared, 12, Instant(0));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, r#"{"meta":{"versionId":"12","lastUpdated":"1970-01-01T00:00:00.000000Z"},"x":}"#);
        assert_eq!(text.len() - holes[0].at as usize, 1, "before the last brace");
        assert_eq!(unpack_holes(&pack_holes(&holes)).unwrap(), holes);
        assert_eq!(unpack_holes(&[]).unwrap(), []);
    }

    #[test]
    fn bytes_with_a_flipped_bit_are_not_given() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        let whole = seal(&bytes);
        assert_eq!(opened(&bytes, whole).unwrap(), bytes);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(opened(&flipped, whole), Err(StoreError::Damaged(_))), "bit {bit}");
        }
    }
}
