//! What every store must do, written against the public interface only.
//!
//! Each test opens its store through [`bench::open`]: another database is another `open`.

mod bench;
mod blobs;
mod concurrency;
mod judge;
mod keys;
mod lifecycle;
mod property;
mod random;
mod references;
