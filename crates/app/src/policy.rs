//! Who may do what: a pure decision, taken before anything runs.

use liaison_care::access::{
    Office,
    scopes::{Context, Right, Scope},
};
use liaison_fhir::{
    outcome::{Issue, IssueKind},
    text,
};

use crate::{
    caller::Caller,
    error::{AppError, Refusal},
};

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
    Export,
    Emergency,
}

impl Interaction {
    /// As the audit trail tells of it.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Emergency => "emergency-access",
            other => other.code(),
        }
    }

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
            Self::Operation | Self::Export | Self::Emergency => "operation",
        }
    }
}

/// What is refused before anything is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token was not granted this.
    Scope,
    /// Only who runs the server does this.
    Operator,
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        let text = match refused {
            Refused::Scope => text!(
                en: "Your token was not granted this: ask for a scope that covers it.",
                fr: "Votre jeton ne le permet pas : demandez une portée (scope) qui le couvre.",
            ),
            Refused::Operator => text!(
                en: "Only who runs this server may do this.",
                fr: "Seul l'exploitant de ce serveur peut faire cela.",
            ),
        };
        Self::new(Refusal::Forbidden, Issue::error(IssueKind::Forbidden, "", text))
    }
}

/// Whether a caller may ask for this at all; what they then see and may change is for the rules of access.
///
/// # Errors
/// Why not.
pub fn decide(caller: &Caller, action: &Action) -> Result<(), Refused> {
    let Caller::Somebody(known) = caller else { return Ok(()) };
    if for_operators(action) && known.identity.office != Office::Operator {
        return Err(Refused::Operator);
    }
    let Some(right) = right(action) else { return Ok(()) };
    // What of it a scope reaches is looked at resource by resource ([`liaison_care::access::Limits`]); all there is
    // of everybody is reached by a scope without conditions only.
    let whole = |scope: &Scope| scope.context != Context::Patient && scope.restriction.is_none();
    let mut giving = known.scopes.giving(right, action.resource_type.as_deref());
    let given = known.scopes.is_silent() || giving.any(|scope| !for_operators(action) || whole(scope));
    if given { Ok(()) } else { Err(Refused::Scope) }
}

/// What concerns everybody at once: bulk exports.
fn for_operators(action: &Action) -> bool {
    action.interaction == Interaction::Export
}

/// The right of SMART scopes that an action needs; none for what says nothing of anybody, and for bundles,
/// whose entries are looked at one by one.
const fn right(action: &Action) -> Option<Right> {
    Some(match action.interaction {
        Interaction::Read | Interaction::Vread => Right::Read,
        // It makes a circle, and what is asked for is to read.
        Interaction::Emergency => Right::Read,
        Interaction::Create => Right::Create,
        Interaction::Update | Interaction::Patch => Right::Update,
        Interaction::Delete => Right::Delete,
        Interaction::Search | Interaction::History | Interaction::Export => Right::Search,
        Interaction::Batch | Interaction::Transaction | Interaction::Capabilities | Interaction::Operation => {
            return None;
        }
    })
}
