//! Who asks.

/// Who asks for an operation. Everything goes through [`App::execute`](crate::App::execute) with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The system itself, or anybody when the server runs without authentication on loopback.
    System,
}

impl Caller {
    /// How the caller is named in the change feed and the audit trail.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::System => "system",
        }
    }
}
