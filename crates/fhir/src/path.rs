//! The part of FHIRPath that search parameters and the constraints of FHIR's definitions need,
//! compiled once.
//!
//! Understood: member paths (choices such as `value` included), `$this`, `%resource`,
//! `%rootResource`, `%ucum`; `is`, `as`, `ofType`; `where`, `select`, `all`, `exists`, `empty`,
//! `not`, `iif`; `first`, `tail`, indexers, `count`, `isDistinct`, `allFalse`, `combine`;
//! `children`, `descendants`, `extension('url')`, `resolve() is T`, `hasValue`, `memberOf('url')`;
//! `startsWith`, `contains`, `matches`, `replaceMatches`, `toInteger`, `toString`, `trace`; the
//! operators `|`, `&`, `+`, `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `and`, `or`, `xor`, `implies`;
//! literals of strings, numbers and truth values. Anything else is refused when the expression is
//! read, so that no rule is ever half understood.
//!
//! Truth has three values, as FHIRPath says: what cannot be told is neither true nor false. Items
//! are handed on one by one and looking stops at the first that decides, so that nothing is
//! gathered that nobody asks for; and an evaluation has a number of steps it may take at most.
//!
//! <https://hl7.org/fhirpath/N1/>

pub mod evaluate;
mod lex;
pub mod parse;
mod pattern;
pub mod route;

use crate::{release::Release, tree::Object};

use self::evaluate::{Evaluation, Item, Steps};
use self::parse::PathError;
pub use self::pattern::Pattern;

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
        Evaluation::of(resource, release, &Steps::enough()).all(&self.root)
    }

    /// Whether the expression holds of a resource: it gives `true`, or anything but a truth value.
    #[must_use]
    pub fn holds(&self, resource: &Object, release: &'static Release) -> bool {
        Evaluation::of(resource, release, &Steps::enough()).condition(&self.root) == Some(true)
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
    /// `%resource`: the resource the evaluation stands in.
    Resource,
    /// `%rootResource`: the resource that contains it, or the same.
    Container,
    /// An element of each item.
    Member(Box<Expression>, Box<str>),
    /// All elements of each item.
    Children(Box<Expression>),
    /// All elements of each item, and theirs, and so on.
    Descendants(Box<Expression>),
    /// The item at that position.
    Index(Box<Expression>, usize),
    /// All items but the first.
    Tail(Box<Expression>),
    /// The items for which the condition holds.
    Where(Box<Expression>, Box<Expression>),
    /// What the second gives for each item of the first.
    Select(Box<Expression>, Box<Expression>),
    /// The extensions of that URL.
    Extension(Box<Expression>, Box<str>),
    /// What references point to; only its type can be asked.
    Resolve(Box<Expression>),
    /// The items of that type.
    OfType(Box<Expression>, Box<str>),
    /// The items of both sides. Those that are the same on both are kept twice: no expression in
    /// use counts them.
    Union(Box<Expression>, Box<Expression>),
    /// The second when the condition holds of the first, otherwise the third.
    If(Box<Expression>, Box<[Expression; 3]>),
    /// How many items there are.
    Count(Box<Expression>),
    /// The number a text writes.
    ToInteger(Box<Expression>),
    /// The text of a primitive.
    ToText(Box<Expression>),
    /// A text with every match of the pattern replaced.
    Replace(Box<Expression>, Pattern, Box<str>),
    /// `&`: both texts one after the other, nothing counting as the empty text.
    Join(Box<Expression>, Box<Expression>),
    /// `+`: the sum of numbers, or both texts one after the other.
    Plus(Box<Expression>, Box<Expression>),
    /// Nothing at all: what is left out.
    Nothing,
    /// A literal.
    Literal(Literal),
    /// Whether the one item is of that type.
    Is(Box<Expression>, Box<str>),
    /// Whether there is any item.
    Exists(Box<Expression>),
    /// Whether the one item is a primitive with a value.
    HasValue(Box<Expression>),
    /// Whether the condition holds of all items.
    All(Box<Expression>, Box<Expression>),
    /// Whether all items are `false`.
    AllFalse(Box<Expression>),
    /// Whether no item is there twice.
    IsDistinct(Box<Expression>),
    /// Whether a code is in a value set.
    MemberOf(Box<Expression>, Box<str>),
    /// Whether the text of the first begins with that of the second.
    StartsWith(Box<Expression>, Box<Expression>),
    /// Whether the text of the first has that of the second in it.
    Contains(Box<Expression>, Box<Expression>),
    /// Whether the pattern is found in the text.
    Matches(Box<Expression>, Pattern),
    /// The contrary of a truth value.
    Not(Box<Expression>),
    /// Whether both sides are the same.
    Equal(Box<Expression>, Box<Expression>),
    /// How both sides are ordered.
    Compare(Box<Expression>, Comparison, Box<Expression>),
    /// Whether the first is among the items of the second.
    In(Box<Expression>, Box<Expression>),
    /// Both sides hold.
    And(Box<Expression>, Box<Expression>),
    /// One of the sides holds.
    Or(Box<Expression>, Box<Expression>),
    /// One of the sides holds, and not the other.
    Xor(Box<Expression>, Box<Expression>),
    /// The second holds where the first does.
    Implies(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// Whether it gives a truth value, if anything.
    #[must_use]
    pub const fn is_condition(&self) -> bool {
        matches!(
            self,
            Self::Is(..)
                | Self::Exists(_)
                | Self::HasValue(_)
                | Self::All(..)
                | Self::AllFalse(_)
                | Self::IsDistinct(_)
                | Self::MemberOf(..)
                | Self::StartsWith(..)
                | Self::Contains(..)
                | Self::Matches(..)
                | Self::Not(_)
                | Self::Equal(..)
                | Self::Compare(..)
                | Self::In(..)
                | Self::And(..)
                | Self::Or(..)
                | Self::Xor(..)
                | Self::Implies(..)
        )
    }
}

/// The operators of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
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
