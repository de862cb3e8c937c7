//! A real PostgreSQL for tests: private to the process, on a port and in a folder of its own.
//!
//! What holds:
//! - [`Cluster::shared`] is one cluster per process; each test takes a [`Database`] of its own in it. What breaks a
//!   cluster (stopping it, filling its disk) is done to one that the test started for itself.
//! - Nothing is left behind, however the process ends: a guard beside each server waits for the end of a pipe.
//! - PostgreSQL refuses to run as root: then it runs as the user `postgres`, who came with the package.
//! - Databases are as an operator in France makes them, not as a program would like them: sorted by the rules of
//!   French, dates written day first, in local time. What depends on any of it shows.

mod authority;
mod cluster;
mod database;
mod guard;
mod installation;
mod replica;

pub use authority::{Authority, Certificate};
pub use cluster::{Cluster, Log, Setup, Stop, free_port};
pub use database::Database;
pub use installation::Installation;
