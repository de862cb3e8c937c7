//! A file system for SQLite that seals every page of a database.
//!
//! SQLite believes what its file says: a bit that flips in a page of an index makes a search miss
//! what is there, without a word. Here each page carries a checksum of its bytes and its place, in
//! twelve bytes at its end that SQLite leaves free (`reserved space` of the file format). It is set
//! when the page is written to the database and looked at whenever it is read from there; a page
//! that is not as it was written gives `SQLITE_IOERR_DATA` instead of its content.
//!
//! Must never know: what the database holds.
//!
//! What always holds: a sealed database never gives bytes of its file that differ from those
//! written; one without seals is read and written as SQLite does by itself; everything but the
//! pages (locks, the log and its shared index, synchronisation) is left to SQLite's own file system.
//!
//! Start reading at [`vfs`] (how SQLite comes to it), then [`file`] (what it does to a page).

mod file;
mod page;
mod seal;
mod vfs;

pub use page::PAGE_BYTES;
pub use seal::seal;
pub use vfs::{Sealing, damaged_pages, file_system, reserve, sealing, system_error};
