//! Four times the input costs about four times the memory, in all and at once.
//!
//! The work itself is counted by `examples/growth.rs`, which takes longer.

use liaison_fuzz::growth::SHAPES;

/// What is allocated of a shape at a size: bytes in all, and at once.
fn allocated(shape: &liaison_fuzz::growth::Shape, size: usize) -> (u64, u64) {
    let input = (shape.make)(size);
    let info = allocation_counter::measure(|| (shape.read)(&input));
    (info.bytes_total, info.bytes_max)
}

#[test]
fn memory_grows_with_the_input_and_not_with_its_square() {
    const SMALL: usize = 32_000;
    // What is made once is not counted.
    for shape in SHAPES {
        (shape.read)(&(shape.make)(1_000));
    }
    for shape in SHAPES {
        let (small, at_once_small) = allocated(shape, SMALL);
        let (large, at_once_large) = allocated(shape, 4 * SMALL);
        // Buffers grow by doubling, so that a step may cost twice what it must: eight, not sixteen.
        let slack = 200_000;
        assert!(large <= 8 * small + slack, "{}: {small} bytes, then {large} in all", shape.name);
        assert!(
            at_once_large <= 8 * at_once_small + slack,
            "{}: {at_once_small} bytes, then {at_once_large} at once",
            shape.name
        );
        // At most so many bytes for each that was sent.
        assert!(at_once_large <= 600 * 4 * SMALL as u64, "{}: {at_once_large} bytes at once", shape.name);
    }
}
