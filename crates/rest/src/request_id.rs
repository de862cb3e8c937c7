//! The name of a request: in its answer, and beside what the log says of it.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it.
pub static HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// What tells the requests of this process from those of any other.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
static COUNT: AtomicU64 = AtomicU64::new(1);

/// The name that the caller gave, or one that was never given before.
#[must_use]
pub fn of(headers: &HeaderMap) -> HeaderValue {
    headers.get(&HEADER).cloned().unwrap_or_else(fresh)
}

/// As it is written in the log.
#[must_use]
pub fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or("(not text)")
}

fn fresh() -> HeaderValue {
    let number = (u128::from(*PROCESS) << 64) | u128::from(COUNT.fetch_add(1, Ordering::Relaxed));
    let digit = |place: usize| HEX.get((number >> (124 - 4 * place)) as usize & 15).copied().unwrap_or_default();
    HeaderValue::from_bytes(&std::array::from_fn::<u8, 32, _>(digit)).unwrap_or(HeaderValue::from_static("unnamed"))
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_and_otherwise_given_once() {
        let mut headers = HeaderMap::new();
        assert_ne!(of(&headers), of(&headers));
        assert_eq!(of(&headers).len(), 32);
        headers.insert(&HEADER, HeaderValue::from_static("mine"));
        assert_eq!(of(&headers), "mine");
    }
}
