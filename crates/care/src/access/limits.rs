//! What scopes leave of what somebody may see and do: as a query, and as a decision on one resource.
//!
//! A token that carries scopes for data gives what one of them gives, within what the rules of access give: the
//! right, the type, the one person of `patient/…`, and the restriction behind `?`.

use liaison_fhir::{
    release::view,
    search::{
        evaluate::{self, Candidate},
        extract::ExtractContext,
        parameters,
        query::{Clause, ReferenceTest, ResourceSet, Test},
    },
    tree::Object,
};

use super::{
    belonging::{ABOUT, Belonging, Class},
    scopes::{Context, Right, Scope, Scopes},
};

/// What scopes leave. By default everything: no scope was granted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// `None`: scopes limit nothing.
    given: Option<Vec<Given>>,
}

/// What one scope gives.
#[derive(Clone, Debug, PartialEq)]
struct Given {
    scope: Scope,
    /// The one person, when it is of one.
    person: Option<ResourceSet>,
    /// What must hold besides.
    holds: Clause,
}

/// Reads the restriction of a scope on a type, as a search; `None` when it is none.
pub type ReadRestriction<'r> = &'r dyn Fn(&'static str, &str) -> Option<Clause>;

impl Limits {
    /// What scopes leave, `patient` being the id of the one person that they may be of. A scope of a person without
    /// one, or with a restriction that cannot be looked at in a resource alone, gives nothing: less than was
    /// meant rather than more.
    #[must_use]
    pub fn of(scopes: &Scopes, patient: Option<&str>, read: ReadRestriction<'_>) -> Self {
        if scopes.is_silent() {
            return Self::default();
        }
        let given = scopes.iter().filter_map(|scope| {
            let person = match scope.context {
                Context::Patient => Some(ResourceSet::new("Patient", [patient?.into()])),
                Context::User | Context::System => None,
            };
            let holds = match &scope.restriction {
                None => Clause::always(),
                Some(text) => {
                    let named = scope.resource_type.as_deref()?;
                    let of = view().resources().into_iter().find(|known| *known == named)?;
                    read(of, text).filter(is_of_a_resource_alone)?
                }
            };
            Some(Given { scope: scope.clone(), person, holds })
        });
        Self { given: Some(given.collect()) }
    }

    /// Whether scopes limit nothing.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        self.given.is_none()
    }

    /// What holds of the resources of a type that may be seen.
    #[must_use]
    pub fn clause(&self, resource_type: &'static str) -> Clause {
        let Some(given) = &self.given else { return Clause::always() };
        let seeing = given.iter().filter(|given| gives_to_see(&given.scope, resource_type));
        let seen: Vec<Clause> = seeing.map(|given| given.clause(resource_type)).collect();
        if seen.contains(&Clause::always()) { Clause::always() } else { Clause::Any(seen) }
    }

    /// Whether a right reaches a resource, in its R4 form.
    #[must_use]
    pub fn reach(&self, to: Leave, resource: &Object, belonging: &Belonging, context: &ExtractContext<'_>) -> bool {
        let Some(given) = &self.given else { return true };
        let resource_type = resource.resource_type().unwrap_or_default();
        let gives = |given: &&Given| match to {
            Leave::See => gives_to_see(&given.scope, resource_type),
            Leave::Do(right) => given.scope.gives(right, resource_type),
        };
        let candidate = Candidate {
            resource_type,
            id: resource.str("id").unwrap_or_default(),
            tree: resource,
            last_updated: 0,
            order: 0,
        };
        given.iter().filter(gives).any(|given| {
            given.is_about(belonging)
                && (given.holds == Clause::always() || evaluate::holds(&given.holds, &candidate, context))
        })
    }
}

/// What a scope is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// To see something, be it by reading or by searching.
    See,
    /// To do something.
    Do(Right),
}

fn gives_to_see(scope: &Scope, resource_type: &str) -> bool {
    scope.gives(Right::Read, resource_type) || scope.gives(Right::Search, resource_type)
}

impl Given {
    fn clause(&self, resource_type: &'static str) -> Clause {
        let Some(person) = &self.person else { return self.holds.clone() };
        let about: Vec<Clause> = ABOUT
            .iter()
            .filter_map(|code| parameters::parameter(resource_type, code))
            .map(|about| Clause::Has(about.param, Test::Reference(ReferenceTest::Among(person.clone()))))
            .collect();
        let of_person = match Class::of(resource_type, (!about.is_empty()).then_some("")) {
            Class::Directory | Class::Definition => Clause::always(),
            Class::Private => Clause::never(),
            Class::Identity if resource_type == "Patient" => Clause::Among(person.clone()),
            Class::Identity | Class::Circle | Class::Note | Class::Record => Clause::Any(about),
        };
        match (of_person == Clause::always(), self.holds == Clause::always()) {
            (true, _) => self.holds.clone(),
            (_, true) => of_person,
            _ => Clause::All(vec![of_person, self.holds.clone()]),
        }
    }

    fn is_about(&self, belonging: &Belonging) -> bool {
        let Some(person) = &self.person else { return true };
        match belonging.class {
            Class::Directory | Class::Definition => true,
            Class::Private => false,
            Class::Identity | Class::Circle | Class::Note | Class::Record => {
                belonging.notebooks.iter().any(|notebook| person.contains("Patient", notebook))
            }
        }
    }
}

/// Whether a clause speaks of a resource alone, and of what stands in it.
fn is_of_a_resource_alone(clause: &Clause) -> bool {
    match clause {
        Clause::All(of) | Clause::Any(of) => of.iter().all(is_of_a_resource_alone),
        Clause::Not(of) => is_of_a_resource_alone(of),
        Clause::Has(..) | Clause::Present(_) | Clause::OfType(_) | Clause::Id(_) | Clause::Among(_) => true,
        Clause::LastUpdated(_) | Clause::Refers { .. } | Clause::ReferredBy { .. } => false,
    }
}
