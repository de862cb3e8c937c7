//! Code systems, value sets and concept maps: expand, validate, look up, translate.
//!
//! The operations work on resources as trees, built in or stored by a client, in either release
//! (the elements they read are the same in both), and answer with trees that are valid in both.
//! Where the resources come from is the caller's affair: see [`definitions::Definitions`].

pub mod base_lists;
pub mod code_system;
pub mod coded;
pub mod concept_map;
pub mod definitions;
pub mod inputs;
pub mod language;
pub mod systems;
pub mod value_set;

use crate::{
    outcome::{Issue, Language},
    tree::Object,
};
use definitions::Definitions;
use inputs::Inputs;

/// The operations of the terminology service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `ValueSet/$expand`.
    Expand,
    /// `ValueSet/$validate-code`.
    ValidateInValueSet,
    /// `CodeSystem/$lookup`.
    Lookup,
    /// `CodeSystem/$validate-code`.
    ValidateInCodeSystem,
    /// `ConceptMap/$translate`.
    Translate,
}

/// What an answer needs and this crate cannot make: it knows no clock and no chance.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Now, as an instant, for `ValueSet.expansion.timestamp`.
    pub timestamp: &'a str,
    /// A URI never used before, for `ValueSet.expansion.identifier`.
    pub identifier: &'a str,
    /// The language of the messages.
    pub language: Language,
}

impl Operation {
    /// All of them, for a server to say what it does.
    pub const ALL: [Self; 5] =
        [Self::Expand, Self::ValidateInValueSet, Self::Lookup, Self::ValidateInCodeSystem, Self::Translate];

    /// The operation of that name (without `$`) on that resource type.
    #[must_use]
    pub fn named(resource_type: &str, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.resource_type() == resource_type && operation.name() == name)
    }

    /// The resource type it belongs to.
    #[must_use]
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::Expand | Self::ValidateInValueSet => "ValueSet",
            Self::Lookup | Self::ValidateInCodeSystem => "CodeSystem",
            Self::Translate => "ConceptMap",
        }
    }

    /// Its name, without `$`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::ValidateInValueSet | Self::ValidateInCodeSystem => "validate-code",
            Self::Lookup => "lookup",
            Self::Translate => "translate",
        }
    }

    /// Runs it, on the type (`instance` is `None`) or on one resource. The answer is a `ValueSet`
    /// for [`Self::Expand`] and `Parameters` for the others.
    ///
    /// # Errors
    /// What was not understood in the inputs, what is not known here (`not-found`), what cannot be
    /// computed (`not-supported`, `too-costly`).
    pub fn run(
        self,
        instance: Option<&Object>,
        inputs: &Inputs,
        definitions: &dyn Definitions,
        circumstances: &Circumstances<'_>,
    ) -> Result<Object, Vec<Issue>> {
        match self {
            Self::Expand => value_set::expand(instance, inputs, definitions, circumstances),
            Self::ValidateInValueSet => value_set::validate_code(instance, inputs, definitions, circumstances.language),
            Self::Lookup => code_system::lookup(instance, inputs, definitions),
            Self::ValidateInCodeSystem => {
                code_system::validate_code(instance, inputs, definitions, circumstances.language)
            }
            Self::Translate => concept_map::translate(instance, inputs, definitions, circumstances.language),
        }
    }
}
