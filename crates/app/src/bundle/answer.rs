//! What becomes of the entries of a bundle.

use liaison_fhir::outcome::Issue;

use crate::{
    error::AppError,
    operation::{delete::Deleted, search::Found},
    stored::Stored,
    written::Written,
};

/// The answers to the entries of a batch or transaction, in their order. In the answer to a
/// transaction none is a refusal.
#[derive(Debug)]
pub struct BundleAnswer {
    /// One for each entry.
    pub entries: Vec<Result<EntryAnswer, AppError>>,
    /// Warnings and repairs that concern the bundle.
    pub issues: Vec<Issue>,
}

/// What an entry gave.
#[derive(Clone, Debug)]
pub enum EntryAnswer {
    /// A write; heavy attachments are left out.
    Written(Box<Written>),
    /// A deletion.
    Deleted(Deleted),
    /// A read.
    Read(Box<Stored>),
    /// A search: the page, and the type searched.
    Found(Box<Found>, Option<&'static str>),
}
