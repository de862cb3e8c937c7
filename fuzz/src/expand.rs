//! Large inputs from small ones: a mutator changes hundreds of bytes well and hundreds of thousands badly.

/// Beyond this an input grows no more.
const LARGEST: usize = 2_000_000;

/// What is repeated may hold what is repeated, this deep.
const DEEPEST: usize = 4;

/// Writes `⟦300⟧…⟦/⟧` as 300 times what stands between. What does not read so stays as it is.
#[must_use]
pub fn expand(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut left = LARGEST;
    part(bytes, DEEPEST, &mut left, &mut out);
    out
}

const OPEN: &[u8] = "⟦".as_bytes();
const SHUT: &[u8] = "⟧".as_bytes();
const END: &[u8] = "⟦/⟧".as_bytes();

fn part(mut bytes: &[u8], depth: usize, left: &mut usize, out: &mut Vec<u8>) {
    while let Some(at) = find(bytes, OPEN) {
        put(&bytes[..at], left, out);
        bytes = &bytes[at..];
        let Some((times, after)) = times(bytes).filter(|_| depth > 0) else {
            put(OPEN, left, out);
            bytes = &bytes[OPEN.len()..];
            continue;
        };
        let (inside, rest) = inside(after);
        for _ in 0..times {
            if *left == 0 {
                return;
            }
            part(inside, depth - 1, left, out);
        }
        bytes = rest;
    }
    put(bytes, left, out);
}

/// How often, and what follows.
fn times(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let after = bytes.strip_prefix(OPEN)?;
    let shut = find(after, SHUT)?;
    let times = std::str::from_utf8(&after[..shut]).ok()?.parse::<u16>().ok()?;
    Some((usize::from(times), &after[shut + SHUT.len()..]))
}

/// What is repeated, up to the end that belongs to it, and what follows.
fn inside(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (mut at, mut open) = (0, 0_usize);
    while let Some(next) = find(&bytes[at..], OPEN).map(|next| at + next) {
        if bytes[next..].starts_with(END) {
            if open == 0 {
                return (&bytes[..next], &bytes[next + END.len()..]);
            }
            open -= 1;
        } else {
            open += usize::from(times(&bytes[next..]).is_some());
        }
        at = next + OPEN.len();
    }
    (bytes, &[])
}

fn put(bytes: &[u8], left: &mut usize, out: &mut Vec<u8>) {
    let bytes = &bytes[..bytes.len().min(*left)];
    // What repeats nothing takes from the rest too, so that it comes to an end.
    *left -= bytes.len().max(1).min(*left);
    out.extend_from_slice(bytes);
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, expand};

    #[test]
    fn what_stands_between_is_repeated() {
        let text = |given: &str| String::from_utf8(expand(given.as_bytes())).unwrap();
        assert_eq!(text("a⟦3⟧b⟦/⟧c"), "abbbc");
        assert_eq!(text("⟦2⟧a⟦2⟧b⟦/⟧⟦/⟧c"), "abbabbc");
        assert_eq!(text("⟦x⟧a⟦/⟧"), "⟦x⟧a⟦/⟧");
        assert_eq!(text("⟦2⟧a"), "aa");
        assert!(expand("⟦60000⟧⟦60000⟧⟦60000⟧⟦/⟧⟦/⟧⟦/⟧".as_bytes()).is_empty());
        let largest = expand("⟦60000⟧⟦60000⟧a⟦/⟧⟦/⟧".as_bytes()).len();
        assert!((LARGEST / 2..=LARGEST).contains(&largest), "{largest}");
    }
}
