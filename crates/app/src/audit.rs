//! What the audit trail will say of an operation.

use crate::policy::Interaction;

/// What an operation does, to what: declared before it runs.
///
/// The name of the caller goes with every committed change (the change feed keeps it); reads and
/// searches are told in the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// What is done.
    pub interaction: Interaction,
    /// To which resource, as `Type/id`; the type alone, or nothing, when no single one is meant.
    pub entity: String,
}
