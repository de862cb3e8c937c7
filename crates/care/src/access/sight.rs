//! What somebody may see, at a moment: as a decision on one resource, and as a query that gives the same
//! for all of them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use liaison_fhir::search::{
    index::{Param, Target},
    parameters,
    query::{Clause, Query, ReferenceTest, SystemTest, Test, TokenTest},
};

use super::{
    audience::{self, Audience},
    belonging::{ABOUT, Belonging, Class, Party, author_elements},
    capacity::Capacities,
    circle::Keeping,
    identity::Identity,
    rules::{Deed, Office, Owner, Standing, Verdict, decide},
};

/// What somebody may see at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Who.
    pub identity: Identity,
    /// By what resources refer to them: what vouches for them says, and what was found here for it.
    pub selves: Vec<Party>,
    /// The notebooks they are in, by the id of the `Patient`.
    pub notebooks: BTreeMap<String, InNotebook>,
}

/// What somebody is in a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InNotebook {
    /// In which capacities.
    pub capacities: Capacities,
    /// Whether the circle is theirs to keep.
    pub keeping: Keeping,
}

impl Sight {
    /// How they stand towards a resource. In a resource of several notebooks they are what they are in
    /// any of them.
    #[must_use]
    pub fn standing(&self, of: &Belonging, itself: &Party) -> Standing {
        let mut inside = InNotebook { capacities: Capacities::NONE, keeping: Keeping::Member };
        for place in of.notebooks.iter().filter_map(|notebook| self.notebooks.get(notebook)) {
            inside.capacities = inside.capacities.and(place.capacities);
            if place.keeping == Keeping::Keeper {
                inside.keeping = Keeping::Keeper;
            }
        }
        let own = self.selves.contains(itself) || of.authors.iter().any(|author| self.selves.contains(author));
        Standing {
            nature: self.identity.nature,
            in_notebook: inside.capacities,
            keeping: inside.keeping,
            owner: if own { Owner::Oneself } else { Owner::Others },
            office: self.identity.office,
        }
    }

    /// Whether they may see a resource.
    #[must_use]
    pub fn sees(&self, of: &Belonging, itself: &Party) -> bool {
        self.may(Deed::See, of, itself) == Verdict::Granted
    }

    /// Whether they may do something to a resource.
    #[must_use]
    pub fn may(&self, deed: Deed, of: &Belonging, itself: &Party) -> Verdict {
        decide(deed, of.class, of.audience, self.standing(of, itself))
    }

    /// A query that finds only what they may see, and is led only through what they may see. What it
    /// includes is for whoever answers it to look at ([`Self::sees`]).
    #[must_use]
    pub fn within(&self, query: Query) -> Query {
        let types = match query.types.is_empty() {
            true => liaison_fhir::release::view().resources(),
            false => query.types,
        };
        let filter = Clause::All(vec![self.of_types(&types), self.led(query.filter)]);
        Query { types, filter, ..query }
    }

    /// What holds of the resources of a type that they may see, and of no other.
    #[must_use]
    pub fn clause(&self, resource_type: &'static str) -> Clause {
        let about: Vec<Param> = ABOUT
            .iter()
            .filter_map(|code| parameters::parameter(resource_type, code).map(|parameter| parameter.param))
            .collect();
        // The class of those that are about a person here, and of those that are not.
        let class = Class::of(resource_type, (!about.is_empty()).then_some(""));
        let operator = self.identity.office == Office::Operator;
        match class {
            Class::Directory | Class::Definition => Clause::always(),
            Class::Identity | Class::Circle if operator => Clause::always(),
            Class::Private if operator => Clause::always(),
            Class::Private => self.own(resource_type),
            Class::Identity if resource_type == "Patient" => {
                let seen = self.groups().map(|(capacities, ids)| {
                    unlabelled(resource_type, capacities, Clause::Id(ids.map(CompactString::from).collect()))
                });
                Clause::Any(seen.chain([self.own(resource_type)]).collect())
            }
            Class::Identity | Class::Circle | Class::Note | Class::Record => {
                let mut seen: Vec<Clause> = Vec::new();
                for (capacities, ids) in self.groups() {
                    let ids: Vec<&str> = ids.collect();
                    let inside = about.iter().flat_map(|param| ids.iter().map(|id| points(*param, "Patient", id)));
                    seen.push(unlabelled(resource_type, capacities, Clause::Any(inside.collect())));
                }
                seen.push(self.own(resource_type));
                if operator {
                    // What is about nobody is for who runs the server.
                    let anybody =
                        |param: &Param| Clause::Has(*param, Test::Reference(ReferenceTest::OfType(vec!["Patient"])));
                    seen.push(Clause::Not(Box::new(Clause::Any(about.iter().map(anybody).collect()))));
                }
                Clause::Any(seen)
            }
        }
    }

    /// Of the resources of several types.
    fn of_types(&self, types: &[&'static str]) -> Clause {
        let mut open: Vec<&'static str> = Vec::new();
        let mut any: Vec<Clause> = Vec::new();
        for resource_type in types {
            match self.clause(resource_type) {
                always if always == Clause::always() => open.push(resource_type),
                never if never == Clause::never() => {}
                clause => any.push(Clause::All(vec![Clause::OfType(vec![resource_type]), clause])),
            }
        }
        match any.is_empty() && open.len() == types.len() {
            true => Clause::always(),
            false => {
                any.push(Clause::OfType(open));
                Clause::Any(any)
            }
        }
    }

    /// A clause whose chains lead only through what they may see.
    fn led(&self, clause: Clause) -> Clause {
        let each = |of: Vec<Clause>| of.into_iter().map(|clause| self.led(clause)).collect();
        match clause {
            Clause::All(of) => Clause::All(each(of)),
            Clause::Any(of) => Clause::Any(each(of)),
            Clause::Not(of) => Clause::Not(Box::new(self.led(*of))),
            Clause::Refers { param, types, target } => {
                let target = both(self.of_types(&types), self.led(*target));
                Clause::Refers { param, types, target: Box::new(target) }
            }
            Clause::ReferredBy { param, source } => {
                let source = both(self.of_types(&[param.base]), self.led(*source));
                Clause::ReferredBy { param, source: Box::new(source) }
            }
            own @ (Clause::Has(..)
            | Clause::Present(_)
            | Clause::OfType(_)
            | Clause::Id(_)
            | Clause::LastUpdated(_)) => own,
        }
    }

    /// The notebooks, together by what one is in them.
    fn groups(&self) -> impl Iterator<Item = (Capacities, impl Iterator<Item = &str>)> {
        let mut kinds: Vec<Capacities> = Vec::new();
        for place in self.notebooks.values() {
            if !kinds.contains(&place.capacities) && !place.capacities.is_none() {
                kinds.push(place.capacities);
            }
        }
        kinds.into_iter().map(|kind| {
            let ids = self.notebooks.iter().filter(move |(_, place)| place.capacities == kind);
            (kind, ids.map(|(id, _)| id.as_str()))
        })
    }

    /// What is theirs: what they wrote, and themselves.
    fn own(&self, resource_type: &'static str) -> Clause {
        let mut any: Vec<Clause> = Vec::new();
        let themselves = self.selves.iter().filter_map(|party| match party {
            Party::Resource { resource_type: its, id } if its == resource_type => Some(id.clone()),
            _ => None,
        });
        let themselves: Vec<CompactString> = themselves.collect();
        if !themselves.is_empty() {
            any.push(Clause::Id(themselves));
        }
        for element in author_elements(resource_type) {
            let Some(parameter) = parameters::parameter(resource_type, element) else { continue };
            for party in &self.selves {
                match party {
                    Party::Resource { resource_type, id } => any.push(points(parameter.param, resource_type, id)),
                    Party::Identified { .. } => any.extend(parameter.identifier.into_iter().flat_map(|param| {
                        party.written().into_iter().map(move |(system, value)| token(param, &system, &value))
                    })),
                }
            }
        }
        Clause::Any(any)
    }
}

/// What holds, unless a label hides it from somebody in these capacities.
fn unlabelled(resource_type: &'static str, capacities: Capacities, clause: Clause) -> Clause {
    if Audience::OPEN.hides_from(capacities) {
        return Clause::never();
    }
    let params = [Some("_security"), (resource_type == "DocumentReference").then_some("security-label")];
    let params: Vec<Param> = params
        .into_iter()
        .flatten()
        .filter_map(|code| parameters::parameter(resource_type, code))
        .map(|p| p.param)
        .collect();
    let labels = audience::hiding(capacities);
    let hidden = labels.flat_map(|(system, code)| params.iter().map(move |param| token(*param, system, code)));
    both(clause, Clause::Not(Box::new(Clause::Any(hidden.collect()))))
}

fn both(one: Clause, other: Clause) -> Clause {
    match (one, other) {
        (always, other) if always == Clause::always() => other,
        (one, always) if always == Clause::always() => one,
        (one, other) => Clause::All(vec![one, other]),
    }
}

fn points(param: Param, resource_type: &str, id: &str) -> Clause {
    let target = Target::Local { resource_type: resource_type.into(), id: id.into() };
    Clause::Has(param, Test::Reference(ReferenceTest::Is(target)))
}

fn token(param: Param, system: &str, code: &str) -> Clause {
    let test = TokenTest { system: SystemTest::Is(system.into()), code: Some(code.into()) };
    Clause::Has(param, Test::Token(test))
}

#[cfg(test)]
mod tests;
