//! What somebody may see, at a moment: as a decision on one resource, and as a query that gives the same
//! for all of them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use liaison_fhir::release::view;
use liaison_fhir::search::{
    index::Param,
    parameters,
    query::{Clause, Query, ReferenceTest, ResourceSet, SystemTest, Test, TokenTest},
};

use super::{
    audience::{self, Audience},
    belonging::{ABOUT, Belonging, Class, Party, author_elements},
    capacity::Capacities,
    circle::Keeping,
    identity::Identity,
    limits::Limits,
    rules::{Deed, Office, Owner, Standing, Verdict, decide},
};

/// What somebody may see at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Who.
    pub identity: Identity,
    /// By what resources refer to them: what vouches for them says, and what was found here for it.
    pub selves: Vec<Party>,
    /// The notebooks they are in, by the id of the `Patient`.
    pub notebooks: BTreeMap<String, InNotebook>,
    /// The same, together by what one is in them.
    groups: Vec<(Capacities, ResourceSet)>,
    /// Those of the selves that are resources of this server, by their types.
    themselves: Vec<ResourceSet>,
    /// What the scopes of their token leave of it.
    pub limits: Limits,
}

/// What somebody is in a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InNotebook {
    /// In which capacities.
    pub capacities: Capacities,
    /// Whether the circle is theirs to keep.
    pub keeping: Keeping,
}

impl InNotebook {
    /// Whether they may change the circle.
    #[must_use]
    pub fn keeps_circle(&self) -> bool {
        let standing = Standing {
            nature: Capacities::NONE,
            in_notebook: self.capacities,
            keeping: self.keeping,
            owner: Owner::Others,
            office: Office::None,
        };
        decide(Deed::Change, Class::Circle, Audience::OPEN, standing) == Verdict::Granted
    }
}

impl Sight {
    /// What somebody may see who is in these notebooks.
    #[must_use]
    pub fn new(
        identity: Identity,
        selves: Vec<Party>,
        notebooks: BTreeMap<String, InNotebook>,
        limits: Limits,
    ) -> Self {
        let mut kinds: Vec<Capacities> = Vec::new();
        for place in notebooks.values() {
            if !kinds.contains(&place.capacities) && !place.capacities.is_none() {
                kinds.push(place.capacities);
            }
        }
        let group = |kind: Capacities| {
            let of_it = notebooks.iter().filter(|(_, place)| place.capacities == kind);
            (kind, ResourceSet::new("Patient", of_it.map(|(id, _)| id.as_str().into())))
        };
        let groups = kinds.into_iter().map(group).collect();
        let mut by_type: BTreeMap<&'static str, Vec<CompactString>> = BTreeMap::new();
        for party in &selves {
            if let Party::Resource { resource_type, id } = party
                && let Some(known) = view().resources().into_iter().find(|known| known == resource_type)
            {
                by_type.entry(known).or_default().push(id.clone());
            }
        }
        let themselves = by_type.into_iter().map(|(of, ids)| ResourceSet::new(of, ids)).collect();
        Self { identity, selves, notebooks, groups, themselves, limits }
    }

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

    /// Whether the rules let them see a resource.
    #[must_use]
    pub fn sees(&self, of: &Belonging, itself: &Party) -> bool {
        self.may(Deed::See, of, itself) == Verdict::Granted
    }

    /// Whether the rules let them do something to a resource; whether their scopes do is for [`Self::limits`].
    #[must_use]
    pub fn may(&self, deed: Deed, of: &Belonging, itself: &Party) -> Verdict {
        decide(deed, of.class, of.audience, self.standing(of, itself))
    }

    /// A query that finds only what they may see, and is led only through what they may see. What it
    /// includes is for whoever answers it to look at ([`Self::sees`]).
    #[must_use]
    pub fn within(&self, query: Query) -> Query {
        let types = match query.types.is_empty() {
            true => view().resources(),
            false => query.types,
        };
        let filter = Clause::All(vec![self.of_types(&types), self.led(query.filter)]);
        Query { types, filter, ..query }
    }

    /// What holds of the resources of a type that they may see, and of no other.
    #[must_use]
    pub fn clause(&self, resource_type: &'static str) -> Clause {
        both(self.limits.clause(resource_type), self.by_the_rules(resource_type))
    }

    fn by_the_rules(&self, resource_type: &'static str) -> Clause {
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
                let seen = self.groups.iter().map(|(capacities, persons)| {
                    unlabelled(resource_type, *capacities, Clause::Among(persons.clone()))
                });
                Clause::Any(seen.chain([self.own(resource_type)]).collect())
            }
            Class::Identity | Class::Circle | Class::Note | Class::Record => {
                let mut seen: Vec<Clause> = Vec::new();
                for (capacities, persons) in &self.groups {
                    let inside =
                        |param: &Param| Clause::Has(*param, Test::Reference(ReferenceTest::Among(persons.clone())));
                    seen.push(unlabelled(resource_type, *capacities, Clause::Any(about.iter().map(inside).collect())));
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
            | Clause::Among(_)
            | Clause::LastUpdated(_)) => own,
        }
    }

    /// What is theirs: what they wrote, and themselves.
    fn own(&self, resource_type: &'static str) -> Clause {
        let mut any: Vec<Clause> = Vec::new();
        let themselves = self.themselves.iter().filter(|set| set.resource_type() == resource_type);
        any.extend(themselves.cloned().map(Clause::Among));
        for element in author_elements(resource_type) {
            let Some(parameter) = parameters::parameter(resource_type, element) else { continue };
            let by =
                |set: &ResourceSet| Clause::Has(parameter.param, Test::Reference(ReferenceTest::Among(set.clone())));
            any.extend(self.themselves.iter().map(by));
            let written = self.selves.iter().flat_map(Party::written);
            any.extend(
                parameter
                    .identifier
                    .into_iter()
                    .flat_map(|param| written.clone().map(move |(system, value)| token(param, &system, &value))),
            );
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
        (never, _) | (_, never) if never == Clause::never() => never,
        (always, other) if always == Clause::always() => other,
        (one, always) if always == Clause::always() => one,
        (one, other) => Clause::All(vec![one, other]),
    }
}

fn token(param: Param, system: &str, code: &str) -> Clause {
    let test = TokenTest { system: SystemTest::Is(system.into()), code: Some(code.into()) };
    Clause::Has(param, Test::Token(test))
}

#[cfg(test)]
mod tests;
