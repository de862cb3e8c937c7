//! Persistence: resources, versions, index rows, keys and attachments in a relational store.
//!
//! Must never know: resource types by name, FHIR releases, policy, HTTP. Start reading at
//! [`contract`], then [`store`] (opening it), [`writer`] and [`commit`] (how a version comes in),
//! [`reader`], [`versions`] and [`search`] (how it is found again).
//!
//! What always holds: a write is answered after its commit is on the disk; jobs that write run one
//! after the other; a job that fails leaves nothing; a read sees one moment of the store, as it was
//! written or not at all; every value is bound, never part of the SQL text.

pub mod audit;
pub mod blob;
pub mod bulk;
pub mod check;
pub mod contract;
pub mod figures;
pub mod health;
pub mod indexing;
pub mod jobs;
pub mod lease;
pub mod reader;
pub mod reindex;
pub mod schema;
pub mod store;
pub mod watch;
pub mod writer;

mod answers;
mod backup;
mod body;
mod changes;
mod commit;
mod cursor;
mod dialect;
mod dictionary;
mod entry;
mod history;
mod integrity;
mod kept;
mod lock;
mod mark;
mod moment;
pub mod objects;
mod rows;
mod search;
pub mod shard;
mod sphere;
mod versions;
