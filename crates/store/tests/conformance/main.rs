//! What every store must do, written against the public interface only.
//!
//! Each test opens its store through [`bench::open`]: another database is another `open`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

mod audit;
mod bench;
mod blobs;
mod concurrency;
mod distribution;
mod encryption;
mod history;
mod includes;
mod judge;
mod kept;
mod keys;
mod leases;
mod lifecycle;
mod long;
mod objects;
mod opening;
mod pages;
mod property;
mod random;
mod references;
mod reindexing;
mod supposed;
mod totals;
mod upgrade;
mod walks;
