//! The part of FHIRPath that search parameters and small profile rules need, compiled once.
//!
//! Understood: member paths (choices such as `value` included), `as` and `ofType`, `is`,
//! `where`, `exists`, `empty`, `not`, `first`, indexers, `extension('url')`, `resolve() is T`,
//! unions, `=`, `!=`, `and`, `or`, literals of strings, numbers and truth values. Anything else is
//! refused when the expression is read, so that no rule is ever half understood.
//!
//! <https://hl7.org/fhirpath/N1/>

pub mod evaluate;
pub mod parse;
pub mod route;

use crate::{release::Release, tree::Object};

use self::evaluate::{Evaluation, Item};
use self::parse::PathError;

/// An expression, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    root: Expression,
}

impl Path {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is not FHIRPath, or uses a part of FHIRPath that is not offered here.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        parse::parse(text).map(|root| Self { root })
    }

    /// What the expression selects in a resource, in order of the resource. Elements the release
    /// does not know select nothing.
    #[must_use]
    pub fn evaluate<'t>(&'t self, resource: &'t Object, release: &'static Release) -> Vec<Item<'t>> {
        Evaluation::of(resource, release).all(&self.root)
    }

    /// Whether the expression holds of a resource: it gives `true`, or anything but a truth value.
    #[must_use]
    pub fn holds(&self, resource: &Object, release: &'static Release) -> bool {
        evaluate::holds(&Evaluation::of(resource, release).all(&self.root))
    }

    /// Its tree, for those who compile it further.
    #[must_use]
    pub const fn expression(&self) -> &Expression {
        &self.root
    }
}

/// An expression as a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Where the evaluation stands: the resource, or the item that `where` looks at.
    Here,
    /// The resource, when it is of that type (`Patient`, `Resource`…).
    Root(Box<str>),
    /// An element of each item.
    Member(Box<Expression>, Box<str>),
    /// The item at that position.
    Index(Box<Expression>, usize),
    /// The items for which the condition holds.
    Where(Box<Expression>, Box<Expression>),
    /// The extensions of that URL.
    Extension(Box<Expression>, Box<str>),
    /// What references point to; only its type can be asked.
    Resolve(Box<Expression>),
    /// The items of that type.
    OfType(Box<Expression>, Box<str>),
    /// Whether the one item is of that type.
    Is(Box<Expression>, Box<str>),
    /// Whether there is any item.
    Exists(Box<Expression>),
    /// The contrary of a truth value.
    Not(Box<Expression>),
    /// The items of both sides.
    Union(Box<Expression>, Box<Expression>),
    /// Whether both sides are the same.
    Equal(Box<Expression>, Box<Expression>),
    /// Both sides hold.
    And(Box<Expression>, Box<Expression>),
    /// One of the sides holds.
    Or(Box<Expression>, Box<Expression>),
    /// A literal.
    Literal(Literal),
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `'text'`
    Text(Box<str>),
    /// `true`, `false`
    Truth(bool),
    /// `12`, `1.50`: its digits.
    Number(Box<str>),
}
