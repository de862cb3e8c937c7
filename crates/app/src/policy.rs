//! Who may do what: a pure decision, taken before anything runs.

use liaison_fhir::search::query::Clause;

use crate::caller::Caller;

/// What an operation asks leave for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What is done.
    pub interaction: Interaction,
    /// To resources of which type; `None` for all, or for none in particular.
    pub resource_type: Option<String>,
}

impl Action {
    /// An interaction with resources of a type.
    #[must_use]
    pub fn on(interaction: Interaction, resource_type: &str) -> Self {
        Self { interaction, resource_type: Some(resource_type.to_owned()) }
    }

    /// An interaction with the whole system.
    #[must_use]
    pub const fn on_system(interaction: Interaction) -> Self {
        Self { interaction, resource_type: None }
    }
}

/// The interactions of FHIR REST, as the audit trail and the capability statement name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of FHIR's restful-interaction codes")]
pub enum Interaction {
    Read,
    Vread,
    Create,
    Update,
    Patch,
    Delete,
    Search,
    History,
    Batch,
    Transaction,
    Capabilities,
    Operation,
}

impl Interaction {
    /// The code of FHIR's `restful-interaction`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Search => "search",
            Self::History => "history",
            Self::Batch => "batch",
            Self::Transaction => "transaction",
            Self::Capabilities => "capabilities",
            Self::Operation => "operation",
        }
    }
}

/// What the policy says.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Go on; searches see only what this clause holds of.
    Allowed {
        /// What the caller may see, ANDed into every search.
        scope: Clause,
    },
    /// Do not.
    Refused,
}

/// Decides whether the caller may do this, and within which scope.
#[must_use]
pub const fn decide(caller: &Caller, _action: &Action) -> Decision {
    match caller {
        Caller::System => Decision::Allowed { scope: Clause::always() },
    }
}
