//! The program as its callers see it: started as a process, spoken to over HTTP.
//!
//! What holds:
//! - Every test has a server and a store of its own; nothing is shared, nothing is left behind.
//! - What is true of the program is true on either store: `LIAISON_TEST_STORE` says on which it is tried.
//! - The server under test is the built program, with its own settings, logs and signals. Set
//!   `LIAISON_BINARY` to test one that is built already (the release build in `./test`).
//! - Set `LIAISON_TRAFFIC` to a directory to keep what was answered, for a judge.
//! - A server that panicked, or answered 500, fails the test that drove it, whatever that test looked at.

pub mod browser;
pub mod ledger;
pub mod machine;
pub mod proxy;
pub mod sample;

mod answer;
mod authority;
mod client;
mod letters;
mod nodes;
mod objects;
mod program;
mod provider;
mod recorder;
mod server;
mod store;

pub use answer::Answer;
pub use authority::{Authority, Certificate};
pub use client::{Fhir, Request};
pub use letters::{Letter, MailServer};
pub use nodes::{Book, Nodes};
pub use objects::ObjectStore;
pub use program::binary;
pub use provider::Provider;
pub use server::{Launch, Refused, Server};
pub use store::{Store, on_postgres};
