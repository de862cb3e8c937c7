//! A query answered in memory, on trees: the independent judge of the store.
//!
//! Nothing here goes through the rows of the index: values are found by evaluating the expression of
//! a parameter on the resource, and compared as they stand there. Clear and naive on purpose.

mod compare;
mod order;
mod values;

use std::collections::BTreeSet;

use crate::tree::Object;

use super::{
    extract::ExtractContext,
    index::{Param, Target},
    query::{Clause, DateTest, Include, IncludeWay, Iterate, Query, Test},
};

/// A live resource.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its type.
    pub resource_type: &'a str,
    /// Its logical id.
    pub id: &'a str,
    /// Its R4 view.
    pub tree: &'a Object,
    /// Its last change, in microseconds since 1970 UTC.
    pub last_updated: i64,
    /// Where it stands when the order asked for tells no difference: the greatest first. The store
    /// says what it goes by.
    pub order: u64,
}

/// What a query finds, as positions among the candidates.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answer {
    /// The matches, in order.
    pub matches: Vec<usize>,
    /// What comes with them, none of it a match.
    pub includes: BTreeSet<usize>,
}

/// Answers a query on all live resources.
#[must_use]
pub fn evaluate(query: &Query, all: &[Candidate<'_>], context: &ExtractContext<'_>) -> Answer {
    let judge = Judge { all, context };
    let mut matches: Vec<usize> = (0..all.len())
        .filter(|position| {
            let candidate = judge.candidate(*position);
            candidate.is_some_and(|candidate| {
                (query.types.is_empty() || query.types.contains(&candidate.resource_type))
                    && judge.holds(&query.filter, candidate)
            })
        })
        .collect();
    order::sort(&mut matches, &query.sort, &judge);
    let includes = judge.includes(&query.includes, &matches);
    Answer { matches, includes }
}

/// Whether a clause holds of a resource that nothing else is known of: no chain leads anywhere.
#[must_use]
pub fn holds(clause: &Clause, of: &Candidate<'_>, context: &ExtractContext<'_>) -> bool {
    Judge { all: &[], context }.holds(clause, of)
}

pub(super) struct Judge<'a> {
    all: &'a [Candidate<'a>],
    context: &'a ExtractContext<'a>,
}

impl<'a> Judge<'a> {
    fn candidate(&self, position: usize) -> Option<&'a Candidate<'a>> {
        self.all.get(position)
    }

    fn holds(&self, clause: &Clause, of: &Candidate<'_>) -> bool {
        match clause {
            Clause::All(clauses) => clauses.iter().all(|clause| self.holds(clause, of)),
            Clause::Any(clauses) => clauses.iter().any(|clause| self.holds(clause, of)),
            Clause::Not(clause) => !self.holds(clause, of),
            Clause::Has(param, test) => self.has(*param, test, of),
            Clause::Present(param) => of.resource_type == param.base && values::present(*param, of.tree, self.context),
            Clause::OfType(types) => types.contains(&of.resource_type),
            Clause::Id(ids) => ids.iter().any(|id| id == of.id),
            Clause::Among(set) => set.contains(of.resource_type, of.id),
            Clause::LastUpdated(test) => was_updated(test, of),
            Clause::Refers { param, types, target } => self.targets(*param, of).into_iter().any(|position| {
                self.candidate(position).is_some_and(|candidate| {
                    (types.is_empty() || types.contains(&candidate.resource_type)) && self.holds(target, candidate)
                })
            }),
            Clause::ReferredBy { param, source } => {
                self.all.iter().any(|candidate| self.refers(*param, candidate, of) && self.holds(source, candidate))
            }
        }
    }

    fn has(&self, param: Param, test: &Test, of: &Candidate<'_>) -> bool {
        of.resource_type == param.base && values::any(param, test, of.tree, self.context)
    }

    /// The live resources that one refers to by a parameter.
    fn targets(&self, param: Param, of: &Candidate<'_>) -> Vec<usize> {
        if of.resource_type != param.base {
            return Vec::new();
        }
        let targets = values::targets(param, of.tree, self.context);
        let positions = self.all.iter().enumerate().filter(|(_, candidate)| {
            targets.iter().any(|target| {
                matches!(target, Target::Local { resource_type, id }
                    if resource_type == candidate.resource_type && id == candidate.id)
            })
        });
        positions.map(|(position, _)| position).collect()
    }

    fn refers(&self, param: Param, source: &Candidate<'_>, to: &Candidate<'_>) -> bool {
        self.targets(param, source).into_iter().any(|position| {
            self.candidate(position)
                .is_some_and(|candidate| (candidate.resource_type, candidate.id) == (to.resource_type, to.id))
        })
    }

    /// What comes with the matches: along each include once from the matches, and along those that
    /// are repeated until nothing new comes.
    fn includes(&self, includes: &[Include], matches: &[usize]) -> BTreeSet<usize> {
        let mut brought: BTreeSet<usize> = BTreeSet::new();
        let mut first = true;
        loop {
            let from: Vec<usize> = matches.iter().chain(&brought).copied().collect();
            let before = brought.len();
            for include in includes.iter().filter(|include| first || include.iterate == Iterate::Repeatedly) {
                let from = if include.iterate == Iterate::Repeatedly { &from[..] } else { matches };
                for position in from.iter().flat_map(|position| self.along(include, *position)) {
                    if !matches.contains(&position) {
                        brought.insert(position);
                    }
                }
            }
            first = false;
            if brought.len() == before {
                return brought;
            }
        }
    }

    fn along(&self, include: &Include, from: usize) -> Vec<usize> {
        let Some(here) = self.candidate(from) else { return Vec::new() };
        let mut found: Vec<usize> = match include.way {
            IncludeWay::Forward => include.params.iter().flat_map(|param| self.targets(*param, here)).collect(),
            IncludeWay::Reverse => (0..self.all.len())
                .filter(|position| {
                    self.candidate(*position).is_some_and(|candidate| {
                        include.params.iter().any(|param| self.refers(*param, candidate, here))
                    })
                })
                .collect(),
        };
        found.retain(|position| {
            self.candidate(*position)
                .is_some_and(|found| include.types.is_empty() || include.types.contains(&found.resource_type))
        });
        found
    }
}

/// A change happens in a microsecond.
fn was_updated(test: &DateTest, of: &Candidate<'_>) -> bool {
    let at = of.last_updated;
    compare::ranges(test.comparison, (at, at.saturating_add(1)), (test.low, test.high))
}

#[cfg(test)]
mod tests;
