//! A clause in terms of the store: names replaced by keys, and what can never hold left out.

use compact_str::CompactString;
use liaison_fhir::search::index::{Param, Target};
use liaison_fhir::search::query::{Clause, DateTest, NumberTest, ReferenceTest, StringTest, SystemTest, Test, UriTest};

use crate::commit::facet;
use crate::contract::{Name, StoreError};
use crate::dictionary::Kind;
use crate::reader::Reader;
use crate::sphere;

/// A condition on a live resource of one type.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A code, of this system (0: none) or of any.
    Token {
        param: i64,
        system: Option<i64>,
        code: CompactString,
    },
    /// Any code of a system (0: none).
    System {
        param: i64,
        system: i64,
    },
    /// A reference to one of these.
    Points {
        param: i64,
        targets: Vec<i64>,
    },
    /// A reference to something of these types.
    PointsTo {
        param: i64,
        kinds: Vec<i64>,
    },
    Uri {
        param: i64,
        test: UriTest,
    },
    Text {
        param: i64,
        test: StringTest,
    },
    Date {
        param: i64,
        test: DateTest,
    },
    /// On the moment of the resource.
    Moment(DateTest),
    /// On its last change.
    Updated(DateTest),
    Number {
        param: i64,
        test: NumberTest,
    },
    /// System 0 means none is asked for.
    Quantity {
        param: i64,
        test: NumberTest,
        system: Option<i64>,
        code: Option<CompactString>,
    },
    Near {
        param: i64,
        point: [f64; 3],
        chord: f64,
    },
    Id(Vec<CompactString>),
    /// It has a value for the parameter of this facet.
    Present(char),
    /// It refers to a live resource for which a condition by type holds.
    Refers {
        param: i64,
        targets: Vec<(Kind, Condition)>,
    },
    /// A live resource of the type refers to it and holds the condition.
    Referred {
        param: i64,
        kind: Kind,
        source: Box<Condition>,
    },
}

impl Condition {
    /// Always true.
    pub(crate) const ALWAYS: Self = Self::All(Vec::new());
    /// Never true.
    pub(crate) const NEVER: Self = Self::Any(Vec::new());

    /// Whether it is known never to hold.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Self::Any(of) if of.is_empty())
    }

    /// Whether it is known always to hold.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self, Self::All(of) if of.is_empty())
    }

    /// Rewrite "flatten": all of all is all; what always holds is left out; one that never holds
    /// decides.
    pub(crate) fn all(of: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for condition in of {
            match condition {
                Self::All(inner) => flat.extend(inner),
                never if never.is_never() => return never,
                other => flat.push(other),
            }
        }
        one_or(flat, Self::All)
    }

    /// As [`Condition::all`], for any. References by one parameter become one list of targets.
    pub(crate) fn any(of: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        let mut waiting: Vec<Self> = of.into_iter().collect();
        waiting.reverse();
        while let Some(condition) = waiting.pop() {
            match condition {
                Self::Any(inner) => waiting.extend(inner.into_iter().rev()),
                always if always.is_always() => return always,
                Self::Points { param, targets } => {
                    let same = flat.iter_mut().find_map(|other| match other {
                        Self::Points { param: of, targets } if *of == param => Some(targets),
                        _ => None,
                    });
                    match same {
                        Some(known) => {
                            known.extend(targets);
                            known.sort_unstable();
                            known.dedup();
                        }
                        None => flat.push(Self::Points { param, targets }),
                    }
                }
                other => flat.push(other),
            }
        }
        one_or(flat, Self::Any)
    }

    /// The opposite.
    pub(crate) fn not(of: Self) -> Self {
        match of {
            Self::Not(inner) => *inner,
            always if always.is_always() => Self::NEVER,
            never if never.is_never() => Self::ALWAYS,
            other => Self::Not(Box::new(other)),
        }
    }
}

fn one_or(mut of: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (of.len(), of.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            of.extend(last);
            join(of)
        }
    }
}

impl Reader<'_> {
    /// What a clause means for resources of a type. Parameters of other types have no value there.
    pub(crate) fn condition(&self, clause: &Clause, kind: &Kind) -> Result<Condition, StoreError> {
        Ok(match clause {
            Clause::All(of) => Condition::all(self.conditions(of, kind)?),
            Clause::Any(of) => Condition::any(self.conditions(of, kind)?),
            Clause::Not(of) => Condition::not(self.condition(of, kind)?),
            Clause::OfType(types) if types.contains(&&*kind.name) => Condition::ALWAYS,
            Clause::OfType(_) => Condition::NEVER,
            Clause::Id(ids) if ids.is_empty() => Condition::NEVER,
            Clause::Id(ids) => Condition::Id(ids.clone()),
            Clause::LastUpdated(test) => Condition::Updated(*test),
            Clause::Present(param) => match self.param_of(*param, kind)? {
                Some(key) => Condition::Present(facet(key)),
                None => Condition::NEVER,
            },
            Clause::Has(param, test) => match self.param_of(*param, kind)? {
                Some(key) => self.test(*param, key, test, kind)?,
                None => Condition::NEVER,
            },
            Clause::Refers { param, types, target } => {
                let Some(key) = self.param_of(*param, kind)? else { return Ok(Condition::NEVER) };
                let mut targets = Vec::new();
                for of in types {
                    let Some(of) = self.kind_named(of)? else { continue };
                    let condition = self.condition(target, &of)?;
                    if !condition.is_never() {
                        targets.push((of, condition));
                    }
                }
                if targets.is_empty() { Condition::NEVER } else { Condition::Refers { param: key, targets } }
            }
            Clause::ReferredBy { param, source } => {
                let (Some(of), Some(key)) = (self.kind_named(param.base)?, self.words.param(self.db, *param)?) else {
                    return Ok(Condition::NEVER);
                };
                let source = self.condition(source, &of)?;
                if source.is_never() {
                    return Ok(Condition::NEVER);
                }
                Condition::Referred { param: key, kind: of, source: Box::new(source) }
            }
        })
    }

    fn conditions(&self, of: &[Clause], kind: &Kind) -> Result<Vec<Condition>, StoreError> {
        of.iter().map(|clause| self.condition(clause, kind)).collect()
    }

    fn param_of(&self, param: Param, kind: &Kind) -> Result<Option<i64>, StoreError> {
        if *param.base == *kind.name { self.words.param(self.db, param) } else { Ok(None) }
    }

    fn test(&self, name: Param, param: i64, test: &Test, kind: &Kind) -> Result<Condition, StoreError> {
        Ok(match test {
            Test::String(test) => Condition::Text { param, test: test.clone() },
            Test::Token(token) => {
                let system = match &token.system {
                    SystemTest::Any => None,
                    SystemTest::Absent => Some(0),
                    SystemTest::Is(system) => match self.words.system(self.db, &self.db.key_text(system))? {
                        Some(key) => Some(key),
                        None => return Ok(Condition::NEVER),
                    },
                };
                match (&token.code, system) {
                    (Some(code), system) => Condition::Token { param, system, code: code.clone() },
                    (None, Some(system)) => Condition::System { param, system },
                    (None, None) => Condition::Present(facet(param)),
                }
            }
            Test::Reference(ReferenceTest::Is(Target::Elsewhere(url))) => {
                Condition::Uri { param, test: UriTest::Is(url.clone()) }
            }
            Test::Reference(ReferenceTest::Is(Target::Local { resource_type, id })) => {
                self.points(param, &[resource_type.as_str()], id)?
            }
            Test::Reference(ReferenceTest::Id { id, types }) => self.points(param, types, id)?,
            Test::Reference(ReferenceTest::OfType(types)) => {
                let mut kinds = Vec::new();
                for of in types {
                    kinds.extend(self.kind_named(of)?.map(|kind| kind.key));
                }
                if kinds.is_empty() { Condition::NEVER } else { Condition::PointsTo { param, kinds } }
            }
            Test::Date(test) if kind.timeline.as_deref() == Some(name.code) => Condition::Moment(*test),
            Test::Date(test) => Condition::Date { param, test: *test },
            Test::Number(test) => Condition::Number { param, test: *test },
            Test::Quantity { number, system, code } => {
                let system = match system {
                    None => None,
                    Some(system) => match self.words.system(self.db, &self.db.key_text(system))? {
                        Some(key) => Some(key),
                        None => return Ok(Condition::NEVER),
                    },
                };
                Condition::Quantity { param, test: *number, system, code: code.clone() }
            }
            Test::Uri(test) => Condition::Uri { param, test: test.clone() },
            Test::Near { latitude, longitude, metres } => {
                Condition::Near { param, point: sphere::point(*latitude, *longitude), chord: sphere::chord(*metres) }
            }
        })
    }

    fn points(&self, param: i64, types: &[&str], id: &str) -> Result<Condition, StoreError> {
        let mut targets = Vec::new();
        for resource_type in types {
            targets.extend(self.key_of(&Name { resource_type: (*resource_type).into(), id: id.into() })?);
        }
        targets.sort_unstable();
        targets.dedup();
        Ok(if targets.is_empty() { Condition::NEVER } else { Condition::Points { param, targets } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> Condition {
        Condition::Id(vec![id.into()])
    }

    fn points(param: i64, targets: &[i64]) -> Condition {
        Condition::Points { param, targets: targets.to_vec() }
    }

    fn assert_same(one: &Condition, other: &Condition) {
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }

    #[test]
    fn what_always_holds_is_left_out_of_all_and_decides_any() {
        assert_same(&Condition::all([Condition::ALWAYS, id("1"), Condition::ALWAYS]), &id("1"));
        assert!(Condition::all([Condition::ALWAYS]).is_always());
        assert!(Condition::any([id("1"), Condition::ALWAYS]).is_always());
    }

    #[test]
    fn what_never_holds_decides_all_and_is_left_out_of_any() {
        assert!(Condition::all([id("1"), Condition::NEVER]).is_never());
        assert_same(&Condition::any([Condition::NEVER, id("1"), Condition::NEVER]), &id("1"));
        assert!(Condition::any([Condition::NEVER]).is_never());
    }

    #[test]
    fn all_of_all_is_all_and_any_of_any_is_any_in_their_order() {
        let all = Condition::all([id("1"), Condition::all([id("2"), id("3")]), id("4")]);
        assert_same(&all, &Condition::All(["1", "2", "3", "4"].map(id).into()));
        let any = Condition::any([id("1"), Condition::any([id("2"), id("3")]), id("4")]);
        assert_same(&any, &Condition::Any(["1", "2", "3", "4"].map(id).into()));
        let mixed = Condition::all([id("1"), Condition::any([id("2"), id("3")])]);
        assert_same(&mixed, &Condition::All(vec![id("1"), Condition::Any(vec![id("2"), id("3")])]));
    }

    #[test]
    fn the_opposite_of_the_opposite_is_the_thing() {
        assert_same(&Condition::not(Condition::not(id("1"))), &id("1"));
        assert!(Condition::not(Condition::ALWAYS).is_never());
        assert!(Condition::not(Condition::NEVER).is_always());
        assert_same(&Condition::not(id("1")), &Condition::Not(Box::new(id("1"))));
    }

    #[test]
    fn references_by_one_parameter_are_one_list_and_those_by_another_stay_apart() {
        let any = Condition::any([points(1, &[7, 3]), points(2, &[5]), points(1, &[3, 4])]);
        assert_same(&any, &Condition::Any(vec![points(1, &[3, 4, 7]), points(2, &[5])]));
        assert_same(&Condition::any([points(1, &[7]), points(1, &[3])]), &points(1, &[3, 7]));
    }
}
