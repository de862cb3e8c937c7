//! Connections from the outside: who is at the other end, how slow they may be, how many there may be.
//!
//! What holds: a request carries its [`sender::Sender`], and headers about where it comes from are believed
//! of proxies that are trusted and of nobody else. Whoever sends or takes nothing is not waited for: a head, a
//! body, an answer each have their [`pace`]. No address has all connections. Encryption ([`tls`]) is rustls with
//! ring, from version 1.2, by certificates that may be replaced while it is served. Every answer carries the
//! headers that keep a browser from doing more with it than it should ([`protection`]).
//!
//! Must never know: FHIR, persons, the store, what is asked for.

pub mod certificate;
pub mod figures;
pub mod listener;
pub mod network;
pub mod pace;
pub mod protection;
pub mod proxies;
pub mod rates;
pub mod sender;
pub mod tls;

mod activity;
mod answering;
mod arriving;
mod connection;
mod crowd;
mod watched;

pub use arriving::TooSlow;
