//! The checksum of what is stored.

/// A checksum that changes with any change confined to eight neighbouring bytes, and with all but
/// one in 2⁶⁴ others: what a disk or memory does to stored bytes is told from what was written.
#[must_use]
pub fn seal(bytes: &[u8]) -> i64 {
    sealed_with(0, bytes)
}

/// The seal of bytes that stand at a place: the same bytes elsewhere have another.
#[must_use]
pub(crate) fn sealed_with(place: u64, bytes: &[u8]) -> i64 {
    // Each step maps the state one to one for a given word, and the word one to one for a given
    // state: a difference, once in, never cancels by itself. Four lanes, so that the processor
    // need not wait for one step to begin the next.
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |state: u64, word: [u8; 8]| (state.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(ODD);
    let (words, rest) = bytes.as_chunks::<8>();
    let (fours, last) = words.as_chunks::<4>();
    let mut lanes = [bytes.len() as u64, 1, 2, 3];
    for [a, b, c, d] in fours {
        let [one, two, three, four] = lanes;
        lanes = [mix(one, *a), mix(two, *b), mix(three, *c), mix(four, *d)];
    }
    let mut tail = [0; 8];
    tail.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let state = last.iter().chain([&tail]).fold(place, |state, word| mix(state, *word));
    let state = lanes.iter().fold(state, |state, lane| mix(state, lane.to_le_bytes()));
    (state ^ (state >> 32)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_breaks_the_seal() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        let whole = seal(&bytes);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(seal(&flipped), whole, "bit {bit}");
        }
        assert_ne!(seal(&bytes[..99]), whole);
        assert_ne!(seal(&[]), seal(&[0]));
    }

    #[test]
    fn the_same_bytes_elsewhere_have_another_seal() {
        assert_ne!(sealed_with(1, b"page"), sealed_with(2, b"page"));
    }
}
