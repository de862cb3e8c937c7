//! Bundles that are processed rather than kept: transactions, batches, and the note bundles of the
//! volets.
//!
//! A transaction is planned on a snapshot (which actors are here already, what every entry will be
//! called, what is to be written), then carried out in one turn of the writer, which first looks
//! whether what the plan supposes still holds, and plans again if not.

pub mod answer;
pub(crate) mod entry;
pub(crate) mod identity;
pub(crate) mod plan;
pub(crate) mod references;
pub(crate) mod request;
