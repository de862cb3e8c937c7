//! What is written beside a resource so that it can be found: the rows of its index.
//!
//! Differences between stores are removed here: strings are folded, dates are `[low, high)` in
//! microseconds UTC, references are split.

use compact_str::CompactString;

/// A search parameter of a resource type, in the R4 view: `("DocumentReference", "date")`.
///
/// The code may carry a variant that is indexed apart: `subject:identifier` (tokens of
/// `Reference.identifier`), `identifier:of-type` (tokens `type system`, `type code|value`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Param {
    /// The resource type that is searched; never an abstract type.
    pub base: &'static str,
    /// The code of the parameter, with its variant.
    pub code: &'static str,
}

/// One row of the index of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexRow {
    /// The parameter that finds it.
    pub param: Param,
    /// The value it is found by.
    pub value: IndexValue,
}

/// The value of a row, by type of parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexValue {
    /// A string: as it is for `:exact`, and without case, accents and repeated blanks.
    String {
        /// As written.
        exact: CompactString,
        /// Folded by [`crate::primitive::fold`].
        folded: CompactString,
    },
    /// A code with or without system. Systems are canonical (aliases replaced).
    Token {
        /// The system, `None` when the coding has none.
        system: Option<CompactString>,
        /// The code, identifier value or truth value; case-sensitive.
        code: CompactString,
    },
    /// A reference.
    Reference(Target),
    /// A moment or period: `[low, high)` in microseconds since 1970 UTC. Open ends are
    /// `i64::MIN` and `i64::MAX`.
    Date {
        /// First microsecond.
        low: i64,
        /// First microsecond after the end.
        high: i64,
    },
    /// A number with its implicit precision: `[low, high)`.
    Number {
        /// Lower bound.
        low: f64,
        /// Upper bound, excluded unless equal to `low`.
        high: f64,
    },
    /// A quantity: number as above, system and code of the unit.
    Quantity {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
        /// System of the unit.
        system: Option<CompactString>,
        /// Code of the unit, or its text when there is no code.
        code: Option<CompactString>,
    },
    /// A URI or canonical, version apart.
    Uri(CompactString),
    /// A position (WGS84).
    Position {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
}

/// What a reference points to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A resource of this server (relative reference, or absolute under one of our bases).
    Local {
        /// Its type.
        resource_type: CompactString,
        /// Its id.
        id: CompactString,
    },
    /// Something elsewhere: an absolute URL, a URN, a canonical.
    Elsewhere(CompactString),
}
