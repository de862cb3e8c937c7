//! Who asks.

use std::sync::Arc;

use liaison_care::access::{Identity, Scopes};

/// Who asks for an operation. Everything goes through [`App::execute`](crate::App::execute) with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The system itself, or anybody when the server runs without authentication on loopback.
    System,
    /// Somebody who was recognised.
    Somebody(Arc<Known>),
}

/// Somebody who was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub identity: Identity,
    /// What they were granted; scopes that say nothing limit nothing.
    pub scopes: Scopes,
    /// The id of the one person whom they were granted something for, when there is one.
    pub patient: Option<String>,
    /// Every address, with a trailing `/`, under which this server's own resources are named.
    pub bases: Arc<[String]>,
}

impl Known {
    /// Somebody whom the rules of access alone limit.
    #[must_use]
    pub fn without_scopes(identity: Identity, bases: Arc<[String]>) -> Self {
        Self { identity, scopes: Scopes::default(), patient: None, bases }
    }
}

impl Caller {
    /// Somebody who came themselves: nothing limits them but the rules.
    #[must_use]
    pub fn in_person(identity: Identity, bases: Arc<[String]>) -> Self {
        Self::Somebody(Arc::new(Known { identity, scopes: Scopes::default(), patient: None, bases }))
    }

    /// How the caller is named in the change feed and the audit trail.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::System => "system",
            Self::Somebody(known) => &known.identity.name,
        }
    }
}
