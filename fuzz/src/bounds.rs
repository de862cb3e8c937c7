//! How much memory an input may ask for.

/// What anything may need, whatever the input: tables made at first use, buffers, findings.
const BASE: u64 = 16 << 20;

/// Runs something that reads an input, and asserts that the memory it held at once stays in
/// proportion to the input. Counts this thread's allocations only.
pub(crate) fn bounded<T>(input: usize, per_byte: u64, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(work()));
    let limit = BASE + per_byte * input as u64;
    assert!(info.bytes_max <= limit, "{} bytes held at once for an input of {input}", info.bytes_max);
    result.expect("the work was done")
}
