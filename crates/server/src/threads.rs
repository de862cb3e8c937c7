//! How many threads do what.

use std::thread::available_parallelism;

/// Threads that answer requests: one for each core, and two in reserve. Short reads run on them, and
/// may wait for the disk: while the cores' worth of them does, the others go on with what is in
/// memory.
pub fn callers() -> usize {
    available_parallelism().map_or(2, usize::from) + 2
}

/// Short reads that run at once: one fewer than the threads, so that one always answers what needs
/// no disk.
pub fn short_reads() -> usize {
    callers() - 1
}
