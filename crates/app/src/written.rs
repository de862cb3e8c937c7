//! What a write gives back.

use liaison_fhir::outcome::Issue;

use crate::stored::Stored;

/// A resource after a write.
#[derive(Clone, Debug)]
pub struct Written {
    /// What the write did.
    pub effect: Effect,
    /// The resource as it is now, attachments included.
    pub resource: Stored,
    /// Warnings and repairs; none of them refuses.
    pub issues: Vec<Issue>,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A resource came into being, or came back after a deletion.
    Created,
    /// A new version of a resource that was there.
    Updated,
    /// Nothing: what was asked for was there already.
    Found,
}
