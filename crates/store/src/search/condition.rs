//! A clause in terms of the store: names replaced by keys, and what can never hold left out.

use std::sync::Arc;

use compact_str::CompactString;
use liaison_fhir::search::index::{Param, Target};
use liaison_fhir::search::query::{Clause, DateTest, NumberTest, ReferenceTest, StringTest, SystemTest, Test, UriTest};

use crate::commit::facet;
use crate::contract::{Name, StoreError};
use crate::dictionary::Kind;
use crate::reader::Reader;
use crate::sphere;

/// Keys in ascending order.
pub(crate) type Keys = Arc<[i64]>;

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
    /// It is one of these.
    Among(Keys),
    /// A reference to one of these, however many.
    PointsAmong {
        param: i64,
        targets: Keys,
    },
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

    /// Rewrite "known": what must hold together says of each other that it holds. Whoever asks for what is about
    /// one person need not check of each row that it is about one of many, of whom that is one.
    pub(crate) fn knowing(self) -> Self {
        let Self::All(of) = &self else { return self };
        let facts: Vec<(i64, Vec<i64>)> = of
            .iter()
            .filter_map(|member| match member {
                Self::Points { param, targets } => Some((*param, targets.clone())),
                _ => None,
            })
            .collect();
        if facts.is_empty() { self } else { self.given(&facts) }
    }

    /// What is left to check where some references lead to some of these.
    fn given(self, facts: &[(i64, Vec<i64>)]) -> Self {
        let each = |of: Vec<Self>| of.into_iter().map(|one| one.given(facts)).collect::<Vec<_>>();
        match self {
            Self::All(of) => Self::all(each(of)),
            Self::Any(of) => Self::any(each(of)),
            Self::Not(of) => Self::not(of.given(facts)),
            Self::PointsAmong { param, targets } => {
                let is_one = |(of, known): &(i64, Vec<i64>)| {
                    *of == param && known.iter().all(|key| targets.binary_search(key).is_ok())
                };
                if facts.iter().any(is_one) { Self::ALWAYS } else { Self::PointsAmong { param, targets } }
            }
            other => other,
        }
    }

    /// Whether it holds of a resource with this key, where the key alone says so.
    pub(crate) fn holds_of(&self, key: i64) -> Option<bool> {
        match self {
            Self::Among(keys) => Some(keys.binary_search(&key).is_ok()),
            Self::All(of) => decided(of.iter().map(|one| one.holds_of(key)), false),
            Self::Any(of) => decided(of.iter().map(|one| one.holds_of(key)), true),
            Self::Not(of) => of.holds_of(key).map(|holds| !holds),
            _ => None,
        }
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

/// What several say of which one alone may decide.
fn decided(each: impl Iterator<Item = Option<bool>>, deciding: bool) -> Option<bool> {
    let mut sure = true;
    for one in each {
        match one {
            Some(said) if said == deciding => return Some(deciding),
            Some(_) => {}
            None => sure = false,
        }
    }
    sure.then_some(!deciding)
}

fn among(keys: Keys, join: impl FnOnce(Keys) -> Condition) -> Condition {
    if keys.is_empty() { Condition::NEVER } else { join(keys) }
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
            Clause::Among(set) if set.resource_type() == &*kind.name => among(self.keys_of(set)?, Condition::Among),
            Clause::Among(_) => Condition::NEVER,
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
            Test::Reference(ReferenceTest::Among(set)) => {
                among(self.keys_of(set)?, |targets| Condition::PointsAmong { param, targets })
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

    #[test]
    fn what_leads_to_one_of_many_leads_to_the_many() {
        let many = |param| Condition::PointsAmong { param, targets: [3, 7, 9].into() };
        let one_of = |known: &[i64], rest| Condition::all([points(1, known), rest]).knowing();
        assert_same(&one_of(&[7], many(1)), &points(1, &[7]));
        assert_same(&one_of(&[3, 9], many(1)), &points(1, &[3, 9]));
        assert_same(&one_of(&[3, 8], many(1)), &Condition::All(vec![points(1, &[3, 8]), many(1)]));
        assert_same(&one_of(&[7], many(2)), &Condition::All(vec![points(1, &[7]), many(2)]));
        let or_own = Condition::any([Condition::all([many(1), Condition::not(id("x"))]), id("y")]);
        let left = Condition::any([Condition::not(id("x")), id("y")]);
        assert_same(&one_of(&[7], or_own), &Condition::All(vec![points(1, &[7]), left]));
        // Neither of two that may hold says anything of the other.
        let either = Condition::Any(vec![points(1, &[7]), many(1)]);
        assert_same(&either.clone().knowing(), &either);
    }

    #[test]
    fn a_key_alone_decides_where_it_can() {
        let among = || Condition::Among([3, 7].into());
        assert_eq!((among().holds_of(3), among().holds_of(4)), (Some(true), Some(false)));
        assert_eq!(Condition::any([among(), id("x")]).holds_of(3), Some(true));
        assert_eq!(Condition::any([among(), id("x")]).holds_of(4), None);
        assert_eq!(Condition::all([among(), id("x")]).holds_of(4), Some(false));
        assert_eq!(Condition::not(among()).holds_of(4), Some(true));
        assert_eq!(Condition::ALWAYS.holds_of(1), Some(true));
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
