//! How the values of a parameter are read, by its kind and the type of the element.

use crate::search::query::ParamKind;

/// How a value becomes rows of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// A primitive as text.
    Text,
    /// The parts of a name, each apart.
    HumanName,
    /// The parts of an address, each apart.
    Address,
    /// A primitive as a code without system.
    Code,
    /// A code with its system.
    Coding,
    /// Each of its codings.
    CodeableConcept,
    /// Its value as a code, its system as system.
    Identifier,
    /// Its value as a code.
    ContactPoint,
    /// A reference.
    Reference,
    /// A canonical or URI that names another artefact.
    Canonical,
    /// A `date`, `dateTime` or `instant`.
    Moment,
    /// A period.
    Period,
    /// The outer limits of a schedule.
    Timing,
    /// A whole number: exact.
    Integer,
    /// A decimal, as precise as its digits.
    Decimal,
    /// A number with a unit.
    Quantity,
    /// From one quantity to another.
    Range,
    /// An amount, its currency as unit.
    Money,
    /// A URI.
    Uri,
    /// Latitude and longitude.
    Position,
}

impl Reading {
    /// How a parameter of that kind reads elements of that type; `None` when it does not.
    #[must_use]
    pub fn of(kind: ParamKind, type_code: &str) -> Option<Self> {
        Some(match (kind, type_code) {
            (ParamKind::String, "string" | "markdown" | "code" | "id" | "uri" | "url") => Self::Text,
            (ParamKind::String, "HumanName") => Self::HumanName,
            (ParamKind::String, "Address") => Self::Address,
            (
                ParamKind::Token,
                "code" | "boolean" | "id" | "string" | "uri" | "url" | "oid" | "uuid" | "canonical" | "integer"
                | "unsignedInt" | "positiveInt",
            ) => Self::Code,
            (ParamKind::Token, "Coding") => Self::Coding,
            (ParamKind::Token, "CodeableConcept") => Self::CodeableConcept,
            (ParamKind::Token, "Identifier") => Self::Identifier,
            (ParamKind::Token, "ContactPoint") => Self::ContactPoint,
            (ParamKind::Reference, "Reference") => Self::Reference,
            (ParamKind::Reference, "canonical" | "uri" | "url") => Self::Canonical,
            (ParamKind::Date, "date" | "dateTime" | "instant") => Self::Moment,
            (ParamKind::Date, "Period") => Self::Period,
            (ParamKind::Date, "Timing") => Self::Timing,
            (ParamKind::Number, "integer" | "unsignedInt" | "positiveInt") => Self::Integer,
            (ParamKind::Number, "decimal") => Self::Decimal,
            (ParamKind::Quantity, "Quantity" | "Age" | "Duration" | "Distance" | "Count") => Self::Quantity,
            (ParamKind::Quantity, "Range") => Self::Range,
            (ParamKind::Quantity, "Money") => Self::Money,
            (ParamKind::Uri, "uri" | "url" | "canonical" | "oid" | "uuid") => Self::Uri,
            (ParamKind::Special, "BackboneElement" | "Element") => Self::Position,
            _ => return None,
        })
    }
}
