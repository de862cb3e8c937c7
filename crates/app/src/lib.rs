//! The use cases: the only door between callers and the store.
//!
//! Must never know: HTTP or any other protocol, SQL, mail. Start reading at [`App::execute`]
//! (policy, audit, run), then at the operations in [`operation`], one to a file and named after the
//! interactions of FHIR, then at `write`, the one lifecycle of everything that is stored.
//!
//! What hangs on the state of the store (preconditions, conditions, uniqueness, references) is
//! decided inside the store's writer, in the transaction that stores the change: two requests at
//! the same moment cannot both win.

mod app;
mod belongings;
mod capabilities;
mod clock;
mod conformance;
mod criteria;
mod idempotence;
mod load;
mod permission;
mod sight;
pub mod sights;
mod there;
mod wire_2017;

pub mod audit;
pub mod bundle;
pub mod caller;
pub mod content;
pub mod error;
pub mod face;
pub mod name;
pub mod operation;
pub mod part;
mod place;
pub mod policy;
pub mod query_string;
pub mod refers;
pub mod settings;
pub mod stored;
mod write;
pub mod written;

pub use app::App;
