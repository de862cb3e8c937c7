//! A page of a sealed database: its bytes, and how they carry their seal.

use crate::seal::sealed_with;

/// Size of a page. Bodies of 2 to 3 KB stay in the row at this size, two or three a page, without a
/// page of overflow each.
pub const PAGE_BYTES: usize = 8192;

/// Bytes at the end of a page that SQLite leaves free: eight of seal, and four so that this number
/// and 0, which the header of a file without seals has, differ by more than a flipped bit.
pub(crate) const RESERVED: u8 = 12;

/// Where the seal begins.
const SEALED_BYTES: usize = PAGE_BYTES - 8;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// A whole page.
pub(crate) type Page = [u8; PAGE_BYTES];

/// Puts the seal of the page of this number at its end.
pub(crate) fn put_seal(page: &mut Page, number: u64) {
    let (content, end) = page.split_at_mut(SEALED_BYTES);
    end.copy_from_slice(&sealed_with(number, content).to_le_bytes());
}

/// Whether a page is as it was written. One of nothing but zeros never was: SQLite leaves out free
/// pages, of which the file system then makes these; as a page in use SQLite refuses it by itself.
pub(crate) fn is_whole(page: &Page, number: u64) -> bool {
    let (content, end) = page.split_at(SEALED_BYTES);
    sealed_with(number, content).to_le_bytes() == end || page.iter().all(|byte| *byte == 0)
}

/// Whether the first bytes of a file say that its pages are sealed. Any one flipped bit leaves
/// enough of them to tell, so that a damaged header is never taken for a file without seals.
pub(crate) fn says_sealed(header: &[u8]) -> bool {
    let reserves = header.get(20) == Some(&RESERVED);
    let sized = header.get(16..18).is_some_and(|size| size == (PAGE_BYTES as u16).to_be_bytes());
    let named = header.starts_with(MAGIC);
    match header.get(20) {
        Some(&0) | None => false,
        // One bit off: only a file of ours with its name and its size has so many bytes free.
        Some(free) => (reserves && (sized || named)) || ((free ^ RESERVED).count_ones() == 1 && sized && named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_only_as_it_was_sealed_and_only_in_its_place() {
        let mut page: Page = [7; PAGE_BYTES];
        assert!(!is_whole(&page, 3));
        put_seal(&mut page, 3);
        assert!(is_whole(&page, 3));
        assert!(!is_whole(&page, 4), "a page in the place of another");
        for at in [0, 100, PAGE_BYTES - 9, PAGE_BYTES - 1] {
            let mut flipped = page;
            flipped[at] ^= 4;
            assert!(!is_whole(&flipped, 3), "byte {at}");
        }
        assert!(is_whole(&[0; PAGE_BYTES], 5), "never written");
    }

    #[test]
    fn a_header_with_any_flipped_bit_still_says_that_pages_are_sealed() {
        let mut header = [0; 100];
        header[..16].copy_from_slice(MAGIC);
        header[16..18].copy_from_slice(&(PAGE_BYTES as u16).to_be_bytes());
        assert!(!says_sealed(&header), "a file without seals");
        header[20] = RESERVED;
        for bit in 0..800 {
            let mut flipped = header;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(says_sealed(&flipped), "bit {bit}");
        }
        assert!(!says_sealed(b"a text that is no database"));
        assert!(!says_sealed(&[]));
    }
}
