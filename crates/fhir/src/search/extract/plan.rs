//! The ways to the indexed values of a type, as one tree of JSON members.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    path::{
        evaluate::pointed_type,
        route::{Route, Step},
    },
    release::view,
    search::parameters::{self, Parameter, reading::Reading},
    tree::{Object, Value},
};

use super::values::Found;

/// The plan of a resource type; none for a type without parameters.
pub(super) fn of_type(resource_type: &str) -> Option<&'static Plan> {
    PLANS.get(resource_type)
}

static PLANS: LazyLock<HashMap<&'static str, Plan>> =
    LazyLock::new(|| view().resources().into_iter().map(|name| (name, Plan::of(parameters::indexed(name)))).collect());

#[derive(Debug)]
pub(super) struct Plan {
    root: Branch,
    computed: Vec<&'static Parameter>,
}

/// A place in the tree: what is read there, and where it goes on.
#[derive(Debug, Default)]
struct Branch {
    leaves: Vec<Leaf>,
    /// Sorted by the name of the member.
    members: Vec<(Step, Branch)>,
}

#[derive(Debug)]
struct Leaf {
    parameter: &'static Parameter,
    reading: Reading,
    target: Option<Box<str>>,
}

impl Plan {
    fn of(parameters: &[&'static Parameter]) -> Self {
        let mut plan = Self { root: Branch::default(), computed: Vec::new() };
        for parameter in parameters {
            if parameter.computed() {
                plan.computed.push(parameter);
                continue;
            }
            for (route, reading) in &parameter.routes {
                plan.root.add(route, &route.steps, parameter, *reading);
            }
        }
        plan
    }

    pub(super) fn computed(&self) -> impl Iterator<Item = &'static Parameter> + '_ {
        self.computed.iter().copied()
    }

    pub(super) fn walk<'t>(&self, resource: &'t Object, each: &mut impl FnMut(&'static Parameter, Reading, Found<'t>)) {
        self.root.walk(resource, resource, each);
    }
}

impl Branch {
    fn add(&mut self, route: &Route, steps: &[Step], parameter: &'static Parameter, reading: Reading) {
        let Some((step, rest)) = steps.split_first() else {
            self.leaves.push(Leaf { parameter, reading, target: route.target.clone() });
            return;
        };
        let position = match self.members.iter().position(|(there, _)| there == step) {
            Some(position) => position,
            None => {
                let position = self.members.partition_point(|(there, _)| there.member <= step.member);
                self.members.insert(position, (step.clone(), Self::default()));
                position
            }
        };
        if let Some((_, branch)) = self.members.get_mut(position) {
            branch.add(route, rest, parameter, reading);
        }
    }

    fn walk<'t>(
        &self,
        object: &'t Object,
        resource: &'t Object,
        each: &mut impl FnMut(&'static Parameter, Reading, Found<'t>),
    ) {
        for (name, value) in object.iter() {
            let first = self.members.partition_point(|(step, _)| &*step.member < name);
            for (step, branch) in self.members.iter().skip(first).take_while(|(step, _)| &*step.member == name) {
                for item in value.each() {
                    if step.admits(item) {
                        branch.read(item, resource, each);
                    }
                }
            }
        }
    }

    fn read<'t>(
        &self,
        value: &'t Value,
        resource: &'t Object,
        each: &mut impl FnMut(&'static Parameter, Reading, Found<'t>),
    ) {
        let found = match value {
            Value::Object(object) => Found::Object(object),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Found::Value(value),
            Value::Null | Value::Array(_) => return,
        };
        for leaf in &self.leaves {
            if leaf.admits(found, resource) {
                each(leaf.parameter, leaf.reading, found);
            }
        }
        if let (Found::Object(object), false) = (found, self.members.is_empty()) {
            self.walk(object, resource, each);
        }
    }
}

impl Step {
    fn admits(&self, value: &Value) -> bool {
        match &self.only {
            None => true,
            Some((member, text)) => value.as_object().and_then(|object| object.str(member)) == Some(&**text),
        }
    }
}

impl Leaf {
    /// Whether a reference points to the type wanted.
    fn admits(&self, found: Found<'_>, resource: &Object) -> bool {
        let Some(target) = self.target.as_deref() else { return true };
        let Found::Object(reference) = found else { return false };
        pointed_type(reference, resource) == Some(target)
    }
}
