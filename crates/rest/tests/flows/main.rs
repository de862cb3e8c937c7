//! The flows of the volets, through the router, on a real store in a directory of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by stopping")]

mod house;

mod around;
mod attachments;
mod cahier_2017;
mod cahier_r4;
mod crud;
mod hostile;
mod negotiation;
mod paging;
mod parts;
mod said_and_done;
