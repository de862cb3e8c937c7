//! From criteria to clauses, type by type.
//!
//! A name means something else on each type, so a criterion becomes a clause for each type that may
//! be meant: those searched, or those a reference may point to.

use crate::{
    outcome::Issue,
    release::{ReleaseId, view},
    search::{
        parameters::{self, Meaning, Offer},
        query::Clause,
    },
};

use super::{
    SearchRequest,
    level::{Leaf, Level, Link},
    refusal,
};

/// Whether every type must know a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Yes: the types were given.
    Given,
    /// No: the types are those an untyped chain may lead to; those that do not know it are not
    /// meant.
    Possible,
}

/// A clause on one type, before the clauses of several types are put together: the negation must
/// stay outside, since what is not said of one type is true of all others.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) sense: Sense,
    pub(super) clause: Clause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Holds,
    DoesNot,
}

impl Judged {
    pub(super) const fn holds(clause: Clause) -> Self {
        Self { sense: Sense::Holds, clause }
    }

    pub(super) const fn does_not(clause: Clause) -> Self {
        Self { sense: Sense::DoesNot, clause }
    }
}

/// Why a criterion has no clause on a type.
pub(super) enum Refusal<'a> {
    /// The type has no parameter of that name.
    Unknown { whole: &'a str, name: &'a str },
    /// Anything else.
    Because(Issue),
}

impl From<Issue> for Refusal<'_> {
    fn from(issue: Issue) -> Self {
        Self::Because(issue)
    }
}

/// The lowering of one search, or of one of its criteria.
pub(super) struct Lowering<'r> {
    pub(super) request: &'r SearchRequest<'r>,
    /// What was put right on the way.
    pub(super) notes: Vec<Issue>,
    /// How many conditions it has come to.
    pub(super) clauses: usize,
}

impl<'r> Lowering<'r> {
    /// A lowering that has come to some conditions already.
    pub(super) const fn new(request: &'r SearchRequest<'r>, clauses: usize) -> Self {
        Self { request, notes: Vec::new(), clauses }
    }

    /// The clause of criteria on the types searched.
    pub(super) fn of_given(&mut self, level: &Level<'r>, types: &[&'static str]) -> Result<Clause, Issue> {
        self.level(level, types, Scope::Given).map(|(_, clause)| clause)
    }

    pub(super) fn release(&self) -> ReleaseId {
        self.request.release.id
    }

    /// Counts a condition.
    pub(super) fn charge(&mut self, whole: &str) -> Result<(), Issue> {
        self.clauses += 1;
        if self.clauses > self.request.context.limits.clauses {
            return Err(refusal::too_many_clauses(whole));
        }
        Ok(())
    }

    /// What a name means for a type.
    pub(super) fn offer<'n>(
        &self,
        resource_type: &str,
        whole: &'n str,
        name: &'n str,
    ) -> Result<&'static Offer, Refusal<'n>> {
        parameters::offer(self.release(), resource_type, name).ok_or(Refusal::Unknown { whole, name })
    }

    /// The clause of a level, and the types for which all of it has a meaning.
    fn level(
        &mut self,
        level: &Level<'r>,
        types: &[&'static str],
        scope: Scope,
    ) -> Result<(Vec<&'static str>, Clause), Issue> {
        let mut found = Vec::new();
        for leaf in &level.leaves {
            found.push(self.each_type(types, scope, leaf.whole, |this, of| this.leaf(leaf, of))?);
        }
        for (link, below) in &level.links {
            found.push(self.each_type(types, scope, below.whole(), |this, of| this.link(link, below, of))?);
        }
        let mut kept = types.to_vec();
        kept.retain(|of| found.iter().all(|judged| judged.iter().any(|(judged_of, _)| judged_of == of)));
        let clauses = found.into_iter().map(|mut judged| {
            judged.retain(|(of, _)| kept.contains(of));
            together(judged.into_iter().map(|(_, judged)| judged))
        });
        let clause = all(clauses.collect());
        Ok((kept, clause))
    }

    fn each_type(
        &mut self,
        types: &[&'static str],
        scope: Scope,
        whole: &str,
        mut judge: impl FnMut(&mut Self, &'static str) -> Result<Judged, Refusal<'r>>,
    ) -> Result<Vec<(&'static str, Judged)>, Issue> {
        let mut judged = Vec::new();
        let mut unknown = None;
        let mut because = None;
        for of in types {
            self.charge(whole)?;
            match judge(self, of) {
                Ok(clause) => judged.push((*of, clause)),
                Err(Refusal::Unknown { whole, name }) => unknown = Some((whole, name)),
                Err(Refusal::Because(issue)) if refusal::is_limit(&issue) => return Err(issue),
                Err(Refusal::Because(issue)) => because = because.or(Some(issue)),
            }
        }
        if judged.is_empty() || (scope == Scope::Given && judged.len() < types.len()) {
            return Err(match (because, unknown) {
                (Some(issue), _) => issue,
                (None, Some((whole, name))) => refusal::unknown_parameter(self.release(), whole, name, types),
                // A reference that may point to no stored type has nothing to chain to.
                (None, None) => refusal::not_a_reference(whole, whole),
            });
        }
        Ok(judged)
    }

    fn leaf(&mut self, leaf: &Leaf<'r>, of: &'static str) -> Result<Judged, Refusal<'r>> {
        let offer = self.offer(of, leaf.whole, leaf.name)?;
        if let Meaning::Chain(chain) = offer.meaning {
            let (links, name) = chain.rsplit_once('.').unwrap_or(("", chain));
            let end = Level { leaves: vec![Leaf { name, ..*leaf }], links: Vec::new() };
            let level = under(links.split('.').map(|name| Link::To { name, target: None }), end);
            return Ok(Judged::holds(self.level(&level, &[of], Scope::Given)?.1));
        }
        self.value(offer, leaf)
    }

    fn link(&mut self, link: &Link<'r>, below: &Level<'r>, of: &'static str) -> Result<Judged, Refusal<'r>> {
        let clause = match *link {
            Link::To { name, target } => self.to(of, name, target, below)?,
            Link::From { source, name } => self.from(of, source, name, below)?,
        };
        Ok(Judged::holds(clause))
    }

    fn to(
        &mut self,
        of: &'static str,
        name: &'r str,
        target: Option<&'r str>,
        below: &Level<'r>,
    ) -> Result<Clause, Refusal<'r>> {
        let whole = below.whole();
        let offer = self.offer(of, whole, name)?;
        if let Meaning::Chain(chain) = offer.meaning {
            let (links, last) = chain.rsplit_once('.').unwrap_or(("", chain));
            let end = Level { leaves: Vec::new(), links: vec![(Link::To { name: last, target }, below.clone())] };
            let level = under(links.split('.').map(|name| Link::To { name, target: None }), end);
            return Ok(self.level(&level, &[of], Scope::Given)?.1);
        }
        let parameter = offer.reference().ok_or_else(|| refusal::not_a_reference(whole, name))?;
        let targets = offer.targets();
        let (targets, scope) = match target {
            Some(wanted) => match targets.iter().find(|target| **target == wanted) {
                Some(target) => (vec![*target], Scope::Given),
                None => return Err(refusal::wrong_target(whole, name, wanted, &targets).into()),
            },
            None => (targets, Scope::Possible),
        };
        let (kept, clause) = self.level(below, &targets, scope)?;
        if kept.is_empty() {
            return Ok(Clause::never());
        }
        let param = parameter.param;
        let mut ways = vec![Clause::Refers { param, types: kept.clone(), target: Box::new(clause) }];
        for target in kept {
            for through in parameters::through(param, target) {
                // The criteria hold together of the one at the end, however it is reached.
                let (_, clause) = self.level(below, &[target], Scope::Given)?;
                let of_role =
                    Clause::Refers { param: through.of_role.param, types: vec![target], target: Box::new(clause) };
                ways.push(Clause::Refers { param, types: vec![through.role], target: Box::new(of_role) });
            }
        }
        Ok(any(ways))
    }

    fn from(
        &mut self,
        of: &'static str,
        source: &'r str,
        name: &'r str,
        below: &Level<'r>,
    ) -> Result<Clause, Refusal<'r>> {
        let whole = below.whole();
        let known = view().resource(source).filter(|_| self.request.release.resource(source).is_some());
        let Some(structure) = known else {
            return Err(refusal::unknown_type(&format!("http.{whole}"), source).into());
        };
        let source = structure.path;
        let Ok(offer) = self.offer(source, whole, name) else {
            return Err(refusal::unknown_parameter(self.release(), whole, name, &[source]).into());
        };
        let parameter = offer.reference().ok_or_else(|| refusal::not_a_reference(whole, name))?;
        let targets = offer.targets();
        if !targets.contains(&of) {
            return Err(refusal::wrong_target(whole, name, of, &targets).into());
        }
        let (_, clause) = self.level(below, &[source], Scope::Given)?;
        Ok(Clause::ReferredBy { param: parameter.param, source: Box::new(clause) })
    }
}

fn under<'a>(links: impl DoubleEndedIterator<Item = Link<'a>>, end: Level<'a>) -> Level<'a> {
    links.rev().fold(end, |level, link| Level { leaves: Vec::new(), links: vec![(link, level)] })
}

/// One clause for several types, each of which is concerned by one of them only.
fn together(judged: impl Iterator<Item = Judged>) -> Clause {
    let mut sense = Sense::Holds;
    let mut clauses: Vec<Clause> = Vec::new();
    for one in judged {
        sense = one.sense;
        if !clauses.contains(&one.clause) {
            clauses.push(one.clause);
        }
    }
    match sense {
        Sense::Holds => any(clauses),
        Sense::DoesNot => Clause::Not(Box::new(any(clauses))),
    }
}

pub(super) fn any(mut clauses: Vec<Clause>) -> Clause {
    match (clauses.len(), clauses.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            clauses.push(last);
            Clause::Any(clauses)
        }
        (_, None) => Clause::never(),
    }
}

fn all(mut clauses: Vec<Clause>) -> Clause {
    match (clauses.len(), clauses.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            clauses.push(last);
            Clause::All(clauses)
        }
        (_, None) => Clause::always(),
    }
}
