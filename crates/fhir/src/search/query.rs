//! A question, read and typed: what the store plans and the in-memory evaluator answers.
//!
//! Names are those of the R4 view; whatever a release or a volet calls them has been resolved by
//! [`parse`](super::parse).

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use compact_str::CompactString;

use super::index::{Param, Target};
pub use super::set::ResourceSet;

/// A search of one type, of several, or of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The resource types searched; empty means all.
    pub types: Vec<&'static str>,
    /// What must hold of each match.
    pub filter: Clause,
    /// In which order; ties, and no order at all, fall back on the moment of each resource, newest
    /// first (the date parameter the store was told to order its type by, last change for types
    /// without one; resources without a date last), then on the order of creation, newest first,
    /// so that pages never overlap.
    pub sort: Vec<Sort>,
    /// What else is wanted beside the matches.
    pub includes: Vec<Include>,
}

impl Query {
    /// The parameters whose rows its answer rests on, whatever it asks of them. Those of types that are not
    /// searched have no value there.
    #[must_use]
    pub fn params(&self) -> BTreeSet<Param> {
        let mut params = BTreeSet::new();
        self.filter.gather(&self.types, &mut params);
        params.extend(self.includes.iter().flat_map(|include| &include.params));
        params.extend(self.sort.iter().filter_map(|sort| match sort.by {
            SortKey::Param(param, _) => Some(param),
            SortKey::LastUpdated | SortKey::Id => None,
        }));
        params
    }
}

/// A condition on a resource.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Clause {
    /// All of these hold. Empty: always true.
    All(Vec<Clause>),
    /// At least one of these holds. Empty: never true.
    Any(Vec<Clause>),
    /// This does not hold (`:not`: also true of resources without any value).
    Not(Box<Clause>),
    /// Some value of the parameter passes the test.
    Has(Param, Test),
    /// The parameter has at least one value (`:missing=false`).
    Present(Param),
    /// It is a resource of one of these types: for what holds of several types at once.
    OfType(Vec<&'static str>),
    /// The logical id is one of these.
    Id(Vec<CompactString>),
    /// It is one of these resources.
    Among(ResourceSet),
    /// The last change falls in a range.
    LastUpdated(DateTest),
    /// A chain: some reference of the parameter points to a live resource of one of these types
    /// (any when empty) for which the clause holds. All criteria on one chain are in one clause:
    /// they speak of one and the same target.
    Refers {
        /// The reference parameter.
        param: Param,
        /// Types the target may have; never empty: `parse` lists them.
        types: Vec<&'static str>,
        /// What must hold of the target.
        target: Box<Clause>,
    },
    /// `_has`: some live resource of the type refers here by the parameter, and the clause holds
    /// of it.
    ReferredBy {
        /// The reference parameter of the referring type (its `base` is that type).
        param: Param,
        /// What must hold of the referring resource.
        source: Box<Clause>,
    },
}

impl Clause {
    /// The clause that is always true.
    #[must_use]
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// The clause that is never true.
    #[must_use]
    pub const fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// Those of a clause on resources of these types, of all when there are none.
    fn gather(&self, types: &[&'static str], params: &mut BTreeSet<Param>) {
        let has_values = |param: &Param| types.is_empty() || types.contains(&param.base);
        match self {
            Self::All(of) | Self::Any(of) => of.iter().for_each(|clause| clause.gather(types, params)),
            Self::Not(of) => of.gather(types, params),
            Self::Has(param, _) | Self::Present(param) if has_values(param) => drop(params.insert(*param)),
            Self::Refers { param, types, target } if has_values(param) => {
                params.insert(*param);
                target.gather(types, params);
            }
            Self::ReferredBy { param, source } => {
                params.insert(*param);
                source.gather(&[param.base], params);
            }
            Self::Has(..)
            | Self::Present(_)
            | Self::Refers { .. }
            | Self::OfType(_)
            | Self::Id(_)
            | Self::Among(_)
            | Self::LastUpdated(_) => {}
        }
    }
}

/// A test on one value of a parameter; which variant follows from the parameter's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// On [`String`](super::index::IndexValue::String) rows.
    String(StringTest),
    /// On [`Token`](super::index::IndexValue::Token) rows.
    Token(TokenTest),
    /// On [`Reference`](super::index::IndexValue::Reference) rows.
    Reference(ReferenceTest),
    /// On [`Date`](super::index::IndexValue::Date) rows.
    Date(DateTest),
    /// On [`Number`](super::index::IndexValue::Number) rows.
    Number(NumberTest),
    /// On [`Quantity`](super::index::IndexValue::Quantity) rows.
    Quantity {
        /// The number.
        number: NumberTest,
        /// System of the unit, when asked for.
        system: Option<CompactString>,
        /// Code of the unit, when asked for.
        code: Option<CompactString>,
    },
    /// On [`Uri`](super::index::IndexValue::Uri) rows.
    Uri(UriTest),
    /// On [`Position`](super::index::IndexValue::Position) rows: no farther than this.
    Near {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Metres.
        metres: f64,
    },
}

impl Hash for Test {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::String(test) => test.hash(state),
            Self::Token(test) => test.hash(state),
            Self::Reference(test) => test.hash(state),
            Self::Date(test) => test.hash(state),
            Self::Number(test) => test.hash(state),
            Self::Quantity { number, system, code } => (number, system, code).hash(state),
            Self::Uri(test) => test.hash(state),
            Self::Near { latitude, longitude, metres } => {
                [latitude, longitude, metres].map(|n| n.to_bits()).hash(state)
            }
        }
    }
}

/// A test on a string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StringTest {
    /// The folded value starts with this folded text (the default).
    StartsWith(CompactString),
    /// The folded value contains this folded text (`:contains`).
    Contains(CompactString),
    /// The value is exactly this (`:exact`).
    Exact(CompactString),
}

/// A test on a code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenTest {
    /// The system asked for.
    pub system: SystemTest,
    /// The code asked for; `None` for `system|`.
    pub code: Option<CompactString>,
}

/// A test on the system of a code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SystemTest {
    /// `code`: any system, or none.
    Any,
    /// `|code`: no system.
    Absent,
    /// `system|code`: this system (canonical, aliases replaced).
    Is(CompactString),
}

/// A test on a reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceTest {
    /// Points to exactly this.
    Is(Target),
    /// Points to a resource of this server with this id, of one of these types.
    Id {
        /// The id.
        id: CompactString,
        /// The types possible; never empty.
        types: Vec<&'static str>,
    },
    /// Points to a resource of this server of one of these types, whatever it is.
    OfType(Vec<&'static str>),
    /// Points to one of these.
    Among(ResourceSet),
}

/// A comparison of ranges: the value's range against the range searched `[low, high)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTest {
    /// How they compare. `ap` has been turned into [`Comparison::Overlaps`] on a widened range.
    pub comparison: Comparison,
    /// First microsecond searched.
    pub low: i64,
    /// First microsecond after.
    pub high: i64,
}

/// As [`DateTest`], on numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberTest {
    /// How they compare.
    pub comparison: Comparison,
    /// Lower bound searched.
    pub low: f64,
    /// Upper bound searched.
    pub high: f64,
}

impl Hash for NumberTest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.comparison, self.low.to_bits(), self.high.to_bits()).hash(state);
    }
}

/// The prefixes of FHIR search, on ranges. `v` is the value's range, `s` the range searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `eq`: `s.low <= v.low` and `v.high <= s.high`.
    Within,
    /// `ne`: not [`Comparison::Within`].
    NotWithin,
    /// `gt`: `v.high > s.high`.
    Greater,
    /// `lt`: `v.low < s.low`.
    Less,
    /// `ge`: `v.high > s.high` or within.
    GreaterOrWithin,
    /// `le`: `v.low < s.low` or within.
    LessOrWithin,
    /// `sa`: `v.low >= s.high`.
    After,
    /// `eb`: `v.high <= s.low`.
    Before,
    /// `ap`, on the widened range: `v.low < s.high` and `v.high > s.low`.
    Overlaps,
}

/// A test on a URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UriTest {
    /// Is exactly this.
    Is(CompactString),
    /// Starts with this (`:below`).
    Below(CompactString),
    /// This starts with it (`:above`).
    Above(CompactString),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub by: SortKey,
    /// Which way.
    pub direction: Direction,
}

/// What one sorts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The last change.
    LastUpdated,
    /// The logical id.
    Id,
    /// The smallest value of a parameter when ascending, the greatest when descending; resources
    /// without a value come last. Strings compare folded, codes without their system, references
    /// by the id of what is stored here (others are no value), ranges by their lower bound; texts
    /// byte by byte.
    Param(Param, ParamKind),
}

/// Which way one sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first (`-`).
    Descending,
}

/// The types of search parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of FHIR's search-param-type codes")]
pub enum ParamKind {
    String,
    Token,
    Reference,
    Date,
    Number,
    Quantity,
    Uri,
    Special,
    Composite,
}

impl ParamKind {
    /// The code of FHIR's `search-param-type`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
            Self::Composite => "composite",
        }
    }
}

/// Which resources come with the matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Along or against the reference.
    pub way: IncludeWay,
    /// The reference parameters followed: several for `*`.
    pub params: Vec<Param>,
    /// Types of the resources brought in; empty means any.
    pub types: Vec<&'static str>,
    /// Whether it also applies to resources that were brought in (`:iterate`).
    pub iterate: Iterate,
}

/// Along or against a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncludeWay {
    /// `_include`: what a match refers to.
    Forward,
    /// `_revinclude`: what refers to a match.
    Reverse,
}

/// Whether an include is applied once or until nothing new comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iterate {
    /// Only from the matches.
    Once,
    /// From the matches and from what was brought in.
    Repeatedly,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_rests_on_the_rows_of_everything_that_is_named() {
        let param = |code| Param { base: "Note", code };
        let has = |code| Clause::Has(param(code), Test::Uri(UriTest::Is("x".into())));
        let target = Clause::Present(Param { base: "Person", code: "target" });
        let chain = Clause::Refers { param: param("chain"), types: vec!["Person"], target: Box::new(target) };
        // What anybody may see says more than concerns a note.
        let elsewhere = Clause::Present(Param { base: "Person", code: "elsewhere" });
        let reverse = Clause::ReferredBy { param: param("reverse"), source: Box::new(has("source")) };
        let either =
            Clause::Any(vec![Clause::Not(Box::new(has("not"))), Clause::Present(param("present")), chain, elsewhere]);
        let query = Query {
            types: vec!["Note"],
            filter: Clause::All(vec![either, reverse, Clause::Id(vec!["1".into()])]),
            sort: vec![
                Sort { by: SortKey::Param(param("sort"), ParamKind::Uri), direction: Direction::Ascending },
                Sort { by: SortKey::LastUpdated, direction: Direction::Ascending },
            ],
            includes: vec![Include {
                way: IncludeWay::Reverse,
                params: vec![param("one"), param("two")],
                types: Vec::new(),
                iterate: Iterate::Once,
            }],
        };
        let codes: Vec<&str> = query.params().into_iter().map(|param| param.code).collect();
        assert_eq!(codes, ["chain", "not", "one", "present", "reverse", "sort", "source", "two", "target"]);
    }
}
