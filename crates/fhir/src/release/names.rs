//! Maps from names of the tables, found fast.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map from names that the tables fix. Nobody outside can add names, so the hash need not resist
/// anyone: it only has to be quick, since every member of every resource is looked up.
pub(super) type NameMap<V> = HashMap<&'static str, V, BuildHasherDefault<NameHasher>>;

/// Eight bytes at a time: rotate, mix in, multiply.
#[derive(Default)]
pub(super) struct NameHasher(u64);

impl NameHasher {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !tail.is_empty() {
            self.mix(tail.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        // The map takes its buckets from the low bits, which a product mixes least.
        self.0 ^ (self.0 >> 32)
    }
}
