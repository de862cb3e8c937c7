//! Which elements of a structure of one release say what which elements of its counterpart say.
//!
//! A [`Plan`] is made once for each pair of structures and each way, from the two tables and the
//! exceptions of [`rules`](super::rules). An element that both releases have with the same shape is
//! an identity, and costs nothing but the conversion of what is inside.

use std::{
    collections::HashMap,
    sync::{LazyLock, RwLock},
};

use super::{
    constraints::{self, Demand},
    items::Form,
    rules::{self, Shape},
};
use crate::release::{BindingStrength, Choice, Content, Element, Primitive, Release, ReleaseId, Structure, TypeRef};

/// The way from one structure to its counterpart.
#[derive(Debug)]
pub(super) struct Plan {
    pub from: &'static Structure,
    pub to: &'static Structure,
    pub relations: Vec<Relation>,
    /// The JSON members of `from`.
    members: HashMap<&'static str, Member>,
    /// The relation of each element of `to`, by its name.
    targets: HashMap<&'static str, usize>,
    /// The relations that may say something even where the source says nothing.
    pub standing: Vec<usize>,
}

/// Elements that together say what other elements say.
#[derive(Debug)]
pub(super) struct Relation {
    pub from: Vec<&'static Element>,
    pub to: Vec<&'static Element>,
    pub how: How,
    /// What constraints ask of the element on either side.
    pub from_demand: Option<Demand>,
    pub to_demand: Option<Demand>,
}

/// How a relation is crossed.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// As it is; only what is inside is converted.
    Identity,
    /// Item by item, from type to type ([`adapt`](super::adapt)).
    Adapt,
    /// By functions of its own.
    Shapes { there: Shape, back: Shape },
}

/// A JSON member of the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub relation: usize,
    pub from: &'static TypeRef,
    /// The type that the content of this member has in the target, when it is one of its own.
    pub to: Option<&'static TypeRef>,
}

type Key = (ReleaseId, &'static str, &'static str);
static PLANS: LazyLock<RwLock<HashMap<Key, &'static Plan>>> = LazyLock::new(RwLock::default);

impl Plan {
    /// The plan from a structure of one release to a structure of the other.
    pub(super) fn of(
        from_release: &'static Release,
        from: &'static Structure,
        to_release: &'static Release,
        to: &'static Structure,
    ) -> &'static Self {
        let key = (from_release.id, from.path, to.path);
        if let Some(plan) = PLANS.read().ok().and_then(|plans| plans.get(&key).copied()) {
            return plan;
        }
        // There are a few hundred pairs of structures at most: they are kept for good.
        let plan: &'static Self = Box::leak(Box::new(Self::make(from_release, from, to_release, to)));
        if let Ok(mut plans) = PLANS.write() {
            return plans.entry(key).or_insert(plan);
        }
        plan
    }

    /// The member of the source of that JSON name (without the `_` of siblings).
    pub(super) fn member(&self, json_name: &str) -> Option<Member> {
        self.members.get(json_name).copied()
    }

    /// The relation to which an element of the target belongs.
    pub(super) fn relation_of_target(&self, element: &str) -> Option<usize> {
        self.targets.get(element).copied()
    }

    fn make(
        from_release: &'static Release,
        from: &'static Structure,
        to_release: &'static Release,
        to: &'static Structure,
    ) -> Self {
        let mut plan = Self {
            from,
            to,
            relations: Vec::new(),
            members: HashMap::new(),
            targets: HashMap::new(),
            standing: Vec::new(),
        };
        let releases = (from_release.id, to_release.id);
        let (stu3_path, r4_path) = match from_release.id {
            ReleaseId::Stu3 => (from.path, to.path),
            ReleaseId::R4 => (to.path, from.path),
        };
        for rule in rules::shaped(stu3_path, r4_path) {
            let (from_names, to_names, there, back) = match from_release.id {
                ReleaseId::Stu3 => (rule.stu3, rule.r4, rule.to_r4, rule.to_stu3),
                ReleaseId::R4 => (rule.r4, rule.stu3, rule.to_stu3, rule.to_r4),
            };
            plan.add(
                releases,
                from_names.iter().filter_map(|n| from.element(n)).collect(),
                to_names.iter().filter_map(|n| to.element(n)).collect(),
                How::Shapes { there, back },
            );
        }
        let renamed: Vec<(&str, &str)> = rules::renamed(stu3_path)
            .map(|(stu3, r4)| match from_release.id {
                ReleaseId::Stu3 => (stu3, r4),
                ReleaseId::R4 => (r4, stu3),
            })
            .collect();
        for (from_name, to_name) in &renamed {
            plan.add(
                releases,
                from.element(from_name).into_iter().collect(),
                to.element(to_name).into_iter().collect(),
                How::Adapt,
            );
        }
        for element in from.elements.iter().filter(|e| !is_extension(e)) {
            if plan.relations.iter().any(|r| r.from.iter().any(|e| e.name == element.name)) {
                continue;
            }
            match to.element(element.name).filter(|e| !plan.targets.contains_key(e.name)) {
                Some(other) => {
                    let how =
                        if is_identity(from_release, element, to_release, other) { How::Identity } else { How::Adapt };
                    plan.add(releases, vec![element], vec![other], how);
                }
                None => plan.add(releases, vec![element], Vec::new(), How::Adapt),
            }
        }
        for element in to.elements.iter().filter(|e| !is_extension(e)) {
            if !plan.targets.contains_key(element.name) {
                plan.add(releases, Vec::new(), vec![element], How::Adapt);
            }
        }
        plan.find_members(from_release, to_release);
        plan
    }

    fn add(
        &mut self,
        (from_release, to_release): (ReleaseId, ReleaseId),
        from: Vec<&'static Element>,
        to: Vec<&'static Element>,
        how: How,
    ) {
        let at = self.relations.len();
        let demand = |release, structure: &Structure, elements: &[&'static Element]| {
            elements.first().and_then(|e| constraints::demand(release, structure.path, e.name))
        };
        let from_demand = demand(from_release, self.from, &from);
        let to_demand = demand(to_release, self.to, &to);
        let how = match how {
            How::Identity if from_demand.is_some() || to_demand.is_some() => How::Adapt,
            how => how,
        };
        for element in &to {
            self.targets.insert(element.name, at);
        }
        let may_be_filled = to.iter().any(|e| e.min > 0) || matches!(to_demand, Some(Demand::Required(_)));
        if !matches!(how, How::Identity) && may_be_filled {
            self.standing.push(at);
        }
        self.relations.push(Relation { from, to, how, from_demand, to_demand });
    }

    fn find_members(&mut self, from_release: &'static Release, to_release: &'static Release) {
        for name in self.from.member_names() {
            let Some(member) = self.from.member(name) else { continue };
            let belongs = |r: &Relation| r.from.iter().any(|e| e.name == member.element.name);
            let Some(relation) = self.relations.iter().position(belongs) else { continue };
            let crossed = &self.relations[relation];
            // What is nested in a shaped relation has a counterpart only where a row says so.
            let likely = match crossed.how {
                How::Identity | How::Adapt => crossed.to.first().copied(),
                How::Shapes { .. } => None,
            };
            let to = rules::counterpart(from_release.id, self.from.path, name)
                .and_then(|path| type_at(to_release, path))
                .or_else(|| likely.and_then(|e| counterpart_type(member.type_ref, e)));
            self.members.insert(name, Member { relation, from: member.type_ref, to });
        }
    }
}

/// How JSON writes an element.
pub(super) fn form(element: &Element) -> Form {
    if element.repeats() { Form::Many } else { Form::One }
}

/// Extensions have their own way ([`extension`](super::extension)).
fn is_extension(element: &Element) -> bool {
    element.name == "extension"
}

/// The type of the other element whose content is of the same kind as that of this type.
fn counterpart_type(type_ref: &TypeRef, other: &'static Element) -> Option<&'static TypeRef> {
    other.types.iter().find(|t| match (type_ref.content, t.content) {
        (Content::Structure(_), Content::Structure(_)) => t.code == type_ref.code || both_nested(type_ref, t),
        (Content::Resource, Content::Resource) => true,
        _ => false,
    })
}

/// Whether both are elements with elements of their own, and no data types.
pub(super) fn both_nested(a: &TypeRef, b: &TypeRef) -> bool {
    is_nested(a) && is_nested(b)
}

pub(super) fn is_nested(type_ref: &TypeRef) -> bool {
    matches!(type_ref.code, "BackboneElement" | "Element")
}

/// The type of the element (or choice member) at a path such as `AuditEvent.agent.who`.
pub(super) fn type_at(release: &'static Release, path: &str) -> Option<&'static TypeRef> {
    let mut steps = path.split('.');
    let mut structure = release.type_named(steps.next()?)?;
    let mut found = None;
    for step in steps {
        let type_ref = structure.member(step)?.type_ref;
        if let Content::Structure(id) = type_ref.content {
            structure = release.structure(id);
        }
        found = Some(type_ref);
    }
    found
}

fn is_identity(from_release: &Release, from: &Element, to_release: &Release, to: &Element) -> bool {
    from.choice == to.choice
        && from.repeats() == to.repeats()
        && (from.min > 0) == (to.min > 0)
        && from.types.iter().all(|f| to.types.iter().any(|t| is_identical_type(f, t, from.choice)))
        && codes_fit(from_release, from, to_release, to)
}

fn is_identical_type(from: &TypeRef, to: &TypeRef, choice: Choice) -> bool {
    if from.code == to.code || both_nested(from, to) {
        return true;
    }
    // The name of a choice says its type, so there another type is another name.
    if choice == Choice::OfTypes {
        return false;
    }
    let (Content::Primitive(from), Content::Primitive(to)) = (from.content, to.content) else { return false };
    let is_address = |p| matches!(p, Primitive::Uri | Primitive::Url | Primitive::Canonical);
    let is_text = |p| matches!(p, Primitive::String | Primitive::Markdown);
    (is_address(from) && is_address(to)) || (is_text(from) && is_text(to))
}

/// Whether every code the source may have is one that the target may have.
fn codes_fit(from_release: &Release, from: &Element, to_release: &Release, to: &Element) -> bool {
    let Some(allowed) = required_list(to).and_then(|url| to_release.code_list(url)) else { return true };
    let Some(possible) = required_list(from).and_then(|url| from_release.code_list(url)) else { return false };
    possible.codes().all(|code| allowed.get(code).is_some())
}

/// The value set that binds the codes of an element.
pub(super) fn required_list(element: &Element) -> Option<&'static str> {
    element.binding.filter(|b| b.strength == BindingStrength::Required).map(|b| b.value_set)
}
